"""What one can do with a wallet; knows MongoDB, and nothing of HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bson import Int64
from pymongo import ReturnDocument
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase

Document = dict[str, Any]
Database = AsyncDatabase[Document]


class UnknownCurrency(LookupError):
    """Raised when an amount is in a currency that is not sold."""


async def open_wallet(database: Database, uid: str, org_id: str) -> Document:
    """The wallet of a user in an organisation; made when it is not there yet."""
    wallet: Document = await database["wallet"].find_one_and_update(
        {"uid": uid, "org_id": org_id},
        {"$setOnInsert": {"coins": Int64(0), "rec_date": datetime.now(UTC)}},
        upsert=True,
        return_document=ReturnDocument.AFTER,
    )
    return wallet


async def find_wallet(database: Database, uid: str, org_id: str) -> Document | None:
    """The wallet of a user in an organisation, if there is one."""
    return await database["wallet"].find_one({"uid": uid, "org_id": org_id})


async def top_up(database: Database, wallet_id: Any, amount: int, currency: str) -> Document:
    """Put coins for an amount into a wallet, and remember it: both or neither. Raises UnknownCurrency."""
    rate = await database["currency"].find_one({"_id": currency})
    if rate is None:
        raise UnknownCurrency(currency)
    coins = Int64(amount * rate["coins"])

    async def together(session: AsyncClientSession) -> Document:
        wallet: Document = await database["wallet"].find_one_and_update(
            {"_id": wallet_id}, {"$inc": {"coins": coins}}, return_document=ReturnDocument.AFTER, session=session
        )
        entry = {"wallet_id": wallet_id, "coins": coins, "ctype": "top_up", "rec_date": datetime.now(UTC)}
        await database["wallet_history"].insert_one(entry, session=session)
        return wallet

    async with database.client.start_session() as session:
        return await session.with_transaction(together)


async def movements(database: Database, wallet_id: Any, limit: int = 20) -> list[Document]:
    """The latest movements of a wallet, newest first."""
    cursor = database["wallet_history"].find({"wallet_id": wallet_id}).sort("rec_date", -1).limit(limit)
    return await cursor.to_list()
