"""What has stopped outside a transaction does not go on as one.

A transaction has no journal to go on with, so it begins anew: it would do again what was done (``$inc``, a
function), or undo what was never done, and the journal that tells it from the other would be gone.
"""

from __future__ import annotations

from asyncmig.errors import RevisionError
from asyncmig.running.ledger.record import JournalEntry, Record
from asyncmig.running.ledger.transitions import Transition

__all__ = ["DoneOutside", "refuse_made_transactional"]


class DoneOutside(RevisionError):
    """Raised by a revision that was made transactional after it had stopped; ``entry``: what it has done, if anything.

    Nothing is done by then.
    """

    def __init__(self, revision: str, entry: JournalEntry | None) -> None:
        self.revision, self.entry = revision, entry
        done = f", and has done `{entry.description}`, or a part of it" if entry is not None else " in its upgrade"
        super().__init__(
            f"revision {revision} has stopped when it was no transaction{done}. Its file says `transactional = True` "
            "now, and a transaction begins anew, whatever is done. Nothing of it was done. Take that line out of the "
            "file until the revision is applied, or reverted, as a whole"
        )


def refuse_made_transactional(record: Record | None, how: Transition) -> None:
    """Raise DoneOutside where a revision of which the ledger has ``record`` may not be a transaction now."""
    if not how.transactional or record is None or record.is_applied or record.transactional:
        return
    done = next((entry for entry in (*record.journal, *record.undo) if entry.may_be_done), None)
    if done is not None or how.partial:
        raise DoneOutside(record.revision, done)
