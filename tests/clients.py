"""The client classes that this environment has: below PyMongo 4.9 there is Motor alone."""

from __future__ import annotations

from typing import Any

import pymongo
from motor.motor_asyncio import AsyncIOMotorClient

HAS_ASYNC = hasattr(pymongo, "AsyncMongoClient")
DRIVERS = ("motor", "pymongo") if HAS_ASYNC else ("motor",)
CLIENTS: dict[str, Any] = {"motor": AsyncIOMotorClient}
if HAS_ASYNC:
    CLIENTS["pymongo"] = pymongo.AsyncMongoClient


def taking_turns(number: int) -> str:
    """The driver whose turn it is."""
    return DRIVERS[number % len(DRIVERS)]
