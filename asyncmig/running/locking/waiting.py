"""``LockWait``: how one waits for the lock, with jitter, telling who holds it."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from asyncmig.drivers.clock import local_clock
from asyncmig.drivers.retry import Backoff
from asyncmig.errors import LockError, reason
from asyncmig.events import Event, LockWaiting
from asyncmig.running.locking.holder import Holder

__all__ = ["LockWait"]

_WAITING = Backoff(0.05, 1.0, factor=1.5, jitter=0.5)  # jitter keeps many waiters apart
_TELL_INTERVAL_SECONDS = 5.0
_FAULTS_FORGIVEN = 3  # attempts without an answer that are made again whatever the limit
_OVERTIME_SECONDS = 5.0  # past the limit that these attempts may take, one of them or all


class LockWait:
    """One wait: ``limit`` in seconds."""

    def __init__(self, limit: float, tell: Callable[[Event], None]) -> None:
        self._limit, self._tell = limit, tell
        self._began = local_clock()
        self._attempts = 0
        self._told: tuple[str, float] | None = None
        self._faults = 0
        self._fault: BaseException | None = None

    @property
    def waited(self) -> float:
        """Seconds since the wait began."""
        return local_clock() - self._began

    @property
    def is_over(self) -> bool:
        """Whether the limit is reached."""
        return self.waited >= self._limit

    @property
    def until_answered(self) -> float:
        """Seconds for the server to answer one attempt."""
        return max(self._limit - self.waited, _OVERTIME_SECONDS)

    @property
    def had_faults(self) -> bool:
        """Whether an attempt went without an answer, so that it may have succeeded unseen."""
        return self._faults > 0

    def note(self, fault: BaseException) -> None:
        """Remember why no answer came."""
        self._faults += 1
        self._fault = fault

    async def after_fault(self) -> None:
        """Pause before asking again; raises LockError when there were too many faults."""
        is_long_over = self.waited >= self._limit + _OVERTIME_SECONDS
        if is_long_over or (self._faults > _FAULTS_FORGIVEN and self.is_over):
            raise LockError(f"the migration lock could not be asked for: {reason(str(self._fault))}") from self._fault
        await self._sleep()

    async def after_refusal(self, holder: Holder) -> None:
        """Pause while ``holder`` has the lock, and tell about it at first and every few seconds."""
        last = self._told
        if last is None or last[0] != holder.owner or self.waited - last[1] >= _TELL_INTERVAL_SECONDS:
            self._told = (holder.owner, self.waited)
            self._tell(LockWaiting(holder, self.waited))
        await self._sleep()

    async def _sleep(self) -> None:
        """Wait, no longer than to the limit, and a moment at least; the growing pause does not trouble the server."""
        self._attempts += 1
        left = max(self._limit - self.waited, _WAITING.first_seconds)
        await anyio.sleep(min(_WAITING.pause_seconds(self._attempts), left))
