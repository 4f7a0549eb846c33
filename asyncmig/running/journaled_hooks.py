"""``JournaledHooks``: an operation on data within a run: checkpoints go to the journal, progress becomes events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from asyncmig.data.progress import Advance, ProgressHooks
from asyncmig.drivers.base import Document, Driver
from asyncmig.running.ledger.journal import Journal

__all__ = ["JournaledHooks"]


class JournaledHooks(ProgressHooks):
    """The operation in slot ``number`` of a journal. ``begun``: where a former run of it has stopped.

    ``session``: the one for its transactions, which the journal has. ``mark``: that of its documents.
    """

    def __init__(
        self,
        driver: Driver,
        journal: Journal,
        number: int,
        begun: Mapping[str, Any] | None,
        session: Any,
        mark: str,
        *,
        advanced: Callable[[Advance], None],
        retried: Callable[[Exception], None],
    ) -> None:
        super().__init__(driver)
        self._journal, self._number = journal, number
        self._begun, self._has_begun, self._for_transactions = begun, False, session
        self._advanced, self._retried = advanced, retried
        self.mark, self.key = mark, journal.key(number)
        self.failures = journal.failures

    async def former(self) -> Document | None:
        """At first what the journal had when the run began; later what it has now."""
        begun = self._begun
        if self._has_begun:
            begun = await self._journal.checkpoint(self._number) or begun
        self._has_begun = True
        return dict(begun) if begun is not None else None

    async def save(self, checkpoint: Document, session: Any) -> None:
        """Into the journal, fenced like everything there."""
        if session is not None:
            await self._journal.save(self._number, checkpoint, session)
            return
        async with self._journal.exclusive():
            await self._journal.save(self._number, checkpoint)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """A transaction, while nothing else is written into the journal."""
        async with self._journal.exclusive(), self.driver.transaction(self._for_transactions) as session:
            yield session

    def advanced(self, advance: Advance) -> None:
        """As an event."""
        self._advanced(advance)

    def retried(self, error: Exception) -> None:
        """As an event."""
        self._retried(error)
