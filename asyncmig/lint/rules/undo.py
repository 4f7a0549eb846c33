"""L20: what the upgrade does and the downgrade leaves as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from asyncmig.lint.finding import Finding
from asyncmig.lint.subject import Step, Subject
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
    Operation,
    RenameCollection,
)
from asyncmig.operations.known import created_by

__all__ = ["not_undone"]


def not_undone(subject: Subject) -> Iterator[Finding]:
    """L20: each operation of the upgrade has a counterpart in the downgrade, unless there is no way back at all."""
    down = subject.downgrade
    if subject.revision.irreversible or subject.is_baseline or down.only_raises:
        return
    if down.raw or (down.reason is not None and not down.steps):
        return  # what raw calls undo, nobody can tell
    back = down.operations
    if down.is_empty and subject.upgrade.steps:
        place = subject.function("downgrade")
        yield subject.at("L20", place, "the downgrade is empty, and the upgrade is not; say `irreversible = True`", "")
        return
    temporary = _temporary(subject)
    for step in subject.upgrade.steps:
        missing = [] if step.operation.collection in temporary else list(_missing(step, subject, back))
        if missing:
            yield subject.on_step(
                "L20",
                step,
                f"the downgrade does not undo it: {'; '.join(missing)}. Add the step, or say `irreversible = True`",
            )


def _temporary(subject: Subject) -> set[str]:
    """Collections that the upgrade itself creates and drops again."""
    created = {name for step in subject.upgrade.steps for name in created_by(step.operation)}
    return {
        step.operation.collection for step in subject.upgrade.steps if isinstance(step.operation, DropCollection)
    } & created


def _missing(step: Step, subject: Subject, back: tuple[Operation, ...]) -> Iterator[str]:
    operation = step.operation
    for kind, counterpart in _COUNTERPARTS.items():
        if isinstance(operation, kind):
            yield from counterpart(operation, subject, back)
            return


def _is_gone(back: tuple[Operation, ...], collection: str) -> bool:
    return any(isinstance(step, DropCollection | DropView) and step.collection == collection for step in back)


def _created(operation: Operation, subject: Subject, back: tuple[Operation, ...]) -> Iterator[str]:
    if not _is_gone(back, operation.collection) and not _renamed_back(operation.collection, back):
        yield f"{operation.collection} stays"


def _renamed_back(collection: str, back: tuple[Operation, ...]) -> bool:
    return any(isinstance(step, RenameCollection) and step.collection == collection for step in back)


def _created_indexes(operation: Any, subject: Subject, back: tuple[Operation, ...]) -> Iterator[str]:
    if _is_gone(back, operation.collection):
        return
    names = {
        operation.collection,
        *(rename.new for rename in _renames(subject) if rename.collection == operation.collection),
    }
    dropped = {
        step.name
        for step in [*back, *subject.upgrade.operations]
        if isinstance(step, DropIndex) and step.collection in names
    }
    for index in operation.indexes:
        if index.name not in dropped:
            yield f"index {index.name} of {operation.collection} stays"


def _renames(subject: Subject) -> list[RenameCollection]:
    return [step for step in subject.upgrade.operations if isinstance(step, RenameCollection)]


def _dropped_index(operation: Any, subject: Subject, back: tuple[Operation, ...]) -> Iterator[str]:
    made = {
        index.name
        for step in back
        if isinstance(step, CreateIndexes) and step.collection == operation.collection
        for index in step.indexes
    }
    own = {
        index.name for step in subject.upgrade.operations if isinstance(step, CreateIndexes) for index in step.indexes
    }
    gone = _is_gone(back, operation.collection)
    if operation.name not in made | own and not gone:
        yield f"index {operation.name} of {operation.collection} does not come back"


def _dropped(operation: Operation, subject: Subject, back: tuple[Operation, ...]) -> Iterator[str]:
    if not any(operation.collection in _made(step) for step in back):
        yield f"{operation.collection} does not come back"


def _made(operation: Operation) -> set[str]:
    views = {operation.collection} if isinstance(operation, CreateView | CreateIndexes | InsertDocuments) else set()
    renamed = {operation.new} if isinstance(operation, RenameCollection) else set()
    into = getattr(operation, "into", None)
    return views | renamed | created_by(operation) | ({into} if isinstance(into, str) else set())


def _renamed(operation: Any, subject: Subject, back: tuple[Operation, ...]) -> Iterator[str]:
    if not any(isinstance(step, RenameCollection) and step.new == operation.collection for step in back):
        yield f"{operation.new} keeps its new name"


def _changed(operation: Operation, subject: Subject, back: tuple[Operation, ...]) -> Iterator[str]:
    """Something of the same collection is put back; which, is the writer's business."""
    if not _touches(back, operation.collection, subject):
        yield f"nothing puts {operation.collection} back"


def _inserted(operation: Operation, subject: Subject, back: tuple[Operation, ...]) -> Iterator[str]:
    deletes = any(isinstance(step, DeleteDocuments) and step.collection == operation.collection for step in back)
    if not deletes and not _is_gone(back, operation.collection):
        yield f"the documents stay in {operation.collection}"


def _touches(back: tuple[Operation, ...], collection: str, subject: Subject) -> bool:
    names = {collection, *(rename.new for rename in _renames(subject) if rename.collection == collection)}
    return any({step.collection, getattr(step, "new", None), getattr(step, "into", None)} & names for step in back)


_COUNTERPARTS: Final[Mapping[type[Operation], Callable[[Any, Subject, tuple[Operation, ...]], Iterator[str]]]] = {
    CreateCollection: _created,
    CreateView: _created,
    CreateIndexes: _created_indexes,
    DropIndex: _dropped_index,
    DropCollection: _dropped,
    DropView: _dropped,
    RenameCollection: _renamed,
    ModifyCollection: _changed,
    ModifyIndex: _changed,
    ModifyView: _changed,
    InsertDocuments: _inserted,
    DeleteDocuments: _changed,
    DataOperation: _changed,
}
