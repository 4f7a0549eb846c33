"""``PathRun``: the revisions of a path, one after the other: each is opened in the ledger, run, and closed.

A revision costs one round trip to the ledger: the write that says "applied" of the one before it and
the write that says "upgrading" of itself travel together, in this order. A transaction closes its
record by itself, as a part of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from asyncmig.drivers.retry import TRANSACTION_SECONDS, retry
from asyncmig.drivers.transient import outcome_is_unknown, wants_another_transaction
from asyncmig.errors import DriverError, LedgerGone, LockLost, RevisionFailed, innermost
from asyncmig.events import Direction, RevisionFinished, RevisionRetried, RevisionStopped
from asyncmig.history.revision import Revision
from asyncmig.running.ledger.ledger import RecordExists
from asyncmig.running.ledger.record import Record
from asyncmig.running.ledger.write import Write
from asyncmig.running.locking.shielding import run_to_completion
from asyncmig.running.revision_run import RevisionRun
from asyncmig.running.run import Run

__all__ = ["PathRun"]

T = TypeVar("T")

_INTERRUPT_WRITE_SECONDS = 5.0  # to write down that we were interrupted


class PathRun:
    """One way through the history, under the lock. ``done`` are the revisions that came to their end."""

    def __init__(self, run: Run, direction: Direction, records: Mapping[str, Record]) -> None:
        self._run, self._records = run, records
        self._direction: Direction = direction
        self._unclosed: tuple[RevisionRun, Write] | None = None
        """The revision that has come to its end, and the write that will say so, together with the next opening."""
        self.done: list[Revision] = []

    async def go(self, path: Sequence[Revision]) -> None:
        """Run every revision of the path. Raises RevisionFailed, LockLost."""
        try:
            for number, revision in enumerate(path, 1):
                await checkpoint_if_cancelled()
                await self._go_through(revision, number, len(path))
        finally:
            if not self._run.lease.loss:
                await self._send()

    async def _go_through(self, revision: Revision, number: int, total: int) -> None:
        """Run one revision, from wherever its record says that it is."""
        known = self._records.get(revision.revision)
        is_read = known is not None and (self._direction == "downgrade" or not known.is_applied)
        record = await self._run.ledger.record(revision.revision, self._run.lease) if is_read else None
        try:
            await self._run_revision(RevisionRun(self._run, revision, self._direction, record), number, total)
        except RecordExists:
            record = await self._taken_over(revision)
            if not record.is_applied:
                await self._run_revision(RevisionRun(self._run, revision, self._direction, record), number, total)

    async def _taken_over(self, revision: Revision) -> Record:
        """A record that came into being after we had read the ledger, left by a runner before us; ours from now on."""
        await self._run.ledger.claim(self._run.lease)
        record = await self._run.ledger.record(revision.revision, self._run.lease)
        if record is None or record.token > self._run.lease.token:
            raise LockLost(f"another runner is at work on {revision.revision}")
        return record

    # -- one revision: open, run, close ---------------------------------------------------------

    async def _run_revision(self, step: RevisionRun, number: int, total: int) -> None:
        if step.how.nothing_to_do:
            await self._restore(step, number, total)
            return
        if step.asks_for_collections:
            await self._run.list_collections()
        try:
            async with self._session(step) as session:
                await self._open(step, session, number, total)
                await self._call(step, session)
        except BaseException as error:
            await self._stop(step, error)
            raise
        await self._close(step)

    async def _open(self, step: RevisionRun, session: Any, number: int, total: int) -> None:
        await self._send(await step.opening(session))
        step.is_open = True
        step.tell_started(number, total)

    async def _restore(self, step: RevisionRun, number: int, total: int) -> None:
        """Say that the revision is where it should be: what stopped in the other direction was rolled back."""
        if self._direction == "downgrade":
            await self._run.audit_log.add(self._run.lease, "downgrade", [step.revision.revision])
        await self._send(step.restoring())
        step.tell_started(number, total)
        self._tell_finished(step)

    @asynccontextmanager
    async def _session(self, step: RevisionRun) -> AsyncIterator[Any]:
        """The session of a revision that is one transaction; None for any other."""
        if not step.how.transactional:
            yield None
            return
        async with self._run.driver.session() as session:
            yield session

    async def _call(self, step: RevisionRun, session: Any) -> None:
        if step.how.transactional:
            await self._until_committed(step, session)
        else:
            await step.call_journaled()

    async def _close(self, step: RevisionRun) -> None:
        if step.how.transactional:
            self._tell_finished(step)
        elif step.is_idle:
            self._unclosed = (step, await step.closing())
        else:
            self._unclosed = (step, await self._shielded(step.closing()))

    # -- a revision as one transaction ----------------------------------------------------------

    async def _until_committed(self, step: RevisionRun, session: Any) -> None:
        """The revision and the close of its record in one transaction, again where the server wants that."""
        await retry(
            lambda: self._attempt(step, session),
            seconds=TRANSACTION_SECONDS,
            is_retryable=wants_another_transaction,
            tell=lambda error: self._run.tell(RevisionRetried(step.revision, self._direction, str(error))),
        )

    async def _attempt(self, step: RevisionRun, session: Any) -> None:
        try:
            async with self._run.driver.transaction(session):
                await step.call_within(session)
                await self._close_within(step, session)
        except Exception as error:
            if not await self._was_committed(step, error):
                raise

    async def _close_within(self, step: RevisionRun, session: Any) -> None:
        if self._direction == "downgrade":
            await self._run.audit_log.add(self._run.lease, "downgrade", [step.revision.revision], session=session)
        await self._run.ledger.send(self._run.lease, await step.closing(), session=session)

    async def _was_committed(self, step: RevisionRun, error: BaseException) -> bool:
        """Whether a commit whose outcome the server could not tell was done: the record is a part of it.

        The lease is renewed before that. Once a majority has this later write it has the commit, too,
        and a read of what a majority has cannot miss it.
        """
        if not outcome_is_unknown(error):
            return False
        await self._run.lease.ensure(now=True)
        record = await self._run.ledger.record(step.revision.revision, self._run.lease)
        return record is None if self._direction == "downgrade" else record is not None and record.is_applied

    # -- the writes between two revisions -------------------------------------------------------

    async def _send(self, *openings: Write) -> None:
        """Close the revision before, if it is not closed yet, and open the next."""
        before = self._unclosed
        closing = [before[1]] if before else []
        if before and self._direction == "downgrade":
            await self._run.audit_log.add(self._run.lease, "downgrade", [before[0].revision.revision])
        if closing or openings:
            try:
                await self._write(*closing, *openings)
            except RecordExists:
                if before:
                    await self._write(*closing)
                    self._tell_closed(before[0])
                raise
        if before:
            self._tell_closed(before[0])

    async def _write(self, *writes: Write) -> None:
        """Put these writes through, whatever scope is cancelled meanwhile; at once LockLost when the lease is lost.

        A cancellation of asyncio's own cuts it; what was to be closed is still open then, and is
        sent again at the end of the path: each write is harmless twice.
        """
        with anyio.CancelScope(shield=True) as scope, self._run.lease.guarding(scope):
            await self._run.ledger.send(self._run.lease, *writes)
        if scope.cancelled_caught:
            self._run.lease.check()

    def _tell_closed(self, step: RevisionRun) -> None:
        self._unclosed = None
        self._tell_finished(step)

    def _tell_finished(self, step: RevisionRun) -> None:
        self.done.append(step.revision)
        self._run.tell(RevisionFinished(step.revision, self._direction, step.seconds))

    # -- a revision that stops half-way ---------------------------------------------------------

    async def _stop(self, step: RevisionRun, error: BaseException) -> None:
        """Write down why the revision stopped, if the ledger has it as begun and the lock is still ours."""
        if not step.is_open or isinstance(error, LockLost | LedgerGone):
            return
        if isinstance(error, Exception):
            await self._fail(step, error)
        else:
            await self._interrupt(step, error)

    async def _fail(self, step: RevisionRun, error: Exception) -> None:
        self._run.lease.check()
        cause = innermost(error)
        if isinstance(cause, LedgerGone):
            raise cause
        failure = RevisionFailed(step.revision.revision, self._direction, step.where(cause), cause)
        try:
            await self._shielded(self._stopped(step, error, interrupted=False))
        except DriverError as trouble:
            failure.add_note(f"The ledger could not be told; it has the revision as under way. {trouble}")
        failure.add_note(step.way_out)
        raise failure from error

    async def _interrupt(self, step: RevisionRun, error: BaseException) -> None:
        if self._run.lease.loss:
            return
        with anyio.move_on_after(_INTERRUPT_WRITE_SECONDS, shield=True):
            await self._stopped(step, error, interrupted=True)

    async def _stopped(self, step: RevisionRun, error: BaseException, *, interrupted: bool) -> None:
        await self._run.ledger.send(self._run.lease, await step.failing(error, interrupted=interrupted))
        cause = innermost(error)
        message = "interrupted" if interrupted else f"{type(cause).__name__}: {cause}"
        self._run.tell(RevisionStopped(step.revision, self._direction, message))

    async def _shielded(self, work: Coroutine[Any, Any, T]) -> T:
        return await run_to_completion(asyncio.ensure_future(work), self._run.lease)
