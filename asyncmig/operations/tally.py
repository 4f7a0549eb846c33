"""``Tally``: what an operation on data has done, in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

__all__ = ["NAMED", "Tally"]

NAMED = 10
"""How many of the documents that failed are named."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of documents; of those that failed, the first few ``_id``s, and the collection that names all of them.

    ``matched`` is the sum of those that were ``modified``, ``deleted``, ``skipped`` (nothing was to be
    changed in them) and ``failed``.
    """

    matched: int = 0
    modified: int = 0
    deleted: int = 0
    skipped: int = 0
    failed: int = 0
    failed_ids: tuple[Any, ...] = ()
    failed_in: str = ""

    @classmethod
    def read(cls, document: Mapping[str, Any] | None) -> Tally:
        """The tally that a document holds; of none, zeros."""
        given = {name: value for name, value in (document or {}).items() if name in cls.__dataclass_fields__}
        return cls(**{**given, "failed_ids": tuple(given.get("failed_ids") or ())})

    @property
    def document(self) -> dict[str, Any]:
        """As the ledger stores it."""
        counts = {name: getattr(self, name) for name in ("matched", "modified", "deleted", "skipped", "failed")}
        return {**counts, "failed_ids": list(self.failed_ids), "failed_in": self.failed_in}

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.matched + other.matched,
            self.modified + other.modified,
            self.deleted + other.deleted,
            self.skipped + other.skipped,
            self.failed + other.failed,
            (self.failed_ids + other.failed_ids)[:NAMED],
            self.failed_in or other.failed_in,
        )

    def and_failed(self, key: Any, failed_in: str = "") -> Tally:
        """The same with one more document that failed."""
        return self + replace(Tally(), matched=1, failed=1, failed_ids=(key,), failed_in=failed_in)

    def __str__(self) -> str:
        shown = [f"{self.matched:,} matched", f"{self.modified:,} modified"]
        shown += [
            f"{count:,} {word}"
            for word, count in (("deleted", self.deleted), ("skipped", self.skipped), ("failed", self.failed))
            if count
        ]
        where = f", named in {self.failed_in}" if self.failed and self.failed_in else ""
        return ", ".join(shown) + where
