"""``Status``: where a database stands against the revision files, told in one round trip and without the lock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from asyncmig.files.snapshot import Snapshot
from asyncmig.running.ledger.position import Position
from asyncmig.running.ledger.record import Mark

__all__ = ["Status", "status_of"]


@dataclass(frozen=True, slots=True)
class Status:
    """The ids of what differs between database and files: all empty at head; and ``current``, where it stands.

    ``pending``: not applied, or not as a whole, in the order in which they would be. ``stopped``:
    those of them that an error has stopped half-way, and when. ``ahead``: in the database, and in no
    file: a newer release was here. ``edited``: applied from a file that has changed since.
    """

    pending: tuple[str, ...] = ()
    stopped: Mapping[str, datetime | None] = field(default_factory=dict)
    ahead: tuple[str, ...] = ()
    edited: tuple[str, ...] = ()
    half_done: tuple[str, ...] = ()
    """Those of ``ahead`` that are half-way."""
    applied: frozenset[str] = field(default=frozenset(), repr=False, compare=False)
    """What the ledger has as applied as a whole."""
    files: Snapshot | None = field(default=None, repr=False, compare=False)
    """The files that it was held against."""

    @property
    def current(self) -> tuple[str, ...]:
        """The revisions at the heads of what is applied. Reads the files' headers, where nothing else had to."""
        return self.files.graph.heads_of(self.applied) if self.files else ()

    @property
    def at_head(self) -> bool:
        """Whether the database has every revision, and none that the files do not know."""
        return not self.pending and not self.ahead


def status_of(marks: Mapping[str, Mark], files: Snapshot) -> Status:
    """Compare what the ledger says with the files.

    Where every file is the very one that was applied, none of them is parsed: 500 headers would
    cost more than all the rest of a start. Raises RevisionError for files that form no history.
    """
    applied = frozenset(one for one, mark in marks.items() if mark.state == "applied")
    if len(applied) == len(marks) and files.is_exactly([mark.checksum for mark in marks.values()]):
        return Status(applied=applied, files=files)
    position = Position(files.graph, marks)
    pending = tuple(revision.revision for revision in position.pending)
    return Status(
        pending,
        {one: marks[one].stopped_at for one in pending if one in marks and marks[one].state == "failed"},
        position.graph.unknown(marks),
        tuple(sorted(warning.revision.revision for warning in position.warnings())),
        position.half_done_unknown,
        applied,
        files,
    )
