"""The client classes that this environment has, below PyMongo 4.9 Motor alone; and how a database is dropped."""

from __future__ import annotations

import asyncio
from typing import Any

import pymongo
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo.errors import AutoReconnect

HAS_ASYNC = hasattr(pymongo, "AsyncMongoClient")
DRIVERS = ("motor", "pymongo") if HAS_ASYNC else ("motor",)
CLIENTS: dict[str, Any] = {"motor": AsyncIOMotorClient}
if HAS_ASYNC:
    CLIENTS["pymongo"] = pymongo.AsyncMongoClient


def taking_turns(number: int) -> str:
    """The driver whose turn it is."""
    return DRIVERS[number % len(DRIVERS)]


async def drop(client: Any, name: str) -> None:
    """Drop a database; a connection that broke is none of the test's business, nor a pool that a test has reset."""
    for _ in range(20):
        try:
            await client.drop_database(name)
        except AutoReconnect:
            await asyncio.sleep(0.2)
        else:
            return
    await client.drop_database(name)
