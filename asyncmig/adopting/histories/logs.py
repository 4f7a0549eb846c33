"""Reading another tool's log and lock from the database; nothing of it is ever written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from asyncmig.adopting.histories.places import PLACES, Place
from asyncmig.drivers.base import Document, Driver

__all__ = ["is_locked", "logs_met", "read_log"]

_FIELDS: Mapping[str, tuple[str, ...]] = {
    "migrate-mongo": ("fileName", "appliedAt"),
    "beanie": ("name", "is_current"),
    "pymongo-migrate": ("name", "applied"),
    "mongodb-migrations": ("migration_datetime",),
    "mongomig": ("status", "down_revision"),
    "mongock": ("changeId", "author"),
}
"""What every document of a tool's log has, by which it is recognised."""

_STILL_HELD: Mapping[str, Mapping[str, Any]] = {
    "migrate-mongo": {},
    "mongomig": {"_id": "migration", "$expr": {"$gt": ["$expires_at", "$$NOW"]}},
    "mongock": {"status": "LOCK_HELD", "$expr": {"$gt": ["$expiresAt", "$$NOW"]}},
}
"""Which documents of a tool's lock say that it is held: whether a date has passed is the server's to say."""


async def logs_met(driver: Driver, collections: Collection[str]) -> dict[str, str]:
    """The tools whose log is among these collections, with the log's name: known by name and by what is in it."""
    logs = {}
    for tool, place in PLACES.items():
        if place.collection in collections:
            first = await _found(driver, place.collection, {}, 1)
            if first and all(field in first[0] for field in _FIELDS[tool]):
                logs[tool] = place.collection
    return logs


async def read_log(driver: Driver, place: Place) -> list[Document]:
    """The documents of a tool's log, in their natural order, as the tools themselves read them."""
    return await driver.read({"aggregate": place.collection, "pipeline": []})


async def is_locked(driver: Driver, tool: str, place: Place) -> bool:
    """Whether the tool's lock is held now, by its own rule."""
    if place.lock is None:
        return False
    return bool(await _found(driver, place.lock, _STILL_HELD[tool], 1))


async def _found(driver: Driver, collection: str, match: Mapping[str, Any], limit: int) -> list[Document]:
    return await driver.read({"aggregate": collection, "pipeline": [{"$match": dict(match)}, {"$limit": limit}]})
