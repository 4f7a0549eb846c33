"""Documents: in where they are missing, out where they are still ours, and never anything of somebody else's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from bson import Binary, DatetimeMS, Decimal128, Int64, ObjectId, Regex, Timestamp
from pymongo.errors import AutoReconnect

from asyncmig.errors import OperationRefused
from asyncmig.operations import (
    CreateCollection,
    CreateIndexes,
    DeleteDocuments,
    InsertDocuments,
    MoveDocuments,
    RenameField,
    TransformDocuments,
    UpdateInBatches,
)
from asyncmig.running.applying.apply import Context, apply, prepare
from asyncmig.running.applying.digest import digest
from asyncmig.schema.index import Index

from .applying_helpers import Watched, context, run

pytestmark = pytest.mark.servers

TWO = InsertDocuments("a", ({"_id": 1, "v": "one"}, {"_id": 2, "v": "two"}))
BACK = TWO.reverse()[0]


async def found(database: Any) -> list[Any]:
    documents: list[Any] = await database["a"].find({}).sort("_id", 1).to_list(None)
    return documents


async def inserted(database: Any, operation: InsertDocuments) -> dict[str, Any]:
    """Insert, and what the ledger would then know."""
    (result,) = await run(database, operation)
    return {"a": result["inserted"]}


async def test_only_what_is_missing_goes_in(database: Any) -> None:
    await database["a"].insert_one({"_id": 1, "v": "the user's own"})
    (result,) = await run(database, TWO)
    assert await found(database) == [{"_id": 1, "v": "the user's own"}, {"_id": 2, "v": "two"}]
    assert result == {"inserted": [{"_id": 2, "digest": digest({"_id": 2, "v": "two"})}], "present": 1}


async def test_the_way_back_takes_only_what_came_in(database: Any) -> None:
    await database["a"].insert_one({"_id": 1, "v": "one"})  # just as ours, but not ours
    ours = await inserted(database, TWO)
    (result,) = await run(database, BACK, inserted=ours)
    assert await found(database) == [{"_id": 1, "v": "one"}]
    assert result == {"deleted": 1, "kept": [1]}


CHANGES: list[dict[str, Any]] = [
    {"_id": 2, "v": "changed"},
    {"_id": 2, "v": "two", "more": 1},
    {"_id": 2},
    {"_id": 2.0, "v": "two"},
]


@pytest.mark.parametrize("changed", CHANGES, ids=str)
async def test_what_somebody_has_changed_stays(database: Any, changed: dict[str, Any]) -> None:
    ours = await inserted(database, TWO)
    await database["a"].delete_one({"_id": 2})
    await database["a"].insert_one(changed)
    (result,) = await run(database, BACK, inserted=ours)
    assert await found(database) == [changed]
    assert result == {"deleted": 1, "kept": [2]}


@pytest.mark.parametrize(
    ("was", "now"), [(1, 1.0), (1, Int64(1)), ({"x": 1, "y": 2}, {"y": 2, "x": 1}), (None, ""), (1, True)]
)
async def test_a_change_of_type_or_order_alone_is_a_change(database: Any, was: Any, now: Any) -> None:
    ours = await inserted(database, InsertDocuments("a", ({"_id": 1, "v": was},)))
    await database["a"].replace_one({"_id": 1}, {"v": now})
    (result,) = await run(database, DeleteDocuments("a", (1,), if_unchanged=True), inserted=ours)
    assert result == {"deleted": 0, "kept": [1]}


async def test_what_is_gone_is_neither_deleted_nor_kept(database: Any) -> None:
    ours = await inserted(database, TWO)
    await database["a"].delete_one({"_id": 2})
    (result,) = await run(database, BACK, inserted=ours)
    assert result == {"deleted": 1, "kept": []}


async def test_without_a_ledger_nothing_is_known_to_be_ours(database: Any) -> None:
    await run(database, TWO)
    (result,) = await run(database, BACK)
    assert result == {"deleted": 0, "kept": [1, 2]}


async def test_plainly_deleted_is_deleted(database: Any) -> None:
    await database["a"].insert_many([{"_id": n} for n in range(4)])
    (result,) = await run(database, DeleteDocuments("a", (0, 2, 9)))
    assert [document["_id"] for document in await found(database)] == [1, 3]
    assert result == {"deleted": 2, "kept": []}


async def test_killed_half_way_the_first_intent_still_knows_what_is_ours(database: Any) -> None:
    await database["a"].insert_one({"_id": 1, "v": "one"})
    there = context(database)
    intent = await prepare(TWO, there)
    assert [entry["_id"] for entry in (intent or {})["missing"]] == [2]
    with pytest.raises(AutoReconnect):
        await apply(TWO, Context(Watched(there.driver, 0, done=True).driver), intent)
    assert len(await found(database)) == 2
    assert await apply(TWO, there, intent) == {"inserted": (intent or {})["missing"], "present": 1}


async def test_what_somebody_inserts_in_between_is_theirs(database: Any) -> None:
    there = context(database)
    intent = await prepare(TWO, there)
    await database["a"].insert_one({"_id": 2, "v": "theirs"})
    result = await apply(TWO, there, intent)
    assert [entry["_id"] for entry in (result or {})["inserted"]] == [1]
    assert (await found(database))[1] == {"_id": 2, "v": "theirs"}


async def test_what_somebody_inserts_at_the_same_moment_is_theirs(database: Any) -> None:
    """Between the look and the insert: the duplicate _id is no error."""

    class Late(Watched):
        def __getattr__(self, name: str) -> Any:
            value = super().__getattr__(name)
            if name != "insert":
                return value

            async def insert(*arguments: Any, **named: Any) -> None:
                await database["a"].insert_one({"_id": 1, "v": "theirs"})
                await value(*arguments, **named)

            return insert

    result = await apply(TWO, Context(Late(context(database).driver).driver))
    assert [entry["_id"] for entry in (result or {})["inserted"]] == [2]
    assert await found(database) == [{"_id": 1, "v": "theirs"}, {"_id": 2, "v": "two"}]


async def test_a_unique_value_that_is_taken_is_a_refusal(database: Any) -> None:
    await run(database, CreateIndexes("a", (Index("v", unique=True),)))
    await database["a"].insert_one({"_id": 7, "v": "one"})
    with pytest.raises(OperationRefused, match="dup key") as refused:
        await run(database, TWO)
    assert refused.value.code == 11000
    assert "has to be unique" in refused.value.advice
    await database["a"].delete_one({"_id": 7})
    await run(database, TWO)
    assert [document["_id"] for document in await found(database)] == [1, 2]


async def test_a_validator_that_objects_is_a_refusal(database: Any) -> None:
    await run(database, CreateCollection("a", {"validator": {"v": {"$type": "int"}}}))
    with pytest.raises(OperationRefused, match="the collection's validator refuses") as refused:
        await run(database, TWO)
    assert refused.value.code == 121


@pytest.mark.parametrize(
    ("value", "told"), [({1, 2}, "set"), (2**70, "8-byte ints"), (object(), "object")], ids=["set", "int", "object"]
)
async def test_what_bson_does_not_have_is_a_refusal(database: Any, value: Any, told: str) -> None:
    with pytest.raises(OperationRefused, match=told) as refused:
        await run(database, InsertDocuments("a", ({"_id": 1, "v": value},)))
    assert refused.value.code is None


IDS: list[Any] = [
    0,
    1.5,
    Int64(3),
    "text",
    True,
    None,
    ObjectId("675859c0f3dc3685b6091d96"),
    datetime(2024, 12, 10, 15, 0, 0, 123456, UTC),
    datetime(2024, 12, 10, 15, 0, 0, 123456),  # without a zone it is meant in UTC
    DatetimeMS(2**60),
    Binary(b"x", 128),
    b"bytes",
    Decimal128("1.10"),
    Timestamp(5, 1),
    {"a": 1, "b": {"c": 2}},
    float("nan"),
    float("inf"),
]


@pytest.mark.parametrize("key", IDS, ids=repr)
async def test_every_kind_of_id_goes_in_once_and_out_again(database: Any, key: Any) -> None:
    operation = InsertDocuments("a", ({"v": Regex("^x", "i"), "_id": key, "w": float("nan")},))
    ours = await inserted(database, operation)
    assert len(ours["a"]) == 1
    (again,) = await run(database, operation)
    assert again == {"inserted": [], "present": 1}
    (result,) = await run(database, DeleteDocuments("a", (key,), if_unchanged=True), inserted=ours)
    assert result == {"deleted": 1, "kept": []}
    assert await found(database) == []


async def test_a_uuid_is_spelled_as_the_users_client_spells_it(
    make_client: Any, driver_name: str, database: Any
) -> None:
    """And by the standard, where the client leaves that open."""
    standard = make_client(driver_name, uuidRepresentation="standard")[database.name]
    legacy = make_client(driver_name, uuidRepresentation="pythonLegacy")[database.name]
    key = UUID(int=5)
    operation = InsertDocuments("a", ({"_id": key},))
    for place, subtype in ((standard, 4), (legacy, 3), (database, 4)):
        ours = await inserted(place, operation)
        assert [document["_id"].subtype for document in await found(database)] == [subtype]
        (result,) = await run(place, DeleteDocuments("a", (key,), if_unchanged=True), inserted=ours)
        assert result == {"deleted": 1, "kept": []}


async def test_in_a_transaction_all_or_nothing(database: Any) -> None:
    await run(database, CreateCollection("a"))
    driver = context(database).driver
    with pytest.raises(RuntimeError):
        await _insert_and_fail(driver)
    assert await found(database) == []
    async with driver.transaction() as session:
        there = Context(driver, session=session)
        result = await apply(TWO, there, await prepare(TWO, there))
        assert await found(database) == []
        back = Context(driver, session=session, inserted={"a": (result or {})["inserted"][:1]})
        assert await apply(BACK, back) == {"deleted": 1, "kept": [2]}
    assert await found(database) == [{"_id": 2, "v": "two"}]


async def _insert_and_fail(driver: Any) -> None:
    async with driver.transaction() as session:
        await apply(TWO, Context(driver, session=session))
        raise RuntimeError


TAKEN, BREAKS = "E11000 duplicate key error", "Document failed validation"
IN_WORDS = [
    (InsertDocuments("a", ({"_id": 9, "n": 1},)), TAKEN),
    (InsertDocuments("a", ({"_id": 9, "n": -1},)), BREAKS),
    (UpdateInBatches("a", {"_id": 2}, {"$set": {"n": 1}}), TAKEN),
    (UpdateInBatches("a", {}, [{"$set": {"n": {"$multiply": ["$n", -1]}}}]), BREAKS),
    (TransformDocuments("a", {"_id": 2}, lambda one: one | {"n": 1}), TAKEN),
    (TransformDocuments("a", {}, lambda one: one | {"n": -one["n"]}), BREAKS),
    (RenameField("a", "m", "n"), TAKEN),
    (MoveDocuments("b", {}, "a"), BREAKS),
]


@pytest.mark.parametrize(("operation", "words"), IN_WORDS)
async def test_the_words_of_the_first_write_are_told(database: Any, operation: Any, words: str) -> None:
    """Not the driver's own for all of them: "batch op errors occurred", code 65."""
    await database.create_collection("a", validator={"n": {"$not": {"$lt": 0}}})
    await database["a"].create_index("n", unique=True, sparse=True)
    await database["a"].insert_many([{"_id": 1, "n": 1}, {"_id": 2, "n": 2}, {"_id": 3, "m": 1}])
    await database["b"].insert_one({"_id": 7, "n": -7})
    with pytest.raises(OperationRefused) as refusal:
        await run(database, operation)
    assert words in str(refusal.value)
    assert "batch op errors" not in str(refusal.value)
    assert refusal.value.code != 65
