"""Looking at documents when a revision is generated: what they say about a change of their schema, within bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from pymongo.errors import PyMongoError

from asyncmig.authoring.evidence import Evidence
from asyncmig.drivers.base import Driver
from asyncmig.operations import ConvertField, ModifyCollection, Operation, Suggestion
from asyncmig.profiling.reading import Reading, count_breaking, profile

__all__ = ["gather"]

_READ_SECONDS: Final = 3.0  # to read of one collection, and to count
_SAMPLE_TEXTS: Final = 1_000  # texts that are tried to convert


async def gather(driver: Driver, operations: Iterable[Operation], names: Mapping[str, str]) -> dict[str, Evidence]:
    """Evidence for each collection whose schema changes; ``names``: new names to those that the server has now.

    What cannot be read (no privilege, a server that is too busy) is left out: it is a remark, no more.
    """
    steps = list(operations)
    schemas = {step.collection: _schema(step) for step in steps if isinstance(step, ModifyCollection) and _schema(step)}
    evidence = {}
    for name, schema in schemas.items():
        try:
            evidence[name] = await _of_collection(driver, names.get(name, name), schema, _conversions(steps, name))
        except PyMongoError:
            continue
    return evidence


def _schema(operation: ModifyCollection) -> Mapping[str, Any]:
    before = (operation.was or {}).get("validator", {}).get("$jsonSchema")
    after = operation.options.get("validator", {}).get("$jsonSchema")
    return after if before and after else {}


def _conversions(operations: Iterable[Operation], name: str) -> list[ConvertField]:
    flat = [part for step in operations for part in (step.operations if isinstance(step, Suggestion) else [step])]
    return [
        operation
        for operation in flat
        if isinstance(operation, ConvertField) and operation.collection == name and operation.from_ == "string"
    ]


async def _of_collection(
    driver: Driver, name: str, schema: Mapping[str, Any], conversions: Iterable[ConvertField]
) -> Evidence:
    collection = driver.database[name]
    read = await profile(collection, Reading(budget=_READ_SECONDS))
    if not read.documents:
        return Evidence(read)
    breaking = await count_breaking(collection, schema, seconds=_READ_SECONDS)
    tried = {
        conversion.field: await _tried(driver, name, conversion)
        for conversion in conversions
        if f"{conversion.field}[]" not in read.paths
    }
    return Evidence(read, breaking, tried)


async def _tried(driver: Driver, name: str, conversion: ConvertField) -> tuple[int, int]:
    """How many of the first texts cannot be converted, and how many were tried."""
    converted = {"$convert": {"input": f"${conversion.field}", "to": conversion.to, "onError": {"$literal": "failed"}}}
    pipeline = [
        {"$match": {conversion.field: {"$type": "string"}}},
        {"$limit": _SAMPLE_TEXTS},
        {
            "$group": {
                "_id": None,
                "tried": {"$sum": 1},
                "bad": {"$sum": {"$cond": [{"$eq": [converted, "failed"]}, 1, 0]}},
            }
        },
    ]
    command = {"aggregate": name, "pipeline": pipeline, "cursor": {}, "maxTimeMS": int(_READ_SECONDS * 1000)}
    counts = await driver.read(command)
    return (int(counts[0]["bad"]), int(counts[0]["tried"])) if counts else (0, 0)
