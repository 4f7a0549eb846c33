"""``PathRun``: the revisions of a path, one after the other; each closed together with the opening of the next.

A revision costs one round trip to the ledger: the write that says "applied" of the one before it and
the write that says "upgrading" of itself travel together, in this order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, TypeVar

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from asyncmig.errors import DriverError, LockLost, RevisionFailed
from asyncmig.events import Direction, RevisionFinished, RevisionStopped
from asyncmig.history.revision import Revision
from asyncmig.running.ledger.ledger import RecordExists
from asyncmig.running.ledger.record import Record
from asyncmig.running.ledger.write import Write
from asyncmig.running.locking.shielding import run_to_completion
from asyncmig.running.revision_run import RevisionRun
from asyncmig.running.run import Run

__all__ = ["PathRun"]

T = TypeVar("T")

_INTERRUPT_WRITE_TIMEOUT = 5.0  # seconds to write down that we were interrupted


class PathRun:
    """One way through the history, under the lock. ``done`` are the revisions that came to their end."""

    def __init__(self, run: Run, direction: Direction, records: Mapping[str, Record]) -> None:
        self._run, self._records = run, records
        self._direction: Direction = direction
        self._open: tuple[RevisionRun, Write] | None = None
        self.done: list[Revision] = []

    async def go(self, path: Sequence[Revision]) -> None:
        """Run every revision of the path. Raises RevisionFailed, LockLost."""
        try:
            for number, revision in enumerate(path, 1):
                await checkpoint_if_cancelled()
                await self._pass(revision, number, len(path))
        finally:
            if not self._run.lease.loss:
                await self._send()

    async def _pass(self, revision: Revision, number: int, total: int) -> None:
        known = self._records.get(revision.revision)
        needed = known is not None and (self._direction == "downgrade" or not known.is_applied)
        record = await self._run.ledger.record(revision.revision, self._run.lease) if needed else None
        try:
            await self._take(RevisionRun(self._run, revision, self._direction, record), number, total)
        except RecordExists:
            await self._run.ledger.claim(self._run.lease)
            record = await self._run.ledger.record(revision.revision, self._run.lease)
            if record is None or record.token > self._run.lease.token:
                raise LockLost(f"another runner is at work on {revision.revision}") from None
            if not record.is_applied:
                await self._take(RevisionRun(self._run, revision, self._direction, record), number, total)

    async def _take(self, step: RevisionRun, number: int, total: int) -> None:
        begun = False

        async def begin(opening: Write) -> None:
            nonlocal begun
            await self._send(opening)
            begun = True
            step.started(number, total)

        try:
            await step.execute(begin)
        except (LockLost, RecordExists):
            raise
        except Exception as error:
            if not begun:
                raise
            await self._fail(step, error)
        except BaseException as error:
            if begun:
                await self._interrupt(step, error)
            raise
        await self._finish(step)

    async def _finish(self, step: RevisionRun) -> None:
        if step.revision.transactional:
            self._tell_finished(step)
            return
        closing = step.closed()
        self._open = (step, closing if closing is not None else await self._shielded(step.closing()))

    async def _send(self, *openings: Write) -> None:
        """Close the revision before, if it is not closed yet, and open the next."""
        closing = self._open
        writes = [closing[1]] if closing else []
        if closing and self._direction == "downgrade":
            await self._run.audit_log.add(self._run.lease, "downgrade", [closing[0].revision.revision])
        if writes or openings:
            try:
                await self._write(*writes, *openings)
            except RecordExists:
                if closing:
                    await self._write(*writes)
                    self._tell_closed(closing[0])
                raise
        if closing:
            self._tell_closed(closing[0])

    async def _write(self, *writes: Write) -> None:
        """Put these writes through, whatever scope is cancelled meanwhile; at once LockLost when the lease is lost.

        A cancellation of asyncio's own cuts it; what was to be closed is still open then, and is
        sent again at the end of the walk: each write is harmless twice.
        """
        with anyio.CancelScope(shield=True) as scope, self._run.lease.guarding(scope):
            await self._run.ledger.send(self._run.lease, *writes)
        if scope.cancelled_caught:
            self._run.lease.check()

    def _tell_closed(self, step: RevisionRun) -> None:
        self._open = None
        self._tell_finished(step)

    def _tell_finished(self, step: RevisionRun) -> None:
        self.done.append(step.revision)
        self._run.tell(RevisionFinished(step.revision, self._direction, step.seconds))

    async def _fail(self, step: RevisionRun, error: Exception) -> None:
        self._run.lease.check()
        failure = RevisionFailed(step.revision.revision, self._direction, step.where(error), error)
        try:
            await self._shielded(self._stopped(step, error, interrupted=False))
        except DriverError as trouble:
            failure.add_note(f"The ledger could not be told; it has the revision as under way. {trouble}")
        failure.add_note(_what_now(step))
        raise failure from error

    async def _interrupt(self, step: RevisionRun, error: BaseException) -> None:
        if self._run.lease.loss:
            return
        with anyio.move_on_after(_INTERRUPT_WRITE_TIMEOUT, shield=True):
            await self._stopped(step, error, interrupted=True)

    async def _stopped(self, step: RevisionRun, error: BaseException, *, interrupted: bool) -> None:
        await self._run.ledger.send(self._run.lease, await step.failing(error, interrupted=interrupted))
        told = "interrupted" if interrupted else f"{type(error).__name__}: {error}"
        self._run.tell(RevisionStopped(step.revision, self._direction, told))

    async def _shielded(self, work: Coroutine[Any, Any, T]) -> T:
        return await run_to_completion(asyncio.ensure_future(work), self._run.lease)


def _what_now(step: RevisionRun) -> str:
    """What to do about a revision that has stopped half-way."""
    file = f" ({step.revision.path})" if step.revision.path else ""
    down = f"downgrade {step.revision.revision}-1"
    there, back = ("upgrade", down) if step.direction == "upgrade" else (down, "upgrade")
    if step.revision.transactional:
        return f"Its transaction was rolled back. Put right what is wrong{file}, and run `asyncmig {there}` again"
    return (
        f"What is done is in the ledger. Put right what is wrong{file}: `asyncmig {there}` goes on from there "
        f"(calls on env.db run again), `asyncmig {back}` takes back what was done of it"
    )
