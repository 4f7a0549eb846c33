"""What a revision may not do that has stopped outside a transaction, and was made one since: the same changes twice.

A transaction has no journal to go on with, so it begins anew. What may be applied twice is; a change of
documents that is not the same when done twice (``$inc``, a function) may be done already, to some of them.
"""

from __future__ import annotations

from asyncmig.errors import RevisionError
from asyncmig.running.ledger.record import JournalEntry, Record
from asyncmig.running.ledger.reopening import ONCE

__all__ = ["DoneOutside", "refuse_twice"]


class DoneOutside(RevisionError):
    """Raised where a transaction would do again what was done outside it."""

    def __init__(self, revision: str, entry: JournalEntry) -> None:
        self.revision, self.entry = revision, entry
        super().__init__(
            f"revision {revision} has stopped when it was no transaction, and has done `{entry.description}`, or a "
            "part of it. Now that its file says `transactional = True` all of it would be done again. Nothing of it "
            "was done. Take that line out of the file until the revision is applied, or reverted, as a whole"
        )


def refuse_twice(record: Record | None, *, transactional: bool) -> None:
    """Raise DoneOutside where a revision of which the ledger has ``record`` may not be a transaction now."""
    if not transactional or record is None or record.is_applied or record.transactional:
        return
    for entry in (*record.journal, *record.undo):
        if entry.operation in ONCE and entry.may_be_done:
            raise DoneOutside(record.revision, entry)
