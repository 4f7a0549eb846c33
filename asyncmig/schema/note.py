"""``Note``: a remark about a collection, from whoever read or compared it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Note", "joined"]

_SHOWN = 3  # collections of which the same is said


@dataclass(frozen=True, slots=True)
class Note:
    """A remark about a collection that no operation stands for: reported, and written into the revision."""

    collection: str
    text: str

    def __str__(self) -> str:
        return f"{self.collection}: {self.text}"


def joined(notes: Iterable[Note]) -> list[str]:
    """The remarks for people: what is said of many collections is said once, with the first of them."""
    by_text: dict[str, list[str]] = {}
    for note in notes:
        by_text.setdefault(note.text, []).append(note.collection)
    return [line for text, names in by_text.items() for line in _lines(names, text)]


def _lines(names: list[str], text: str) -> list[str]:
    if len(names) <= _SHOWN:
        return [f"{name}: {text}" for name in names]
    return [f"{', '.join(names[:_SHOWN])} and {len(names) - _SHOWN} more, each: {text}"]
