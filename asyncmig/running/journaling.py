"""``JournalingExecutor``: operations written down in the ledger before they are applied, and after."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from asyncmig.errors import OperationRefused, UnsupportedByDriver
from asyncmig.operations import DataOperation, Operation
from asyncmig.operations.fingerprint import fingerprint, is_touched
from asyncmig.running.applying.apply import Context
from asyncmig.running.executor import Executor, Pending
from asyncmig.running.journaled_hooks import JournaledHooks
from asyncmig.running.ledger.journal import Journal
from asyncmig.running.ledger.record import JournalEntry
from asyncmig.running.locking.lease import Lease
from asyncmig.running.locking.shielding import run_to_completion
from asyncmig.running.reports import Reports

__all__ = ["JournalingExecutor"]


class JournalingExecutor(Executor):
    """Writes each operation down before and after; holds it against the journal of a former run.

    ``undoable``: for the downgrade of an upgrade that stopped half-way, the subjects that it has
    touched; operations on anything else have nothing to undo and are left out.
    """

    def __init__(
        self, reports: Reports, lease: Lease, context: Context, journal: Journal, undoable: set[str] | None
    ) -> None:
        super().__init__(reports, lease, context)
        self._journal, self._undoable = journal, undoable
        self._tracked: dict[int, JournaledHooks] = {}

    async def _perform(self, operation: Operation) -> Any:
        self._journal.defer_flush()
        if self._undoable is not None and not is_touched(operation, self._undoable):
            self._reports.skipped(self._number + 1, operation, "the upgrade did not get to what it would undo")
            return None
        self._number += 1
        result = await self._done(self._number, operation)
        self._journal.flush_soon()
        return result

    async def _done(self, number: int, operation: Operation) -> Any:
        former = self._journal.entry(number)
        if former is not None and former.fingerprint != fingerprint(operation):
            self._reports.diverged(number, former.description, operation)
            self._journal.diverge(number)
            former = None
        if former is not None and former.is_finished:
            self._reports.skipped(number, operation, "it was done before")
            return former.result
        task = asyncio.ensure_future(self._journalled(number, operation, former))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        divisible = isinstance(operation, DataOperation)
        return await run_to_completion(task, self._lease, (lambda: self._stop(number)) if divisible else None)

    def _stop(self, number: int) -> None:
        """Let an operation on data end with the batch that is under way."""
        if number in self._tracked:
            self._tracked[number].ask_to_stop()

    async def _journalled(self, number: int, operation: Operation, former: JournalEntry | None) -> Any:
        earlier = former or self._journal.find_superseded(operation)
        if not isinstance(operation, DataOperation):
            return await self._written_down(number, operation, earlier)
        await self._patiently(number, operation, self.context.driver.has_transactions)  # which a session asks, too
        async with self.context.driver.session() as session:
            self._track(number, operation, earlier, session)
            return await self._written_down(number, operation, earlier, session)

    async def _written_down(
        self, number: int, operation: Operation, earlier: JournalEntry | None, session: Any = None
    ) -> Any:
        intent = earlier.intent if earlier else None
        if intent is None:
            intent = await self._prepared(number, operation)
        await self._journal.start(number, operation, intent, session)
        try:
            result = await self._apply_and_report(number, operation, intent)
        except (OperationRefused, UnsupportedByDriver) as error:
            self._journal.refuse(number, error)
            raise
        finally:
            if session is not None:
                self._journal.leave_session(number)
        self._journal.finish(number, result)
        return result

    # -- on data --------------------------------------------------------------------------------

    def _track(self, number: int, operation: DataOperation, earlier: JournalEntry | None, session: Any) -> None:
        reports = self._reports
        begun = earlier.checkpoint if earlier else None
        self._tracked[number] = JournaledHooks(
            self.context.driver,
            self._journal,
            number,
            begun,
            session,
            advanced=lambda advance: reports.advanced(number, operation, advance),
            retried=lambda error: reports.retried(number, operation, error),
        )

    def _context(self, number: int) -> Context:
        return replace(self.context, progress=self._tracked.get(number))

    @property
    def is_idle(self) -> bool:
        """As any executor; and nothing of a former run was put aside."""
        return super().is_idle and not self._journal.has_diverged

    def conclude(self) -> None:
        """Put aside what a former run has journalled beyond the last operation: the file was edited since."""
        if self._journal.entry(self._number + 1) is not None:
            self._journal.diverge(self._number + 1)

    def defer_flush(self) -> None:
        """As the journal does."""
        self._journal.defer_flush()

    async def _rest(self) -> Pending:
        return await self._journal.take_unwritten()
