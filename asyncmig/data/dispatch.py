"""The tasks that each operation on data comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import singledispatch
from typing import Any

from asyncmig.data import in_python
from asyncmig.data.expressions import conversion, move, removal, renaming
from asyncmig.data.merge import Merge
from asyncmig.data.move import Move
from asyncmig.data.source import Source
from asyncmig.data.task import Task
from asyncmig.data.transform import Transformation, Transforming
from asyncmig.data.update import MARK, ServerUpdate, marking
from asyncmig.drivers.base import Document
from asyncmig.operations import (
    ConvertField,
    DataOperation,
    Deduplicate,
    MergeInto,
    MoveDocuments,
    RemoveField,
    RenameField,
    TransformBatches,
    TransformDocuments,
    UpdateInBatches,
)
from asyncmig.operations.data import Update
from asyncmig.operations.fields import OnConflict
from asyncmig.operations.repeatability import is_idempotent

__all__ = ["condition", "is_same_level", "source_options", "tasks_of"]

_TYPES = {
    *("double", "string", "object", "binData", "objectId", "bool", "date", "regex", "dbPointer", "javascript"),
    *("symbol", "javascriptWithScope", "int", "timestamp", "long", "decimal", "minKey", "maxKey"),
}
"""Every type of a value that ``$convert`` may be asked to convert."""


def tasks_of(operation: DataOperation, source: Source, mark: str = "") -> list[Task]:
    """What is to be done, in order.

    ``mark``: what documents are to be marked with that must not be dealt with twice, where there are
    no transactions; then taking those marks away is the last task.
    """
    tasks = _tasks(operation, source, mark)
    if mark and any(MARK in task.filter for task in tasks):
        cleared = {"is_idempotent": True, "excludes": True, "is_counted": False}
        tasks.append(ServerUpdate(source, {MARK: mark}, {"$unset": {MARK: ""}}, {}, **cleared))
    return tasks


def source_options(operation: DataOperation) -> dict[str, Any]:
    """What goes along with every filter of the operation."""
    options = operation.options if isinstance(operation, UpdateInBatches) else {}
    return {name: value for name, value in options.items() if name in ("collation", "hint")}


@singledispatch
def condition(operation: DataOperation) -> Document:
    """The documents that an operation is about."""
    raise TypeError(f"{type(operation).__name__} has no condition")


@condition.register(UpdateInBatches)
@condition.register(TransformDocuments)
@condition.register(TransformBatches)
@condition.register(MoveDocuments)
def _(operation: UpdateInBatches | TransformDocuments | TransformBatches | MoveDocuments) -> Document:
    return dict(operation.filter)


@condition.register(MergeInto)
@condition.register(Deduplicate)
def _(operation: MergeInto | Deduplicate) -> Document:
    return {}


@condition.register(RenameField)
@condition.register(RemoveField)
def _(operation: RenameField | RemoveField) -> Document:
    return {operation.field: {"$exists": True}}


@condition.register
def _(operation: ConvertField) -> Document:
    origin = [operation.from_] if operation.from_ else sorted(_TYPES - {operation.to})
    return {operation.field: {"$type": origin}}


def is_same_level(old: str, new: str) -> bool:
    """Whether two paths differ in their last name alone."""
    return old.rpartition(".")[0] == new.rpartition(".")[0]


@singledispatch
def _tasks(operation: DataOperation, source: Source, mark: str) -> list[Task]:
    raise TypeError(f"{type(operation).__name__} is not known here")


@_tasks.register
def _(operation: UpdateInBatches, source: Source, mark: str) -> list[Task]:
    twice = is_idempotent(operation.update, operation.options)
    filter_, update = condition(operation), operation.update
    if mark and not twice:
        marked = _unmarked(filter_, mark), marking(update, mark)
        return [ServerUpdate(source, *marked, operation.options, excludes=True)]
    return [ServerUpdate(source, filter_, update, operation.options, is_idempotent=twice)]


@_tasks.register
def _(operation: TransformDocuments, source: Source, mark: str) -> list[Task]:
    wanted = Transforming(
        operation.function,
        operation.projection,
        operation.version_field,
        operation.concurrency,
        collects=operation.on_error == "collect",
    )
    return [_transformation(source, condition(operation), wanted, mark)]


@_tasks.register
def _(operation: TransformBatches, source: Source, mark: str) -> list[Task]:
    collects = operation.on_error == "collect"
    wanted = Transforming(operation.function, concurrency=1, collects=collects, in_batches=True)
    return [_transformation(source, condition(operation), wanted, mark)]


@_tasks.register
def _(operation: MergeInto, source: Source, mark: str) -> list[Task]:
    return [Merge(source, operation)]


@_tasks.register
def _(operation: MoveDocuments, source: Source, mark: str) -> list[Task]:
    return [Move(source, operation, in_transactions=not mark)]


@_tasks.register
def _(operation: Deduplicate, source: Source, mark: str) -> list[Task]:
    return []  # it goes its own way


@_tasks.register
def _(operation: RenameField, source: Source, mark: str) -> list[Task]:
    return [_on_field(operation, source, _renaming(operation.field, operation.new, operation.on_conflict))]


@_tasks.register
def _(operation: RemoveField, source: Source, mark: str) -> list[Task]:
    if operation.keep_in is not None:
        return [_on_field(operation, source, _renaming(operation.field, operation.keep_in, "fail"))]
    if "." in operation.field:
        return [_on_field(operation, source, removal(operation.field.split(".")))]
    return [_on_field(operation, source, {"$unset": {operation.field: ""}})]


@_tasks.register
def _(operation: ConvertField, source: Source, mark: str) -> list[Task]:
    path, asked = operation.field.split("."), operation.on_error
    if not callable(asked):
        return [_on_field(operation, source, conversion(path, operation.to, operation.from_, asked))]
    on_server = _on_field(operation, source, conversion(path, operation.to, operation.from_, "keep"))
    by_hand = Transforming(_by_hand(operation, path, asked))
    return [on_server, _transformation(source, condition(operation), by_hand, mark)]


def _by_hand(operation: ConvertField, path: Sequence[str], function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The documents whose values the server could not convert, with those values replaced by the function's."""
    from asyncmig.data.types import is_type

    def convert(value: Any) -> Any:
        done = value is None or is_type(value, operation.to)
        foreign = operation.from_ is not None and not is_type(value, operation.from_)
        return value if done or foreign else function(value)

    return lambda document: in_python.replaced(document, path, convert)


def _on_field(operation: DataOperation, source: Source, update: Update) -> ServerUpdate:
    return ServerUpdate(source, condition(operation), update, {}, is_idempotent=True, excludes=True)


def _renaming(old: str, new: str, on_conflict: OnConflict) -> Update:
    if is_same_level(old, new):
        return renaming(old.split("."), new.rpartition(".")[2], on_conflict)
    return move(old.split("."), new.split("."), on_conflict)


def _transformation(source: Source, filter_: Mapping[str, Any], wanted: Transforming, mark: str) -> Transformation:
    return Transformation(source, _unmarked(filter_, mark) if mark else filter_, wanted, mark=mark)


def _unmarked(filter_: Mapping[str, Any], mark: str) -> Document:
    """The documents that are not marked as done; the filter's own conditions, whatever they are."""
    return {"$and": [dict(filter_)], MARK: {"$ne": mark}} if filter_ else {MARK: {"$ne": mark}}
