"""``Executor``: what ``env``'s methods do when a revision really runs: apply each operation, telling about it."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import Any

from anyio.lowlevel import checkpoint_if_cancelled
from pymongo.errors import ServerSelectionTimeoutError

from asyncmig.drivers.base import Document
from asyncmig.drivers.retry import Backoff, retry
from asyncmig.drivers.transient import is_transient
from asyncmig.errors import RevisionError
from asyncmig.operations import Operation, TransformBatches, TransformDocuments
from asyncmig.running.applying.apply import Context, apply, prepare
from asyncmig.running.locking.lease import Lease
from asyncmig.running.own_collections import refuse_own
from asyncmig.running.reports import Reports
from asyncmig.running.run import Admit
from asyncmig.running.started import StartedWork

__all__ = ["Executor", "Pending"]

_BACKOFF, _RETRIES = Backoff(0.2, 3.0, factor=5), 3  # before an operation whose connection broke is applied again

Pending = tuple[Document, tuple[str, ...]]


class Executor(ABC):
    """Applies the operations of one revision, numbered as they come; ``reports`` tells of them."""

    def __init__(self, reports: Reports, lease: Lease, context: Context) -> None:
        self._reports, self._lease, self.context = reports, lease, context
        self.admit: Admit | None = None
        self._admitted: dict[int, Callable[[Any], Any]] = {}
        self._number = 0
        self._at: tuple[int, Operation] | None = None
        self._under_way: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._asked = 0
        self.started: StartedWork | None = None
        """What the revision starts besides; None where nobody looks after that."""

    @property
    def place(self) -> str:
        """Where the revision is: in an operation, or in its own code."""
        if self._at is not None:
            return f"operation {self._at[0]} ({self._at[1].describe()})"
        return f"its own code after operation {self._number}" if self._number else "its own code"

    async def perform(self, operation: Operation) -> Any:
        """Apply one operation; what ``env`` calls."""
        if self.started is not None:
            self.started.note_caller()
        await checkpoint_if_cancelled()
        self._lease.check()
        if self._closed:
            raise RevisionError(
                f"revision {self._reports.revision} had ended when it wanted to {operation.describe()}: "
                "await all that it starts"
            )
        refuse_own(operation, self.context.own)
        self._asked += 1
        return await self._perform(operation)

    @abstractmethod
    async def _perform(self, operation: Operation) -> Any: ...

    @abstractmethod
    def defer_flush(self) -> None:
        """Keep what is not journalled yet for the write that closes the revision: it follows at once."""

    @property
    def is_idle(self) -> bool:
        """Whether no operation was asked for, so that there is nothing to wait for and nothing to write."""
        return self._asked == 0

    def end(self) -> None:
        """Let nothing more begin."""
        self._closed = True

    async def close(self) -> Pending:
        """Wait for what is under way, let nothing more begin; what of the journal is not written yet."""
        self.end()
        if self._under_way:
            await asyncio.wait(self._under_way)
        return await self._rest()

    @abstractmethod
    async def _rest(self) -> Pending: ...

    async def _ask(self, number: int, operation: Operation) -> None:
        """Have the operation admitted, before anything is written down of it."""
        if self.admit is None:
            return
        admitted = await self.admit(self._reports.revision, operation)
        if isinstance(admitted, TransformDocuments | TransformBatches) and admitted is not operation:
            self._admitted[number] = admitted.function

    def _as_admitted(self, number: int, operation: Operation) -> Operation:
        """The operation with the function that was admitted in the place of its own."""
        if number in self._admitted and isinstance(operation, TransformDocuments | TransformBatches):
            return replace(operation, function=self._admitted[number])
        return operation

    async def _apply_and_report(self, number: int, operation: Operation, intent: Mapping[str, Any] | None) -> Any:
        """Apply, telling about it; again, where the connection broke: every operation is safe to run again."""
        began = perf_counter()
        self._at = (number, operation)
        self._reports.started(number, operation)
        known, context = dict(intent) if intent is not None else None, self._context(number)
        admitted = self._as_admitted(number, operation)
        result = await self._retried(number, operation, lambda: apply(admitted, context, known))
        self._at = None
        self._reports.finished(number, operation, perf_counter() - began, result)
        return result

    def _context(self, number: int) -> Context:
        """What the ``number``-th operation needs to know."""
        return self.context

    async def _prepared(self, number: int, operation: Operation) -> Any:
        return await self._retried(number, operation, lambda: prepare(operation, self.context))

    async def _retried(self, number: int, operation: Operation, work: Callable[[], Awaitable[Any]]) -> Any:
        """Do it again where the connection breaks; not within a transaction, which runs again as a whole."""

        async def at_leisure() -> Any:
            with self.context.driver.unhurried():
                return await work()

        def tell(error: Exception) -> None:
            self._reports.retried(number, operation, error)

        def is_retryable(error: BaseException) -> bool:
            return self.context.session is None and is_transient(error)

        async def until_found() -> Any:
            """Where no server was found, nothing was sent: for as long as the lease can be kept."""
            return await retry(
                at_leisure,
                _BACKOFF,
                is_retryable=lambda error: is_retryable(error) and isinstance(error, ServerSelectionTimeoutError),
                tell=tell,
                before=self._lease.ensure,
            )

        return await retry(
            until_found, _BACKOFF, times=_RETRIES, is_retryable=is_retryable, tell=tell, before=self._lease.ensure
        )
