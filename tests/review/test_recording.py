"""Recording a revision: what it would do is written down, reads see the real data, nothing is ever written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from bson import ObjectId
from mongomock_motor import AsyncMongoMockClient
from pymongo import IndexModel, InsertOne, UpdateMany

from asyncmig.drivers import driver_for
from asyncmig.drivers.real import maybe
from asyncmig.operations import CreateCollection, CreateIndexes, DropCollection
from asyncmig.review.recording import RawCall, Recording, record
from asyncmig.running.env.env import Env
from asyncmig.schema.index import Index

Revision = Callable[[Env], Awaitable[Any]]


@pytest.fixture
async def filled(database: Any) -> AsyncIterator[Any]:
    """A database with a collection of three documents; whatever a test does, its hash stays as it is."""
    await database["wallet"].insert_many([{"_id": n, "coins": n * 10} for n in range(3)])
    await database["wallet"].create_index("coins")
    before = await _hash(database)
    yield database
    assert await _hash(database) == before


async def _hash(database: Any) -> Any:
    names = sorted(await database.list_collection_names())
    indexes = {name: sorted(await database[name].index_information()) for name in names}
    others = sorted(name for name in await database.client.list_database_names() if name.startswith("elsewhere"))
    return (await database.command("dbHash"))["md5"], indexes, others


async def recorded(database: Any, revision: Revision, *collections: str) -> Recording:
    return await record(revision, driver_for(database), set(collections))


async def _with_session(env: Env) -> Any:
    async with await maybe(env.client.start_session()) as session:
        await maybe(session.start_transaction())
        assert await env.db.wallet.count_documents({}, session=session) == 3
        await session.client[env.db.name].wallet.delete_many({}, session=session)
        await session.abort_transaction()


async def _with_transaction(env: Env) -> None:
    async def change(session: Any) -> None:
        await session.client[env.db.name].wallet.delete_many({}, session=session)

    async with await maybe(env.client.start_session()) as session:
        await session.with_transaction(change)


async def _by_cursor(env: Env) -> None:
    cursor = env.db.wallet.find({}).sort("coins", -1).limit(2)
    await cursor.collection.delete_many({})
    async for document in cursor:
        await env.db.wallet.update_one({"_id": document["_id"]}, {"$set": {"seen": True}})


async def _in_a_task_group(env: Env) -> None:
    await asyncio.gather(*(env.db.wallet.delete_one({"_id": n}) for n in range(2)))


async def _aggregate_out(env: Env) -> None:
    cursor = await maybe(env.db.wallet.aggregate([{"$match": {}}, {"$out": "copy"}]))
    assert [document async for document in cursor] == []
    assert await cursor.to_list(None) == []


WRITES: list[tuple[Revision, list[str]]] = [
    (lambda e: e.db.wallet.insert_one({"_id": 9}), ["env.db.wallet.insert_one({'_id': 9})"]),
    (
        lambda e: e.db["wallet"].insert_many([{"_id": 8}, {"_id": 9}], ordered=False),
        ["env.db.wallet.insert_many([{'_id': 8}, {'_id': 9}], ordered=False)"],
    ),
    (lambda e: e.db.wallet.insert_many([{"_id": n} for n in range(10, 20)]), ["env.db.wallet.insert_many([10 items])"]),
    (
        lambda e: e.db.get_collection("wallet").update_one({"_id": 1}, {"$inc": {"coins": 1}}),
        ["env.db.wallet.update_one({'_id': 1}, {'$inc': {'coins': 1}})"],
    ),
    (
        lambda e: e.db.wallet.update_many({}, [{"$set": {"a": 1}}]),
        ["env.db.wallet.update_many({}, [{'$set': {'a': 1}}])"],
    ),
    (
        lambda e: e.db.wallet.replace_one({"_id": 7}, {"a": 1}, upsert=True),
        ["env.db.wallet.replace_one({'_id': 7}, {'a': 1}, upsert=True)"],
    ),
    (lambda e: e.db.wallet.delete_one({"_id": 1}), ["env.db.wallet.delete_one({'_id': 1})"]),
    (lambda e: e.db.wallet.delete_many({}, session=None), ["env.db.wallet.delete_many({})"]),
    (lambda e: e.db.wallet.with_options().delete_many({}), ["env.db.wallet.delete_many({})"]),
    (lambda e: e.db.wallet.find_one_and_delete({"_id": 1}), ["env.db.wallet.find_one_and_delete({'_id': 1})"]),
    (
        lambda e: e.db.wallet.find_one_and_update({"_id": 1}, {"$set": {"a": 1}}, upsert=True),
        ["env.db.wallet.find_one_and_update({'_id': 1}, {'$set': {'a': 1}}, upsert=True)"],
    ),
    (
        lambda e: e.db.wallet.find_one_and_replace({"_id": 1}, {}),
        ["env.db.wallet.find_one_and_replace({'_id': 1}, {})"],
    ),
    (
        lambda e: e.db.wallet.bulk_write([InsertOne({"_id": 9}), UpdateMany({}, {"$set": {"a": 1}})]),
        ["env.db.wallet.bulk_write("],
    ),
    (lambda e: e.db.wallet.create_index("a", unique=True), ["env.db.wallet.create_index('a', unique=True)"]),
    (lambda e: e.db.wallet.create_indexes([IndexModel("a")]), ["env.db.wallet.create_indexes("]),
    (lambda e: e.db.wallet.drop_index("coins_1"), ["env.db.wallet.drop_index('coins_1')"]),
    (lambda e: e.db.wallet.drop_indexes(), ["env.db.wallet.drop_indexes()"]),
    (lambda e: e.db.wallet.drop(), ["env.db.wallet.drop()"]),
    (lambda e: e.db.wallet.rename("purse"), ["env.db.wallet.rename('purse')"]),
    (lambda e: e.db.wallet.archive.insert_one({"_id": 1}), ['env.db["wallet.archive"].insert_one(']),
    (lambda e: e.db["a-b"].insert_one({"_id": 1}), ['env.db["a-b"].insert_one(']),
    (
        lambda e: e.db.create_collection("purse", capped=True, size=1),
        ["env.db.create_collection('purse', capped=True, size=1)"],
    ),
    (lambda e: e.db.drop_collection("wallet"), ["env.db.drop_collection('wallet')"]),
    (lambda e: e.db.command("drop", "wallet"), ["env.db.command('drop', 'wallet')"]),
    (lambda e: e.db.command({"collMod": "wallet", "validator": {"a": 1}}), ["env.db.command({'collMod'"]),
    (
        lambda e: e.db.command("aggregate", "wallet", pipeline=[{"$out": "copy"}], cursor={}),
        ["env.db.command('aggregate'"],
    ),
    (
        lambda e: maybe(e.db.cursor_command({"aggregate": "wallet", "pipeline": [{"$out": "copy"}], "cursor": {}})),
        ["env.db.cursor_command("],
    ),
    (lambda e: maybe(e.db.wallet.aggregate([{"$merge": "copy"}])), ["env.db.wallet.aggregate([{'$merge': 'copy'}])"]),
    (_aggregate_out, ["env.db.wallet.aggregate("]),
    (lambda e: e.db.wallet.database.client[e.db.name].wallet.drop(), ["env.db.wallet.drop()"]),
    (lambda e: e.client.elsewhere.c.insert_one({"_id": 1}), ["env.client.elsewhere.c.insert_one("]),
    (lambda e: e.client.get_database("elsewhere").c.drop(), ["env.client.elsewhere.c.drop()"]),
    (lambda e: e.client.drop_database(e.db.name), ["env.client.drop_database("]),
    (
        lambda e: e.client.admin.command({"renameCollection": f"{e.db.name}.wallet", "to": f"{e.db.name}.x"}),
        ["env.client.admin.command("],
    ),
    (lambda e: maybe(e.client.close()), ["env.client.close()"]),
    (_with_session, ["env.db.wallet.delete_many({})"]),
    (_with_transaction, ["env.db.wallet.delete_many({})"]),
    (
        _by_cursor,
        [
            "env.db.wallet.delete_many({})",
            "env.db.wallet.update_one({'_id': 2}, {'$set': {'seen': True}})",
            "env.db.wallet.update_one({'_id': 1}, {'$set': {'seen': True}})",
        ],
    ),
    (_in_a_task_group, ["env.db.wallet.delete_one({'_id': 0})", "env.db.wallet.delete_one({'_id': 1})"]),
]


@pytest.mark.parametrize(("revision", "shown"), WRITES, ids=[shown[0][:50] for _, shown in WRITES])
async def test_a_write_is_written_down_and_not_made(filled: Any, revision: Revision, shown: list[str]) -> None:
    recording = await recorded(filled, revision)
    assert recording.error is None
    told = [action.describe() for action in recording.actions]
    assert [text[: len(start)] for text, start in zip(told, shown, strict=True)] == shown


async def _documents(env: Env) -> Any:
    return [document["_id"] async for document in env.db.wallet.find({"coins": {"$gt": 0}})]


async def _aggregated(env: Env) -> Any:
    return await (await maybe(env.db.wallet.aggregate([{"$group": {"_id": None, "n": {"$sum": "$coins"}}}]))).to_list(
        None
    )


READS: list[tuple[Revision, Any]] = [
    (_documents, [1, 2]),
    (_aggregated, [{"_id": None, "n": 30}]),
    (lambda e: e.db.wallet.find_one({"_id": 2}), {"_id": 2, "coins": 20}),
    (lambda e: e.db.wallet.find({}).sort("_id", -1).to_list(2), [{"_id": 2, "coins": 20}, {"_id": 1, "coins": 10}]),
    (lambda e: e.db.wallet.count_documents({}), 3),
    (lambda e: e.db.wallet.estimated_document_count(), 3),
    (lambda e: e.db.wallet.distinct("coins"), [0, 10, 20]),
    (lambda e: e.db.list_collection_names(), ["wallet"]),
]


@pytest.mark.parametrize(("revision", "answer"), READS)
async def test_a_read_goes_through(filled: Any, revision: Revision, answer: Any) -> None:
    answers = []

    async def upgrade(env: Env) -> None:
        answers.append(await revision(env))

    assert await recorded(filled, upgrade) == Recording(())
    assert answers == [answer]


async def test_plausible_answers(filled: Any) -> None:
    async def upgrade(env: Env) -> None:
        wallet, document = env.db.wallet, {"coins": 1}
        inserted = await wallet.insert_one(document)
        assert isinstance(inserted.inserted_id, ObjectId)
        assert document["_id"] == inserted.inserted_id
        assert inserted.acknowledged
        assert (await wallet.insert_many([{"_id": 4}, {"_id": 5}])).inserted_ids == [4, 5]
        assert (await wallet.update_many({"coins": {"$gt": 0}}, {"$set": {"a": 1}})).modified_count == 2
        assert (await wallet.update_one({"_id": 1}, {"$set": {"a": 1}})).matched_count == 1
        assert (await wallet.update_one({"_id": 99}, {"$set": {"a": 1}})).matched_count == 0
        assert (await wallet.update_one({"_id": 99}, {"$set": {"a": 1}}, upsert=True)).upserted_id is not None
        assert (await wallet.delete_many({})).deleted_count == 3
        assert (await wallet.find_one_and_update({"_id": 1}, {"$set": {"a": 1}}))["coins"] == 10
        assert (await wallet.bulk_write([InsertOne({"_id": 9})])).inserted_count == 1
        assert await wallet.create_index([("a", 1), ("b", -1)]) == "a_1_b_-1"
        assert await wallet.create_indexes([IndexModel("a"), IndexModel("b", name="c")]) == ["a_1", "c"]
        assert (await env.db.command("create", "x"))["ok"] == 1
        made = await env.db.create_collection("x")
        await made.insert_one({"_id": 1})

    recording = await recorded(filled, upgrade)
    assert recording.error is None
    assert recording.actions[-1] == RawCall("env.db.x", "insert_one", "{'_id': 1}")


async def test_the_stand_ins_look_like_the_real_ones(filled: Any) -> None:
    async def upgrade(env: Env) -> None:
        assert isinstance(env.db, type(filled))
        assert isinstance(env.client, type(filled.client))
        assert isinstance(env.db.wallet, type(filled["wallet"]))
        assert env.db == filled
        assert env.db.wallet == filled["wallet"]
        assert hash(env.db.wallet) == hash(filled["wallet"])
        assert env.db.name == filled.name
        assert env.db.wallet.full_name == f"{filled.name}.wallet"
        assert repr(env.db) == repr(filled)
        with pytest.raises(NotImplementedError):
            bool(env.db)
        async with env.client:
            pass

    assert await recorded(filled, upgrade) == Recording(())


async def test_operations_and_calls_in_order_and_the_error_that_ended_it(filled: Any) -> None:
    async def upgrade(env: Env) -> None:
        assert "wallet" in env.collections
        await env.create_collection("purse")
        assert env.collections == {"wallet", "purse"}
        await env.db.wallet.delete_many({})
        await env.create_indexes("purse", [Index("a")])
        await env.drop_collection("wallet")
        raise LookupError("no such thing")

    collections = {"wallet"}
    recording = await record(upgrade, driver_for(filled), collections)
    assert recording.actions == (
        CreateCollection("purse"),
        RawCall("env.db.wallet", "delete_many", "{}"),
        CreateIndexes("purse", (Index("a"),)),
        DropCollection("wallet"),
    )
    assert recording.error == "LookupError: no such thing"
    assert collections == {"purse"}


async def test_arguments_that_make_no_sense_end_the_recording(filled: Any) -> None:
    recording = await recorded(filled, lambda env: env.create_indexes("a", []))
    assert recording == Recording(
        (), "DeclarationError: env.create_indexes('a'): indexes is empty: there is nothing to create"
    )


async def test_a_revision_may_look_at_the_whole_schema(filled: Any, driver_name: str) -> None:
    async def upgrade(env: Env) -> None:
        driver = driver_for(env.db)
        assert driver.name == driver_name
        assert [info["name"] for info in await driver.read({"listCollections": 1})] == ["wallet"]

    assert await recorded(filled, upgrade) == Recording(())


async def test_on_the_mock_too() -> None:
    database = AsyncMongoMockClient()["x"]
    await database["wallet"].insert_many([{"_id": n} for n in range(3)])

    async def upgrade(env: Env) -> None:
        await env.db.wallet.delete_many({})
        assert await env.db.wallet.count_documents({}) == 3
        assert len([document async for document in env.db.wallet.find({})]) == 3

    recording = await recorded(database, upgrade)
    assert recording == Recording((RawCall("env.db.wallet", "delete_many", "{}"),))
    assert await database["wallet"].count_documents({}) == 3
