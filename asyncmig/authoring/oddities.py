"""What is probably not meant: names that differ in upper and lower case only, values that are new at each import."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from bson import Binary, ObjectId, Timestamp
from bson.datetime_ms import DatetimeMS

from asyncmig.schema.canonical import canonical
from asyncmig.schema.note import Note
from asyncmig.schema.state import CollectionState, DatabaseState

__all__ = ["oddities"]

_MADE = (Binary, DatetimeMS, ObjectId, Timestamp, UUID, datetime)


def oddities(current: Mapping[str, CollectionState], wanted: DatabaseState) -> Iterator[Note]:
    """A remark on each, for whoever reads the difference."""
    yield from _case(current, wanted)
    for state in wanted:
        if before := current.get(state.name):
            for what in _made_anew(before, state):
                yield Note(
                    state.name,
                    f"{what} differs from what the database has by a date or an id only: a value that is made at each "
                    "import (datetime.now(), ObjectId()) differs each time; write a fixed one",
                )


def _case(current: Mapping[str, CollectionState], wanted: DatabaseState) -> Iterator[Note]:
    known: dict[str, str] = {}
    for name in dict.fromkeys([*current, *(state.name for state in wanted)]):
        other = known.setdefault(name.casefold(), name)
        if other != name and (name in wanted or other in wanted):
            yield Note(name, f"its name differs from {other} in upper and lower case only: to MongoDB these are two")


def _made_anew(before: CollectionState, after: CollectionState) -> Iterator[str]:
    by_name = {index.name: index for index in before.indexes}
    for index in after.indexes:
        existing = by_name.get(index.name)
        if existing is not None and existing.keys == index.keys and _only_made(existing.options, index.options):
            yield f"index {index.name}"
    for option in before.options.keys() & after.options.keys():
        if _only_made(before.options[option], after.options[option]):
            yield f"its {option}"


def _only_made(options: Any, other: Any) -> bool:
    if options == other:
        return False  # nearly always, and fast
    return bool(canonical(options) != canonical(other) and canonical(_without(options)) == canonical(_without(other)))


def _without(value: Any) -> Any:
    """The value with what is made anew at each import taken for equal."""
    if isinstance(value, _MADE):
        return type(value).__name__ if not isinstance(value, datetime | DatetimeMS) else "date"
    if isinstance(value, Mapping):
        return {key: _without(inner) for key, inner in value.items()}
    return [_without(inner) for inner in value] if isinstance(value, list | tuple) else value
