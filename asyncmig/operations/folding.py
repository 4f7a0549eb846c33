"""Folding a list of operations: what cancels out goes, what changes one thing twice becomes one change.

Careful rather than thorough: an operation is folded into an earlier one only when everything in
between that touches the same collection is understood. The result leads to the same database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import singledispatch
from typing import Any

from asyncmig.operations.base import Operation
from asyncmig.operations.collections import CreateCollection, DropCollection, ModifyCollection, RenameCollection
from asyncmig.operations.documents import DeleteDocuments, InsertDocuments
from asyncmig.operations.indexes import CreateIndexes, DropIndex, ModifyIndex
from asyncmig.operations.several import gathered, spread
from asyncmig.operations.views import CreateView, DropView, ModifyView
from asyncmig.schema.index import Index

__all__ = ["fold"]

_UNDERSTOOD = (CreateCollection, ModifyCollection, CreateIndexes, DropIndex, ModifyIndex, InsertDocuments)
_SAME_IN_CREATE = frozenset({"validator", "validationLevel", "validationAction", "changeStreamPreAndPostImages"})
_FLAGS = frozenset({"hidden", "prepareUnique", "unique"})


def fold(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Fewer operations with the same effect on a database that has none of them."""
    done: list[Operation] = []
    for operation in spread(operations):
        if not _fold(operation, done):
            done.append(operation)
    return gathered(done)


@singledispatch
def _fold(operation: Operation, done: list[Operation]) -> bool:
    """Work ``operation`` into ``done``; False where it has to stand for itself."""
    return False


@_fold.register
def _(operation: DropCollection, done: list[Operation]) -> bool:
    made = _last(done, CreateCollection, operation.collection)
    if made is None or not _only(done[made + 1 :], operation.collection, _UNDERSTOOD) or _is_source(done, operation):
        return False
    return _taken_out(done, made, operation.collection)


def _taken_out(done: list[Operation], made: int, collection: str) -> bool:
    """Nothing is left of what was done to a collection, or a view, since it was made."""
    done[:] = [earlier for place, earlier in enumerate(done) if place < made or earlier.collection != collection]
    return True


@_fold.register
def _(operation: DropView, done: list[Operation]) -> bool:
    made = _last(done, CreateView, operation.collection)
    if made is None or not _only(done[made + 1 :], operation.collection, (ModifyView,)) or _is_source(done, operation):
        return False
    return _taken_out(done, made, operation.collection)


@_fold.register
def _(operation: RenameCollection, done: list[Operation]) -> bool:
    made = _last(done, CreateCollection, operation.collection)
    if made is None or not _only(done[made + 1 :], operation.collection, _UNDERSTOOD) or _is_source(done, operation):
        return False
    if any(operation.new in _names(earlier) for earlier in done):
        return False
    done[:] = [
        replace(earlier, collection=operation.new) if earlier.collection == operation.collection else earlier
        for earlier in done
    ]
    return True


@_fold.register
def _(operation: ModifyCollection, done: list[Operation]) -> bool:
    before = _place(done, operation, lambda earlier: isinstance(earlier, ModifyCollection | CreateCollection))
    if before is None:
        return False
    former = done[before]
    if isinstance(former, ModifyCollection):
        done[before] = replace(former, options={**former.options, **operation.options})
        return True
    if isinstance(former, CreateCollection) and set(operation.options) <= _SAME_IN_CREATE:
        done[before] = replace(former, options={**former.options, **operation.options})
        return True
    return False


@_fold.register
def _(operation: CreateIndexes, done: list[Operation]) -> bool:
    before = _place(done, operation, lambda earlier: isinstance(earlier, CreateIndexes | DropIndex | ModifyIndex))
    former = done[before] if before is not None else None
    if before is None or not isinstance(former, CreateIndexes):
        return False
    done[before] = replace(former, indexes=former.indexes + operation.indexes)
    return True


@_fold.register
def _(operation: DropIndex, done: list[Operation]) -> bool:
    place = _place(done, operation, lambda earlier: _is_about(earlier, operation.name))
    former = done[place] if place is not None else None
    if place is None or _drops_between(done[place + 1 :], operation.collection):
        return False
    if isinstance(former, ModifyIndex):
        del done[place]
        if not _fold(operation, done):
            done.append(operation)
        return True
    if not isinstance(former, CreateIndexes):
        return False
    left = tuple(index for index in former.indexes if index.name != operation.name)
    done[place : place + 1] = [replace(former, indexes=left)] if left else []
    return True


