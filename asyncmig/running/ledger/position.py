"""``Position``: where a database stands: what its ledger says, held against the graph of the revision files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

from asyncmig.errors import RevisionHalfDone
from asyncmig.events import ChecksumChanged, Direction
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision
from asyncmig.running.ledger.record import Mark, Record

__all__ = ["Position"]

Entry = TypeVar("Entry", Mark, Record)


class Position(Generic[Entry]):
    """What can be told of a database by its ledger and the revision files alone.

    ``applied``: the ids that are applied as a whole.
    """

    def __init__(self, graph: RevisionGraph, entries: Mapping[str, Entry]) -> None:
        self.graph = graph
        self.entries: Mapping[str, Entry] = entries
        self.applied = frozenset(one for one, entry in entries.items() if entry.state == "applied")

    @property
    def heads(self) -> tuple[str, ...]:
        """The heads of what is applied."""
        return self.graph.heads_of(self.applied)

    @property
    def pending(self) -> list[Revision]:
        """What is not applied, or not as a whole, in the order in which it would be."""
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

    @property
    def unsettled(self) -> frozenset[str]:
        """What is half-way, by whatever file."""
        return frozenset(self.entries) - self.applied

    @property
    def half_done_unknown(self) -> tuple[str, ...]:
        """What is half-way and in no file."""
        return self.graph.unknown(self.unsettled)

    def refuse_half_done(self, path: Iterable[Revision]) -> None:
        """Raise RevisionHalfDone for what is half-way and not on the path: nothing runs over it."""
        unknown = self.half_done_unknown
        if unknown:
            raise RevisionHalfDone({one: _message(self.entries[one]) for one in unknown}, unknown=True)
        left = sorted(self.unsettled - {one.revision for one in path})
        if left := [one for one in left if one in self.graph]:
            raise RevisionHalfDone({one: _message(self.entries[one]) for one in left}, unknown=False)

    def late(self, path: Iterable[Revision]) -> tuple[tuple[Revision, Revision], ...]:
        """Those of an upgrade's revisions that are older than an applied one, each with the newest such."""
        return tuple(self.graph.out_of_order(self.applied, path))

    # -- squashed revisions --------------------------------------------------------------------

    @property
    def is_tidy(self) -> bool:
        """Whether every squashed revision that it has is there by its own id, and no range without files."""
        return not self.taken and not self.squashes_without_files

    @property
    def taken(self) -> list[Revision]:
        """The squashed revisions that it has by their ranges, and no record of."""
        return [one for one in self.graph.taken(self.applied) if one.revision not in self.entries]

    @property
    def squashes_without_files(self) -> list[Revision]:
        """The squashed revisions whose ranges have no files any more, and are in the ledger still."""
        return self.graph.squashes_without_files(self.applied)

    def parts(self, revision: Revision) -> list[str]:
        """What the ledger has of the range that a squashed revision replaces."""
        return [one for one in self.graph.within(revision.revision) if one in self.entries]

    # -- files ---------------------------------------------------------------------------------

    @property
    def edited(self) -> list[Revision]:
        """The revisions whose file is not the one that was run."""
        files = [self.graph.get(one) for one in self.entries if one in self.graph]
        return [
            file
            for file in files
            if file.checksum and (known := self.entries[file.revision].checksum) and known != file.checksum
        ]

    def warnings(self) -> list[ChecksumChanged]:
        """What a run tells of files that were edited after they had been applied."""
        return [
            ChecksumChanged(file, str(self.entries[file.revision].checksum), str(file.checksum))
            for file in self.edited
            if file.revision in self.applied
        ]

    # -- stamping ------------------------------------------------------------------------------

    def stamped(self, target: str, *, purge: bool) -> tuple[frozenset[str], frozenset[str]]:
        """What is to be recorded, and what else may stay: the records of what squashed revisions among it replace."""
        if purge:
            return self.graph.stamped(frozenset(), target), frozenset()
        wanted = self.graph.stamped(frozenset(self.entries), target)
        within = (part for one in wanted for part in self.graph.within(one))
        return wanted, frozenset(within) & self.applied


def _message(entry: Mark | Record) -> str:
    return entry.message if isinstance(entry, Record) else ""
