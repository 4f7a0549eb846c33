"""P01: documents that stand in the way of a unique index, counted as the server would.

Each document has a set of keys: missing is null, an empty array is a key of its own, an array is each
of its elements once. Two documents that share a key are duplicates. So it is for fields of the document
itself and of sub-documents; where an array lies on the way to a field, only the server can tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo.errors import OperationFailure, PyMongoError

from asyncmig.errors import UnsupportedByDriver
from asyncmig.preflight.asking import CUT_OFF, Asker, is_timeout, plural
from asyncmig.preflight.probe import Probe
from asyncmig.schema.collation import SIMPLE, expand
from asyncmig.schema.index import Index
from asyncmig.schema.normal import normal_index, signature
from asyncmig.schema.value import number, truthy

__all__ = ["duplicate_groups", "duplicates", "way_to_arrays"]

_CODE: Final = "P01"
_SHOWN: Final = 20
"""How many groups are named."""
_NAMED: Final = 3
"""How many of a group's documents."""
_EMPTY: Final = [{"asyncmig": "the key of an empty array"}]
"""Stands for the key of an empty array, which is no other value's."""
_NOT_UNIQUE: Final = 359


async def duplicates(asker: Asker, collection: str, index: Index) -> Probe | None:
    """What a unique index would meet; None where it is not asked."""
    now = asker.now(collection)
    if now is None:
        return None
    if asker.may("D") and (standing := _same_plain_index(asker, now, index)) and asker.server.has("unique in place"):
        return await _by_dry_run(asker, now, index, standing)
    if not asker.may("C"):
        return None
    what = f"duplicates of {index.name}"
    if not _can_be_counted(index):
        return Probe(_CODE, "unknown", f"{what}: for keys of this kind only the server can tell")
    try:
        if path := await _arrays_on_the_way(asker, now, index):
            return Probe(
                _CODE, "unknown", f"{what}: {path} leads through arrays, and only the server can tell; {_WAYS}"
            )
        return await _counted(asker, now, index)
    except (PyMongoError, UnsupportedByDriver) as error:
        if is_timeout(error):
            return Probe(_CODE, "unknown", f"{what}: {CUT_OFF.format(seconds=asker.budget)}; {_WAYS}")
        return asker.unanswered(_CODE, what, error, "read")


_WAYS: Final = (
    "raise --budget, or create the index plain and make it unique in a second step: --exact then lets the server name "
    "every duplicate"
)


def _can_be_counted(index: Index) -> bool:
    """Whether its keys are plain directions on fields."""
    return all(number(kind) is not None and "$" not in field for field, kind in index.keys)


def way_to_arrays(field: str) -> list[str]:
    """The paths that lead to a dotted field: ``a`` and ``a.b`` for ``a.b.c``."""
    parts = field.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


async def _arrays_on_the_way(asker: Asker, collection: str, index: Index) -> str:
    """The first field that some document has an array on the way to."""
    for field, _ in index.keys:
        for path in way_to_arrays(field):
            some = {**_within(index), path: {"$type": "array"}}
            reply = await asker.look({"count": collection, "query": some, "limit": 1})
            if reply["n"]:
                return field
    return ""


def _within(index: Index) -> dict[str, Any]:
    """The documents that the index holds."""
    if "partialFilterExpression" in index.options:
        return {"$and": [dict(index.options["partialFilterExpression"])]}
    if truthy(index.options.get("sparse")):
        return {"$or": [{field: {"$exists": True}} for field, _ in index.keys]}
    return {}


def duplicate_groups(index: Index) -> list[dict[str, Any]]:
    """The stages that end with one row for each document and key: ``k0``, ``k1``, ... and whether one was an array."""
    keys = [f"k{place}" for place in range(len(index.keys))]
    taken = {key: _elements(f"${field}") for key, (field, _) in zip(keys, index.keys, strict=True)}
    arrays = {"$or": [{"$isArray": f"${field}"} for field, _ in index.keys]}
    return [
        {"$match": _within(index)},
        {"$project": {**taken, "m": arrays}},
        *({"$unwind": f"${key}"} for key in keys),
    ]


def _elements(field: str) -> dict[str, Any]:
    """The set of keys of one field, as an array."""
    value = {"$ifNull": [field, None]}
    many = {"$cond": [{"$eq": [{"$size": value}, 0]}, _EMPTY, {"$setUnion": [value, []]}]}
    return {"$cond": [{"$isArray": [value]}, many, [value]]}


def _collation(asker: Asker, collection: str, index: Index) -> dict[str, Any]:
    """The collation that the index will have, said in full: a pipeline would take its collection's."""
    state = asker.live.get(collection)
    inherited = state.options.get("collation") if state else None
    collation = normal_index(index, inherited).options.get("collation")
    return {"collation": dict(expand(collation, "index") or SIMPLE)}


async def _counted(asker: Asker, collection: str, index: Index) -> Probe:
    """Groups and documents, without their ids; then the ids of the first groups."""
    keys = {f"k{place}": f"$k{place}" for place in range(len(index.keys))}
    collation = _collation(asker, collection, index)
    grouped = [
        *duplicate_groups(index),
        {"$group": {"_id": keys, "n": {"$sum": 1}, "m": {"$max": "$m"}}},
        {"$match": {"n": {"$gt": 1}}},
        {"$group": {"_id": None, "groups": {"$sum": 1}, "entries": {"$sum": "$n"}, "m": {"$max": "$m"}}},
    ]
    rows = await asker.scan(collection, grouped, **collation)
    if not rows:
        text = f"{index.name}: no duplicates{asker.proviso(collection)}"
        return Probe(_CODE, "note", text, {"groups": 0, "documents": 0})
    total = rows[0]
    entries = int(total["entries"])
    documents = await _documents(asker, collection, index, keys, collation) if total["m"] else entries
    first = await _first(asker, collection, index, keys, collation)
    return _found(asker, collection, index, _Found(int(total["groups"]), documents, first))


