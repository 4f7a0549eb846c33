"""The mock as a driver: what it can do looks like a server's answer, what it cannot is refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from bson import Int64
from mongomock_motor import AsyncMongoMockClient
from pymongo.errors import BulkWriteError, OperationFailure

from asyncmig.drivers import driver_for
from asyncmig.drivers.base import Driver
from asyncmig.errors import OperationRefused, UnsupportedByDriver
from asyncmig.operations import (
    CreateCollection,
    CreateIndexes,
    DeleteDocuments,
    DropCollection,
    DropIndex,
    InsertDocuments,
    ModifyCollection,
    Operation,
    RenameCollection,
)
from asyncmig.running.applying.apply import Context, apply, prepare
from asyncmig.schema.index import Index

X: dict[str, Any] = {"key": {"x": 1}, "name": "x_1"}
TEXT: dict[str, Any] = {"key": {"t": "text", "u": "text"}, "name": "words"}


@pytest.fixture
def driver() -> Driver:
    return driver_for(AsyncMongoMockClient()["x"])


async def create(driver: Driver, *indexes: dict[str, Any], name: str = "a") -> Any:
    return await driver.command({"createIndexes": name, "indexes": list(indexes)})


LISTED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (X, {**X, "v": 2}),
    ({**X, "unique": True}, {**X, "v": 2, "unique": True}),
    ({**X, "sparse": True, "unique": False}, {**X, "v": 2, "sparse": True}),
    ({**X, "expireAfterSeconds": 60}, {**X, "v": 2, "expireAfterSeconds": 60}),
    ({**X, "expireAfterSeconds": 0}, {**X, "v": 2, "expireAfterSeconds": 0}),
    ({**X, "partialFilterExpression": {"x": 1}}, {**X, "v": 2, "partialFilterExpression": {"x": 1}}),
    ({**X, "background": True, "hidden": False, "collation": {"locale": "simple"}, "v": 2}, {**X, "v": 2}),
    ({"key": {"p": "2dsphere", "x": -1}, "name": "p"}, {"key": {"p": "2dsphere", "x": -1}, "name": "p", "v": 2}),
    (
        {**TEXT, "weights": {"t": 1, "u": 1.0}, "default_language": "english"},
        {
            "key": {"_fts": "text", "_ftsx": 1},
            "name": "words",
            "v": 2,
            "weights": {"t": 1, "u": 1},
            "default_language": "english",
            "language_override": "language",
            "textIndexVersion": 3,
        },
    ),
]


@pytest.mark.parametrize(("asked", "listed"), LISTED, ids=str)
async def test_an_index_is_listed_as_a_server_lists_it(
    driver: Driver, asked: dict[str, Any], listed: dict[str, Any]
) -> None:
    assert (await create(driver, asked))["numIndexesAfter"] == 2
    assert await driver.read({"listIndexes": "a"}) == [{"v": 2, "key": {"_id": 1}, "name": "_id_"}, listed]
    assert (await create(driver, asked))["note"] == "all indexes already exist"


LOST: list[tuple[Mapping[str, Any], str]] = [
    ({"createIndexes": "a", "indexes": [{**X, option: value}]}, f"create index x_1 on a with the option {option}")
    for option, value in {
        "hidden": True,
        "collation": {"locale": "en"},
        "wildcardProjection": {"a": 1},
        "storageEngine": {"wiredTiger": {}},
        "prepareUnique": True,
        "bits": 20,
        "weights": {"x": 5},
        "default_language": "german",
        "made_up": 1,
    }.items()
] + [
    ({"create": "a", option: value}, f"create a with the option {option}")
    for option, value in {
        "validator": {"x": 1},
        "capped": True,
        "collation": {"locale": "en"},
        "timeseries": {"timeField": "t"},
        "viewOn": "b",
        "made_up": 1,
    }.items()
]
COMMANDS: list[tuple[Mapping[str, Any], str]] = [
    ({"collMod": "a", "validator": {}}, "the command collMod ('a')"),
    ({"hello": 1}, "the command hello"),
    ({"dropIndexes": "a", "index": "*"}, "dropIndexes of '*' on a"),
    ({"renameCollection": "x.a", "to": "y.a"}, "renameCollection from x.a to y.a"),
]


@pytest.mark.parametrize(("command", "told"), LOST + COMMANDS, ids=lambda value: str(value)[:60])
async def test_what_it_cannot_do_is_refused_by_name(driver: Driver, command: Mapping[str, Any], told: str) -> None:
    if "create" not in command:
        await driver.command({"create": "a"})
    names = await driver.database.list_collection_names()
    with pytest.raises(UnsupportedByDriver) as error:
        await driver.command(command)
    assert str(error.value).startswith(f"mongomock-motor cannot do {told}")
    assert "use a real MongoDB server" in str(error.value)
    assert await driver.database.list_collection_names() == names
    assert len(await driver.read({"listIndexes": "a"}) if names else []) <= 1


async def test_aggregations_sessions_and_transactions_are_refused_by_name(driver: Driver) -> None:
    with pytest.raises(UnsupportedByDriver, match="the command aggregate"):
        await driver.read({"aggregate": 1, "pipeline": [{"$listCatalog": {}}]}, admin=True)
    with pytest.raises(UnsupportedByDriver, match="listCollections with the filter"):
        await driver.read({"listCollections": 1, "filter": {"type": "view"}})
    with pytest.raises(UnsupportedByDriver, match="anything in a session"):
        await driver.command({"create": "a"}, session=object())
    with pytest.raises(UnsupportedByDriver, match="transactions"):
        driver.transaction()


CONFLICTS: list[tuple[dict[str, Any], dict[str, Any], int]] = [
    (X, {**X, "name": "other"}, 85),
    (X, {**X, "expireAfterSeconds": 5}, 85),
    (X, {"key": {"y": 1}, "name": "x_1"}, 86),
]


@pytest.mark.parametrize(("there", "wanted", "code"), CONFLICTS, ids=str)
async def test_conflicts_that_the_mock_overlooks(
    driver: Driver, there: dict[str, Any], wanted: dict[str, Any], code: int
) -> None:
    await create(driver, there)
    with pytest.raises(OperationFailure) as error:
        await create(driver, wanted)
    assert error.value.code == code


async def test_indexes_are_made_all_or_none(driver: Driver) -> None:
    await driver.database["a"].insert_many([{"x": 1}, {"x": 1}])
    with pytest.raises(OperationFailure) as error:
        await create(driver, {"key": {"y": 1}, "name": "y_1"}, {**X, "unique": True})
    assert error.value.code == 11000
    assert [index["name"] for index in await driver.read({"listIndexes": "a"})] == ["_id_"]


MISSING: list[tuple[Mapping[str, Any], int]] = [
    ({"drop": "b"}, 26),
    ({"renameCollection": "x.b", "to": "x.c"}, 26),
    ({"renameCollection": "x.a", "to": "x.full"}, 48),
    ({"create": "a"}, 48),
    ({"dropIndexes": "b", "index": "x_1"}, 26),
    ({"dropIndexes": "a", "index": "x_1"}, 27),
    ({"dropIndexes": "a", "index": "_id_"}, 72),
]


@pytest.mark.parametrize(("command", "code"), MISSING, ids=str)
async def test_refusals_have_the_servers_codes(driver: Driver, command: Mapping[str, Any], code: int) -> None:
    await driver.command({"create": "a"})
    await driver.command({"create": "full"})
    with pytest.raises(OperationFailure) as error:
        await driver.command(command, admin="renameCollection" in command)
    assert error.value.code == code
    with pytest.raises(OperationFailure) as error:
        await driver.read({"listIndexes": "nowhere"})
    assert error.value.code == 26


async def test_collections_come_are_listed_renamed_and_go(driver: Driver) -> None:
    await driver.command({"create": "a", "capped": False, "writeConcern": {"w": "majority"}})
    await create(driver, X)
    await driver.command({"renameCollection": "x.a", "to": "x.b"}, admin=True)
    assert [info["name"] for info in await driver.read({"listCollections": 1})] == ["b"]
    assert await driver.read({"listCollections": 1, "filter": {"name": "a"}}) == []
    assert [index["name"] for index in await driver.read({"listIndexes": "b"})] == ["_id_", "x_1"]
    await driver.command({"dropIndexes": "b", "index": "x_1"})
    await driver.command({"drop": "b"})
    assert await driver.read({"listCollections": 1}) == []
    assert (await driver.command({"ping": 1}))["ok"] == 1
    assert "version" in await driver.command({"buildInfo": 1})
    await driver.close()


async def test_documents_keep_their_types(driver: Driver) -> None:
    rows = [driver.encode({"v": value, "_id": key}) for key, value in [(1, Int64(5)), (UUID(int=3), 1.0)]]
    await driver.insert("a", rows)
    assert sorted(await driver.stored("a", [1, UUID(int=3), 9])) == sorted(rows)
    with pytest.raises(BulkWriteError):
        await driver.insert("a", rows[:1])
    await driver.database["a"].update_one({"_id": 1}, {"$set": {"v": 6}})
    assert [await driver.delete_stored("a", row) for row in rows] == [False, True]
    assert await driver.delete("a", [1, 7]) == 1


async def test_its_clock_is_this_machines(driver: Driver) -> None:
    assert abs(driver.now - datetime.now(UTC)) < timedelta(seconds=5)
    collection = driver.collection("a")
    await collection.insert_one({"_id": 1, "at": driver.now})
    assert (await driver.collection("a").find_one({}))["_id"] == 1


DONE: list[Sequence[Operation]] = [
    (CreateCollection("a"), CreateIndexes("a", (Index("x", unique=True), Index([("t", "text")])))),
    (CreateCollection("a"), RenameCollection("a", "b"), DropCollection("b")),
    (CreateIndexes("a", (Index("x"),)), DropIndex("a", "x_1"), DropIndex("a", "y_1"), DropCollection("z")),
    (
        InsertDocuments("a", ({"_id": 1}, {"_id": 2})),
        DeleteDocuments("a", (1,), if_unchanged=True),
        DeleteDocuments("a", (2,)),
    ),
]


@pytest.mark.parametrize("operations", DONE, ids=lambda value: value[-1].describe())
async def test_operations_are_applied_and_may_be_again(driver: Driver, operations: Sequence[Operation]) -> None:
    context = Context(driver)
    for operation in operations:
        intent = await prepare(operation, context)
        await apply(operation, context, intent)
        await apply(operation, context, intent)


async def test_what_was_inserted_is_taken_back(driver: Driver) -> None:
    context = Context(driver)
    result = await apply(InsertDocuments("a", ({"_id": 1, "n": Int64(1)}, {"_id": 2})), context)
    await driver.database["a"].update_one({"_id": 2}, {"$set": {"v": 1}})
    back = Context(driver, inserted={"a": (result or {})["inserted"]})
    assert await apply(DeleteDocuments("a", (2, 1), if_unchanged=True), back) == {"deleted": 1, "kept": [2]}


async def test_refusals_tell_as_those_of_a_server_do(driver: Driver) -> None:
    context = Context(driver)
    await apply(CreateIndexes("a", (Index("x"),)), context)
    with pytest.raises(OperationRefused, match="is there and differs in unique"):
        await apply(CreateIndexes("a", (Index("x", unique=True),)), context)
    await driver.database["a"].insert_many([{"y": 1}, {"y": 1}])
    with pytest.raises(OperationRefused, match="has to be unique"):
        await apply(CreateIndexes("a", (Index("y", unique=True),)), context)
    with pytest.raises(UnsupportedByDriver, match="collMod"):
        await apply(ModifyCollection("a", {"validator": {}}), context)
