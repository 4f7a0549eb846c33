"""P04 and P07: how large an index gets, how long its build takes, and the documents that make it fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from time import monotonic
from typing import Any, Final

from pymongo.errors import OperationFailure, PyMongoError

from asyncmig.errors import UnsupportedByDriver
from asyncmig.operations import CreateIndexes
from asyncmig.preflight.asking import Asker, plural
from asyncmig.preflight.documents import in_bytes
from asyncmig.preflight.duplicates import way_to_arrays
from asyncmig.preflight.probe import Level, Probe
from asyncmig.schema.index import Index
from asyncmig.schema.index_rules import index_faults, set_faults
from asyncmig.schema.text import is_text
from asyncmig.schema.value import number

__all__ = ["build", "catalogue", "failing", "members"]

_SAMPLE_DOCUMENTS: Final = 20_000
"""Documents whose keys are sorted, to see how fast this server does it."""
_FASTER, _SLOWER = 5.0, 2.0
"""How much faster, and slower, a build has been than the sample: measured on builds of 400,000 documents."""
_RECORD_ID_BYTES: Final = 6  # with each key
_MAX_DISK_SHARE: Final = 0.9  # of the disk
_HEALTHY: Final = (1, 2, 7)  # primary, secondary, arbiter
_LONGITUDE, _LATITUDE = 180, 90
_LANGUAGES: Final = (
    *("none", "da", "danish", "de", "german", "en", "english", "es", "spanish", "fi", "finnish", "fr", "french"),
    *("hu", "hungarian", "it", "italian", "nb", "norwegian", "nl", "dutch", "pt", "portuguese", "ro", "romanian"),
    *("ru", "russian", "sv", "swedish", "tr", "turkish"),
)


def catalogue(asker: Asker, operation: CreateIndexes) -> Iterator[Probe]:
    """P04, from the catalogue alone: a second text index, the 65th, names and keys that are taken."""
    if asker.now(operation.collection) is None:
        return
    known = asker.collection(operation.collection)
    standing = list(known.indexes.values())
    same = [index for index in operation.indexes if known.indexes.get(index.name) == index]
    new = [index for index in operation.indexes if index not in same]
    for index in new:
        yield from (Probe("P04", "problem", fault) for fault in index_faults(index, known.kind))
    before = {*set_faults(standing, known.kind, known.options)}
    for fault in set_faults([*standing, *new], known.kind, known.options):
        if fault not in before:
            yield Probe("P04", "problem", fault)


async def members(asker: Asker) -> Probe | None:
    """P04: whether every member is there that a build waits for; asked once."""
    if "members" in asker.cache or not asker.server.is_set or not asker.may("A"):
        return None
    asker.cache["members"] = True
    try:
        status = await asker.command({"replSetGetStatus": 1}, admin=True)
    except (PyMongoError, UnsupportedByDriver) as error:
        return asker.unanswered("P04", "whether all members are there", error, "clusterMonitor")
    down = [
        member["name"] for member in status["members"] if member["state"] not in _HEALTHY or not member.get("health", 1)
    ]
    if not down:
        return None
    total = len(status["members"])
    level: Level = "warning" if len(down) <= (total - 1) // 2 else "problem"
    return Probe(
        "P04",
        level,
        f"{', '.join(down)} of {total} members does not answer: a build that waits for all of them never ends; "
        "with a commit quorum of majority it does",
        {"down": down, "members": total},
    )


async def build(asker: Asker, operation: CreateIndexes) -> Probe | None:
    """P04: size and time of a build as a range, and the disk."""
    now = asker.now(operation.collection)
    if now is None or not asker.may("B"):
        return None
    try:
        count = int((await asker.command({"count": now}))["n"])
        if not count:
            return Probe("P04", "note", "the collection is empty: nothing to build", {"documents": 0})
        sampled, size, seconds = await _sample(asker, now, operation.indexes)
    except (PyMongoError, UnsupportedByDriver) as error:
        return asker.unanswered("P04", "size and time of the build", error, "read")
    disk = await _disk(asker)
    share = count / max(1, sampled)
    low, high = seconds * share / _FASTER, seconds * share * _SLOWER
    free = int(disk.get("fsTotalSize", 0) - disk.get("fsUsedSize", 0)) if disk else 0
    upper = int(size * share)
    figures = {"documents": count, "seconds": [low, high], "bytes": upper, "free": free}
    text = f"{plural(count, 'document')}: builds in {_range(low, high)}, at most {in_bytes(upper)}"
    if free and upper > free * _MAX_DISK_SHARE:
        return Probe("P04", "problem", f"{text}; the disk has {in_bytes(free)} left", figures)
    if disk is None:
        return Probe(
            "P04", "note", f"{text}; free disk not known: not allowed to ask; that needs the role read", figures
        )
    return Probe("P04", "note", f"{text}; free disk {in_bytes(free)}" if free else text, figures)


async def _disk(asker: Asker) -> dict[str, Any] | None:
    """The sizes of the server's disk; None where it does not tell this user."""
    try:
        return await asker.command({"dbStats": 1, "freeStorage": 1})
    except OperationFailure:
        return None


