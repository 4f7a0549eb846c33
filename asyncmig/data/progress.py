"""``ProgressHooks``: what an operation on data has to do with the run around it.

It saves its checkpoints there, is asked to stop, and tells how far it is. On its own, without a
journal, an operation has a plain ``ProgressHooks``: it starts from the beginning, and nobody listens.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from asyncmig.drivers.base import Document, Driver
from asyncmig.operations import Tally

__all__ = ["Advance", "ProgressHooks", "Stopped"]


@dataclass(frozen=True, slots=True)
class Advance:
    """How far an operation is: ``done`` of ``total`` documents (None: not counted yet).

    ``rate``: documents per second lately, or since it began while that is not known. ``remaining``: in
    seconds, None while nobody can tell.
    """

    done: int
    total: int | None
    rate: float
    remaining: float | None
    tally: Tally


class Stopped(Exception):  # no error: what was cancelled goes on as a cancellation
    """Raised by work that was asked to stop, at a place where it can go on later."""


class ProgressHooks:
    """Nothing around: no journal, no listener. ``session``: that of the transaction of a whole revision."""

    mark = "asyncmig"
    """What marks a document as done, where the server has no transactions; another one for each operation."""
    key = "asyncmig"
    """What an operation is called where its failures are noted; the same when it runs again after it was reverted."""
    failures = "asyncmig_revisions_failed"
    """The collection that is told of documents that failed, where they are collected."""

    def __init__(self, driver: Driver, session: Any = None) -> None:
        self.driver, self.session = driver, session
        self._stop = asyncio.Event()

    @property
    def is_stopping(self) -> bool:
        """Whether somebody wants the operation to stop after the batch that is under way."""
        return self._stop.is_set()

    def ask_to_stop(self) -> None:
        """Let the batch under way come to its end, and no other begin."""
        self._stop.set()

    async def pause(self, seconds: float) -> None:
        """Sleep, until somebody wants the operation to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stop.wait()

    async def former(self) -> Document | None:
        """The newest checkpoint that is stored."""
        return None

    async def save(self, checkpoint: Document, session: Any) -> None:
        """Store a checkpoint, in the transaction of ``session`` if there is one. Raises LockLost."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """A transaction for one batch and its checkpoint; within that of a whole revision, just this."""
        if self.session is not None:
            yield self.session
            return
        async with self.driver.transaction() as session:
            yield session

    def advanced(self, advance: Advance) -> None:
        """Tell how far the operation is."""

    def retried(self, error: Exception) -> None:
        """Tell that a batch is tried again."""

    def failure_key(self, key: Any) -> Document:
        """The ``_id`` under which the failure of one document is stored."""
        return {"operation": self.key, "document": key}
