"""What a list of operations changes, in a few lines: for the screen and for the docstring of the revision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from asyncmig.authoring.bridge import is_bridge
from asyncmig.operations import (
    CreateCollection,
    CreateIndexes,
    CreateView,
    DataOperation,
    DeleteDocuments,
    DropCollection,
    DropIndex,
    DropView,
    InsertDocuments,
    ModifyCollection,
    ModifyIndex,
    ModifyView,
    NeedsRebuild,
    Operation,
    RenameCollection,
    Suggestion,
)
from asyncmig.operations.several import spread
from asyncmig.printable import counted

__all__ = ["summary"]

Indexes = dict[tuple[str, str], None]
"""Collection and name of indexes, in the order of their appearance."""

_Kind = TypeVar("_Kind", bound=Operation)


def summary(operations: Iterable[Operation]) -> list[str]:
    """One line per kind of change, per collection for indexes and documents, without bullets.

    An index that is both dropped and created is a changed one; a bridge that stands in for it
    meanwhile is not counted.
    """
    steps = tuple(spread(operations))
    return [
        *_created(steps),
        *_modified(steps),
        *_index_lines(steps),
        *_data(steps),
        *_dropped(steps),
        *_total(steps),
        *_suggested(steps),
    ]


def _created(steps: Sequence[Operation]) -> Iterator[str]:
    yield from _renamed(steps)
    yield from _names("New collections", _of(steps, CreateCollection))
    replaced = _view_names(steps, CreateView) & _view_names(steps, DropView)
    yield from _names("New views", [view for view in _of(steps, CreateView) if view.collection not in replaced])


def _modified(steps: Sequence[Operation]) -> Iterator[str]:
    yield from _names("Modified collections", _of(steps, ModifyCollection))
    replaced = _view_names(steps, CreateView) & _view_names(steps, DropView)
    made_anew = [view for view in _of(steps, CreateView) if view.collection in replaced]
    yield from _names("Modified views", [*_of(steps, ModifyView), *made_anew])
    yield from _names("Needs a rebuild", _of(steps, NeedsRebuild))


def _index_lines(steps: Sequence[Operation]) -> Iterator[str]:
    for title, indexes in zip(("New", "Changed", "Dropped"), _index_changes(steps), strict=True):
        for collection, number in Counter(collection for collection, _ in indexes).items():
            yield f"{title} indexes on {collection}: {counted(number, 'index')}"


def _data(steps: Sequence[Operation]) -> Iterator[str]:
    inserted = _count(_of(steps, InsertDocuments), lambda step: len(step.documents))
    deleted = _count(_of(steps, DeleteDocuments), lambda step: len(step.ids))
    yield from (
        f"Initial data for {collection}: {counted(number, 'document')}" for collection, number in inserted.items()
    )
    yield from (
        f"Deleted documents of {collection}: {counted(number, 'document')}" for collection, number in deleted.items()
    )
    for operation in _of(steps, DataOperation):
        described = operation.describe()
        yield described[:1].upper() + described[1:]


def _dropped(steps: Sequence[Operation]) -> Iterator[str]:
    replaced = _view_names(steps, CreateView) & _view_names(steps, DropView)
    yield from _names("Dropped views", [view for view in _of(steps, DropView) if view.collection not in replaced])
    yield from _names("Dropped collections", _of(steps, DropCollection))


def _total(steps: Sequence[Operation]) -> Iterator[str]:
    if new := _index_changes(steps)[0]:
        yield f"Total new indexes: {counted(len(new), 'index')}"


def _suggested(steps: Sequence[Operation]) -> Iterator[str]:
    for collection, number in Counter(step.collection for step in _of(steps, Suggestion)).items():
        comments = "as a comment" if number == 1 else "as comments"
        yield f"To decide on {collection}: {counted(number, 'suggestion')}, {comments}"


def _renamed(steps: Sequence[Operation]) -> Iterator[str]:
    if pairs := [f"{step.collection} to {step.new}" for step in _of(steps, RenameCollection)]:
        yield f"Renamed collections: {', '.join(pairs)}"


def _index_changes(steps: Sequence[Operation]) -> tuple[Indexes, Indexes, Indexes]:
    """The new, the changed and the dropped ones."""
    created: Indexes = {(s.collection, index.name): None for s in _of(steps, CreateIndexes) for index in s.indexes}
    dropped: Indexes = {(step.collection, step.name): None for step in _of(steps, DropIndex)}
    modified: Indexes = {(step.collection, step.name): None for step in _of(steps, ModifyIndex)}
    in_two_steps = created.keys() & modified.keys() - dropped.keys()
    changed: Indexes = {index: None for index in modified if index not in in_two_steps}
    changed |= {index: None for index in created if index in dropped}
    return _without(created, changed), _without(changed, {}), _without(dropped, changed)


def _without(indexes: Indexes, others: Indexes) -> Indexes:
    return {index: None for index in indexes if index not in others and not is_bridge(index[1])}


def _of(steps: Iterable[Operation], kind: type[_Kind]) -> list[_Kind]:
    return [step for step in steps if isinstance(step, kind)]


def _count(steps: Iterable[_Kind], size: Callable[[_Kind], int]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for step in steps:
        counts[step.collection] += size(step)
    return counts


def _view_names(steps: Sequence[Operation], kind: type[CreateView] | type[DropView]) -> set[str]:
    return {step.collection for step in steps if isinstance(step, kind)}


def _names(title: str, steps: Iterable[Operation]) -> Iterator[str]:
    if names := dict.fromkeys(step.collection for step in steps):
        yield f"{title}: {', '.join(names)}"
