"""The real drivers: one behaviour for both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from bson import Int64
from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError, OperationFailure, WriteConcernError

from asyncmig.drivers import driver_for
from asyncmig.drivers.base import Driver
from asyncmig.errors import DriverError

pytestmark = pytest.mark.servers


@pytest.fixture
def driver(database: Any) -> Driver:
    return driver_for(database)


@asynccontextmanager
async def failing(database: Any, *commands: str, times: int = 1, **fault: Any) -> AsyncIterator[None]:
    admin = database.client.admin
    data = {"failCommands": list(commands), "namespace": f"{database.name}.a", **fault}
    await admin.command({"configureFailPoint": "failCommand", "mode": {"times": times}, "data": data})
    try:
        yield
    finally:
        await admin.command({"configureFailPoint": "failCommand", "mode": "off"})


async def test_a_command_here_and_on_admin(driver: Driver) -> None:
    assert (await driver.command({"ping": 1}))["ok"] == 1
    assert "setName" in await driver.command({"hello": 1}, admin=True)
    with pytest.raises(OperationFailure) as caught:
        await driver.command({"listDatabases": 1})
    assert caught.value.code == 13  # Unauthorized: it is for the admin database


async def test_an_unmet_write_concern_is_not_passed_over(driver: Driver) -> None:
    """The drivers' own ``command`` keeps quiet about it."""
    async with failing(driver.database, "create", writeConcernError={"code": 64, "errmsg": "timed out"}):
        with pytest.raises(WriteConcernError, match="timed out") as error:
            await driver.command({"create": "a"})
    assert error.value.code == 64


@pytest.mark.parametrize("count", [0, 1, 101, 250])
async def test_an_answer_is_read_to_its_end(driver: Driver, count: int) -> None:
    if count:
        await driver.database["a"].insert_many([{"_id": n} for n in range(count)])
    command = {"aggregate": "a", "pipeline": [{"$sort": {"_id": 1}}]}
    assert [row["_id"] for row in await driver.read(command)] == list(range(count))
    small = {**command, "cursor": {"batchSize": 7}}
    assert [row["_id"] for row in await driver.read(small)] == list(range(count))


async def test_an_answer_of_more_than_16_megabytes(driver: Driver) -> None:
    await driver.database["a"].insert_many([{"_id": n, "text": "x" * 1_000_000} for n in range(20)])
    found = await driver.read({"aggregate": "a", "pipeline": [{"$sort": {"_id": 1}}]})
    assert [row["_id"] for row in found] == list(range(20))
    idle = {"$match": {"type": "idleCursor", "ns": f"{driver.database.name}.a"}}
    listing = {
        "aggregate": 1,
        "pipeline": [{"$currentOp": {"idleCursors": True, "localOps": True}}, idle],
        "cursor": {},
    }
    answer = await driver.command(listing, admin=True)
    assert answer["cursor"]["firstBatch"] == []  # none is left behind


async def test_our_collections_do_not_follow_the_users_settings(
    make_client: Any, driver_name: str, database: Any
) -> None:
    client = make_client(driver_name, w=1, readPreference="secondary", tz_aware=False, document_class=RawBSONDocument)
    collection = driver_for(client[database.name]).collection("a")
    await collection.insert_one({"_id": 1, "at": datetime(2024, 1, 1, tzinfo=UTC)})
    assert await collection.find_one({}) == {"_id": 1, "at": datetime(2024, 1, 1, tzinfo=UTC)}
    assert collection.write_concern.document == {"w": "majority"}
    assert collection.read_concern.level == "majority"


async def test_a_transaction_commits_or_leaves_nothing(driver: Driver) -> None:
    await driver.database.create_collection("a")
    async with driver.transaction() as session:
        await driver.database["a"].insert_one({"_id": 1}, session=session)
        assert session.in_transaction
        assert await driver.database["a"].count_documents({}) == 0
    assert session.has_ended
    assert await driver.database["a"].count_documents({}) == 1
    for error in (ZeroDivisionError, asyncio.CancelledError, KeyboardInterrupt):
        with pytest.raises(error):
            await _fail_with(driver, error)
    assert await driver.database["a"].count_documents({}) == 1
    await driver.database["a"].drop()  # which a transaction that is still open would block


