"""``RateWindow``: how fast work goes on, from what was finished lately; pure."""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["RateWindow"]

SHORTEST_SECONDS: Final = 1.0
LONGEST_SECONDS: Final = 10.0
FIRST_RESULTS: Final = 3
"""The window spans so many times what the first result took, where that is longer."""
BURST_SHARE: Final = 0.1
"""Results that come within this part of the time that the first one took are one: they were under way together."""


class RateWindow:
    """Takes how much is done at which moment, in seconds on one clock; knows no rate before it has seen enough.

    The time until the first result says nothing about the rate, as several batches were under way
    at once and none was finished. Nor does a burst of results that is not over yet. So what counts
    lies between the first burst in the window and the last one that is over.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._bursts: deque[tuple[float, int]] = deque()
        self._current: tuple[float, int] | None = None
        self._took = 0.0

    def add(self, now: float, done: int) -> None:
        """So much is done by now."""
        if self._current is None:
            if done:
                self._took, self._current = now - self._began, (now, done)
            return
        since, _ = self._current
        if now - since <= BURST_SHARE * self._took:
            self._current = (since, done)
            return
        self._bursts.append(self._current)
        self._current = (now, done)
        longest = max(LONGEST_SECONDS, FIRST_RESULTS * self._took)
        while len(self._bursts) > 2 and now - self._bursts[1][0] >= longest:
            self._bursts.popleft()

    def rate(self) -> float | None:
        """So much per second, lately; None while nobody can tell."""
        if len(self._bursts) < 2:
            return None
        (first, before), (last, after) = self._bursts[0], self._bursts[-1]
        shortest = max(SHORTEST_SECONDS, (1 - BURST_SHARE) * self._took)
        return (after - before) / (last - first) if last - first >= shortest and after > before else None
