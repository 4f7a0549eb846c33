"""Which documents stand in the way of a unique index: for the message, a few of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.errors import OperationFailure, PyMongoError

from asyncmig.errors import UnsupportedByDriver
from asyncmig.operations import CreateIndexes
from asyncmig.printable import counted
from asyncmig.running.applying.context import Context
from asyncmig.schema.index import Index

__all__ = ["duplicates", "violations"]

_SHOWN = 5
_SEARCH_MS = 20_000  # more is not worth a better message
_NEXT = "Correct the documents first (in an earlier revision, for instance), then run `asyncmig upgrade` again"


def violations(groups: Sequence[Mapping[str, Any]]) -> str:
    """Advice from the ``violations`` of a ``collMod`` that was to make an index unique."""
    return _counted("", len(groups), [f"_id {_few(group.get('ids', ()))}" for group in groups[:_SHOWN]])


async def duplicates(operation: CreateIndexes, context: Context, error: OperationFailure) -> str:
    """Advice after a unique index could not be built: values that occur twice, and documents that hold them.

    The server names one value. The others are looked for; where that takes too long, or the driver
    cannot do it, its one has to do.
    """
    index = _refused_index(operation.indexes, str(error))
    if index is None:
        return ""
    try:
        reply = await context.driver.read(_search(operation.collection, index))
    except (PyMongoError, UnsupportedByDriver):
        return ""
    total, some = (reply[0]["total"], reply[0]["some"]) if reply else ([], [])
    if not total:
        return ""
    groups = [f"{_value(group['_id'], index)} in _id {group['first']!r}, {group['last']!r}" for group in some]
    return _counted(f"{index.name}: ", total[0]["n"], groups)


def _refused_index(indexes: Sequence[Index], message: str) -> Index | None:
    named = re.search(r"index: (.+?) dup key:", message)
    unique = [index for index in indexes if index.options.get("unique")]
    return next((index for index in unique if named and index.name == named[1]), unique[0] if unique else None)


def _search(collection: str, index: Index) -> dict[str, Any]:
    """One group per value; arrays are taken apart, as the index does, and one document alone is no duplicate."""
    fields = [field for field, _ in index.keys]
    pipeline: list[dict[str, Any]] = [
        {"$match": _covered(index, fields)},
        {"$project": {str(place): f"${field}" for place, field in enumerate(fields)}},
        *({"$unwind": {"path": f"${place}", "preserveNullAndEmptyArrays": True}} for place in range(len(fields))),
        {
            "$group": {
                "_id": {str(place): {"$ifNull": [f"${place}", None]} for place in range(len(fields))},
                "first": {"$min": "$_id"},
                "last": {"$max": "$_id"},
            }
        },
        {"$match": {"$expr": {"$ne": ["$first", "$last"]}}},
        {"$facet": {"total": [{"$count": "n"}], "some": [{"$sort": {"first": 1}}, {"$limit": _SHOWN}]}},
    ]
    command = {
        "aggregate": collection,
        "pipeline": pipeline,
        "allowDiskUse": True,
        "maxTimeMS": _SEARCH_MS,
        "cursor": {},
    }
    return {**command, "collation": index.options["collation"]} if "collation" in index.options else command


def _covered(index: Index, fields: Sequence[str]) -> Mapping[str, Any]:
    """The documents that the index would hold."""
    if "partialFilterExpression" in index.options:
        covered: Mapping[str, Any] = index.options["partialFilterExpression"]
        return covered
    return {"$or": [{field: {"$exists": True}} for field in fields]} if index.options.get("sparse") else {}


def _value(group: Mapping[str, Any], index: Index) -> str:
    return ", ".join(f"{field}={group[str(place)]!r}" for place, (field, _) in enumerate(index.keys))


def _few(ids: Sequence[Any]) -> str:
    return ", ".join(repr(id_) for id_ in ids[:_SHOWN]) + (", ..." if len(ids) > _SHOWN else "")


def _counted(where: str, count: int, groups: Sequence[str]) -> str:
    more = [f"and {count - len(groups)} more"] if count > len(groups) else []
    stand = "stands" if count == 1 else "stand"
    return f"{where}{counted(count, 'value')} {stand} in more than one document: {'; '.join([*groups, *more])}. {_NEXT}"
