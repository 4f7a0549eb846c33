"""Indexes: what the server passes over in silence, what it refuses, and what must never reach it."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from asyncmig.drivers import driver_for
from asyncmig.errors import OperationRefused
from asyncmig.operations import CreateCollection, CreateIndexes, DropIndex, ModifyIndex, Operation
from asyncmig.running.applying.apply import Context, apply, prepare
from asyncmig.schema.index import Index

from .applying_helpers import Watched, context, index_of, run
from .database_snapshot import snapshot

pytestmark = pytest.mark.servers(since="6.0")

UNIQUE = ModifyIndex("a", "x_1", {"unique": True})

SILENT: list[tuple[Index, Index, str]] = [
    (Index("x", hidden=True), Index("x"), "hidden"),
    (Index("x"), Index("x", hidden=True), "hidden"),
    (
        Index([("x", "2dsphere")], **{"2dsphereIndexVersion": 2}),
        Index([("x", "2dsphere")], **{"2dsphereIndexVersion": 3}),
        "2dsphereIndexVersion",
    ),
    (Index([("x", "text")], textIndexVersion=2), Index([("x", "text")], textIndexVersion=3), "textIndexVersion"),
]

ALIKE: list[tuple[Index, Index]] = [
    (Index("x"), Index("x")),
    (Index("x"), Index([("x", 1.0)], name="x_1")),
    (Index("x"), Index("x", unique=False, hidden=False, background=True)),
    (Index("x", background=True), Index("x")),
    (Index("x", v=1), Index("x")),
    (Index("x", expireAfterSeconds=60), Index("x", expireAfterSeconds=60.0)),
    (Index("x", collation={"locale": "da"}), Index("x", collation={"locale": "da", "caseFirst": "upper"})),
    (Index("x", partialFilterExpression={"x": 1}), Index("x", partialFilterExpression={"x": {"$eq": 1}})),
    (Index([("x", "text"), ("y", "text")]), Index([("x", "text"), ("y", "text")], weights={"y": 1})),
    (Index([("x", "2dsphere")]), Index([("x", "2dsphere")], **{"2dsphereIndexVersion": 3})),
    (Index("_id"), Index("_id", name="another")),
]

CONFLICTS: list[tuple[Index, Index, int, str]] = [
    (Index("x"), Index("x", name="other"), 85, "Index([('x', 1)], name='x_1') is there, and MongoDB keeps no two"),
    (Index("x"), Index("y", name="x_1"), 86, "is there and differs in its key"),
    (Index("x"), Index("x", unique=True), 86, "is there and differs in unique"),
    (Index("x"), Index("x", expireAfterSeconds=9), 85, "is there and differs in expireAfterSeconds"),
    (Index([("x", "text")]), Index([("y", "text")]), 85, "exists with another name or other options"),
]

REFUSED: list[tuple[list[Index], int, str]] = [
    ([Index("x"), Index("x", name="x_1")], 68, "remove one"),
    ([Index([("x", 0)])], 67, "does not allow this key"),
    ([Index("x", uniqe=True)], 197, "does not know the option"),
    ([Index([("x", "hashed")], unique=True)], 16764, "second, plain index unique"),
    ([Index("x", collation={"locale": "klingon"})], 2, "its message says which"),
]


async def _make(database: Any, *indexes: Index) -> None:
    await database.create_collection("a")
    await database.command({"createIndexes": "a", "indexes": [index.document for index in indexes]})


@pytest.mark.parametrize(("there", "wanted", "differing"), SILENT, ids=lambda value: str(value)[:60])
async def test_what_the_server_passes_over_is_refused(
    database: Any, there: Index, wanted: Index, differing: str
) -> None:
    await _make(database, there)
    was = await snapshot(database)
    for indexes in ((wanted,), (Index("z"), wanted)):
        with pytest.raises(OperationRefused, match=f"differs in {differing}.*\n.*modify_index"):
            await run(database, CreateIndexes("a", indexes))
    await database["a"].drop_index("z_1")
    assert await snapshot(database) == was


@pytest.mark.parametrize(("there", "wanted"), ALIKE, ids=lambda value: str(value)[:60])
async def test_what_is_no_difference_is_no_refusal(database: Any, there: Index, wanted: Index) -> None:
    await _make(database, there)
    was = await snapshot(database)
    await run(database, CreateIndexes("a", (wanted,)))
    assert await snapshot(database) == was


async def test_an_index_that_inherits_its_collections_collation_is_no_refusal(database: Any) -> None:
    await run(database, CreateCollection("a", {"collation": {"locale": "th"}}))
    for index in (Index("x"), Index("y", collation={"locale": "simple"}), Index("z", collation={"locale": "th"})):
        await run(database, CreateIndexes("a", (index,)))
        await run(database, CreateIndexes("a", (index,)))
    with pytest.raises(OperationRefused, match="collation"):
        await run(database, CreateIndexes("a", (Index("x", collation={"locale": "simple"}),)))


async def test_the_drivers_find_our_index_of_a_measurement_there(database: Any) -> None:
    """The server compares a time series' indexes as they were sent, in the order of their fields."""
    await run(database, CreateCollection("a", {"timeseries": {"timeField": "t"}}))
    keys, options = [("n", 1), ("t", -1)], {"hidden": True, "collation": {"locale": "de"}}
    await run(database, CreateIndexes("a", (Index(keys), Index(keys, name="other", **options))))
    await database["a"].create_index(keys)
    await run(database, CreateIndexes("a", (Index(keys),)))
    assert len(await driver_for(database).read({"listIndexes": "a"})) == 2