async def _sample(asker: Asker, collection: str, indexes: Sequence[Index]) -> tuple[int, float, float]:
    """How many documents were looked at, the bytes of their keys, and the seconds that sorting these took."""
    sizes = 0.0
    seconds = 0.0
    sampled = 0
    for index in indexes:
        keys = {f"k{place}": f"${field}" for place, (field, _) in enumerate(index.keys) if "$" not in field}
        whole = not keys  # a wildcard takes every field
        stages = [
            {"$limit": _SAMPLE_DOCUMENTS},
            *([] if whole else [{"$project": {**keys, "_id": 0}}, {"$sort": dict.fromkeys(keys, 1)}]),
            {"$group": {"_id": None, "n": {"$sum": 1}, "bytes": {"$sum": {"$bsonSize": "$$ROOT"}}}},
        ]
        begun = monotonic()
        rows = await asker.aggregate(collection, stages)
        seconds += monotonic() - begun
        if rows:
            sampled = int(rows[0]["n"])
            sizes += float(rows[0]["bytes"]) + _RECORD_ID_BYTES * sampled
    return sampled, sizes, seconds


def _range(low: float, high: float) -> str:
    if high < 1:
        return "under 1 s"
    return f"about {_time(high)} or less" if low < 1 else f"about {_time(low)} to {_time(high)}"


def _time(seconds: float) -> str:
    return f"{seconds:,.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"


async def failing(asker: Asker, operation: CreateIndexes) -> list[Probe]:
    """P07: documents that make a build fail, whatever the others are like."""
    now = asker.now(operation.collection)
    if now is None or not asker.may("C"):
        return []
    probed = []
    for index in operation.indexes:
        for what, query in _faulty(index):
            partial = index.options.get("partialFilterExpression")
            asked = {"$and": [query, dict(partial)]} if partial else query
            try:
                count = await asker.count(now, asked)
            except (PyMongoError, UnsupportedByDriver) as error:
                if isinstance(error, OperationFailure) and error.code == _BAD_QUERY:
                    continue
                probed.append(asker.unanswered("P07", f"documents with {what}", error, "read"))
                continue
            if count is None:
                probed.append(Probe("P07", "unknown", f"documents with {what}: not finished within {asker.budget:g} s"))
            elif count.number:
                have = "has" if count.number == 1 else "have"
                text = f"{index.name}: {plural(count, 'document')} {have} {what}{asker.proviso(operation.collection)}"
                probed.append(Probe("P07", "problem", text, {"documents": count.number, "is_exact": count.is_exact}))
    return probed


_BAD_QUERY: Final = 2


def _faulty(index: Index) -> Iterator[tuple[str, dict[str, Any]]]:
    """What of a document an index of this kind does not take, and the query for it."""
    plain = [field for field, kind in index.keys if number(kind) is not None and "$" not in field]
    pairs = [pair for path, other in combinations(plain, 2) for pair in _parallel(path, other)]
    if pairs:
        yield "two arrays in it, and an index takes one", {"$or": pairs}
    for field, kind in index.keys:
        if kind == "hashed":
            paths = [*way_to_arrays(field), field]
            yield (
                f"an array in {field}, which cannot be hashed",
                {"$or": [{path: {"$type": "array"}} for path in paths]},
            )
        elif kind == "2dsphere":
            yield f"no GeoJSON and no pair of coordinates in {field}", {"$or": _no_sphere(field)}
        elif kind == "2d":
            yield f"no pair of coordinates in {field}", {"$or": _no_plane(field, index.options)}
    if is_text(index.keys):
        field = index.options.get("language_override", "language")
        unknown = {"$type": "string", "$nin": [*_LANGUAGES, *(language.capitalize() for language in _LANGUAGES)]}
        yield f"a language in {field} that MongoDB does not know", {field: unknown}


def _parallel(path: str, other: str) -> Iterator[dict[str, Any]]:
    """Arrays at two paths neither of which leads to the other."""
    for first in [*way_to_arrays(path), path]:
        for second in [*way_to_arrays(other), other]:
            if not f"{first}.".startswith(f"{second}.") and not f"{second}.".startswith(f"{first}."):
                yield {"$and": [{first: {"$type": "array"}}, {second: {"$type": "array"}}]}


def _no_sphere(field: str) -> list[dict[str, Any]]:
    """Values that are certainly none; of lines and polygons the server alone can tell."""
    longitude, latitude = f"{field}.coordinates.0", f"{field}.coordinates.1"
    outside = [
        {longitude: {"$gt": _LONGITUDE}},
        {longitude: {"$lt": -_LONGITUDE}},
        {latitude: {"$gt": _LATITUDE}},
        {latitude: {"$lt": -_LATITUDE}},
        {longitude: {"$not": {"$type": "number"}}},
        {latitude: {"$not": {"$type": "number"}}},
    ]
    point = {f"{field}.type": "Point", "$or": outside}
    return [{field: {"$type": kind}} for kind in ("string", "bool", "date", "objectId")] + [point]


def _no_plane(field: str, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    least, most = (number(options.get(side)) for side in ("min", "max"))
    low, high = float(-180 if least is None else least), float(180 if most is None else most)
    outside = [{f"{field}.{place}": query} for place in (0, 1) for query in ({"$gte": high}, {"$lt": low})]
    return [{field: {"$type": kind}} for kind in ("string", "bool", "date", "objectId")] + outside
