"""``Lease``: the lock while it is held: kept alive beside the work, checked before each write.

Three clocks matter. The *server's* clock alone decides when a lease has ended and who may take the
lock next. Our *local* clock decides when we stop: at five sixths of the lease after the last renewal
that succeeded was sent, so before anybody else could begin. The *event loop's* clock may stand still
while a revision's own code blocks it (``time.sleep``), or while the process is stopped. Renewing
cannot survive that; the loss is noticed instead: whoever is about to write calls :meth:`Lease.ensure`
first, which renews a lease that is overdue before it says yes. If nobody else took the lock in the
meantime the work goes on; otherwise it ends with LockLost, before that write.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import anyio
from pymongo.errors import PyMongoError

from asyncmig.drivers.clock import local_clock
from asyncmig.drivers.guard import Late
from asyncmig.drivers.retry import Backoff, retry
from asyncmig.errors import LockLost, reason
from asyncmig.events import Event, LoopBlocked

__all__ = ["Lease"]

T = TypeVar("T")

_RENEWALS = 3  # per lease
_BLOCKED_SECONDS = 1.0  # that the event loop stood still before it is worth an event
_CANCEL_INTERVAL_SECONDS = 0.5
_BACKOFF = Backoff(0.2)  # while the server does not answer


class _Cancellable(Protocol):
    def cancel(self) -> object: ...


class Lease:
    """The lock in our hands: ``owner`` and ``token`` name it, ``expires_at`` is its end on the server's clock.

    ``length``: in seconds. ``sent``: when it was asked for, by the local clock. ``renew`` asks the
    server for a new end, and returns None where the lock is not ours any more; ``tell`` hears of a
    loop that stood still.
    """

    def __init__(
        self,
        owner: str,
        token: int,
        *,
        length: float,
        sent: float,
        expires_at: datetime,
        renew: Callable[[Lease], Awaitable[datetime | None]],
        tell: Callable[[Event], None],
    ) -> None:
        self.owner, self.token, self._length = owner, token, length
        self._ask_for_renewal, self._tell = renew, tell
        self._guarded: list[_Cancellable] = []
        self._one_at_a_time = anyio.Lock()
        self.loss = ""
        """Why the lease was lost; empty while it is ours."""
        self._extend(sent, expires_at)

    def _extend(self, sent: float, expires_at: datetime) -> None:
        self._due = sent + self._length / _RENEWALS
        self._deadline = sent + self._length * 5 / 6
        self.expires_at = expires_at

    @property
    def writes_until(self) -> datetime:
        """When the server is to refuse our writes, by its own clock: a moment before the lease ends."""
        return self.expires_at - timedelta(seconds=self._length / 10)

    @contextmanager
    def guarding(self, work: _Cancellable) -> Iterator[None]:
        """Cancel ``work`` (a task, a cancel scope) as soon as the lease is lost."""
        self._guarded.append(work)
        try:
            yield
        finally:
            self._guarded.remove(work)

    def check(self) -> None:
        """Raise LockLost when the lease is known to be lost."""
        if self.loss:
            raise LockLost(self.loss)

    def check_sending(self) -> None:
        """Raise LockLost when the lease is known to be lost, Late when it may be: what was to be sent now is not."""
        self.check()
        if local_clock() >= self._deadline:
            raise Late

    async def ensure(self, *, now: bool = False) -> None:
        """Make sure that the lease is ours, before a write; asks the server only when a renewal is overdue, or ``now``.

        Raises LockLost.
        """
        self.check()
        if now:
            self._due = local_clock()
        if now or local_clock() >= self._overdue:
            await self._renew()
        self.check()

    async def retry(self, ask: Callable[[], Awaitable[T]]) -> T:
        """The answer; asked again after a transient error, as long as the lease is ours. For what may be asked twice.

        Raises LockLost.
        """
        return await retry(ask, _BACKOFF, before=self.ensure)

    @property
    def _overdue(self) -> float:
        return self._due + self._length / 12

    async def keep(self) -> None:
        """Renew the lease every third of it, until cancelled or lost: the task beside the work."""
        while not self.loss:
            await anyio.sleep(max(self._due - local_clock(), 0))
            if (late := local_clock() - self._due) > _BLOCKED_SECONDS:
                self._tell(LoopBlocked(late))
            if local_clock() >= self._due:
                await self._renew()

    def on_keeper_exit(self, keeper: asyncio.Task[None]) -> None:
        """When the task that renews has died of an error, nobody renews any more."""
        if not keeper.cancelled() and (error := keeper.exception()) is not None:
            self.lose(f"renewing stopped: {type(error).__name__}: {error}")

    async def _renew(self) -> None:
        async with self._one_at_a_time:
            while not self.loss and local_clock() >= self._due:
                await self._attempt()

    async def _attempt(self) -> None:
        sent = local_clock()
        limit = self._attempt_seconds(sent)
        try:
            with anyio.fail_after(limit):
                expires_at = await self._ask_for_renewal(self)
        except (PyMongoError, OSError, TimeoutError) as error:
            await self._after_failure(error, overslept=local_clock() - sent > limit + _BLOCKED_SECONDS)
            return
        if expires_at is None:
            self.lose("another owner has taken it, or it was broken by `asyncmig unlock --force`")
        else:
            self._extend(sent, expires_at)

    async def _after_failure(self, error: BaseException, *, overslept: bool) -> None:
        """Try again until the deadline, and once more when the attempt itself fell into a standstill of ours.

        Not by :mod:`asyncmig.drivers.retry`: it is the lease, not an error, a number or a time, that ends
        these attempts, and whatever fails is tried again as long as it is ours.
        """
        left = self._deadline - local_clock()
        if left > 0:
            await anyio.sleep(min(self._length / 30, left))
        elif not overslept:
            why = reason(str(error)) or "the server did not answer in time"
            self.lose(f"it could not be renewed for {self._length * 5 / 6:.3g} s: {why}")

    def _attempt_seconds(self, now: float) -> float:
        """Seconds for one attempt: up to the deadline, or, when we have slept past it, for the one that tells."""
        left = self._deadline - now
        return min(left, self._length / _RENEWALS) if left > 0 else max(self._length / 6, 1.0)

    def lose(self, reason: str) -> None:
        """Note that the lock is not ours any more and cancel all work that is guarded by it."""
        self.loss = self.loss or reason
        self._cancel_work()

    def _cancel_work(self) -> None:
        """Cancel until the work ends: a driver that waits for a server may swallow a cancellation (Python 3.11)."""
        for work in self._guarded:
            work.cancel()
        if self._guarded:
            asyncio.get_running_loop().call_later(_CANCEL_INTERVAL_SECONDS, self._cancel_work)