@pytest.mark.parametrize(("there", "wanted", "code", "told"), CONFLICTS, ids=lambda value: str(value)[:60])
async def test_a_conflict_shows_what_is_there(database: Any, there: Index, wanted: Index, code: int, told: str) -> None:
    await _make(database, there)
    was = await snapshot(database)
    with pytest.raises(OperationRefused) as refused:
        await run(database, CreateIndexes("a", (wanted, Index("q"))))
    assert refused.value.code == code
    assert told in str(refused.value)
    assert await snapshot(database) == was


@pytest.mark.parametrize(("wanted", "code", "told"), REFUSED, ids=lambda value: str(value)[:60])
async def test_what_no_server_takes(database: Any, wanted: list[Index], code: int, told: str) -> None:
    await database.create_collection("a")
    with pytest.raises(OperationRefused) as refused:
        await run(database, CreateIndexes("a", tuple(wanted)))
    assert refused.value.code == code
    assert told in refused.value.advice


DUPLICATES: list[tuple[list[dict[str, Any]], Index, str]] = [
    (
        [{"_id": n, "x": n % 2} for n in range(4)],
        Index("x", unique=True),
        "x_1: 2 values stand in more than one document: x=0 in _id 0, 2; x=1 in _id 1, 3.",
    ),
    ([{"_id": n, "x": n % 9} for n in range(18)], Index("x", unique=True), "9 values"),
    (
        [{"_id": 1}, {"_id": 2}],
        Index("x", unique=True),
        "1 value stands in more than one document: x=None in _id 1, 2.",
    ),
    (
        [{"_id": 1}, {"_id": 2}, {"_id": 3, "x": 1}, {"_id": 4, "x": 1}],
        Index("x", unique=True, sparse=True),
        "1 value stands in more than one document: x=1 in _id 3, 4.",
    ),
    (
        [{"_id": 1, "x": [1, 1, 2]}, {"_id": 2, "x": [3]}, {"_id": 3, "x": 2}],
        Index("x", unique=True),
        "1 value stands in more than one document: x=2 in _id 1, 3.",
    ),
    (
        [{"_id": 1, "x": 1, "y": 1}, {"_id": 2, "x": 1, "y": 2}, {"_id": 3, "x": 1, "y": 1}],
        Index([("x", 1), ("y", -1)], unique=True),
        "x=1, y=1 in _id 1, 3.",
    ),
    (
        [{"_id": 1, "x": "a"}, {"_id": 2, "x": "A"}],
        Index("x", unique=True, collation={"locale": "en", "strength": 2}),
        "in _id 1, 2.",
    ),
    (
        [{"_id": 1, "x": 1}, {"_id": 2, "x": 1}, {"_id": 3, "x": 5}, {"_id": 4, "x": 5}],
        Index("x", unique=True, partialFilterExpression={"x": {"$gt": 3}}),
        "1 value stands in more than one document: x=5 in _id 3, 4.",
    ),
    (
        [{"_id": 1, "p": [{"q": 1}]}, {"_id": 2, "p": [{"q": 2}, {"q": 1}]}],
        Index("p.q", unique=True),
        "p.q=1 in _id 1, 2.",
    ),
]


@pytest.mark.parametrize(("documents", "index", "told"), DUPLICATES, ids=lambda value: str(value)[:60])
async def test_documents_in_the_way_of_a_unique_index_are_named(
    database: Any, documents: list[dict[str, Any]], index: Index, told: str
) -> None:
    await database["a"].insert_many(documents)
    with pytest.raises(OperationRefused) as refused:
        await run(database, CreateIndexes("a", (Index("z"), index)))
    assert refused.value.code == 11000
    assert told in refused.value.advice
    assert await index_of(database, "a", "z_1") == {}


