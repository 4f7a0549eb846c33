"""Preparing and carrying out an operation on data, as :mod:`~asyncmig.running.applying.apply` does with any."""

from __future__ import annotations

from collections.abc import Callable

from asyncmig.data.batch_run import BatchRun
from asyncmig.data.checkpoint import Checkpoint
from asyncmig.data.dispatch import condition, source_options, tasks_of
from asyncmig.data.failures import forget
from asyncmig.data.held import UnholdableProjection
from asyncmig.data.on_mock import run_plainly
from asyncmig.data.progress import ProgressHooks
from asyncmig.data.progress_meter import ProgressMeter
from asyncmig.data.source import Source
from asyncmig.data.task import Task
from asyncmig.data.throttle import Throttle, refuse_unmeasurable
from asyncmig.data.update import MARK
from asyncmig.drivers.base import Document
from asyncmig.errors import OperationRefused
from asyncmig.operations import DataOperation, MergeInto, Tally
from asyncmig.running.applying.between_changes import Between, prepare_between, run_at_once
from asyncmig.running.applying.context import Context

__all__ = ["marks_documents", "prepare_data", "run_data"]

_NOTHING: Document = {"_id": {"$in": []}}
_ALLOW_THE_MARK = (
    f"let the validator allow it while this runs, with {{{MARK!r}: {{}}}} among its `properties`; or write what may be "
    "done twice ({'$set': ...}); or use a replica set (one member is enough)"
)
_MAX_TRANSACTION_BYTES = 32_000_000  # of documents, unless a batch size is asked for


async def prepare_data(operation: DataOperation, context: Context) -> None:
    """Let the server refuse what it would refuse of any document, before anything is changed.

    An update that it cannot read, a filter, a missing privilege: it says so of an update that meets
    no document, too. Raises what the driver raises.
    """
    if not context.driver.has_server:
        return
    await refuse_unmeasurable(operation, context.driver)
    source = _source(operation, context)
    if isinstance(operation, Between):
        await prepare_between(operation, source, context)
        return
    if context.session is None:
        await _refuse_unmarkable(operation, source)
    for task in tasks_of(operation, source):
        filter_ = source.conjunction(task.filter, _NOTHING)
        update, options = getattr(task, "update", {"$unset": {MARK: ""}}), getattr(task, "options", {})
        await source.documents.update_many(filter_, update, session=context.session, **options)


async def _refuse_unmarkable(operation: DataOperation, source: Source) -> None:
    """Raise OperationRefused where documents would have to be marked, and cannot be.

    The validator is asked by the server itself, about the first documents that there are.
    """
    facts = await source.facts()
    if facts is None or await _is_transactional(facts, source):
        return
    marked = [task for task in tasks_of(operation, source, "a mark") if MARK in task.filter]
    for task in marked:
        try:
            getattr(task, "_stages", None)
        except UnholdableProjection as error:
            raise OperationRefused(operation, None, str(error)) from None
    validator = facts.get("options", {}).get("validator")
    if marked and validator and await source.any_refused_with({MARK: "a mark"}, condition(operation), validator):
        raise OperationRefused(
            operation,
            None,
            f"on a server without transactions each document is marked in a field {MARK} until all are done, so that "
            "none is changed twice, and the validator of the collection does not allow that field",
            _ALLOW_THE_MARK,
        )


def _source(operation: DataOperation, context: Context) -> Source:
    name = operation.source if isinstance(operation, MergeInto) else operation.collection
    return Source(context.driver, name, source_options(operation), context.session)


async def _is_transactional(facts: Document, source: Source) -> bool:
    may_be = facts.get("type") == "collection" and not facts.get("options", {}).get("capped")
    return may_be and await source.driver.has_transactions()


async def marks_documents(operation: DataOperation, context: Context) -> bool:
    """Whether it marks each document that it has dealt with, as its batches cannot be transactions."""
    source = _source(operation, context)
    facts = await source.facts()
    return facts is not None and not await _is_transactional(facts, source)


async def run_data(operation: DataOperation, context: Context) -> Document:
    """Carry the operation out, from its newest checkpoint on; its tally."""
    if not context.driver.has_server:
        return (await run_plainly(operation, context.driver)).document
    progress = context.progress or ProgressHooks(context.driver, context.session)
    source = _source(operation, context)
    facts = await source.facts()
    if facts is None:
        return Tally().document
    if isinstance(operation, Between) and (done := await run_at_once(operation, source, progress)) is not None:
        return done.document
    checkpoint = await _start(operation, progress, facts, source)
    mark = "" if checkpoint.transactional or context.session is not None else progress.mark
    tasks = tasks_of(operation, source, mark)
    if context.session is not None:
        for task in tasks:
            task.ahead = 1  # a session does one thing at a time
    async with ProgressMeter(source, condition(operation), progress, checkpoint) as meter:
        throttle = Throttle(operation.pace, progress)
        largest = await _largest(operation, source)
        tally = await BatchRun(operation, tasks, progress, checkpoint, throttle, meter, largest).run()
    return tally.document


async def _start(operation: DataOperation, progress: ProgressHooks, facts: Document, source: Source) -> Checkpoint:
    """Where a former run has stopped, or the beginning."""
    former = await progress.former()
    if former is not None:
        return Checkpoint.read(former)
    if operation.on_error == "collect":
        await forget(progress)
    in_transactions = not isinstance(operation, MergeInto) and await _is_transactional(facts, source)
    return Checkpoint(transactional=in_transactions)


async def _largest(operation: DataOperation, source: Source) -> Callable[[Task], int]:
    """The largest batch of a task: as asked for, or as many documents as one transaction is to hold."""
    pace, mean = operation.pace, 0
    if pace.batch_size is None:
        mean = await source.mean_size()
    bound = [pace.batch_size] if pace.batch_size is not None else [_MAX_TRANSACTION_BYTES // mean] if mean else []
    if pace.max_per_second is not None:
        bound.append(int(pace.max_per_second))
    return lambda task: max(min([*bound, *([] if pace.batch_size else [task.size])]), 1)