@_fold.register
def _(operation: ModifyIndex, done: list[Operation]) -> bool:
    place = _place(done, operation, lambda earlier: _is_about(earlier, operation.name))
    former = done[place] if place is not None else None
    if place is None:
        return False
    if isinstance(former, CreateIndexes):
        indexes = (_modified(i, operation.options) if i.name == operation.name else i for i in former.indexes)
        done[place] = replace(former, indexes=tuple(indexes))
        return True
    if isinstance(former, ModifyIndex) and not {"unique", "prepareUnique"} & {*former.options, *operation.options}:
        done[place] = replace(former, options={**former.options, **operation.options})
        return True
    return False


@_fold.register
def _(operation: ModifyView, done: list[Operation]) -> bool:
    place = _place(done, operation, lambda earlier: isinstance(earlier, CreateView | ModifyView))
    former = done[place] if place is not None else None
    if place is None or not isinstance(former, CreateView | ModifyView) or former.view_on != operation.view_on:
        return False  # another source may be younger than the view's place in the list
    done[place] = replace(former, pipeline=operation.pipeline)
    return True


@_fold.register
def _(operation: DeleteDocuments, done: list[Operation]) -> bool:
    place = _place(done, operation, lambda earlier: isinstance(earlier, InsertDocuments))
    former = done[place] if place is not None else None
    if place is None or not isinstance(former, InsertDocuments):
        return False
    inserted = [document["_id"] for document in former.documents]
    if not operation.if_unchanged or any(id_ not in inserted for id_ in operation.ids):
        return False
    if any(
        _inserts(earlier, operation) for earlier in done[:place]
    ):  # that one came first, and what is deleted is its own
        return False
    left = tuple(document for document in former.documents if document["_id"] not in operation.ids)
    done[place : place + 1] = [replace(former, documents=left)] if left else []
    return True


def _place(done: Sequence[Operation], operation: Operation, fits: Callable[[Operation], bool]) -> int | None:
    """The last operation that fits, if nothing after it that touches the collection is more than its schema."""
    for place in range(len(done) - 1, -1, -1):
        earlier = done[place]
        if operation.collection in _names(earlier):
            if fits(earlier):
                return place
            if not isinstance(earlier, _UNDERSTOOD) or isinstance(earlier, InsertDocuments):
                return None
    return None


def _last(done: Sequence[Operation], kind: type[Operation], collection: str) -> int | None:
    places = (p for p in range(len(done) - 1, -1, -1) if isinstance(done[p], kind) and done[p].collection == collection)
    return next(places, None)


def _only(later: Iterable[Operation], collection: str, kinds: tuple[type[Operation], ...]) -> bool:
    return all(isinstance(operation, kinds) for operation in later if collection in _names(operation))


def _is_source(done: Iterable[Operation], operation: Operation) -> bool:
    """Whether a view is made of what ``operation`` takes away."""
    return any(
        isinstance(earlier, CreateView | ModifyView) and earlier.view_on == operation.collection for earlier in done
    )


def _is_about(operation: Operation, index: str) -> bool:
    if isinstance(operation, CreateIndexes):
        return any(declared.name == index for declared in operation.indexes)
    return isinstance(operation, DropIndex | ModifyIndex) and operation.name == index


def _names(operation: Operation) -> set[str]:
    return {operation.collection, *([operation.new] if isinstance(operation, RenameCollection) else ())}


def _inserts(operation: Operation, deletion: DeleteDocuments) -> bool:
    """Whether an operation inserts a document that ``deletion`` is about."""
    if not isinstance(operation, InsertDocuments) or operation.collection != deletion.collection:
        return False
    return any(document["_id"] in deletion.ids for document in operation.documents)


def _drops_between(later: Iterable[Operation], collection: str) -> bool:
    """Whether the index stood in for another one that went meanwhile: it has to be there for that while."""
    return any(isinstance(operation, DropIndex) and operation.collection == collection for operation in later)


def _modified(index: Index, options: Mapping[str, Any]) -> Index:
    if options.get("unique"):
        options = {**options, "prepareUnique": None}
    return index.replace(**{k: None if k in _FLAGS and value is False else value for k, value in options.items()})
