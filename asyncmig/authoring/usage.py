"""How often the server has used an index: what a reviewer wants to know before it is dropped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from pymongo.errors import OperationFailure

from asyncmig.authoring.catalog import each
from asyncmig.drivers.base import Document, Driver
from asyncmig.errors import UnsupportedByDriver

__all__ = ["index_usage"]

_CONCURRENT_READS = 16


async def index_usage(driver: Driver, collections: Iterable[str]) -> dict[tuple[str, str], tuple[datetime, int]]:
    """Since when (UTC) and how often each index of these collections has been used, by collection and index.

    The server counts from its last start, on each member for itself; over the shards of a cluster
    the counts are added up and the latest start holds. A collection whose statistics the server
    does not give away (or the mock has not) is left out.

    https://www.mongodb.com/docs/manual/reference/operator/aggregation/indexStats/
    """
    usage: dict[tuple[str, str], tuple[datetime, int]] = {}

    async def read(name: str) -> None:
        try:
            statistics = await driver.read({"aggregate": name, "pipeline": [{"$indexStats": {}}], "cursor": {}})
        except (OperationFailure, UnsupportedByDriver):
            return
        for entry in statistics:
            _count(usage, (name, entry["name"]), entry["accesses"])

    await each(collections, read, _CONCURRENT_READS)
    return usage


def _count(usage: dict[tuple[str, str], tuple[datetime, int]], index: tuple[str, str], accesses: Document) -> None:
    since, times = accesses["since"], int(accesses["ops"])
    since = since if since.tzinfo else since.replace(tzinfo=UTC)
    before = usage.get(index, (since, 0))
    usage[index] = (max(since, before[0]), times + before[1])
