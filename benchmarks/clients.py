"""Clients of either driver, for the benchmarks."""

from __future__ import annotations

import inspect
from typing import Any

__all__ = ["client_of", "closed"]


def client_of(driver: str, url: str, **options: Any) -> Any:
    """A client of ``motor`` or ``pymongo``; the other one is not imported."""
    if driver == "motor":
        from motor.motor_asyncio import AsyncIOMotorClient

        return AsyncIOMotorClient(url, **options)
    from pymongo import AsyncMongoClient

    return AsyncMongoClient(url, **options)


async def closed(client: Any) -> None:
    """Close a client."""
    if inspect.isawaitable(closing := client.close()):
        await closing
