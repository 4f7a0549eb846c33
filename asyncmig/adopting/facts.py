"""What helps to decide about an index or a collection that only the database has: size, use, since when."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pymongo.errors import OperationFailure

from asyncmig.adopting.agreement import Line
from asyncmig.authoring.catalog import each
from asyncmig.authoring.usage import index_usage
from asyncmig.drivers.base import Document, Driver
from asyncmig.errors import UnsupportedByDriver

__all__ = ["collection_sizes", "with_facts"]

_STATISTICS: Document = {"$collStats": {"storageStats": {}}}
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


async def with_facts(driver: Driver, lines: Sequence[Line]) -> list[Line]:
    """The lines with what the server knows of those that only the database has; it may refuse to tell."""
    collections = {line.collection for line in lines if line.column == "database"}
    if not collections:
        return list(lines)
    uses = await index_usage(driver, collections)
    sizes = await _statistics(driver, collections)
    return [_told(line, uses, sizes) if line.column == "database" else line for line in lines]


async def collection_sizes(driver: Driver, collections: Iterable[str]) -> dict[str, str]:
    """``12,000 documents, 3.1 MiB`` for each collection of which the server tells."""
    statistics = await _statistics(driver, collections)
    return {
        name: f"{numbers.get('count', 0):,} documents, {_bytes(numbers.get('size', 0))}"
        for name, numbers in sorted(statistics.items())
    }


async def _statistics(driver: Driver, collections: Iterable[str]) -> dict[str, Document]:
    statistics: dict[str, Document] = {}

    async def read(name: str) -> None:
        try:
            answer = await driver.read({"aggregate": name, "pipeline": [_STATISTICS], "cursor": {}})
        except (OperationFailure, UnsupportedByDriver):  # a role without collStats, a view: it is only a remark
            return
        if answer:
            statistics[name] = answer[0].get("storageStats", {})

    await each(sorted(collections), read, 8)
    return statistics


def _told(line: Line, uses: Mapping[tuple[str, str], tuple[object, int]], sizes: Mapping[str, Document]) -> Line:
    facts = list(line.facts)
    if line.index is None:
        return line
    size = sizes.get(line.collection, {}).get("indexSizes", {}).get(line.index.name)
    if size is not None:
        facts.append(_bytes(size))
    if counted := uses.get((line.collection, line.index.name)):
        since, times = counted
        facts.append(f"used {times:,} times since {since:%Y-%m-%d}" if times else f"no query since {since:%Y-%m-%d}")
    return replace(line, facts=tuple(facts))


def _bytes(size: float) -> str:
    value, unit = float(size), 0
    while value >= 1024 and unit < len(_UNITS) - 1:
        value, unit = value / 1024, unit + 1
    return f"{value:,.0f} {_UNITS[unit]}" if unit == 0 or value >= 100 else f"{value:,.1f} {_UNITS[unit]}"
