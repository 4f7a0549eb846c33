"""What a long operation has to do with its run: checkpoints go to the journal, progress becomes events."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any

from pymongo.errors import PyMongoError

from asyncmig.data.progress import Advance, ProgressHooks
from asyncmig.drivers.base import Document, Driver
from asyncmig.errors import AsyncmigError
from asyncmig.operations.build_progress import BuildProgress
from asyncmig.running.ledger.journal import Journal

__all__ = ["JournaledBuild", "JournaledHooks"]

_SAVE_INTERVAL_SECONDS = 5.0  # between two words on how far an index build is
_PHASE_INTERVAL_SECONDS = 1.0  # the same, where it has come to another phase


class JournaledBuild:
    """An index build within a run: how far it is becomes events, and goes to slot ``slot`` of the journal at times."""

    def __init__(
        self,
        journal: Journal,
        slot: int,
        progressed: Callable[[BuildProgress], None],
        stalled: Callable[[BuildProgress], None],
    ) -> None:
        self.progressed, self.stalled = progressed, stalled
        self._journal, self._slot = journal, slot
        self._saved: tuple[float, BuildProgress] | None = None

    async def save(self, progress: BuildProgress) -> None:
        """Into the journal, fenced like everything there; where that fails, the operation itself will say why."""
        if self._saved is not None and not self._is_due(*self._saved, progress):
            return
        self._saved = monotonic(), progress
        with suppress(AsyncmigError, PyMongoError):
            await self._journal.save_progress(self._slot, progress.document)

    @staticmethod
    def _is_due(when: float, before: BuildProgress, now: BuildProgress) -> bool:
        is_new = (before.phase, before.members) != (now.phase, now.members)
        return monotonic() - when >= (_PHASE_INTERVAL_SECONDS if is_new else _SAVE_INTERVAL_SECONDS)


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
