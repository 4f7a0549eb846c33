"""``Queue``: how a start-up waits for another process: looking again and again, and telling about it."""

from __future__ import annotations

import random
from time import monotonic

import anyio

from asyncmig.application.log import logger

__all__ = ["Queue"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0  # seconds between two looks
_TELL_EVERY = 10.0  # seconds


class Queue:
    """One wait of at most ``limit`` seconds."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._began, self._pause = monotonic(), _FIRST_PAUSE
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
        if self._told is None or waited - self._told >= _TELL_EVERY:
            self._told = waited
            logger.info("waiting for %s (%.0f s)", what, waited)
        nap = self._pause * random.uniform(0.5, 1.5)  # noqa: S311  # to keep many apart, not to keep a secret
        await anyio.sleep(min(nap, max(self.limit - waited, 0.0)))
        self._pause = min(self._pause * 1.5, _LONGEST_PAUSE)
