"""Leaving out of a snapshot what differs from one run to the next: ids and times that were made on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from bson import Binary, DatetimeMS, ObjectId, Timestamp, encode

from asyncmig.drivers.codec import decoded
from asyncmig.testing.snapshot import DatabaseSnapshot

__all__ = ["masked"]

_MADE = (ObjectId, datetime, DatetimeMS, Timestamp, UUID)
_UUIDS = (3, 4)  # subtypes of Binary


def masked(snapshot: DatabaseSnapshot) -> DatabaseSnapshot:
    """The snapshot with ObjectIds, dates and UUIDs taken for equal."""
    return replace(snapshot, documents={name: list(_masked(stored)) for name, stored in snapshot.documents.items()})


def _masked(documents: Sequence[bytes]) -> Iterator[bytes]:
    seen: Counter[str] = Counter()
    for document in documents:
        whole = decoded(document)
        hidden = _hidden(whole)
        if hidden["_id"] != whole["_id"]:  # it has no name of its own any more: its content stands for it
            text = repr(hidden)[:200]
            seen[text] += 1
            hidden["_id"] = f"{text} #{seen[text]}"
        yield encode(hidden)


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _hidden(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item) for item in value]
    if isinstance(value, _MADE) or (isinstance(value, Binary) and value.subtype in _UUIDS):
        return f"<{type(value).__name__}>"
    return value
