"""Indexes declared, made, changed into each other and taken back: every kind, on a real server, over documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from bson import Decimal128, Int64

from asyncmig.authoring.policy import Policy
from asyncmig.drivers import driver_for
from asyncmig.errors import OperationRefused
from asyncmig.operations import CreateIndexes, ModifyIndex
from asyncmig.schema.index import Index
from asyncmig.sources import load_models

from ..oracles.notation import load, parse
from .convergence import Step, facts, see
from .models import collection, documents, fill, routes

pytestmark = pytest.mark.servers(since="6.0")

EN, FR, SIMPLE = {"locale": "en", "strength": 2}, {"locale": "fr"}, {"locale": "simple"}
ENGINE = {"wiredTiger": {"configString": "prefix_compression=false"}}
SOME, OTHER = {"b": {"$gt": 1}}, {"b": {"$gt": 2}}

INDEXES: dict[str, list[Any]] = {
    "single": ["a"],
    "descending": [[("a", -1)]],
    "other numbers": [
        Index([("a", 2)]),
        Index([("a", -1.5)]),
        Index([("b", Int64(1))]),
        Index([("c", Decimal128("1"))]),
    ],
    "compound": [[("a", 1), ("b", -1), ("c.d", 1)]],
    "unique": [Index("a", unique=True)],
    "sparse": [Index("x", sparse=True, unique=True)],
    "TTL": [Index("t", expireAfterSeconds=3600.0), Index("a", expireAfterSeconds=0)],
    "partial": [
        Index("a", partialFilterExpression={"c": {"$exists": True}, "b": {"$gt": 1, "$lt": Int64(9)}}),
        Index("b", partialFilterExpression={"$or": [{"a": 1}, {"b": {"$in": [2, 1, "x"]}}]}),
        Index("b", name="empty", partialFilterExpression={}),
        Index("c", partialFilterExpression={"c": {"$type": ["string", 2, 16]}}),
    ],
    "collation": [Index("a", collation=EN), Index("b", collation={"locale": "th"}), Index("c", collation=SIMPLE)],
    "hidden": [Index("a", hidden=True)],
    "text": [Index([("s", "text")])],
    "text of several fields": [
        Index(
            [("a", 1), ("u", "text"), ("s", "text"), ("b", -1)],
            weights={"s": 5, "elsewhere": 2},
            default_language="french",
            language_override="tongue",
        )
    ],
    "text of everything": [Index([("$**", "text")], name="all")],
    "text with a version": [Index([("s", "text")], textIndexVersion=2)],
    "2d": [Index([("p", "2d")]), Index([("p", "2d"), ("a", 1)], bits=20, min=-100, max=100)],
    "2d with the defaults": [Index([("p", "2d")], bits=26, min=-180, max=180)],
    "2dsphere": [
        Index([("g", "2dsphere")]),
        Index([("a", 1), ("g", "2dsphere"), ("b", -1)]),
        Index([("g", "2dsphere")], name="sparse", sparse=True),
    ],
    "2dsphere with a version": [Index([("g", "2dsphere")], **{"2dsphereIndexVersion": 2})],
    "hashed": [Index([("h", "hashed")]), Index([("a", 1), ("h", "hashed")])],
    "wildcard": [
        Index("$**"),
        Index("c.$**"),
        Index("$**", name="some", wildcardProjection={"a": 1, "c": {"d": True}, "_id": 1}),
        Index("$**", name="others", wildcardProjection={"a": 0}, partialFilterExpression=SOME),
    ],
    "unicode": [Index("ü"), Index("имя.поле"), Index("a", name="名前")],
    "prepareUnique": [Index("a", prepareUnique=True), Index("c.$**", prepareUnique=True)],
    "storageEngine": [Index("a", storageEngine=ENGINE)],
    "a long name": [Index("a", name="n" * 1000), Index([("x" * 200, 1), ("y" * 200, 1)])],
    "a strange name": [Index("a", name="$x.y z"), Index("b", name="a_1")],
    "what the server leaves out or keeps": [
        Index("a", background=True, sparse=False, unique=False),
        Index("b", background=False, v=2),
        Index("c", hidden=False, prepareUnique=False),
    ],
    "the same key many times": [
        Index("a"),
        Index("a", name="unique", unique=True),
        Index("a", name="sparse", sparse=True),
        Index("a", name="en", collation=EN),
        Index("a", name="fr", collation=FR),
        Index("a", name="some", partialFilterExpression=SOME),
        Index("a", name="others", partialFilterExpression=OTHER),
        Index("a", name="empty", partialFilterExpression={}),
        Index([("a", -1)]),
        Index([("a", "hashed")]),
    ],
    "on _id": [Index("_id"), Index([("_id", "hashed")])],
}


@pytest.mark.parametrize("inherited", [{}, {"collation": {"locale": "de"}}], ids=["", "with a collation"])
@pytest.mark.parametrize("indexes", INDEXES.values(), ids=INDEXES)
async def test_indexes(database: Any, indexes: list[Any], inherited: dict[str, Any]) -> None:
    """Made with the collection; then, over documents, all of them renamed, gone, and back again."""
    step = Step(database, load_models([collection(indexes, **inherited)]).state)
    await step.up()
    await fill(database, step.wanted)
    renamed = [Index.of(entry).replace(name=f"new{place}") for place, entry in enumerate(indexes)]
    await Step(database, load_models([collection(renamed, **inherited)]).state).there_and_back()
    await Step(database, load_models([collection(**inherited)]).state).there_and_back()
    await step.down()


def x(*keys: Any, **options: Any) -> Index:
    return Index(list(keys) or ["a"], **{"name": "x", **options})


TEXT: list[Any] = [("s", "text")]

CHANGES: dict[str, list[list[Index]]] = {
    "plain, TTL, hidden, unique": [
        [],
        [x()],
        [x(hidden=True)],
        [x(expireAfterSeconds=5)],
        [x(expireAfterSeconds=9, hidden=True)],
        [x(unique=True)],
        [x(unique=True, expireAfterSeconds=9)],
        [x(prepareUnique=True)],
    ],
    "definitions": [
        [x()],
        [x(("a", -1))],
        [x("b")],
        [x("a", "b")],
        [x(sparse=True, unique=True)],
        [x(partialFilterExpression=SOME)],
        [x(collation=EN)],
        [x(storageEngine=ENGINE)],
        [x(("a", "hashed"))],
        [x("$**")],
    ],
    "names": [
        [x(name="p"), x("b", name="q"), x("c", name="r")],
        [x(name="q"), x("b", name="p"), x("c", name="r")],
        [x(name="q"), x("b", name="r"), x("c", name="p")],
        [x(name="s"), x("b", name="p")],
        [x(name="p"), x(name="q", unique=True), x(("a", -1), name="r")],
        [x(name="q"), x(name="r", unique=True), x(("a", -1), name="p")],
    ],
    "text": [
        [x(*TEXT)],
        [x(*TEXT, name="y")],
        [x(*TEXT, weights={"s": 5})],
        [x(*TEXT, weights={"r": 1})],
        [x(*TEXT, default_language="fr")],
        [x(*TEXT, language_override="tongue")],
        [x(("$**", "text"))],
        [x("a", ("s", "text"), hidden=True)],
        [x(*TEXT, unique=True)],
    ],
    "places": [
        [x(("p", "2d"))],
        [x(("p", "2d"), bits=20)],
        [x(("p", "2d"), name="y")],
        [x(("g", "2dsphere"))],
        [x(("g", "2dsphere"), sparse=True)],
        [x(("g", "2dsphere"), name="y")],
        [x(("g", "2dsphere"), unique=True)],
        [x(("g", "2dsphere"), **{"2dsphereIndexVersion": 2})],
    ],
    "wildcards": [
        [x("$**")],
        [x("$**", hidden=True)],
        [x("$**", name="y")],
        [x("$**", wildcardProjection={"a": 1})],
        [x("$**", wildcardProjection={"a": 0})],
        [x("$**", prepareUnique=True)],
        [x("$**", partialFilterExpression=SOME, name="y")],
        [x("$**", partialFilterExpression=SOME)],
    ],
}


def _arguments(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"keys": spec["key"], **{key: value for key, value in spec.items() if key != "key"}}


@pytest.mark.parametrize("variants", CHANGES.values(), ids=CHANGES)
async def test_indexes_from_one_to_another(database: Any, driver_name: str, variants: list[list[Index]]) -> None:
    await database.get_collection("c").insert_many(documents())
    reach = None if variants is CHANGES["plain, TTL, hidden, unique"] else 2  # the rest is all replaced alike
    for old, others in routes(variants, driver_name, reach):
        await Step(database, load_models([collection(old)]).state).up()
        for new in others:
            await Step(database, load_models([collection(new)]).state).there_and_back()


PAIRS = {
    found["case"]: [[Index(**_arguments(parse(found[which])))] for which in ("first", "second")]
    for found in load("index_conflicts")
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
async def test_from_each_of_a_pair_to_the_other(database: Any, driver_name: str, pair: list[list[Index]]) -> None:
    """All pairs of which is known what the server says to the second beside the first."""
    await database.get_collection("c").insert_many(documents(3))
    one, other = pair if driver_name == "motor" else pair[::-1]
    await Step(database, load_models([collection(one)]).state).up()
    await Step(database, load_models([collection(other)]).state).there_and_back()


class TestUndeclaredIndexes:
    async def test_hidden_first_dropped_later(self, database: Any) -> None:
        policy = Policy(undeclared_indexes="hide")
        await Step(database, load_models([collection(["a", Index("$**")])]).state).up()
        wanted = load_models([collection()]).state
        before = await see(database, wanted)
        hiding = Step(database, wanted, policy)
        hiding.before = before
        await driver_for(database).command({"collMod": "c", "index": {"name": "a_1", "hidden": True}})
        dropping = Step(database, wanted, policy)
        with pytest.raises(AssertionError):  # what it hides, the next one drops
            await dropping.up()
        assert sorted(operation.describe() for operation in dropping.found.operations) == [
            "drop index a_1 of c",
            "modify index $**_1 of c (hidden=True)",
        ]
        await Step(database, wanted, policy).up()
        assert (await see(database, wanted)).collections["c"].indexes == ()

    async def test_ignored(self, database: Any) -> None:
        await Step(database, load_models([collection(["a"])]).state).up()
        step = Step(database, load_models([collection()]).state, Policy(undeclared_indexes="ignore"))
        await step.there_and_back()
        assert step.found.operations == ()
        assert len(step.found.notes) == 1


async def test_one_command_for_new_indexes_of_a_collection(database: Any) -> None:
    step = Step(database, load_models([collection(["a", "b", Index("a", name="u", unique=True)])]).state)
    await step.up()
    assert [len(op.indexes) for op in step.found.operations if isinstance(op, CreateIndexes)] == [3]


async def test_in_place_where_the_server_can(database: Any) -> None:
    await database.get_collection("c").insert_many(documents())
    await Step(database, load_models([collection([x()])]).state).up()
    step = Step(database, load_models([collection([x(unique=True, hidden=True, expireAfterSeconds=5)])]).state)
    await step.there_and_back()
    assert [type(operation) for operation in step.found.operations] == [ModifyIndex, ModifyIndex]


@pytest.mark.parametrize(
    ("new", "code"),
    [
        (x(unique=True), 359),
        (x("a", "same", unique=True), 11000),
        (x("same", unique=True, name="y"), 11000),
        (x(("p", "hashed")), 16766),
    ],
    ids=["in place", "same name", "other name", "no uniqueness"],
)
async def test_what_the_documents_forbid_takes_nothing_away(database: Any, new: Index, code: int) -> None:
    """The new index (or the bridge to it) is refused before the old one is touched."""
    await Step(database, load_models([collection([x()])]).state).up()
    await database.get_collection("c").insert_many([{"a": 1, "same": 1, "p": [1, 2]} for _ in range(2)])
    step = Step(database, load_models([collection([new])]).state)
    with pytest.raises(OperationRefused) as refusal:
        await step.up()
    assert refusal.value.code == code
    assert facts(await see(database, step.wanted)) == facts(step.before)
