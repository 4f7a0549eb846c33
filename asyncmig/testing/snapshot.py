"""``DatabaseSnapshot``: all that is in a database, to compare it with later, or to put it back."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bson import encode
from bson.raw_bson import RawBSONDocument

from asyncmig.authoring.introspect import introspect
from asyncmig.drivers.codec import RAW, decoded, stored_bytes
from asyncmig.schema.state import CollectionState, DatabaseState

__all__ = ["DatabaseSnapshot", "differences", "take"]

_SHOWN = 5  # documents of one collection in a report


@dataclass(frozen=True, slots=True)
class DatabaseSnapshot:
    """Collections, time series and views with options and indexes, and every document byte for byte."""

    state: DatabaseState
    documents: Mapping[str, Sequence[bytes]] = field(default_factory=dict)


async def take(database: Any, *, without: Collection[str] = ()) -> DatabaseSnapshot:
    """A snapshot of a database, ``without`` these collections."""
    state = await introspect(database, own=frozenset(without))
    stored = [collection.name for collection in state if collection.kind != "view"]
    return DatabaseSnapshot(state, {name: await _documents(database, name) for name in stored})


async def _documents(database: Any, name: str) -> list[bytes]:
    cursor = database.get_collection(name, codec_options=RAW).find({})
    return [stored_bytes(row) async for row in cursor]


def differences(before: DatabaseSnapshot, after: DatabaseSnapshot) -> list[str]:
    """What is not as it was, one line each; empty where the two are equal. The order of documents does not matter."""
    lines: list[str] = []
    for name in sorted({*before.state.collections, *after.state.collections}):
        was, now = before.state.get(name), after.state.get(name)
        if was is None or now is None:
            lines.append(f"{name} {'is new' if was is None else 'is gone'}")
        else:
            documents = (before.documents.get(name, ()), after.documents.get(name, ()))
            lines += [f"{name}: {line}" for line in (*_schema(was, now), *_data(*documents))]
    return lines


def _schema(was: CollectionState, now: CollectionState) -> Iterator[str]:
    if was.kind != now.kind:
        yield f"it was a {was.kind}, and is a {now.kind}"
    for option in sorted({*was.options, *now.options}):
        if was.options.get(option) != now.options.get(option):
            yield f"{option} was {was.options.get(option)!r}, and is {now.options.get(option)!r}"
    for name in sorted({index.name for index in (*was.indexes, *now.indexes)}):
        before, after = was.index(name), now.index(name)
        if before != after:
            yield f"index {name} " + ("is new" if before is None else "is gone" if after is None else "has changed")


def _data(was: Sequence[bytes], now: Sequence[bytes]) -> Iterator[str]:
    before, after = {_id(document): document for document in was}, {_id(document): document for document in now}
    changed = [id_ for id_ in before if id_ in after and before[id_] != after[id_]]
    for ids, how in (
        ([id_ for id_ in after if id_ not in before], "is new"),
        ([id_ for id_ in before if id_ not in after], "is gone"),
        (changed, "has changed"),
    ):
        for id_ in ids[:_SHOWN]:
            yield f"document {decoded(id_)['_id']!r} {how}"
        if len(ids) > _SHOWN:
            yield f"and {len(ids) - _SHOWN} more documents, each {how}"


def _id(document: bytes) -> bytes:
    return encode({"_id": RawBSONDocument(document, RAW)["_id"]})
