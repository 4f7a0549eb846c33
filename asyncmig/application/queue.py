"""``Queue``: how a start-up waits for another process: looking again and again, and telling about it."""

from __future__ import annotations

from time import monotonic

import anyio

from asyncmig.application.log import logger
from asyncmig.drivers.retry import Backoff

__all__ = ["Queue"]

_BACKOFF = Backoff(0.1, 1.0, factor=1.5, jitter=0.5)  # between two looks
_TELL_INTERVAL_SECONDS = 10.0


class Queue:
    """One wait of at most ``limit`` seconds."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._began, self._looks = monotonic(), 0
        self._told: float | None = None

    @property
    def waited(self) -> float:
        """Seconds since the wait began."""
        return monotonic() - self._began

    @property
    def is_over(self) -> bool:
        """Whether the limit is reached."""
        return self.waited >= self.limit

    async def pause(self, what: str) -> None:
        """Let some time pass; ``what`` is waited for is logged at first, and every few seconds."""
        waited = self.waited
        if self._told is None or waited - self._told >= _TELL_INTERVAL_SECONDS:
            self._told = waited
            logger.info("waiting for %s (%.0f s)", what, waited)
        self._looks += 1
        await anyio.sleep(min(_BACKOFF.pause_seconds(self._looks), max(self.limit - waited, 0.0)))
