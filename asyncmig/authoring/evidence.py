"""What the documents say about a change of their schema: looked at when a revision is generated, within bounds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pymongo.errors import PyMongoError

from asyncmig.drivers.base import Driver
from asyncmig.operations import ConvertField, ModifyCollection, Operation, Suggestion
from asyncmig.profiling.findings import percent
from asyncmig.profiling.profile import PathProfile, Profile
from asyncmig.profiling.reading import Reading, count_breaking, profile
from asyncmig.profiling.rename_evidence import LikelyRename, likely_renames

__all__ = ["Evidence", "gather"]

_SECONDS: Final = 3.0  # to read of one collection, and to count
_TEXTS: Final = 1_000  # texts that are tried to convert


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one collection: its profile, how many documents break the new schema, and texts that cannot be converted.

    ``breaking`` is None where counting took too long. ``unconvertible``: by path, how many of how many.
    """

    profile: Profile
    breaking: int | None = None
    unconvertible: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def renamed(self) -> dict[str, LikelyRename]:
        """Likely renames by the old path."""
        return {one.old: one for one in likely_renames(self.profile)}

    def of(self, path: str) -> PathProfile | None:
        """What is known of a dotted path."""
        return next((one for one in self.profile.paths.values() if one.dotted == path), None)

    def presence(self, path: str) -> str:
        """In how many documents a field is, and when it was last seen; a sentence."""
        found = self.of(path)
        if found is None:
            return f"None of {self.profile.documents:,} documents that were read has it."
        seen = f", last seen {found.last_seen:%Y-%m-%d}" if found.last_seen else ""
        return f"It is in {percent(found.share)} of {self.profile.documents:,} documents that were read{seen}."

    def types(self, path: str) -> str:
        """The types that a field holds, with their counts; a sentence."""
        values = [one for one in self.profile.paths.values() if one.dotted == path]
        counts = ", ".join(f"{kind} {number:,}" for one in values for kind, number in one.types.most_common())
        told = f"Of {self.profile.documents:,} documents that were read: {counts or 'none has it'}."
        bad, tried = self.unconvertible.get(path, (0, 0))
        return f"{told} {bad:,} of {tried:,} texts cannot be converted, and stop it." if bad else told


async def gather(driver: Driver, operations: Iterable[Operation], names: Mapping[str, str]) -> dict[str, Evidence]:
    """Evidence for each collection whose schema changes; ``names``: new names to those that the server has now.

    What cannot be read (no privilege, a server that is too busy) is left out: it is a remark, no more.
    """
    steps = list(operations)
    schemas = {step.collection: _schema(step) for step in steps if isinstance(step, ModifyCollection) and _schema(step)}
    found = {}
    for name, schema in schemas.items():
        try:
            found[name] = await _of_collection(driver, names.get(name, name), schema, _conversions(steps, name))
        except PyMongoError:
            continue
    return found


def _schema(operation: ModifyCollection) -> Mapping[str, Any]:
    before = (operation.was or {}).get("validator", {}).get("$jsonSchema")
    after = operation.options.get("validator", {}).get("$jsonSchema")
    return after if before and after else {}


def _conversions(operations: Iterable[Operation], name: str) -> list[ConvertField]:
    flat = [one for step in operations for one in (step.operations if isinstance(step, Suggestion) else [step])]
    return [one for one in flat if isinstance(one, ConvertField) and one.collection == name and one.from_ == "string"]


async def _of_collection(
    driver: Driver, name: str, schema: Mapping[str, Any], conversions: Iterable[ConvertField]
) -> Evidence:
    collection = driver.database[name]
    read = await profile(collection, Reading(budget=_SECONDS))
    if not read.documents:
        return Evidence(read)
    breaking = await count_breaking(collection, schema, seconds=_SECONDS)
    tried = {one.field: await _tried(driver, name, one) for one in conversions if f"{one.field}[]" not in read.paths}
    return Evidence(read, breaking, tried)


async def _tried(driver: Driver, name: str, conversion: ConvertField) -> tuple[int, int]:
    """How many of the first texts cannot be converted, and how many were tried."""
    converted = {"$convert": {"input": f"${conversion.field}", "to": conversion.to, "onError": {"$literal": "failed"}}}
    pipeline = [
        {"$match": {conversion.field: {"$type": "string"}}},
        {"$limit": _TEXTS},
        {
            "$group": {
                "_id": None,
                "tried": {"$sum": 1},
                "bad": {"$sum": {"$cond": [{"$eq": [converted, "failed"]}, 1, 0]}},
            }
        },
    ]
    command = {"aggregate": name, "pipeline": pipeline, "cursor": {}, "maxTimeMS": int(_SECONDS * 1000)}
    found = await driver.read(command)
    return (int(found[0]["bad"]), int(found[0]["tried"])) if found else (0, 0)
