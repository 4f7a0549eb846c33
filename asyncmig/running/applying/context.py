"""What applying an operation needs to know besides the operation itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from asyncmig.data.progress import ProgressHooks
from asyncmig.drivers.base import Driver
from asyncmig.operations.build_progress import BuildProgress

__all__ = ["BatchNotes", "BuildHooks", "Context", "JournalData"]

JournalData = dict[str, Any]
"""What the journal keeps of an operation: an intent before it, a result after it. Plain BSON."""


class BuildHooks(Protocol):
    """Who hears of an index build: the listener, and the journal."""

    def progressed(self, progress: BuildProgress) -> None:
        """It is so far. What is raised counts as the operation's."""
        ...

    def stalled(self, progress: BuildProgress) -> None:
        """Nothing has moved for a while; once, until something moves."""
        ...

    async def save(self, progress: BuildProgress) -> None:
        """Keep it, if enough time has gone by since the last one. Raises nothing but a cancellation."""
        ...


class BatchNotes(Protocol):
    """Where an operation of many documents notes each batch: what it is about to do, and that it is done."""

    async def read(self, key: str) -> Sequence[Mapping[str, Any]]:
        """The notes of all batches that were begun, in their order; ``key`` names the operation."""
        ...

    async def write(self, key: str, place: int, note: Mapping[str, Any]) -> None:
        """Write the note of one batch, or write it anew. Raises LockLost."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """The database to work on, and what asyncmig knows of its own earlier work there.

    ``session``: that of the running transaction, if any. ``inserted``: by collection, the
    ``{"_id": ..., "digest": ...}`` of each document that this revision's upgrade has inserted, as
    the results of its InsertDocuments in the ledger say under ``inserted`` (of one that did not
    get to its result, those of its intent under ``missing``). ``progress``: the run around an
    operation on data; None where there is none. ``notes``: where inserting many documents is noted
    batch by batch; None where all of it goes into the journal's entry.
    """

    driver: Driver
    session: Any = None
    inserted: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    progress: ProgressHooks | None = None
    notes: BatchNotes | None = None
    own: frozenset[str] = frozenset()
    """The names of asyncmig's own collections, which no operation changes."""
    commit_quorum: str | int | None = None
    """Which members an index build waits for, where the operation does not say; None: a majority."""
    build: BuildHooks | None = None
    """Who hears how far an index build is; None: nobody looks."""
    keep_building: bool = False
    """Whether an index build is left to the server when the run is cancelled."""
