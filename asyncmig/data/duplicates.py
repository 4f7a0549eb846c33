"""Taking away documents that stand twice: all but the first of each group, in batches.

What is left of a group decides what is still to be done, so that an interrupted run begins anew and does the
rest. Where the server has transactions each batch is one; where not, a document is copied to where it is
kept before it is deleted.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from time import perf_counter
from typing import Any

from asyncmig.data.progress import Advance, ProgressHooks, Stopped
from asyncmig.data.source import Source
from asyncmig.data.throttle import Throttle
from asyncmig.drivers.base import Document
from asyncmig.errors import OperationRefused
from asyncmig.operations import Deduplicate, Tally
from asyncmig.schema.canonical import canonical

__all__ = ["deduplicate", "superfluous"]

_BATCH_DOCUMENTS = 1_000


async def deduplicate(operation: Deduplicate, source: Source, progress: ProgressHooks) -> Tally:
    """Keep one document of each group. Raises OperationRefused, Stopped."""
    throttle = Throttle(operation.pace, progress)
    pairs = await superfluous(operation, source)
    in_transactions = progress.session is None and await source.driver.has_transactions()
    tally, began = Tally(), perf_counter()
    size = operation.pace.batch_size or _BATCH_DOCUMENTS
    for first in range(0, len(pairs), size):
        await throttle.wait()
        if progress.is_stopping:
            raise Stopped
        part = pairs[first : first + size]
        if in_transactions:
            async with progress.transaction() as session:
                done = await _taken_away(operation, source, part, session)
        else:
            done = await _taken_away(operation, source, part, progress.session)
        tally += done
        throttle.took(len(part))
        rate = tally.matched / max(perf_counter() - began, 0.001)
        left = (len(pairs) - tally.matched) / rate if rate else None
        progress.advanced(Advance(tally.matched, len(pairs), rate, left, tally))
    return tally


async def superfluous(
    operation: Deduplicate, source: Source, *, among: Sequence[Any] | None = None, session: Any = None
) -> list[tuple[Any, Any]]:
    """The ``_id``s of all documents but the first of each group, each with that of the first one.

    ``among``: only documents with these ``_id``s are looked at.
    """
    order = dict(operation.keep)
    pipeline: list[Document] = [
        *([{"$match": {"_id": {"$in": list(among)}}}] if among is not None else []),
        {"$sort": {**order, **({} if "_id" in order else {"_id": 1})}},
        {"$group": {"_id": _values(operation.by), "all": {"$push": "$_id"}}},
        {"$match": {"all.1": {"$exists": True}}},
        {
            "$project": {
                "_id": 0,
                "first": {"$arrayElemAt": ["$all", 0]},
                "others": {"$slice": ["$all", 1, {"$size": "$all"}]},
            }
        },
        {"$unwind": "$others"},
    ]
    cursor = source.exact.aggregate(pipeline, session=session or source.session, allowDiskUse=True)
    cursor = await cursor if inspect.isawaitable(cursor) else cursor
    return [(group["others"], group["first"]) for group in await cursor.to_list(None)]


def _values(by: Sequence[str]) -> Document:
    """What documents of a group have in common; a missing field counts as null, as it does in an index."""
    return {f"v{place}": {"$ifNull": [f"${path}", None]} for place, path in enumerate(by)}


async def _taken_away(operation: Deduplicate, source: Source, pairs: Sequence[tuple[Any, Any]], session: Any) -> Tally:
    """Those that are still superfluous: somebody may have changed them, or the one that is kept."""
    together = [key for pair in pairs for key in pair]
    still = await superfluous(operation, source, among=together, session=session)
    wanted = {canonical(key) for key, _ in pairs}
    keys = [key for key, _ in still if canonical(key) in wanted]
    stored = await source.driver.stored(operation.collection, keys, session=session) if keys else []
    if operation.keep_in is not None:
        await _kept(operation, operation.keep_in, source, stored, session)
    deleted = sum(
        [await source.driver.delete_stored(operation.collection, document, session=session) for document in stored]
    )
    return Tally(len(pairs), deleted=deleted, skipped=len(pairs) - deleted)


async def _kept(operation: Deduplicate, name: str, source: Source, documents: Sequence[bytes], session: Any) -> None:
    """Copy documents to where they are kept; one that is there already has to be the same."""
    keys = [source.key(document) for document in documents]
    stored = await source.driver.stored(name, keys, session=session) if keys else []
    existing = {canonical(source.key(document)): document for document in stored}
    for document in documents:
        if existing.get(canonical(source.key(document)), document) != document:
            raise OperationRefused(
                operation, None, f"another document with the _id {source.key(document)!r} is in {name} already"
            )
    if new := [document for document in documents if canonical(source.key(document)) not in existing]:
        await source.driver.insert(name, new, session=session)
