"""Operations at once on one collection, where documents are marked: a server without transactions."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from asyncmig.errors import RevisionFailed

from ..clients import DRIVERS, drop
from ..data.standalone import opened
from .history_files import History, states

INC = "env.update_in_batches('c', {}, {'$inc': {'n': 1}}, batch_size=2)"
MUL = "env.update_in_batches('c', {}, {'$mul': {'m': 2}}, batch_size=2)"
CALL = "env.transform_documents('c', {}, lambda one: one | {'k': one['k'] + 1}, batch_size=2)"
DONE = {"n": 1, "m": 2, "k": 1}


@pytest.fixture(params=DRIVERS)
async def database(request: pytest.FixtureRequest, standalone: str) -> AsyncIterator[Any]:
    async with opened(standalone, request.param) as found:
        await found["c"].insert_many([{"_id": number, "n": 0, "m": 1, "k": 0} for number in range(9)])
        yield found


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


async def documents(database: Any) -> list[dict[str, Any]]:
    return [one async for one in database["c"].find({}, {"_id": 0}).sort("_id", 1)]


async def test_each_document_once_by_each(history: History, database: Any) -> None:
    history.add("r", f"await asyncio.gather({INC}, {CALL}, {MUL})")
    await history.runner(database).upgrade()
    assert await documents(database) == [DONE] * 9


@pytest.mark.parametrize("order", [(CALL, INC, MUL), (INC, CALL, MUL)], ids=["the first stops", "the second stops"])
async def test_one_stops_half_way(history: History, database: Any, order: tuple[str, ...]) -> None:
    """What was to follow on the collection is not begun: its marks would replace those that are needed."""
    await database["c"].update_one({"_id": 5}, {"$set": {"k": "none"}})
    history.add("r", f"await asyncio.gather({', '.join(order)})")
    with pytest.raises(RevisionFailed, match="_id 5"):
        await history.runner(database).upgrade()
    assert {one["m"] for one in await documents(database)} in ({1}, {2})  # all of it, or nothing
    await database["c"].update_one({"_id": 5}, {"$set": {"k": 0}})
    await history.runner(database).upgrade()
    assert await documents(database) == [DONE] * 9
    assert await states(database) == {"r": "applied"}


async def test_one_goes_first_that_is_half_done(history: History, database: Any) -> None:
    """In whatever order they are asked for when the revision runs again."""
    await database["c"].update_one({"_id": 5}, {"$set": {"k": "none"}})
    await database["orders"].insert_one({"_id": 1, "order": [0, 1]})
    history.add(
        "r",
        "order = (await env.db.orders.find_one())['order']\n"
        f"calls = [lambda: {CALL}, lambda: {INC}]\n"
        "await asyncio.gather(*[calls[number]() for number in order])",
    )
    with pytest.raises(RevisionFailed, match="_id 5"):
        await history.runner(database).upgrade()
    await database["c"].update_one({"_id": 5}, {"$set": {"k": 0}})
    await database["orders"].update_one({"_id": 1}, {"$set": {"order": [1, 0]}})
    await history.runner(database).upgrade()
    assert await documents(database) == [{"n": 1, "m": 1, "k": 1}] * 9


async def test_one_within_another_is_refused(history: History, database: Any) -> None:
    history.add(
        "r", f"async def f(one): await {INC}; return one | {{'k': 1}}\nawait env.transform_documents('c', {{}}, f)"
    )
    with pytest.raises(RevisionFailed, match="within an operation on c"):
        await history.runner(database).upgrade()


async def test_a_capped_collection_of_a_replica_set(
    history: History, clients: dict[str, Any], driver_name: str
) -> None:
    """No transaction may write there, so documents are marked as on a standalone server."""
    database = clients[driver_name][f"turns_{uuid.uuid4().hex[:12]}"]
    await database.create_collection("c", capped=True, size=100_000)
    await database["c"].insert_many([{"_id": number, "n": 0, "m": 1, "k": 0} for number in range(9)])
    history.add("r", f"await asyncio.gather({INC}, {CALL}, {MUL})")
    await history.runner(database).upgrade()
    assert await documents(database) == [DONE] * 9
    await drop(database.client, database.name)