async def _fail_with(driver: Driver, error: type[BaseException], session: Any = None) -> None:
    async with driver.transaction(session) as begun:
        await driver.database["a"].insert_one({"_id": 2}, session=begun)
        raise error


async def test_transactions_one_after_the_other_on_one_session(driver: Driver) -> None:
    """Also after one that was given up."""
    await driver.database.create_collection("a")
    async with driver.session() as session:
        for number in range(2):
            async with driver.transaction(session) as same:
                assert same is session
                await driver.database["a"].insert_one({"_id": number}, session=session)
        with pytest.raises(ZeroDivisionError):
            await _fail_with(driver, ZeroDivisionError, session)
        assert not session.in_transaction
        async with driver.transaction(session):
            await driver.database["a"].insert_one({"_id": 2}, session=session)
        assert not session.has_ended
    assert session.has_ended
    assert await driver.database["a"].count_documents({}) == 3


async def test_a_cancelled_transaction_leaves_nothing(driver: Driver) -> None:
    await driver.database.create_collection("a")

    async def work() -> None:
        async with driver.transaction() as session:
            await driver.database["a"].insert_one({}, session=session)
            await asyncio.sleep(60)

    task = asyncio.create_task(work())
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await driver.database["a"].drop()


async def test_a_commit_whose_outcome_is_unknown_is_asked_for_again(driver: Driver) -> None:
    await driver.database.create_collection("a")
    admin = driver.database.client.admin
    data = {"failCommands": ["commitTransaction"], "closeConnection": True}
    await admin.command({"configureFailPoint": "failCommand", "mode": {"times": 3}, "data": data})
    async with driver.transaction() as session:
        await driver.database["a"].insert_one({"_id": 1}, session=session)
    assert await driver.database["a"].count_documents({}) == 1


async def test_a_schema_command_in_a_transaction_carries_no_write_concern(driver: Driver) -> None:
    async with driver.transaction() as session:
        await driver.command({"create": "a"}, session=session)
    assert await driver.database.list_collection_names() == ["a"]


async def test_a_standalone_has_no_transactions(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    async def command(*arguments: Any, **named: Any) -> dict[str, Any]:
        return {"isWritablePrimary": True, "logicalSessionTimeoutMinutes": 30}

    monkeypatch.setattr(driver, "command", command)
    async with driver.session() as session:
        assert session is None
    with pytest.raises(DriverError, match=r"is a standalone.*--replSet"):
        async with driver.transaction():
            pass


async def test_documents_byte_for_byte(driver: Driver) -> None:
    rows = [driver.encode({"v": Int64(1), "_id": n}) for n in range(3)]
    assert [list(bson.decode(row)) for row in rows] == [["_id", "v"]] * 3
    await driver.insert("a", rows)
    assert sorted(await driver.stored("a", [0, 2, 9])) == sorted([rows[0], rows[2]])
    with pytest.raises(BulkWriteError):
        await driver.insert("a", [rows[0], driver.encode({"_id": 5})])
    assert await driver.delete("a", [5, 6]) == 1
    await driver.database["a"].update_one({"_id": 1}, {"$set": {"v": 2}})
    assert [await driver.delete_stored("a", row) for row in rows] == [True, False, True]
    assert await driver.stored("a", [0, 1, 2]) == [driver.encode({"_id": 1, "v": 2})]


async def test_a_session_whose_block_raised_is_lent_to_nobody_again(driver: Driver) -> None:
    """Whoever has noted it down may end it on the server, though the client lives on."""
    used: list[Any] = []

    async def use(error: type[BaseException] | None) -> None:
        async with driver.session() as session:
            used.append(session.session_id)
            async with driver.transaction(session):
                await driver.database["a"].insert_one({}, session=session)
                if error:
                    raise error

    with pytest.raises(ZeroDivisionError):
        await use(ZeroDivisionError)
    for _ in range(2):
        await use(None)
    assert used[0] not in used[1:]
    assert await driver.database["a"].count_documents({}) == 2
