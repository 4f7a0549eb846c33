"""The names of asyncmig's own collections, which never take part in what is compared, and which no revision changes."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["OwnNames"]


class OwnNames(NamedTuple):
    """All of them, from the two that can be set."""

    revisions: str = "asyncmig_revisions"
    lock: str = "asyncmig_lock"

    @property
    def journal(self) -> str:
        """What grows without bound: entries, the ``_id``s of inserted documents, events."""
        return f"{self.revisions}_journal"

    @property
    def failed(self) -> str:
        """Documents that an operation on data could not change, where it collects them."""
        return f"{self.revisions}_failed"

    @property
    def all(self) -> frozenset[str]:
        """Every one of them."""
        return frozenset({self.revisions, self.lock, self.journal, self.failed})