@pytest.mark.parametrize("prepared", [False, True])
async def test_an_index_that_cannot_become_unique_is_left_as_it_was(database: Any, prepared: bool) -> None:
    await database["a"].insert_many([{"_id": n, "x": n % 7} for n in range(20)])
    await run(database, CreateIndexes("a", (Index("x"),)))
    if prepared:
        await run(database, ModifyIndex("a", "x_1", {"prepareUnique": True}))
    was = await index_of(database, "a", "x_1")
    with pytest.raises(OperationRefused) as refused:
        await run(database, UNIQUE)
    assert refused.value.code == 359
    assert "7 values stand in more than one document: _id 0, 7, 14; _id 1, 8, 15; " in refused.value.advice
    assert "; and 2 more. Correct the documents first" in refused.value.advice
    assert await index_of(database, "a", "x_1") == was


async def test_the_first_intent_knows_how_the_index_was(database: Any) -> None:
    """Killed after prepareUnique, it is found prepared; on the way back it is not to stay so."""
    await database["a"].insert_many([{"x": 1}, {"x": 1}])
    await run(database, CreateIndexes("a", (Index("x"),)))
    there = context(database)
    intent = await prepare(UNIQUE, there)
    watched = Watched(there.driver, 1, done=True)
    with pytest.raises(AutoReconnect):
        await apply(UNIQUE, Context(watched.driver), intent)
    assert (await index_of(database, "a", "x_1"))["prepareUnique"] is True
    with pytest.raises(OperationRefused):
        await apply(UNIQUE, there, intent)
    assert "prepareUnique" not in await index_of(database, "a", "x_1")


async def test_nothing_new_can_double_while_old_doubles_are_looked_for(database: Any) -> None:
    await run(database, CreateIndexes("a", (Index("x"),)))
    watched = Watched(context(database).driver)
    await apply(UNIQUE, Context(watched.driver), {"prepare_unique": False})
    assert [{**one, "collMod": 0} for one in watched.commands] == [
        {"collMod": 0, "index": {"name": "x_1", "prepareUnique": True}},
        {"collMod": 0, "index": {"name": "x_1", "unique": True}, "dryRun": True},
        {"collMod": 0, "index": {"name": "x_1", "unique": True}},
    ]
    assert (await index_of(database, "a", "x_1"))["unique"] is True


DEADLY: list[tuple[Index, dict[str, Any]]] = [
    (index, options)
    for index in (Index("$**", name="w"), Index("a.$**", name="w"), Index([("$**", "text")], name="w"))
    for options in ({"expireAfterSeconds": 5}, {"prepareUnique": True}, {"unique": True, "hidden": True})
]


@pytest.mark.parametrize(("index", "options"), DEADLY, ids=str)
async def test_what_would_stop_the_server_is_never_sent(database: Any, index: Index, options: dict[str, Any]) -> None:
    """collMod with any of these on a wildcard index makes mongod 6.0.5 abort."""
    await _make(database, index)
    watched = Watched(context(database).driver)
    operation = ModifyIndex("a", "w", options)
    there = Context(watched.driver)
    with pytest.raises(OperationRefused, match="of a wildcard index cannot be changed"):
        await apply(operation, there, await prepare(operation, there))
    assert watched.commands == []
    await run(database, ModifyIndex("a", "w", {"hidden": True}))


IMPOSSIBLE: list[tuple[Operation, int | None, str]] = [
    (ModifyIndex("a", "x_1", {"unique": False}), None, "cannot be made an ordinary one"),
    (ModifyIndex("a", "x_1", {"expireAfterSeconds": None}), None, "cannot be taken off"),
    (ModifyIndex("a", "x_1", {"sparse": True, "weights": {}}), None, "sparse, weights cannot be changed in place"),
    (ModifyIndex("a", "x_1", {"expireAfterSeconds": -1}), 72, "drop the index and create it anew"),
    (ModifyIndex("a", "y_1", {"hidden": True}), 27, "a has: _id_, x_1; mind the spelling"),
    (ModifyIndex("b", "y_1", {"hidden": True}), 27, "b has: no index at all"),
    (ModifyIndex("a", "_id_", {"hidden": True}), 2, "cannot be changed in place"),
    (DropIndex("a", "_id_"), 72, ""),
    (DropIndex("a", "*"), None, "one by one"),
]


@pytest.mark.parametrize(("operation", "code", "told"), IMPOSSIBLE, ids=lambda value: str(value)[:60])
async def test_what_cannot_be_changed_in_place(
    database: Any, operation: Operation, code: int | None, told: str
) -> None:
    await _make(database, Index("x"))
    was = await snapshot(database)
    with pytest.raises(OperationRefused) as refused:
        await run(database, operation)
    assert refused.value.code == code
    assert told in str(refused.value)
    assert await snapshot(database) == was
