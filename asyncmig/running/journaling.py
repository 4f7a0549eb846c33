"""``JournallingPerformer``: operations written down in the ledger before they are applied, and after."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from asyncmig.data.progress import Advance
from asyncmig.errors import OperationRefused, RevisionError, UnsupportedByDriver
from asyncmig.events import DataProgress, JournalDiverged, OperationRetried, OperationSkipped
from asyncmig.operations import CreateCollection, CreateIndexes, DataOperation, Operation
from asyncmig.operations.fingerprint import fingerprint, is_touched
from asyncmig.running.applying.apply import Context, apply
from asyncmig.running.executor import Pending, Performer
from asyncmig.running.group import Group, Outcome, group_of
from asyncmig.running.journaled_hooks import Tracked
from asyncmig.running.ledger.journal import Journal
from asyncmig.running.ledger.record import JournalEntry
from asyncmig.running.locking.shielding import complete

if TYPE_CHECKING:
    from asyncmig.running.revision_run import Step

__all__ = ["JournallingPerformer"]


class JournallingPerformer(Performer):
    """Writes each operation down before and after; holds it against the journal of a former run.

    ``undoable``: for the downgrade of an upgrade that stopped half-way, the subjects that it has
    touched; operations on anything else have nothing to undo and are left out. ``foreseen``: what
    will be asked for, from the first on, where that is known.
    """

    def __init__(
        self, step: Step, journal: Journal, undoable: set[str] | None, foreseen: Sequence[Operation] = ()
    ) -> None:
        super().__init__(step)
        self._journal, self._undoable, self._foreseen = journal, undoable, foreseen
        self._tracked: dict[int, Tracked] = {}
        self._ahead: dict[int, Outcome] = {}
        self._empty: set[str] = set()

    async def _perform(self, operation: Operation) -> Any:
        self._journal.hold()
        if self._undoable is not None and not is_touched(operation, self._undoable):
            self._skip(self._number + 1, operation, "the upgrade did not get to what it would undo")
            return None
        self._number += 1
        number = self._number
        if number in self._ahead:
            result = self._fetched(number, operation)
        else:
            result = await self._done(number, operation)
        self._remember(operation)
        self._journal.flush_soon()
        return result

    def _remember(self, operation: Operation) -> None:
        """Keep up which collections there are that this revision has made, and has put nothing into."""
        if isinstance(operation, CreateCollection) and operation.collection not in self._run.collections:
            self._empty.add(operation.collection)
        elif not isinstance(operation, CreateIndexes):
            self._empty.discard(operation.collection)

    async def _done(self, number: int, operation: Operation) -> Any:
        former = self._journal.entry(number)
        if former is not None and self._diverges(former, number, operation):
            self._run.tell(JournalDiverged(self._step.revision, number, former.description, operation))
            self._journal.diverge(number)
            former = None
        if former is not None and former.is_finished:
            self._skip(number, operation, "it was done before")
            return former.result
        task = asyncio.ensure_future(self._journalled(number, operation, former))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        divisible = isinstance(operation, DataOperation)
        return await complete(task, self._run.lease, (lambda: self._stop(number)) if divisible else None)

    def _diverges(self, former: JournalEntry, number: int, operation: Operation) -> bool:
        """Whether what is journalled is another operation than the one that is to run now, or another group."""
        others = self._foreseen[number : number + len(former.together)]
        return former.fingerprint != fingerprint(operation) or former.together != tuple(map(fingerprint, others))

    def _stop(self, number: int) -> None:
        """Let an operation on data end with the batch that is under way."""
        if number in self._tracked:
            self._tracked[number].ask_to_stop()

    def _skip(self, number: int, operation: Operation, reason: str) -> None:
        step = self._step
        self._run.tell(OperationSkipped(step.revision, step.direction, number, operation, reason))

    async def _journalled(self, number: int, operation: Operation, former: JournalEntry | None) -> Any:
        if group := self._group(number, former):
            return await self._together(group)
        earlier = former or self._journal.put_aside(operation)
        if not isinstance(operation, DataOperation):
            return await self._written_down(number, operation, earlier)
        await self._patiently(number, operation, self._run.driver.has_transactions)  # which a session asks, too
        async with self._run.driver.session() as session:
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
            result = await self._settled(number, operation, intent)
        except (OperationRefused, UnsupportedByDriver) as error:
            self._journal.refuse(number, error)
            raise
        finally:
            if session is not None:
                self._journal.leave_session(number)
        self._journal.finish(number, result)
        return result

    # -- several at once ------------------------------------------------------------------------

    def _group(self, number: int, former: JournalEntry | None) -> Group | None:
        """What to carry out together from the ``number``-th on: what a former run died at, or something new."""
        if former is not None and former.together:
            return Group(number, (*self._foreseen[number - 1 : number + len(former.together)],))
        if self._journal.entry(number + 1) is not None:
            return None
        found = group_of(self._foreseen[number - 1 :], self._run.collections - self._empty)
        return Group(number, found) if found else None

    async def _together(self, group: Group) -> Any:
        await self._journal.start_group(group)
        self._tell_started(group.first, group.operations[0])
        self._ahead = await group.carry_out(self._one)
        self._journal.finish_group(group, self._ahead)
        return self._ended(group.first, self._ahead.pop(group.first))

    async def _one(self, number: int, operation: Operation) -> Any:
        return await self._patiently(number, operation, lambda: apply(operation, self.context))

    def _fetched(self, number: int, operation: Operation) -> Any:
        """How an operation ended that was carried out before it was asked for."""
        outcome = self._ahead.pop(number)
        if fingerprint(outcome.operation) != fingerprint(operation):
            raise RevisionError(
                f"revision {self._step.revision} wants to {operation.describe()}, where its text says "
                f"{outcome.operation.describe()}, which is done"
            )
        self._tell_started(number, operation)
        return self._ended(number, outcome)

    def _ended(self, number: int, outcome: Outcome) -> Any:
        self._at = (number, outcome.operation)
        if outcome.failure is not None:
            raise outcome.failure
        self._tell_finished(number, outcome.operation, outcome.seconds, outcome.result)
        return outcome.result

    # -- on data --------------------------------------------------------------------------------

    def _track(self, number: int, operation: DataOperation, earlier: JournalEntry | None, session: Any) -> None:
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
            self._run.driver, self._journal, number, begun, session, advanced=advanced, retried=retried
        )

    def _context(self, number: int) -> Context:
        return replace(self.context, progress=self._tracked.get(number))

    @property
    def is_idle(self) -> bool:
        """As any performer; and nothing of a former run was put aside."""
        return super().is_idle and not self._journal.has_diverged

    def conclude(self) -> None:
        """Put aside what a former run has journalled beyond the last operation: the file was edited since."""
        if self._journal.entry(self._number + 1) is not None:
            self._journal.diverge(self._number + 1)

    def hold(self) -> None:
        """As the journal does."""
        self._journal.hold()

    async def _rest(self) -> Pending:
        return await self._journal.drained()
