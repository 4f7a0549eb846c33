"""The operations on data as plain loops: for the mock, which loses everything with its process anyway."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from asyncmig.data import in_python
from asyncmig.data.dispatch import condition, is_same_level
from asyncmig.data.failures import fault_of, refusal_of
from asyncmig.data.statements import Statement, statement
from asyncmig.drivers.base import Document, Driver
from asyncmig.errors import UnsupportedByDriver
from asyncmig.operations import (
    DataOperation,
    Deduplicate,
    MergeInto,
    MoveDocuments,
    RemoveField,
    RenameField,
    Tally,
    TransformBatches,
    TransformDocuments,
    UpdateInBatches,
)

__all__ = ["run_plainly"]

_NAME = "mongomock-motor"


async def run_plainly(operation: DataOperation, driver: Driver) -> Tally:
    """All of it at once. Raises UnsupportedByDriver for what the mock does not have."""
    documents = driver.database.get_collection(operation.collection)
    try:
        if isinstance(operation, UpdateInBatches):
            return await _updated(operation, documents)
        if isinstance(operation, TransformBatches):
            return await _all(operation, documents, driver)
        return await _each(operation, documents, _function(operation), driver)
    except NotImplementedError as error:
        raise UnsupportedByDriver(f"this: {operation.describe()} ({error})", _NAME) from error


async def _updated(operation: UpdateInBatches, documents: Any) -> Tally:
    if operation.options:
        raise NotImplementedError(", ".join(operation.options))
    update = dict(operation.update) if isinstance(operation.update, Mapping) else list(operation.update)
    done = await documents.update_many(dict(operation.filter), update)
    return Tally(done.matched_count, done.modified_count, skipped=done.matched_count - done.modified_count)


async def _each(operation: DataOperation, documents: Any, function: Callable[[Any], Any], driver: Driver) -> Tally:
    """Every document that matches through a function of Python."""
    projection = operation.projection if isinstance(operation, TransformDocuments) else None
    tally = Tally()
    for old in await documents.find(condition(operation), projection).to_list(None):
        try:
            result = function(dict(old))
            result = await result if inspect.isawaitable(result) else result
            codec = driver.database.codec_options
            tally += await _write(
                documents, statement({"_id": old["_id"]}, old, result, codec, partial=projection is not None)
            )
        except Exception as error:
            if operation.on_error != "collect":
                raise refusal_of(operation, fault_of(old["_id"], error), tally) from error
            tally = tally.and_failed(old["_id"])
    return tally


async def _all(operation: TransformBatches, documents: Any, driver: Driver) -> Tally:
    """Every document that matches through a function that takes all of them."""
    old = await documents.find(condition(operation)).to_list(None)
    results = operation.function([dict(document) for document in old])
    results = await results if inspect.isawaitable(results) else results
    tally, codec = Tally(), driver.database.codec_options
    for document, result in zip(old, results, strict=True):
        tally += await _write(documents, statement({"_id": document["_id"]}, document, result, codec, partial=False))
    return tally


async def _write(documents: Any, statement: Statement | None) -> Tally:
    if statement is None:
        return Tally(1, skipped=1)
    if statement.change is None:
        await documents.delete_one(statement.filter)
        return Tally(1, deleted=1)
    write: Callable[[Any, Any], Awaitable[Any]] = documents.update_one if statement.is_update else documents.replace_one
    done = await write(statement.filter, statement.change)
    return Tally(1, done.modified_count, skipped=1 - done.modified_count)


def _function(operation: DataOperation) -> Callable[[Any], Any]:
    match operation:
        case TransformDocuments():
            return operation.function
        case RenameField():
            return _renaming(operation.field, operation.new, operation)
        case RemoveField(keep_in=None):
            path = operation.field.split(".")
            return lambda document: in_python.removed(document, path)
        case RemoveField(keep_in=str(kept)):
            return _renaming(operation.field, kept, operation)
        case MergeInto() | MoveDocuments() | Deduplicate():
            raise NotImplementedError("it cannot do that between collections")
        case _:
            raise NotImplementedError("it has no $convert")


def _renaming(old: str, new: str, operation: DataOperation) -> Callable[[Any], Document]:
    on_conflict = operation.on_conflict if isinstance(operation, RenameField) else "fail"
    path, target = old.split("."), new.split(".")
    if is_same_level(old, new):
        return lambda document: in_python.renamed(document, path, target[-1], on_conflict)
    return lambda document: in_python.moved(document, path, target, on_conflict)
