"""Applying operations to a database: one function per type, each safe to run again after a crash at any point."""

from __future__ import annotations

from functools import partial, singledispatch

from asyncmig.drivers.refusal import REFUSALS, is_refusal, refused
from asyncmig.errors import OperationRefused
from asyncmig.operations import (
    CreateCollection,
    CreateCollections,
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
    NewCollection,
    Operation,
    RenameCollection,
)
from asyncmig.operations.advice import advice
from asyncmig.running.applying import collection_changes as collections
from asyncmig.running.applying import document_changes as documents
from asyncmig.running.applying import index_changes as indexes
from asyncmig.running.applying.at_once import at_once
from asyncmig.running.applying.context import Context, JournalData
from asyncmig.running.applying.data_changes import prepare_data, run_data
from asyncmig.running.applying.preexisting import found_before

__all__ = ["Context", "apply", "prepare"]

_NOT_IN_TRANSACTION = 263
_ON_DOCUMENTS = InsertDocuments | DeleteDocuments | DataOperation


async def prepare(operation: Operation, context: Context) -> JournalData | None:
    """What has to be known before ``operation`` starts, to go on rightly after a crash; for the journal.

    To be journalled before :func:`apply`, and given to it again, unchanged, when the operation is
    applied once more. None where nothing needs to be known. Writes nothing. Raises as apply does.
    """
    try:
        intent: JournalData | None = await _prepare(operation, context)
    except REFUSALS as error:
        if not is_refusal(error):
            raise
        raise refused(operation, error) from error
    return intent


async def apply(operation: Operation, context: Context, intent: JournalData | None = None) -> JournalData | None:
    """Bring the database to where ``operation`` wants it, from wherever an earlier attempt has left it.

    Returns the result for the journal, None where there is nothing to tell. Raises OperationRefused
    with the server's code and words when it says no, UnsupportedByDriver when the mock cannot; a
    connection that breaks (AutoReconnect and its kin) is let through, for then the outcome is not known.
    """
    if context.session is not None and not isinstance(operation, _ON_DOCUMENTS):
        raise OperationRefused(
            operation,
            _NOT_IN_TRANSACTION,
            "collections, views and indexes cannot be changed in a transaction",
            advice(operation, _NOT_IN_TRANSACTION),
        )
    try:
        result: JournalData | None = await _apply(operation, context, intent)
    except REFUSALS as error:
        if not is_refusal(error):
            raise
        raise refused(operation, error) from error
    return result


@singledispatch
async def _prepare(operation: Operation, context: Context) -> JournalData | None:
    return None


@_prepare.register
async def _(operation: InsertDocuments, context: Context) -> JournalData | None:
    return await documents.prepare_insert(operation, context)


@_prepare.register
async def _(
    operation: CreateCollection | CreateCollections | CreateView | CreateIndexes, context: Context
) -> JournalData:
    return await found_before(operation, context)


@_prepare.register
async def _(operation: ModifyIndex, context: Context) -> JournalData | None:
    return await indexes.prepare_modify_index(operation, context)


@_prepare.register
async def _(operation: DataOperation, context: Context) -> None:
    await prepare_data(operation, context)


@singledispatch
async def _apply(operation: Operation, context: Context, intent: JournalData | None) -> JournalData | None:
    raise OperationRefused(operation, None, f"{type(operation).__name__} is not known here")


@_apply.register
async def _(operation: CreateCollection, context: Context, intent: JournalData | None) -> JournalData | None:
    await collections.create_collection(operation, context)
    return intent


@_apply.register
async def _(operation: CreateCollections, context: Context, intent: JournalData | None) -> JournalData | None:
    made: list[str] = []
    try:
        await at_once([partial(_make, collection, context, made) for collection in operation.created])
    except OperationRefused as error:
        error.done = tuple(made)
        raise
    return intent


async def _make(collection: NewCollection, context: Context, made: list[str]) -> None:
    for operation in collection.operations:
        await apply(operation, context)
        if operation.collection not in made:
            made.append(operation.collection)


@_apply.register
async def _(operation: DropCollection, context: Context, intent: JournalData | None) -> None:
    await collections.drop_collection(operation, context)


@_apply.register
async def _(operation: RenameCollection, context: Context, intent: JournalData | None) -> None:
    await collections.rename_collection(operation, context)


@_apply.register
async def _(operation: ModifyCollection, context: Context, intent: JournalData | None) -> JournalData | None:
    return await collections.modify_collection(operation, context)


@_apply.register
async def _(operation: CreateView, context: Context, intent: JournalData | None) -> JournalData | None:
    await collections.create_view(operation, context)
    return intent


@_apply.register
async def _(operation: ModifyView, context: Context, intent: JournalData | None) -> None:
    await collections.modify_view(operation, context)


@_apply.register
async def _(operation: DropView, context: Context, intent: JournalData | None) -> None:
    await collections.drop_view(operation, context)


@_apply.register
async def _(operation: CreateIndexes, context: Context, intent: JournalData | None) -> JournalData | None:
    await indexes.create_indexes(operation, context)
    return intent


@_apply.register
async def _(operation: DropIndex, context: Context, intent: JournalData | None) -> None:
    await indexes.drop_index(operation, context)


@_apply.register
async def _(operation: ModifyIndex, context: Context, intent: JournalData | None) -> None:
    await indexes.modify_index(operation, context, intent)


@_apply.register
async def _(operation: InsertDocuments, context: Context, intent: JournalData | None) -> JournalData:
    return await documents.insert_documents(operation, context, intent)


@_apply.register
async def _(operation: DeleteDocuments, context: Context, intent: JournalData | None) -> JournalData:
    return await documents.delete_documents(operation, context)


@_apply.register
async def _(operation: DataOperation, context: Context, intent: JournalData | None) -> JournalData:
    return await run_data(operation, context)


@_apply.register
async def _(operation: NeedsRebuild, context: Context, intent: JournalData | None) -> None:
    raise OperationRefused(operation, None, "MongoDB cannot change this in place", "rebuild the collection by hand")
