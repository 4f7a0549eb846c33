"""What ``env``'s methods do when a revision really runs: apply each operation, and keep the journal."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import anyio
from anyio.lowlevel import checkpoint_if_cancelled
from pymongo.errors import PyMongoError

from asyncmig.drivers.base import Document
from asyncmig.errors import OperationRefused, RevisionError, UnsupportedByDriver
from asyncmig.operations import DataOperation, Operation
from asyncmig.running.apply import Context, apply, prepare
from asyncmig.running.complete import complete
from asyncmig.running.data.progress import Advance
from asyncmig.running.events import (
    DataProgress,
    JournalDiverged,
    OperationFinished,
    OperationRetried,
    OperationSkipped,
    OperationStarted,
)
from asyncmig.running.faults import is_transient
from asyncmig.running.fingerprint import fingerprint, is_touched, subjects
from asyncmig.running.inspection import refuse_schema_change
from asyncmig.running.journal import Journal, diverges
from asyncmig.running.record import JournalEntry
from asyncmig.running.tracked import Tracked

if TYPE_CHECKING:
    from asyncmig.running.step import Step

__all__ = ["JournallingPerformer", "Performer", "TransactionPerformer"]

_PAUSES = (0.2, 1.0, 3.0)  # seconds before an operation whose connection broke is applied again

Pending = tuple[Document, tuple[str, ...]]


class Performer(ABC):
    """Applies the operations of one step, numbered as they come."""

    def __init__(self, step: Step, session: Any = None) -> None:
        self._step, self._run = step, step.run
        self.context = Context(self._run.driver, session=session, inserted=step.inserted())
        self._number = 0
        self._at: tuple[int, Operation] | None = None
        self._under_way: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._asked = 0

    @property
    def place(self) -> str:
        """Where the revision is: in an operation, or in its own code."""
        if self._at is not None:
            return f"operation {self._at[0]} ({self._at[1].describe()})"
        return f"its own code after operation {self._number}" if self._number else "its own code"

    async def perform(self, operation: Operation) -> Any:
        """Apply one operation; what ``env`` calls."""
        await checkpoint_if_cancelled()
        self._run.lease.check()
        if self._closed:
            raise RevisionError(
                f"revision {self._step.revision} had ended when it wanted to {operation.describe()}: "
                "await all that it starts"
            )
        self._asked += 1
        return await self._perform(operation)

    @abstractmethod
    async def _perform(self, operation: Operation) -> Any: ...

    @abstractmethod
    def hold(self) -> None:
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

    async def _settled(self, number: int, operation: Operation, intent: Mapping[str, Any] | None) -> Any:
        """Apply, telling about it; again, where the connection broke: every operation is safe to run again."""
        step, began = self._step, perf_counter()
        self._at = (number, operation)
        self._run.tell(OperationStarted(step.revision, step.direction, number, operation))
        known, context = dict(intent) if intent is not None else None, self._context(number)
        result = await self._patiently(number, operation, lambda: apply(operation, context, known))
        self._at = None
        seconds = perf_counter() - began
        self._run.tell(OperationFinished(step.revision, step.direction, number, operation, seconds, result))
        return result

    def _context(self, number: int) -> Context:
        """What the ``number``-th operation needs to know."""
        return self.context

    async def _prepared(self, number: int, operation: Operation) -> Any:
        return await self._patiently(number, operation, lambda: prepare(operation, self.context))

    async def _patiently(self, number: int, operation: Operation, work: Callable[[], Awaitable[Any]]) -> Any:
        """Do it again where the connection breaks; not within a transaction, which runs again as a whole."""
        for pause in _PAUSES:
            try:
                return await work()
            except PyMongoError as error:
                if self.context.session is not None or not is_transient(error):
                    raise
                step = self._step
                self._run.tell(OperationRetried(step.revision, step.direction, number, operation, str(error)))
            await anyio.sleep(pause)
            await self._run.lease.ensure()
        return await work()


class JournallingPerformer(Performer):
    """Writes each operation down before and after; holds it against the journal of a former run.

    ``undoable``: for the downgrade of an upgrade that stopped half-way, the subjects that it has
    touched; operations on anything else have nothing to undo and are left out.
    """

    def __init__(self, step: Step, journal: Journal, undoable: set[str] | None) -> None:
        super().__init__(step)
        self._journal, self._undoable = journal, undoable
        self._tracked: dict[int, Tracked] = {}

    async def _perform(self, operation: Operation) -> Any:
        self._journal.hold()
        if self._undoable is not None and not is_touched(operation, self._undoable):
            self._skip(self._number + 1, operation, "the upgrade did not get to what it would undo")
            return None
        self._number += 1
        number = self._number
        former = self._journal.entry(number)
        if former is not None and not diverges(former, operation) and former.is_finished:
            self._skip(number, operation, "it was done before")
            return former.result
        task = asyncio.ensure_future(self._journalled(number, operation, former))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        divisible = isinstance(operation, DataOperation)
        result = await complete(task, self._run.lease, (lambda: self._stop(number)) if divisible else None)
        self._journal.flush_soon()
        return result

    def _stop(self, number: int) -> None:
        """Let an operation on data end with the batch that is under way."""
        if number in self._tracked:
            self._tracked[number].ask_to_stop()

    def _skip(self, number: int, operation: Operation, reason: str) -> None:
        step = self._step
        self._run.tell(OperationSkipped(step.revision, step.direction, number, operation, reason))

    async def _journalled(self, number: int, operation: Operation, former: JournalEntry | None) -> Any:
        if former is not None and diverges(former, operation):
            self._run.tell(JournalDiverged(self._step.revision, number, former.description, operation))
            await self._journal.diverge(number)
            former = None
        earlier = former or self._journal.put_aside(operation)
        if isinstance(operation, DataOperation):
            self._track(number, operation, earlier)
        intent = earlier.intent if earlier else None
        if intent is None:
            intent = await self._prepared(number, operation)
        await self._journal.start(number, operation, intent)
        try:
            result = await self._settled(number, operation, intent)
        except (OperationRefused, UnsupportedByDriver) as error:
            self._journal.refuse(number, error)
            raise
        self._journal.finish(number, result)
        return result

    def _track(self, number: int, operation: DataOperation, earlier: JournalEntry | None) -> None:
        step, tell = self._step, self._run.tell

        def advanced(advance: Advance) -> None:
            tell(
                DataProgress(
                    step.revision,
                    step.direction,
                    number,
                    operation,
                    advance.done,
                    advance.total,
                    advance.rate,
                    advance.remaining,
                    advance.tally,
                )
            )

        def retried(error: Exception) -> None:
            tell(OperationRetried(step.revision, step.direction, number, operation, str(error)))

        begun = earlier.checkpoint if earlier else None
        self._tracked[number] = Tracked(
            self._run.driver, self._journal, number, begun, advanced=advanced, retried=retried
        )

    def _context(self, number: int) -> Context:
        return replace(self.context, progress=self._tracked.get(number))

    def hold(self) -> None:
        """As the journal does."""
        self._journal.hold()

    async def _rest(self) -> Pending:
        return await self._journal.drained()


class TransactionPerformer(Performer):
    """Applies within a transaction; the journal is written with the record, all or nothing."""

    def __init__(self, step: Step, session: Any) -> None:
        super().__init__(step, session)
        self._fields: Document = {}
        self._dates: list[str] = []

    async def _perform(self, operation: Operation) -> Any:
        refuse_schema_change(self._step.revision, operation)
        self._number += 1
        number = self._number
        self._at = (number, operation)
        intent = await self._prepared(number, operation)
        result = await self._settled(number, operation, intent)
        self._note(number, operation, intent, result)
        return result

    def _note(self, number: int, operation: Operation, intent: Any, result: Any) -> None:
        base = f"journal.{number - 1}"
        entry = {
            "number": number,
            "operation": type(operation).__name__,
            "collection": operation.collection,
            "description": operation.describe(),
            "fingerprint": fingerprint(operation),
            "subjects": list(subjects(operation)),
            "intent": intent,
            "result": result,
        }
        self._fields |= {f"{base}.{name}": value for name, value in entry.items()}
        self._dates += [f"{base}.started_at", f"{base}.finished_at"]

    def hold(self) -> None:
        """Nothing is written before the end anyway."""

    async def _rest(self) -> Pending:
        return self._fields, tuple(self._dates)
