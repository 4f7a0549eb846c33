"""What a downgrade may undo of an upgrade that stopped half-way: what was done of it, and nothing else.

- What the upgrade has not touched is left out, and so is a rename, or the drop of a collection that it
  never came to make.
- A change of documents is refused where the upgrade has changed some of them alone; and where one change of
  a collection's documents is done and another was not begun: nobody can tell which of the two it takes back.
  A field that is renamed or converted back is safe: it is only found where that was done. Not so where the rename
  itself was not begun: what has the new name then is another's, and that way back is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from asyncmig.errors import RevisionError
from asyncmig.files.env_methods import Asked
from asyncmig.operations import (
    ConvertField,
    CreateCollection,
    DataOperation,
    DeleteDocuments,
    DropCollection,
    InsertDocuments,
    MergeInto,
    MoveDocuments,
    Operation,
    RemoveField,
    RenameCollection,
    RenameField,
)
from asyncmig.operations.fingerprint import Touched, is_touched, subjects
from asyncmig.running.ledger.moves import Joined, Moves
from asyncmig.running.ledger.record import JournalEntry

__all__ = ["HalfApplied", "HalfUpgrade"]

_FINDING = (RenameField, ConvertField)
"""Those that are about documents in which their reverse has something to do."""
_MOVING = (RenameField, RemoveField)
_BRINGING = (InsertDocuments, MergeInto, MoveDocuments)
_INSERTING = {InsertDocuments.__name__, "insert_documents"}
_SAFE = frozenset(kind.__name__ for kind in (RenameField, RemoveField, ConvertField))
_UNTOUCHED = "the upgrade did not get to what it would undo"


class HalfApplied(RevisionError):
    """Raised by a downgrade that would change documents which the upgrade never came to.

    ``entry``: what the upgrade has done; ``left``: what it has not begun, or None where ``entry`` itself is half done.
    """

    exit_code = 7

    def __init__(
        self,
        revision: str,
        entry: JournalEntry,
        operation: Operation | Asked,
        left: Asked | None = None,
        path: str = "",
    ) -> None:
        self.revision, self.entry, self.operation, self.left = revision, entry, operation, left
        asking = f"`{operation.describe()}`" if isinstance(operation, Operation) else f"{operation} of its downgrade"
        trouble = _trouble(entry, operation, asking, left, path)
        super().__init__(
            f"revision {revision} is half applied: {trouble}. Nothing of that was done. Finish the upgrade with "
            f"`asyncmig upgrade {revision}`, then downgrade; or put the documents right by hand, and `asyncmig stamp` "
            f"says where the database stands then{_other_way(left)}"
        )


def _trouble(entry: JournalEntry, operation: Operation | Asked, asking: str, left: Asked | None, path: str) -> str:
    if left is not None:
        where = f" of {path}" if path else ""
        return (
            f"`{entry.description}` is done, and {left}{where} was not begun, as far as anybody can tell. {asking} is "
            "the way back from both, or nobody knows from which"
        )
    if isinstance(operation, DataOperation):
        harm = "would change back all of them, also those that it never came to"
    else:
        harm = "would make it impossible to tell afterwards for which of them that is still so"
    return f"`{entry.description}` has changed some documents, and {asking} {harm}"


def _other_way(left: Asked | None) -> str:
    if left is None:
        return ""
    return "; or take what was not begun out of upgrade(), and its way back out of downgrade(), and downgrade"


class HalfUpgrade:
    """What a downgrade finds of an upgrade that stopped; its operations are asked about in their order.

    ``entries``: all of its journal. ``left``: what its text says that it has not begun, ``text`` what its downgrade
    asks for. ``is_followed``: whether all that the upgrade does goes through ``env``, as its text tells. ``kept``: the
    subjects that it found where it would have created them; a downgrade drops none of them.
    """

    def __init__(
        self,
        revision: str,
        entries: Iterable[JournalEntry],
        left: Sequence[Asked] = (),
        text: Sequence[Asked] = (),
        *,
        is_followed: bool = True,
        kept: frozenset[str] = frozenset(),
        path: str = "",
    ) -> None:
        self._path = path
        self._revision, self._left, self._text, self._is_followed = revision, left, text, is_followed
        self._later = [one for one in text if one.does in ("documents", "anything") and not one.is_finding]
        self._kept = kept
        self._done = [entry for entry in entries if entry.may_be_done]
        self._changing, self._open = self._done, [entry for entry in self._done if _is_half_done(entry)]
        self._touched = Touched.of(subject for entry in self._done for subject in entry.subjects)
        self._moves = Moves(self._done, kept)
        planned = [one.collections for one in left if one.does == "rename" and one.collections]
        self._joined = Joined([*self._moves.renames, *((names[0], names[-1]) for names in planned)])
        self._is_one = any(one.does == "anything" or (one.does == "rename" and not one.collections) for one in left)

    def refuse_beforehand(self) -> None:
        """Raise HalfApplied where the text of the downgrade says that it would come to it, or may."""
        dropped = set[str]()
        for one in self._text:
            names = set(one.collections or ())
            if one.does == "drop":
                dropped |= {name for name in names if self._is_alone(name) and not self._made_later(name)}
            elif one.does == "documents" and not one.is_finding:
                changed = names or {name for entry in self._changing for name in _collections(entry.subjects)}
                self._refuse_mixed({name for name in changed - dropped if not self._is_half_done(name)}, one, one)

    def why_skipped(self, operation: Operation) -> str:
        """Why an operation of the downgrade has nothing to undo; empty where it has. Raises HalfApplied.

        So does the first one on a collection or its documents, whatever it does, where a later one would: once the
        journal of the downgrade has one of those, an upgrade could not go on with what is half done.
        """
        if isinstance(operation, DropCollection):
            return self._why_not_dropped(operation)
        self._refuse(operation)
        if isinstance(operation, RenameCollection):
            is_undone = self._moves.take_back(operation.collection, operation.new) or self._may_be_moved(operation)
            return "" if is_undone else _UNTOUCHED
        if not is_touched(operation, self._touched):
            return _UNTOUCHED
        if isinstance(operation, CreateCollection):
            self._moves.create(operation.collection)
        return _UNTOUCHED if self._has_no_change(operation) or self._is_field_unmoved(operation) else ""

    def _is_half_done(self, name: str) -> bool:
        """Whether some documents of a collection were changed, and others not: what is refused then is told later."""
        return any(self._is_changed_by(entry, name) for entry in self._open)

    # -- what would reach too far -----------------------------------------------------------------

    def _refuse(self, operation: Operation) -> None:
        for entry in self._open:
            if _is_in_the_way(entry, operation):
                raise HalfApplied(self._revision, entry, operation)
        if changed := _changed(operation) if not _is_finding(operation) else set[str]():
            self._refuse_mixed(changed, operation, operation)
            return
        about = _collections(subjects(operation))
        for later in self._later:
            if reached := {name for name in about if self._is_about(later, name)}:
                self._refuse_mixed(later.collections or reached, later, operation)

    def _forget(self, collection: str) -> None:
        """What was done to documents that are gone: nobody asks any more."""
        self._open = [entry for entry in self._open if entry.collection != collection]
        self._changing = [entry for entry in self._changing if f"{collection}/d" not in entry.subjects]

    def _refuse_mixed(self, names: Iterable[str], change: Operation | Asked, operation: Operation | Asked) -> None:
        """Raise HalfApplied where a ``change`` of documents may be meant for what is done, or for what is left.

        Not so where documents are deleted by ``_id`` and all that is done and left is to insert some.
        """
        for name in sorted(names):
            done = [entry for entry in self._changing if self._is_changed_by(entry, name)]
            left = list(self._left_on(name))
            kinds = {*(entry.operation for entry in done), *(one.method for one in left)}
            if _deletes(change) and kinds <= _INSERTING:
                continue
            if done and left:
                raise HalfApplied(self._revision, done[0], operation, left[0], self._path)

    def _left_on(self, name: str) -> Iterator[Asked]:
        """What is left to do to the documents that have this name in the end; to be given it may be left, too."""
        is_known = name in self._touched.exact | self._touched.above
        for one in self._left:
            is_named_so = one.does == "rename" and name in (one.collections or ())[1:]
            if (is_named_so and not is_known) or (one.does in ("documents", "anything") and self._is_about(one, name)):
                yield one

    def _is_about(self, one: Asked, name: str) -> bool:
        return self._is_one or one.collections is None or not self._all_of(name).isdisjoint(one.collections)

    def _is_changed_by(self, entry: JournalEntry, name: str) -> bool:
        changed = {subject.removesuffix("/d") for subject in entry.subjects if subject.endswith("/d")}
        return bool(changed) and (self._is_one or not self._all_of(name).isdisjoint(changed))

    def _all_of(self, name: str) -> frozenset[str]:
        return self._joined.of(name)

    def _is_alone(self, name: str) -> bool:
        """Whether all that was changed by that name is gone once the collection is dropped."""
        return name not in self._kept and self._all_of(name) == {name}

    # -- what has nothing to undo -----------------------------------------------------------------

    def _may_be_moved(self, operation: RenameCollection) -> bool:
        """Whether a rename undoes what is no rename of the upgrade: not so if that has one which it has not begun."""
        wanted = {(operation.new, operation.collection), None}
        if any(one.does == "rename" and one.collections in wanted for one in self._left):
            return False
        if not self._is_followed:
            return is_touched(operation, self._touched)
        return operation.collection in self._touched.exact | self._touched.above

    def _why_not_dropped(self, operation: DropCollection) -> str:
        """Empty for a collection that the upgrade has made: what is there may be another's. Raises HalfApplied."""
        name, makes = operation.collection, self._made_later(operation.collection)
        touching = [entry for entry in self._done if name in _collections(entry.subjects)]
        if makes and touching and all(one.does == "anything" for one in makes):
            raise HalfApplied(self._revision, touching[0], operation, makes[0], self._path)
        is_undone = bool(touching) and not makes
        if is_undone and self._is_alone(name):
            self._forget(name)
        self._refuse(operation)
        if is_undone and name not in self._kept:
            self._moves.drop(name)
        return "" if is_undone else _UNTOUCHED

    def _made_later(self, name: str) -> list[Asked]:
        """What is left that makes the collection, if nothing that is done has."""
        return [] if name in self._moves.made else [one for one in self._left if self._may_make(one, name)]

    def _may_make(self, one: Asked, name: str) -> bool:
        if one.does == "rename":
            return one.collections is None or name in one.collections[1:]
        is_making = one.does in ("create", "anything") or (one.does == "documents" and name in self._moves.gone)
        return is_making and (one.collections is None or name in one.collections)

    def _has_no_change(self, operation: Operation) -> bool:
        """Whether it would undo a change of documents, of which none is done and one is left. Raises HalfApplied."""
        if isinstance(operation, _BRINGING):
            return False
        changed = _changed(operation)
        if any(self._is_changed_by(entry, name) for entry in self._changing for name in changed):
            return False
        waiting = [(name, one) for name in sorted(changed) for one in self._left_on(name)]
        for name, left in waiting:
            whole = [entry for entry in self._done if name in entry.subjects]
            if blocking := [entry for entry in whole if not self._is_followed or entry.operation == "DropCollection"]:
                raise HalfApplied(self._revision, blocking[0], operation, left, self._path)
        return bool(waiting)

    def _is_field_unmoved(self, operation: Operation) -> bool:
        """Whether it renames a field back that is still to be renamed: it would find another's of that name."""
        if not isinstance(operation, RenameField):
            return False
        name, moved = operation.collection, (operation.new, operation.field)
        done = [entry for entry in self._changing if self._is_changed_by(entry, name)]
        if any(kind(entry.collection, *moved).describe() == entry.description for entry in done for kind in _MOVING):
            return False
        left = {one.fields for one in self._left_on(name) if one.method in ("rename_field", "remove_field")}
        are_moves = all(entry.operation in {kind.__name__ for kind in _MOVING} for entry in done)
        return moved in left or (None in left and are_moves)


def _collections(touched: Iterable[str]) -> set[str]:
    """The names in subjects."""
    return {subject.partition("/")[0] for subject in touched}


def _changed(operation: Operation) -> set[str]:
    """The collections whose documents an operation changes."""
    if not isinstance(operation, DataOperation | InsertDocuments | DeleteDocuments):
        return set()
    return {subject.removesuffix("/d") for subject in subjects(operation)}


def _is_finding(operation: Operation) -> bool:
    """Whether it changes nothing but what it finds changed by the upgrade."""
    return isinstance(operation, _FINDING) or (isinstance(operation, DeleteDocuments) and operation.if_unchanged)


def _deletes(change: Operation | Asked) -> bool:
    return isinstance(change, DeleteDocuments) or (isinstance(change, Asked) and change.method == "delete_documents")


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
