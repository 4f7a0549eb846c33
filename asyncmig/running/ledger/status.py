"""``Status``: where a database stands: what its ledger says, held against the revision files.

The one class for that question, whoever asks it: a run, a plan, an application that starts, the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

from asyncmig.errors import RevisionHalfDone
from asyncmig.files.snapshot import Snapshot
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision
from asyncmig.running.ledger.record import Mark, Record

if TYPE_CHECKING:  # an application that starts asks this, and mostly nothing else
    from asyncmig.events import ChecksumChanged, Direction
    from asyncmig.running.locking.holder import Holder

__all__ = ["Status"]

Entry = TypeVar("Entry", Mark, Record)


class Status(Generic[Entry]):
    """What can be told of a database by its ledger and the revision files alone; asked in one round trip, without lock.

    ``entries``: the ledger's by id, as much of each as was asked for. ``applied``: the ids that are
    applied as a whole. ``half_way``: the whole records of the others; ``holder``: who has the lock; where
    these two were asked for, by :meth:`asyncmig.Migrator.full_status`.

    ``files`` is their graph, or a snapshot. Where every file of a snapshot is the very one that was
    applied, none of them is parsed: 500 headers would cost more than all the rest of a start.
    """

    def __init__(
        self,
        entries: Mapping[str, Entry],
        files: RevisionGraph | Snapshot,
        *,
        half_way: Iterable[Record] = (),
        holder: Holder | None = None,
    ) -> None:
        self.entries: Mapping[str, Entry] = entries
        self.applied = frozenset(name for name, entry in entries.items() if entry.state == "applied")
        self.half_way, self.holder = tuple(half_way), holder
        self._files = files

    @cached_property
    def graph(self) -> RevisionGraph:
        """The graph of the files. Raises RevisionError for files that form no history."""
        return self._files.graph if isinstance(self._files, Snapshot) else self._files

    @cached_property
    def is_exact(self) -> bool:
        """Whether every file is the very one that was applied, as a whole, and nothing else is in the ledger."""
        if not isinstance(self._files, Snapshot) or len(self.applied) != len(self.entries):
            return False
        return self._files.is_exactly([entry.checksum for entry in self.entries.values()])

    # -- what differs between database and files: ids -----------------------------------------

    @property
    def current(self) -> tuple[str, ...]:
        """The revisions at the heads of what is applied."""
        return self.graph.heads_of(self.applied)

    @cached_property
    def pending(self) -> tuple[str, ...]:
        """What is not applied, or not as a whole, in the order in which it would be."""
        return () if self.is_exact else tuple(revision.revision for revision in self.pending_revisions)

    @property
    def stopped(self) -> Mapping[str, datetime | None]:
        """What of ``pending`` an error has stopped half-way, and when."""
        failed = [name for name in self.pending if name in self.entries and self.entries[name].state == "failed"]
        return {name: self.entries[name].stopped_at for name in failed}

    @cached_property
    def ahead(self) -> tuple[str, ...]:
        """What the database has, and no file: a newer release was here."""
        return () if self.is_exact else self.graph.unknown(self.entries)

    @cached_property
    def half_done(self) -> tuple[str, ...]:
        """What of ``ahead`` is half-way."""
        return () if self.is_exact else self.graph.unknown(self.unsettled)

    @property
    def edited(self) -> tuple[str, ...]:
        """What was applied from a file that has changed since."""
        return tuple(sorted(file.revision for file in self._edited_since))

    @property
    def at_head(self) -> bool:
        """Whether the database has every revision, and none that the files do not know."""
        return not self.pending and not self.ahead

    @property
    def unsettled(self) -> frozenset[str]:
        """What is half-way, by whatever file."""
        return frozenset(self.entries) - self.applied

    # -- what a run would do -------------------------------------------------------------------

    @property
    def pending_revisions(self) -> list[Revision]:
        """What ``pending`` names."""
        return self.graph.pending(self.applied)

    def path(self, target: str, direction: Direction, *, strict_order: bool = False) -> list[Revision]:
        """The revisions that a run to ``target`` goes through, in order.

        Raises RevisionError for the target, and OutOfOrder where ``strict_order`` forbids one of them.
        """
        if direction == "downgrade":
            return self.graph.downgrade_path(frozenset(self.entries), target)
        path = self._settling(self.graph.upgrade_path(self.applied, target))
        if strict_order:
            self.graph.refuse_out_of_order(self.applied, path)
        return path

    def _settling(self, path: list[Revision]) -> list[Revision]:
        """The path with what is half-way at its beginning, where all that it needs is applied."""
        settled_first: list[Revision] = sorted(path, key=lambda revision: not self._can_be_settled(revision))
        return settled_first

    def _can_be_settled(self, revision: Revision) -> bool:
        needed = (*revision.down_revision, *revision.depends_on)
        return revision.revision in self.unsettled and self.applied.issuperset(needed)

    def refuse_half_done(self, path: Iterable[Revision]) -> None:
        """Raise RevisionHalfDone for what is half-way and not on the path: nothing runs over it."""
        if self.half_done:
            raise RevisionHalfDone({name: _message(self.entries[name]) for name in self.half_done}, unknown=True)
        left = sorted(self.unsettled - {revision.revision for revision in path})
        if left := [name for name in left if name in self.graph]:
            raise RevisionHalfDone({name: _message(self.entries[name]) for name in left}, unknown=False)

    def late(self, path: Iterable[Revision]) -> tuple[tuple[Revision, Revision], ...]:
        """Those of an upgrade's revisions that are older than an applied one, each with the newest such."""
        return tuple(self.graph.out_of_order(self.applied, path))

    # -- squashed revisions --------------------------------------------------------------------

    @property
    def is_tidy(self) -> bool:
        """Whether every squashed revision that it has is there by its own id, and no range without files."""
        return not self.unrecorded_squashes and not self.squashes_without_files

    @property
    def unrecorded_squashes(self) -> list[Revision]:
        """The squashed revisions that it has by their ranges, and no record of."""
        return [
            revision for revision in self.graph.squashes_by_range(self.applied) if revision.revision not in self.entries
        ]

    @property
    def squashes_without_files(self) -> list[Revision]:
        """The squashed revisions whose ranges have no files any more, and are in the ledger still."""
        return self.graph.squashes_without_files(self.applied)

    def parts(self, revision: Revision) -> list[str]:
        """What the ledger has of the range that a squashed revision replaces."""
        return [part for part in self.graph.within(revision.revision) if part in self.entries]

    # -- files ---------------------------------------------------------------------------------

    @property
    def edited_revisions(self) -> list[Revision]:
        """The revisions, half-way ones too, whose file is not the one that was run."""
        if self.is_exact:
            return []
        files = [self.graph.get(name) for name in self.entries if name in self.graph]
        return [
            file
            for file in files
            if file.checksum and (known := self.entries[file.revision].checksum) and known != file.checksum
        ]

    def warnings(self) -> list[ChecksumChanged]:
        """What a run tells of files that were edited after they had been applied."""
        from asyncmig.events import ChecksumChanged

        return [
            ChecksumChanged(file, str(self.entries[file.revision].checksum), str(file.checksum))
            for file in self._edited_since
        ]

    @property
    def _edited_since(self) -> list[Revision]:
        """Of ``edited_revisions`` those that are applied as a whole."""
        return [file for file in self.edited_revisions if file.revision in self.applied]

    # -- stamping ------------------------------------------------------------------------------

    def stamped(self, target: str, *, purge: bool) -> tuple[frozenset[str], frozenset[str]]:
        """What is to be recorded, and what else may stay: the records of what squashed revisions among it replace."""
        if purge:
            return self.graph.stamped(frozenset(), target), frozenset()
        wanted = self.graph.stamped(frozenset(self.entries), target)
        within = (part for name in wanted for part in self.graph.within(name))
        return wanted, frozenset(within) & self.applied


def _message(entry: Mark | Record) -> str:
    return entry.message if isinstance(entry, Record) else ""
