"""Operations that bring documents from one collection into another: checked, and done where they need no ranges."""

from __future__ import annotations

import inspect
from typing import Any

from pymongo.errors import OperationFailure

from asyncmig.data.duplicates import deduplicate
from asyncmig.data.merge import Merge
from asyncmig.data.progress import ProgressHooks
from asyncmig.data.source import Source
from asyncmig.drivers.base import Document
from asyncmig.errors import OperationRefused
from asyncmig.operations import Deduplicate, MergeInto, MoveDocuments, Tally
from asyncmig.running.applying.context import Context

__all__ = ["Between", "prepare_between", "run_at_once"]

Between = MergeInto | MoveDocuments | Deduplicate

_NOTHING: Document = {"_id": {"$in": []}}
_EXISTS = 48
_NOT_IN_TRANSACTION = 263


async def prepare_between(operation: Between, source: Source, context: Context) -> None:
    """Let the server refuse what it would refuse of any document. Writes nothing. Raises what the driver raises."""
    if isinstance(operation, MergeInto):
        await _prepare_merge(operation, source, context)
        return
    stages: list[Any] = [{"$match": source.conjunction(getattr(operation, "filter", {}), _NOTHING)}]
    if isinstance(operation, MoveDocuments):
        stages += [dict(stage) for stage in operation.pipeline]
    cursor = source.documents.aggregate(stages, session=context.session)
    await (await cursor if inspect.isawaitable(cursor) else cursor).to_list(None)


async def _prepare_merge(operation: MergeInto, source: Source, context: Context) -> None:
    if context.session is not None:
        raise OperationRefused(
            operation,
            _NOT_IN_TRANSACTION,
            "the server does not take $merge within a transaction",
            "take `transactional = True` out of the revision: the operation may be repeated",
        )
    merge = Merge(source, operation)
    await merge.run(_NOTHING)
    if await merge.any_without_id():
        raise OperationRefused(
            operation,
            None,
            "the documents that the pipeline makes have no _id, so that each run would insert them again",
            "give them one that is made of the source's (`{'$set': {'_id': ...}}`), or match `on` other fields",
        )


async def run_at_once(operation: Between, source: Source, progress: ProgressHooks) -> Tally | None:
    """Do what goes through no ranges of ``_id``; None where it does."""
    if isinstance(operation, Deduplicate):
        if operation.keep_in is not None:
            await _create(operation.keep_in, source)
        return await deduplicate(operation, source, progress)
    if isinstance(operation, MoveDocuments):
        await _create(operation.into, source)
        return None
    if operation.is_per_document:
        return None
    count = await source.documents.count_documents({})
    await Merge(source, operation).run({})
    return Tally(count, count)


async def _create(name: str, source: Source) -> None:
    """Before a transaction that writes to it; one that is there is as good."""
    if source.session is not None:
        return
    try:
        await source.driver.command({"create": name})
    except OperationFailure as error:
        if error.code != _EXISTS:
            raise
