"""``Note``: a remark about a collection, from whoever read or compared it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Note"]


@dataclass(frozen=True, slots=True)
class Note:
    """A remark about a collection that no operation stands for: reported, and written into the revision."""

    collection: str
    text: str

    def __str__(self) -> str:
        return f"{self.collection}: {self.text}"
