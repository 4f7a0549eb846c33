"""What the server says of the collections' sizes and of how much their indexes are used. Reads statistics alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo.errors import OperationFailure, PyMongoError

from asyncmig.authoring.catalog import each
from asyncmig.drivers.base import Document, Driver
from asyncmig.errors import UnsupportedByDriver
from asyncmig.printable import counted
from asyncmig.schema.state import CollectionState, DatabaseState

__all__ = ["Figures", "read_figures"]

_CONCURRENT_COLLECTIONS = 16
_NOT_ALLOWED = (13, 8000)  # Unauthorized, and what Atlas says instead
_SIZES = ("count", "size", "storageSize", "totalIndexSize")


@dataclass(slots=True)
class Figures:
    """By collection, what ``--json`` has of it; and what the server did not tell, with the reason, once each."""

    collections: list[dict[str, Any]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


async def read_figures(driver: Driver, state: DatabaseState) -> Figures:
    """The figures of every collection of ``state``: documents, bytes, and the uses of each index since when.

    https://www.mongodb.com/docs/manual/reference/operator/aggregation/collStats/
    https://www.mongodb.com/docs/manual/reference/operator/aggregation/indexStats/
    """
    asker = _Asker(driver)
    names = [collection.name for collection in state if collection.kind != "view"]
    sizes = await asker.ask("sizes", names, {"$collStats": {"storageStats": {}}})
    uses = await asker.ask("uses of indexes", names, {"$indexStats": {}})
    documents = [_document(collection, sizes.get(collection.name), uses.get(collection.name)) for collection in state]
    return Figures(documents, list(asker.refusals()))


class _Asker:
    """Asks one question of many collections, and counts what is refused by its reason."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._refused: Counter[tuple[str, str]] = Counter()

    async def ask(self, what: str, names: list[str], stage: Mapping[str, Any]) -> dict[str, list[Document]]:
        """By collection, the rows of the answer; of those that were refused nothing."""
        replies: dict[str, list[Document]] = {}

        async def read(name: str) -> None:
            try:
                replies[name] = await self._driver.read({"aggregate": name, "pipeline": [stage], "cursor": {}})
            except (PyMongoError, UnsupportedByDriver) as error:
                self._refused[what, _reason(error)] += 1

        await each(names, read, _CONCURRENT_COLLECTIONS)
        return replies

    def refusals(self) -> list[str]:
        """What was not told, in one line for each reason."""
        return [
            f"{what} of {counted(number, 'collection')}: {reason}"
            for (what, reason), number in sorted(self._refused.items())
        ]


def _reason(error: Exception) -> str:
    if isinstance(error, OperationFailure) and error.code in _NOT_ALLOWED:
        return "the user may not ask; the role dbAdmin, or clusterMonitor, allows it"
    if isinstance(error, OperationFailure):
        return f"the server refused it (code {error.code})"
    return str(error).partition(",")[0]


def _document(collection: CollectionState, sizes: list[Document] | None, uses: list[Document] | None) -> dict[str, Any]:
    stats = [row.get("storageStats", {}) for row in sizes or ()]
    totals = {name: sum(int(row.get(name, 0)) for row in stats) if stats else None for name in _SIZES}
    index_sizes = Counter[str]()
    for row in stats:
        index_sizes.update({name: int(size) for name, size in row.get("indexSizes", {}).items()})
    keys = {index.name: index for index in collection.indexes}
    names = [*dict.fromkeys([*index_sizes, *keys])]
    return {
        "collection": collection.name,
        "kind": collection.kind,
        "documents": None if collection.kind == "timeseries" else totals["count"],
        "bytes": totals["size"],
        "storage_bytes": totals["storageSize"],
        "index_bytes": totals["totalIndexSize"],
        "indexes": [
            {
                "index": name,
                "keys": _keys(keys[name].keys if name in keys else (("_id", 1),) if name == "_id_" else ()),
                "unique": bool(keys[name].options.get("unique")) if name in keys else name == "_id_",
                "bytes": index_sizes.get(name),
                **_use(name, uses),
            }
            for name in names
        ],
    }


def _keys(keys: Any) -> str:
    return ", ".join(f"{name}: {direction}" for name, direction in keys)


def _use(name: str, uses: list[Document] | None) -> dict[str, Any]:
    """How often an index was used, over all shards, and since when all of them count."""
    rows = [row["accesses"] for row in uses or () if row.get("name") == name]
    if not rows:
        return {"uses": None, "since": None}
    return {"uses": sum(int(row["ops"]) for row in rows), "since": max(row["since"] for row in rows).isoformat()}
