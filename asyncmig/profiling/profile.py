"""``Profile``: what the documents that were read hold, path by path; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import sqrt
from typing import Any, Final

from asyncmig.profiling.bson_walk import (
    ARRAY,
    DATE,
    OBJECT,
    OBJECT_ID,
    members,
    milliseconds,
    seconds_of_object_id,
    short_value,
    type_name,
)

__all__ = ["Collector", "Lengths", "PathProfile", "Profile", "Row"]

_MAX_VALUES: Final = 50  # distinct values of a path that are remembered; with more it is no enumeration
_MAX_ROWS: Final = 20_000  # documents of which it is remembered which paths they have
_EXAMPLES: Final = 3


@dataclass(slots=True)
class Lengths:
    """Of arrays: the shortest, the longest, and all lengths together."""

    least: int = -1
    most: int = 0
    total: int = 0

    def add(self, length: int) -> None:
        """One more array."""
        self.least = length if self.least < 0 else min(self.least, length)
        self.most, self.total = max(self.most, length), self.total + length


@dataclass(slots=True)
class PathProfile:
    """One path: ``items[].price`` is the field of an array's elements, ``tags[]`` are elements themselves.

    ``types`` counts values by BSON type; ``documents`` counts the documents that have the path at all;
    ``holders`` the documents, sub-documents or arrays that could have it. ``first`` and ``last`` are
    the creation times of the oldest and newest document with it, in milliseconds, where they are known.
    ``values`` are the distinct short ones, empty when there are too many to be an enumeration.
    """

    path: str
    types: Counter[str] = field(default_factory=Counter)
    documents: int = 0
    holders: int = 0
    first: int | None = None
    last: int | None = None
    values: Counter[Any] = field(default_factory=Counter)
    lengths: Lengths | None = None
    examples: list[Any] = field(default_factory=list)
    _too_many: bool = False

    @property
    def count(self) -> int:
        """How many values there are."""
        return sum(self.types.values())

    @property
    def share(self) -> float:
        """In which part of the documents or sub-documents that could have it, it is."""
        return self.count / self.holders if self.holders else 0.0

    @property
    def first_seen(self) -> datetime | None:
        """When the oldest document with the path was made."""
        return None if self.first is None else datetime.fromtimestamp(self.first / 1000, UTC)

    @property
    def last_seen(self) -> datetime | None:
        """When the newest document with the path was made."""
        return None if self.last is None else datetime.fromtimestamp(self.last / 1000, UTC)

    @property
    def dotted(self) -> str:
        """The path as revisions write it: it goes through arrays by itself."""
        return self.path.replace("[]", "")

    @property
    def is_enumeration(self) -> bool:
        """Whether it looks like one: at most 20 values, each five times at least."""
        return 0 < len(self.values) <= 20 and min(self.values.values()) >= 5 and not self._too_many

    def note_value(self, value: Any) -> None:
        """Remember a short value, until there are too many distinct ones."""
        if self._too_many or value is None:
            return
        self.values[value] += 1
        if len(self.values) > _MAX_VALUES:
            self._too_many = True
            self.values.clear()


@dataclass(frozen=True, slots=True)
class Row:
    """One document: when it was made (milliseconds, None where that is not known), which paths it has,
    and the short values of those that may tell kinds of documents apart."""

    time: int | None
    paths: frozenset[str]
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Profile:
    """What was read of one collection.

    ``documents`` of about ``total`` were read; ``is_whole``: all of them; ``is_sample``: drawn at random.
    ``rows`` are some of the documents, one by one. ``truncated``: there were more paths than were
    followed. ``stopped``: the budget ended the reading.
    """

    collection: str
    documents: int
    total: int
    is_whole: bool
    paths: Mapping[str, PathProfile]
    rows: tuple[Row, ...] = ()
    truncated: bool = False
    stopped: bool = False
    seconds: float = 0.0
    is_sample: bool = True

    @property
    def error(self) -> float | None:
        """How far a share may be off, at 95 %, at worst; 0 where all documents were read.

        None where they are no sample: a scan that ended early has read the lowest ``_id``s.
        """
        if self.is_whole or not self.documents:
            return 0.0
        return 1.96 * 0.5 / sqrt(self.documents) if self.is_sample else None

    @property
    def rarest(self) -> float | None:
        """Paths in a smaller part of the documents may not have been seen; 0 where all were read, None as above."""
        if self.is_whole or not self.documents:
            return 0.0
        return min(3 / self.documents, 1.0) if self.is_sample else None


class Collector:
    """Takes documents as they are stored, one after the other."""

    def __init__(self, *, max_paths: int = 2_000, examples: bool = False, by: str | None = None) -> None:
        self._max_paths, self._examples, self._by = max_paths, examples, by
        self._paths: dict[str, PathProfile] = {}
        self._objects: Counter[str] = Counter()
        self._rows: list[Row] = []
        self.documents = 0
        self.truncated = False

    def add(self, data: bytes) -> None:
        """Take one document."""
        seen: set[str] = set()
        self._time: int | None = None
        self._values: dict[str, Any] = {}
        self.documents += 1
        self._document(data, 0, "", seen)
        for path in seen:
            self._seen(self._paths[path], self._time)
        if len(self._rows) < _MAX_ROWS:
            self._rows.append(Row(self._time, frozenset(seen), self._values))

    def profile(self, collection: str, total: int, *, is_whole: bool, **how: Any) -> Profile:
        """What has been taken; ``how``: further fields of the profile, which tell how it was read."""
        for path, stored in self._paths.items():
            stored.holders = self._holders(path)
        paths = {path: self._paths[path] for path in sorted(self._paths)}
        rows = tuple(self._rows)
        return Profile(collection, self.documents, total, is_whole, paths, rows, self.truncated, **how)

    def _holders(self, path: str) -> int:
        if path.endswith("[]"):
            return sum(self._paths[path].types.values())
        return self._objects[path.rpartition(".")[0]]

    def _seen(self, path: PathProfile, time: int | None) -> None:
        path.documents += 1
        if time is not None:
            path.first = time if path.first is None else min(path.first, time)
            path.last = time if path.last is None else max(path.last, time)

    def _document(self, data: bytes, start: int, above: str, seen: set[str]) -> None:
        self._objects[above] += 1
        prefix = f"{above}." if above else ""
        for name, kind, begin, end in members(data, start):
            if not above:
                self._note_time(name, kind, data, begin)
            self._value(f"{prefix}{name}", kind, data, begin, end, seen)

    def _note_time(self, name: str, kind: int, data: bytes, begin: int) -> None:
        """When the document was made: by the field that was asked for, else by its ObjectId."""
        if self._by is None and name == "_id" and kind == OBJECT_ID:
            self._time = seconds_of_object_id(data, begin) * 1000
        elif name == self._by and kind == DATE:
            self._time = milliseconds(data, begin)

    def _value(self, path: str, kind: int, data: bytes, begin: int, end: int, seen: set[str]) -> None:
        stored = self._paths.get(path)
        if stored is None:
            if len(self._paths) >= self._max_paths:
                self.truncated = True
                return
            stored = self._paths[path] = PathProfile(path)
        stored.types[type_name(kind)] += 1
        seen.add(path)
        if kind == OBJECT:
            self._document(data, begin, path, seen)
        elif kind == ARRAY:
            self._array(stored, data, begin, seen)
        else:
            value = short_value(data, kind, begin, end)
            stored.note_value(value)
            if stored.values and "[]" not in path:
                self._values[path] = value
            if (
                self._examples
                and value is not None
                and len(stored.examples) < _EXAMPLES
                and value not in stored.examples
            ):
                stored.examples.append(value)

    def _array(self, stored: PathProfile, data: bytes, begin: int, seen: set[str]) -> None:
        length = 0
        path = f"{stored.path}[]"
        for _, kind, start, end in members(data, begin):
            length += 1
            self._value(path, kind, data, start, end, seen)
        stored.lengths = stored.lengths or Lengths()
        stored.lengths.add(length)
