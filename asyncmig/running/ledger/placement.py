"""Where the entries of a journal stand: the newest in the record itself, the older ones in a collection of their own.

A record is one document, so what it holds has to be bounded. Its fields ``journal``, ``undo`` and
``superseded`` hold entries by their place, ``{"0": {...}, "1": {...}}``: in whatever order operations
that run at once are written down, none makes a gap that somebody could stumble over. Entries that are
settled move on, a hundred at a time, to *segments* of the journal's collection, and the record says
under ``archive`` which segments count, and how far:

- a segment has one writer, which nobody else knows of before the record names it. So a runner that
  has lost the lock can add nothing to it that would be read;
- what stands beyond the count that the record gives was left by a runner that died there, and is
  not read;
- of two entries with one number the later counts, and the record's own above all.

A record of format 1 holds lists of entries; they are read as they are, and written anew when the
record is next used. Asyncmig of that time refuses what it finds in format 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from asyncmig.drivers.base import Document

__all__ = ["FIELDS", "FORMAT", "Placement", "Segment", "entry_documents", "inline", "numbered", "path"]

FORMAT = 2
"""The format of the records that this version writes; it reads this one and the one before."""

FIELDS = ("journal", "undo", "superseded")


@dataclass(frozen=True, slots=True)
class Segment:
    """The first ``count`` documents under ``key``; with ``below``, of those only what is numbered less."""

    key: str
    count: int = 0
    below: int | None = None

    @classmethod
    def new(cls) -> Segment:
        """One that nobody else knows."""
        return cls(uuid4().hex)

    @property
    def stored(self) -> list[Any]:
        """As the record names it."""
        return [self.key, self.count, self.below]

    def counts(self, number: int) -> bool:
        """Whether an entry of it with this number is one of the journal."""
        return self.below is None or number < self.below


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the entries of one field stand: the numbers of those in the record, and the segments of the others."""

    window: frozenset[int] = frozenset()
    segments: tuple[Segment, ...] = ()

    @classmethod
    def of(cls, document: Mapping[str, Any], field: str) -> Placement:
        """The placement that a record tells of."""
        archive = document.get("archive")
        named = archive.get(field) if isinstance(archive, Mapping) else None
        segments = tuple(Segment(*stored) for stored in named) if isinstance(named, list) else ()
        return cls(frozenset(number for number, _ in numbered(document.get(field))), segments)

    def cut(self, number: int) -> Placement:
        """The same without what is numbered ``number`` and above."""
        kept = frozenset(slot for slot in self.window if slot < number)
        lowered = tuple(replace(segment, below=min(number, segment.below or number)) for segment in self.segments)
        return Placement(kept, lowered)


def path(field: str, number: int) -> str:
    """The path of an entry within the record; the first has the place 0."""
    return f"{field}.{number - 1}"


def inline(field: str, entries: Sequence[Document]) -> Document:
    """The fields of a record that hold these entries, and no segments; superseded ones in their order."""
    by_number = field != "superseded"
    keyed = {str(entry["number"] - 1 if by_number else place): entry for place, entry in enumerate(entries)}
    return {field: keyed, f"archive.{field}": []}


def numbered(value: Any) -> Iterator[tuple[int, Any]]:
    """The entries that a field holds, in either format, by number; nothing of what is no entry at all."""
    if isinstance(value, Mapping):
        places = sorted((int(key), entry) for key, entry in value.items() if str(key).isdecimal())
        yield from ((place + 1, entry) for place, entry in places)
    elif isinstance(value, list):
        yield from ((place, entry) for place, entry in enumerate(value, 1) if entry is not None)


def entry_documents(
    document: Mapping[str, Any], field: str, archived: Mapping[str, Sequence[Mapping[str, Any]]]
) -> list[Any]:
    """All entries of a field, in their order; ``archived``: by key, what was found of each segment."""
    placement = Placement.of(document, field)
    own = [entry for _, entry in numbered(document.get(field))]
    older = [(segment, entry) for segment in placement.segments for entry in archived.get(segment.key, ())]
    if field == "superseded":
        return [*(entry for _, entry in older), *own]
    return _by_number([*(entry for segment, entry in older if segment.counts(entry.get("number", 0))), *own])


def _by_number(entries: Iterable[Any]) -> list[Any]:
    """Sorted, the later of two with one number; what has no number stays last, to be complained about."""
    by_number: dict[int, Any] = {}
    odd = []
    for entry in entries:
        number = entry.get("number") if isinstance(entry, Mapping) else None
        if isinstance(number, int):
            by_number[number] = entry
        else:
            odd.append(entry)
    return [by_number[number] for number in sorted(by_number)] + odd
