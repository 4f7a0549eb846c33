"""``BatchRun``: one operation on data, from wherever it stands to its end.

**Exactly once.** A batch and the checkpoint that tells of it are one transaction, and the checkpoint
is written under the token of the lock. So after a crash at any moment the checkpoint says what is
done, no more and no less; and a runner that has lost the lock, and does not know it yet, cannot
commit. One transaction follows the other, for all of them write the same document of the ledger;
what can be read and computed for the next ones happens meanwhile.

A server without transactions, a capped collection and a time series get the update alone. Where it
may be applied twice, a batch that was under way in a crash is done again; where not, each document
is marked in the same write that changes it, and the marks are taken away at the end.

**What is covered.** The *main round* goes through every document up to what is the highest ``_id``
when it begins, in the order of ``_id``s. The *last round* picks up what has come since: where the
update makes its own filter false, everything that matches then, wherever it stands; else what lies
above that ``_id``. Which of the two it is, is found out as the main round goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any

from bson.errors import BSONError
from pymongo.errors import CursorNotFound, PyMongoError

from asyncmig.data.batch_size import BatchSize
from asyncmig.data.checkpoint import Checkpoint
from asyncmig.data.failures import collect, refusal_of
from asyncmig.data.prefetch import Prefetch
from asyncmig.data.progress import ProgressHooks, Stopped
from asyncmig.data.progress_meter import ProgressMeter
from asyncmig.data.ranges import Place
from asyncmig.data.task import Batch, BatchRefused, Changed, Task
from asyncmig.data.throttle import Throttle
from asyncmig.drivers.clock import local_clock
from asyncmig.drivers.refusal import refused
from asyncmig.drivers.retry import Backoff
from asyncmig.drivers.transient import is_transient, wants_another_transaction
from asyncmig.operations import Tally
from asyncmig.operations.data import DataOperation

__all__ = ["BatchRun"]

_NO_PROGRESS_SECONDS = 120.0  # without a single batch done, until a transient error is treated as permanent
_BACKOFF = Backoff(0.05, 3.0, factor=4)  # before a batch is tried again


class _Smaller(Exception):
    """Raised to go on with smaller batches."""


class BatchRun:
    """The tasks of ``operation``, one after the other. ``checkpoint``: where a former run has stopped."""

    def __init__(
        self,
        operation: DataOperation,
        tasks: Sequence[Task],
        progress: ProgressHooks,
        checkpoint: Checkpoint,
        throttle: Throttle,
        meter: ProgressMeter,
        largest: Callable[[Task], int],
    ) -> None:
        self._operation, self._tasks, self._progress = operation, tasks, progress
        self._at, self._throttle, self._meter, self._largest = checkpoint, throttle, meter, largest
        self._transactional = checkpoint.transactional and progress.session is None
        self._collects = operation.on_error == "collect"
        self._failures, self._give_up = 0, local_clock() + _NO_PROGRESS_SECONDS

    async def run(self) -> Tally:
        """Go on to the end; what came of all of it. Raises OperationRefused, LockLost, Stopped."""
        while self._at.task < len(self._tasks):
            task = self._tasks[self._at.task]
            if not self._at.is_open:
                self._at = replace(self._at, end=await task.source.end(), is_open=True)
            await self._round(task)
            self._at = self._behind(task)
            await self._save_transition(task)
        self._meter.end(self._at.tally)
        return self._at.tally

    async def _save_transition(self, before: Task) -> None:
        """Before the marks are taken away it has to be known that everything is done."""
        if self._at.task < len(self._tasks) and self._tasks[self._at.task] is not before and not self._transactional:
            await self._progress.save(self._at.document, self._progress.session)

    def _behind(self, task: Task) -> Checkpoint:
        """What comes after a round: the last round, or the next task."""
        at = self._at
        fresh = replace(at, is_open=False, end=None)
        if at.is_last_round:
            return replace(fresh, task=at.task + 1, is_last_round=False, at=Place(), excludes=None)
        return replace(fresh, is_last_round=True, at=self._last_start(task))

    def _last_start(self, task: Task) -> Place:
        return Place() if self._excludes(task) or self._at.end is None else self._at.end.behind

    def _excludes(self, task: Task) -> bool:
        """Whether what matches the filter has not been dealt with."""
        return self._at.excludes is not False if task.excludes is None else task.excludes

    async def _round(self, task: Task) -> None:
        """One way through the documents. After a transient error it goes on, and does not begin again as a retry would:
        at the newest checkpoint, with smaller batches after a conflict, for as long as any of them is done in time."""
        size, is_sure = BatchSize(self._largest(task)), True
        while self._at.end is not None:
            try:
                if not is_sure:
                    await self._reload_checkpoint()
                async with Prefetch(task, self._at.at, self._at.end, size) as feed:
                    await self._process(task, feed, size)
            except _Smaller:
                is_sure = True
            except (PyMongoError, BSONError) as error:
                if not self._is_retryable(error):
                    raise
                if wants_another_transaction(error):
                    size.conflicted()
                is_sure = False
                await self._pause(error)
            else:
                return

    async def _reload_checkpoint(self) -> None:
        """Learn from the ledger what is done: the outcome of the last batch is not known."""
        former = await self._progress.former()
        if former is not None:
            self._at = Checkpoint.read(former)

    def _is_retryable(self, error: Exception) -> bool:
        if self._progress.session is not None or local_clock() > self._give_up:
            return False
        return wants_another_transaction(error) or is_transient(error) or isinstance(error, CursorNotFound)

    async def _pause(self, error: Exception) -> None:
        self._failures += 1
        if self._failures > 1:
            self._progress.retried(error)
        await self._progress.pause(_BACKOFF.pause_seconds(self._failures))
        self._stop_if_asked()

    def _stop_if_asked(self) -> None:
        if self._progress.is_stopping:
            raise Stopped

    async def _process(self, task: Task, feed: Prefetch, size: BatchSize) -> None:
        while (batch := await feed.next()) is not None:
            await self._throttle.wait()
            self._stop_if_asked()
            began, before = perf_counter(), self._at.tally
            await self._settle(task, batch, size)
            size.written(batch.size, perf_counter() - began)
            feed.written()
            self._failures, self._give_up = 0, local_clock() + _NO_PROGRESS_SECONDS
            self._throttle.took(self._at.tally.matched - before.matched)
            self._meter.tell(self._at.tally)

    async def _settle(self, task: Task, batch: Batch, size: BatchSize) -> None:
        """Write a batch, and go on trying without what is in the way."""
        while True:
            try:
                await self._commit(task, batch)
            except Changed as changed:
                renewed = await task.renew(batch, changed.documents)
                batch = replace(renewed, done=batch.done + self._kept(changed.done))
            except BatchRefused as refusal:
                if self._progress.session is not None:
                    raise self._undone(refusal) from refusal.cause
                smaller = await task.cut(batch, refusal, collect=self._collects)
                if smaller is None:
                    size.refused(batch.size)
                    raise _Smaller from refusal.cause
                size.found()
                batch = replace(smaller, done=batch.done + self._kept(refusal.done))
            else:
                break
        if batch.fault is not None:
            done = self._at.tally if self._progress.session is None else None
            raise refusal_of(self._operation, batch.fault, done) from batch.fault.cause

    def _undone(self, refusal: BatchRefused) -> Exception:
        """What is to be said where the refusal has ended the transaction of the whole revision."""
        if refusal.faults:
            return refusal_of(self._operation, refusal.faults[0], None)
        return refused(self._operation, refusal.cause)

    def _kept(self, done: Tally) -> Tally:
        """What an attempt that failed has done all the same: nothing, where that was a transaction."""
        return Tally() if self._transactional else done

    async def _commit(self, task: Task, batch: Batch) -> None:
        if not self._transactional:
            self._at = await self._step(task, batch, self._progress.session)
            return
        async with self._progress.transaction() as session:
            after = await self._step(task, batch, session)
        self._at = after

    async def _step(self, task: Task, batch: Batch, session: Any) -> Checkpoint:
        """The batch, and the checkpoint behind it."""
        if batch.is_empty and batch.fault is not None:
            return self._at  # there is nothing before the document that stops everything
        tally = batch.done if batch.is_empty else batch.done + await task.write(batch, session)
        excludes = await self._filter_still_matches(task, batch, tally, session)
        for fault in batch.collected:
            if await collect(self._progress, fault, self._operation, session):
                tally = tally.and_failed(fault.key, self._progress.failures)
        after = replace(
            self._at, at=batch.span.end, excludes=excludes, tally=self._at.tally + self._counted(task, tally)
        )
        await self._progress.save(after.document, session)
        return after

    def _counted(self, task: Task, tally: Tally) -> Tally:
        """What of it is new: a last round that goes through everything meets again what was left as it was."""
        if not task.is_counted:
            return Tally()
        if self._at.is_last_round and self._excludes(task):
            return replace(tally, matched=tally.matched - tally.skipped, skipped=0)
        return tally

    async def _filter_still_matches(self, task: Task, batch: Batch, tally: Tally, session: Any) -> bool | None:
        """Whether what was dealt with has been found not to match any more; once it has not, that is settled."""
        known = self._at.excludes
        if task.excludes is not None or self._at.is_last_round or known is False or not tally.matched:
            return known
        if known and task.is_idempotent:
            return known
        return not await task.still_matches(batch, session)
