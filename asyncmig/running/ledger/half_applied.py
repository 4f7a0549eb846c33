"""What a downgrade may not undo: a change of documents that the upgrade has made to some of them alone.

Its reverse would go to the documents that the upgrade never reached, too. A field that is renamed or
converted back is safe: it is only found where that was done.
"""

from __future__ import annotations

from collections.abc import Iterable

from asyncmig.errors import RevisionError
from asyncmig.operations import (
    ConvertField,
    DataOperation,
    DeleteDocuments,
    DropCollection,
    InsertDocuments,
    Operation,
    RemoveField,
    RenameField,
)
from asyncmig.operations.fingerprint import subjects
from asyncmig.running.ledger.record import JournalEntry

__all__ = ["HalfApplied", "HalfDone"]

_FINDING = (RenameField, ConvertField)
"""Those that are about documents in which their reverse has something to do."""
_SAFE = frozenset(kind.__name__ for kind in (RenameField, RemoveField, ConvertField))


class HalfApplied(RevisionError):
    """Raised by a downgrade that would change documents which the upgrade never came to."""

    def __init__(self, revision: str, entry: JournalEntry, operation: Operation) -> None:
        self.revision, self.entry, self.operation = revision, entry, operation
        harm = (
            "would change back all of them, also those that it never came to"
            if isinstance(operation, DataOperation)
            else "would make it impossible to tell afterwards for which of them that is still so"
        )
        super().__init__(
            f"revision {revision} is half applied: `{entry.description}` has changed some documents, and "
            f"`{operation.describe()}` {harm}. Nothing of that was done. Finish the upgrade with "
            f"`asyncmig upgrade {revision}`, then downgrade; or put the documents right by hand, and "
            "`asyncmig stamp` says where the database stands then"
        )


class HalfDone:
    """The changes of documents that an upgrade has left half-way; ``entries`` are all of its journal."""

    def __init__(self, revision: str, entries: Iterable[JournalEntry]) -> None:
        self._revision = revision
        self._open = [entry for entry in entries if _is_half_done(entry)]

    def refuse(self, operation: Operation) -> None:
        """Raise HalfApplied for an operation of the downgrade that would reach too far.

        So would the first one on that collection or its documents, whatever it does: once the journal of the
        downgrade has one of those, an upgrade could not go on with what is half done.
        """
        if isinstance(operation, DropCollection):
            self._open = [entry for entry in self._open if entry.collection != operation.collection]
        for entry in self._open:
            if _is_in_the_way(entry, operation):
                raise HalfApplied(self._revision, entry, operation)


def _is_in_the_way(entry: JournalEntry, operation: Operation) -> bool:
    on_documents = isinstance(operation, DataOperation | InsertDocuments | DeleteDocuments)
    is_about_them = on_documents and entry.collection == operation.collection
    if entry.operation in _SAFE:
        return is_about_them and isinstance(operation, DataOperation) and not isinstance(operation, _FINDING)
    return is_about_them or entry.collection in subjects(operation)


def _is_half_done(entry: JournalEntry) -> bool:
    """Whether it was begun and has no end; not so where nothing of it was written, as its transactions tell."""
    checkpoint = entry.checkpoint or {}
    is_on_data = bool(entry.mark) or "tally" in checkpoint
    if not is_on_data or entry.is_finished or not entry.may_be_done:
        return False
    done = checkpoint.get("tally", {}).get("matched", 0) if checkpoint else None
    return not (checkpoint.get("transactional") and done == 0)
