"""The journal of a revision that was half reverted, as an upgrade takes it up again.

Most operations may be applied once more, whether they were undone or not. A change of documents that
is not the same when done twice (``$inc``, a function) may not: it is left as it is where the downgrade
never got to its documents, open where the downgrade has undone it, and refused where nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterator

from asyncmig.errors import RevisionError
from asyncmig.operations import (
    ConvertField,
    Deduplicate,
    DeleteDocuments,
    InsertDocuments,
    MergeInto,
    MoveDocuments,
    RemoveField,
    RenameField,
    TransformBatches,
    TransformDocuments,
    UpdateInBatches,
)
from asyncmig.running.ledger.record import JournalEntry, Record

__all__ = ["HalfReverted", "reopened"]

_ONCE = frozenset(kind.__name__ for kind in (UpdateInBatches, TransformDocuments, TransformBatches))
_IN_BATCHES = _ONCE | frozenset(
    kind.__name__ for kind in (RenameField, RemoveField, ConvertField, MergeInto, MoveDocuments, Deduplicate)
)
_SINGLE = frozenset(kind.__name__ for kind in (InsertDocuments, DeleteDocuments))


class HalfReverted(RevisionError):
    """Raised by an upgrade that cannot tell which documents a downgrade before it has changed back."""

    def __init__(self, revision: str, entry: JournalEntry, undoing: str) -> None:
        self.revision, self.entry, self.undoing = revision, entry, undoing
        super().__init__(
            f"revision {revision} is half reverted, and nobody can tell for which documents `{entry.description}` is "
            f"to be done again: of its downgrade, {undoing} may have changed them back, or some of them. Nothing of "
            f"it was done now. Finish it with `asyncmig downgrade {revision}-1`, then upgrade; or put the documents "
            f"right by hand, and `asyncmig stamp {revision}` says that it is applied"
        )


def reopened(record: Record, *, by_hand: bool) -> tuple[JournalEntry, ...]:
    """The journal of ``record``, in which what may be applied again is open. Raises HalfReverted.

    ``by_hand``: whether its downgrade has calls of its own, on ``env.db``, of which no journal knows.
    """
    return tuple(_reopened(record, entry, by_hand) for entry in record.journal)


def _reopened(record: Record, entry: JournalEntry, by_hand: bool) -> JournalEntry:
    if not by_hand and not any(one.may_be_done and _names(one) & _names(entry) for one in record.undo):
        return entry  # a rename would be refused, where the collection was made anew after it
    if entry.operation not in _ONCE or not entry.may_be_done:
        return entry.reopened()
    undoing = list(_undoing(record, entry.collection))
    if unknown := next((entry for entry in undoing if not entry.is_finished or entry.operation in _SINGLE), None):
        raise HalfReverted(record.revision, entry, f"`{unknown.description}`")
    if any(entry.operation not in _IN_BATCHES for entry in undoing):
        return entry.reopened()
    if by_hand:
        raise HalfReverted(record.revision, entry, "calls on env.db")
    rivals = [
        earlier for earlier in record.journal if earlier.operation in _ONCE and earlier.collection == entry.collection
    ]
    if undoing and len(undoing) < len(rivals):
        raise HalfReverted(record.revision, entry, f"`{undoing[-1].description}`")
    return entry.reopened() if undoing else entry


def _names(entry: JournalEntry) -> set[str]:
    """The collections that an entry is about."""
    return {entry.collection, *(subject.partition("/")[0] for subject in entry.subjects)}


def _undoing(record: Record, collection: str) -> Iterator[JournalEntry]:
    """What of the downgrade has, or may have, changed the documents of a collection, or dropped or renamed it."""
    for entry in record.undo:
        is_on_documents = entry.operation in _IN_BATCHES | _SINGLE and entry.collection == collection
        if entry.may_be_done and (is_on_documents or collection in entry.subjects):
            yield entry
