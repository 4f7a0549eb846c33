"""How often an index has been used, as the server tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
from pymongo.errors import OperationFailure

from asyncmig import Collection, Migrator
from asyncmig.authoring.usage import index_usage
from asyncmig.drivers import driver_for
from asyncmig.operations import DropIndex


async def test_uses_are_counted(database: Any) -> None:
    collection = database.get_collection("c")
    await collection.insert_many([{"a": number} for number in range(10)])
    await collection.create_index("a")
    await collection.create_index("b")
    for number in range(3):
        await collection.find_one({"a": number})
    with anyio.fail_after(60):
        while (usage := await index_usage(driver_for(database), ["c", "not there"]))["c", "a_1"][1] < 3:
            await anyio.sleep(0.05)
    assert usage["c", "b_1"][1] == 0
    since = usage["c", "a_1"][0]
    assert timedelta(0) <= datetime.now(UTC) - since < timedelta(minutes=5)


async def test_uses_are_told_of_a_collection_that_is_to_be_renamed(database: Any) -> None:
    await database.get_collection("old").create_index("a")

    class New(Collection):
        __collection_name__ = "new"
        __renamed_from__ = "old"

    found = await Migrator(database, collections=[New], undeclared_indexes="drop").diff()
    (drop,) = (operation for operation in found if isinstance(operation, DropIndex))
    assert (drop.collection, drop.name) == ("new", "a_1")
    assert drop.note.startswith("not used since ")


class Driver:
    """Answers $indexStats as a cluster of two shards does, and refuses one collection."""

    async def read(self, command: Any, **rest: Any) -> list[dict[str, Any]]:
        if command["aggregate"] == "secret":
            raise OperationFailure("not for you", 13)
        return [
            {"name": "a_1", "accesses": {"ops": ops, "since": datetime(2026, 1, day)}} for day, ops in ((1, 5), (3, 7))
        ]


async def test_the_counts_of_shards_are_added() -> None:
    driver: Any = Driver()
    assert await index_usage(driver, ["c", "secret"]) == {("c", "a_1"): (datetime(2026, 1, 3, tzinfo=UTC), 12)}


async def test_the_mock_has_none() -> None:
    from mongomock_motor import AsyncMongoMockClient

    assert await index_usage(driver_for(AsyncMongoMockClient()["x"]), ["c"]) == {}
