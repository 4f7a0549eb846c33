"""Retry and backoff: after which pauses a request is sent again, how often or how long, and who is told.

Which errors are transient is told by :mod:`asyncmig.drivers.transient`. Whatever is retried has to be
safe to do twice, for after a transient error nobody knows whether the server has done it.

Four loops ask again by rules of their own, for the reason that is given there: the renewal of a lease
(:mod:`asyncmig.running.locking.lease`: the lease bounds it), the waits for a lock and for another process
(:mod:`asyncmig.running.locking.waiting`, :mod:`asyncmig.application.startup`: they ask again whatever the answer was),
a batch (:mod:`asyncmig.data.batch_run`: each attempt begins at the newest checkpoint, and may be smaller).
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio

from asyncmig.drivers.clock import local_clock
from asyncmig.drivers.transient import is_transient

__all__ = ["TRANSACTION_SECONDS", "Backoff", "retry"]

T = TypeVar("T")

TRANSACTION_SECONDS = 120.0
"""For how long a transaction, or a commit, is tried again; what the drivers' ``with_transaction`` allows."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """The pauses between attempts: they grow by ``factor``, up to ``longest_seconds``.

    ``jitter``: by which part of itself a pause is longer or shorter at random, to keep many waiters apart.
    """

    first_seconds: float
    longest_seconds: float = 1.0
    factor: float = 1.0
    jitter: float = 0.0

    def pause_seconds(self, failures: int) -> float:
        """How long to wait after so many attempts, from 1 on."""
        steps = min(failures - 1, 100)  # far beyond the longest pause, and no overflow
        pause = min(self.first_seconds * self.factor**steps, self.longest_seconds)
        return pause * random.uniform(1 - self.jitter, 1 + self.jitter)  # noqa: S311  # no secret


async def retry(
    work: Callable[[], Awaitable[T]],
    backoff: Backoff | None = None,
    *,
    times: int | None = None,
    seconds: float | None = None,
    is_retryable: Callable[[BaseException], bool] = is_transient,
    tell: Callable[[Exception], None] | None = None,
    before: Callable[[], Awaitable[object]] | None = None,
) -> T:
    """What ``work`` returns; called again, after a pause, while it raises errors that are retryable.

    ``times``: at most so often again. ``seconds``: not after so many. ``tell`` hears of each error after
    which it is called again; ``before`` is awaited before that. Raises the error that ends it.
    """
    failures, give_up = 0, local_clock() + seconds if seconds is not None else None
    while True:
        try:
            return await work()
        except Exception as error:
            failures += 1
            is_over = (times is not None and failures > times) or (give_up is not None and local_clock() > give_up)
            if is_over or not is_retryable(error):
                raise
            if tell is not None:
                tell(error)
        if backoff is not None:
            await anyio.sleep(backoff.pause_seconds(failures))
        if before is not None:
            await before()