async def _documents(
    asker: Asker, collection: str, index: Index, keys: Mapping[str, str], collation: Mapping[str, Any]
) -> int:
    """How many documents there are in all groups together, where arrays put one into several."""
    stages = [
        *duplicate_groups(index),
        {"$group": {"_id": keys, "ids": {"$push": "$_id"}}},
        {"$match": {"ids.1": {"$exists": True}}},
        {"$unwind": "$ids"},
        {"$group": {"_id": "$ids"}},
        {"$count": "n"},
    ]
    return int((await asker.scan(collection, stages, **collation))[0]["n"])


async def _first(
    asker: Asker, collection: str, index: Index, keys: Mapping[str, str], collation: Mapping[str, Any]
) -> list[list[Any]]:
    """The ids of the documents of the first groups; of all of them, where they are to be shown."""
    if _CODE in asker.shown:
        return await _all(asker, collection, index, keys, collation)
    stages = [
        *duplicate_groups(index),
        {"$group": {"_id": keys, "n": {"$sum": 1}, "first": {"$min": "$_id"}, "last": {"$max": "$_id"}}},
        {"$match": {"n": {"$gt": 1}}},
        {"$sort": {"first": 1}},
        {"$limit": _SHOWN},
    ]
    return [[row["first"], row["last"]] for row in await asker.scan(collection, stages, **collation)]


async def _all(
    asker: Asker, collection: str, index: Index, keys: Mapping[str, str], collation: Mapping[str, Any]
) -> list[list[Any]]:
    stages = [
        *duplicate_groups(index),
        {"$group": {"_id": keys, "n": {"$sum": 1}, "ids": {"$addToSet": "$_id"}}},
        {"$match": {"n": {"$gt": 1}}},
        {"$sort": {"n": -1, "_id": 1}},
    ]
    return [list(row["ids"]) for row in await asker.scan(collection, stages, **collation)]


@dataclass(frozen=True, slots=True)
class _Found:
    groups: int
    documents: int
    first: Sequence[Sequence[Any]]


def _found(asker: Asker, collection: str, index: Index, duplicates: _Found) -> Probe:
    counts = f"{plural(duplicates.groups, 'group')} of duplicates, {plural(duplicates.documents, 'document')}"
    ids = "; ".join(", ".join(map(repr, group[:_NAMED])) for group in duplicates.first[:_NAMED])
    text = f"{index.name}: {counts}; first _ids: {ids}{asker.proviso(collection)}"
    figures: dict[str, Any] = {"groups": duplicates.groups, "documents": duplicates.documents}
    figures["first"] = [list(group) for group in duplicates.first[:_SHOWN]]
    if _CODE in asker.shown:
        figures["all"] = [list(group) for group in duplicates.first]
    return Probe(_CODE, "problem", text, figures)


# The server's own answer.


def _same_plain_index(asker: Asker, collection: str, index: Index) -> Index | None:
    """An index that differs in nothing but uniqueness: the server can say what keeps it from being unique."""
    state = asker.live.get(collection)
    if state is None or any("$**" in field or kind == "hashed" for field, kind in index.keys):
        return None
    collation = state.options.get("collation")
    wanted = signature(normal_index(index.replace(unique=None), collation))
    for standing in state.indexes:
        if not standing.options.get("unique") and signature(standing) == wanted:
            return standing
    return None


async def _by_dry_run(asker: Asker, collection: str, index: Index, standing: Index) -> Probe:
    """``prepareUnique``, a dry run, and back to what was: exact, and written."""
    change = {"collMod": collection, "index": {"name": standing.name}}
    asker.has_written = True
    was_prepared = truthy(standing.options.get("prepareUnique"))
    try:
        await asker.command({**change, "index": {"name": standing.name, "prepareUnique": True}})
        try:
            await asker.command({**change, "index": {"name": standing.name, "unique": True}, "dryRun": True})
        finally:
            if not was_prepared:
                await asker.command({**change, "index": {"name": standing.name, "prepareUnique": False}})
    except OperationFailure as error:
        if error.code != _NOT_UNIQUE:
            return asker.unanswered(_CODE, f"duplicates of {index.name}", error, "dbAdmin")
        return _found(asker, collection, index, _of_violations((error.details or {}).get("violations", ())))
    except PyMongoError as error:
        return asker.unanswered(_CODE, f"duplicates of {index.name}", error, "dbAdmin")
    text = f"{index.name}: no duplicates, says the server{asker.proviso(collection)}"
    return Probe(_CODE, "note", text, {"groups": 0, "documents": 0})


def _of_violations(violations: Sequence[Mapping[str, Any]]) -> _Found:
    groups = [list(group["ids"]) for group in violations]
    return _Found(len(groups), len({*_hashable(groups)}), groups)


def _hashable(groups: Sequence[Sequence[Any]]) -> Iterator[str]:
    for group in groups:
        yield from map(repr, group)
