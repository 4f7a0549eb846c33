"""The embedded server: starts, answers, ends; whatever becomes of the one who started it."""

from __future__ import annotations

from typing import Any


async def test_a_database_is_fresh_and_takes_majority_writes(database: Any) -> None:
    assert await database.list_collection_names() == []
    await database.things.insert_one({"_id": 1})
    assert await database.things.count_documents({}) == 1


async def test_transactions_work(client: Any, database: Any) -> None:
    async def write(session: Any) -> None:
        await database.things.insert_one({"_id": 1}, session=session)

    session = client.start_session()
    session = await session if hasattr(session, "__await__") else session
    async with session:
        await session.with_transaction(write)
    assert await database.things.count_documents({}) == 1
