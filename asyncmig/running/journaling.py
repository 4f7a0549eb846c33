"""``JournalingExecutor``: operations written down in the ledger before they are applied, and after."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any

import bson
from bson.errors import BSONError

from asyncmig.drivers.codec import encoder
from asyncmig.errors import OperationRefused, UnsupportedByDriver
from asyncmig.files.call_site import call_site
from asyncmig.operations import DataOperation, InsertDocuments, Operation
from asyncmig.operations.arguments import KEEPING, arguments, with_arguments
from asyncmig.operations.fingerprint import subjects
from asyncmig.operations.repeatability import is_repeatable
from asyncmig.running.applying.apply import Context
from asyncmig.running.applying.data_changes import marks_documents
from asyncmig.running.applying.document_changes import resumed_insert
from asyncmig.running.applying.preexisting import carried_on, drops_only, was_cut_short
from asyncmig.running.applying.verification import is_undone
from asyncmig.running.executor import Executor, Pending
from asyncmig.running.journaled_hooks import JournaledBuild, JournaledHooks
from asyncmig.running.ledger.half_applied import HalfUpgrade
from asyncmig.running.ledger.journal import Journal
from asyncmig.running.ledger.matching import Found, Matching
from asyncmig.running.locking.lease import Lease
from asyncmig.running.locking.shielding import run_to_completion
from asyncmig.running.reports import Reports
from asyncmig.running.turns import Turns

__all__ = ["JournalingExecutor"]

_MAX_ARGUMENTS_BYTES = 64 * 1024  # that an entry of the journal keeps
_WHY_SKIPPED = {
    "same": "it was done before",
    "computed": "it was done before, with the arguments that were computed then",
    "edited": "it was done before, as it was written then",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """The ``number``-th operation of this run, the lines that asked for it, and what the journal knows of it."""

    number: int
    operation: Operation
    site: str
    found: Found


def _as_begun(operation: Operation, found: Found) -> Operation:
    """The operation with the arguments that it was begun with, where they were computed and are kept.

    One on data begins with the new ones, where nothing was done yet.
    """
    if found.how != "computed" or found.entry is None or not isinstance(operation, KEEPING):
        return operation
    if isinstance(operation, DataOperation) and found.entry.checkpoint is None:
        return operation
    return with_arguments(operation, found.entry.kept_arguments or {})


class JournalingExecutor(Executor):
    """Writes each operation down before and after; holds it against the journal of a former run (``matching``).

    ``half``: for the downgrade of an upgrade that stopped half-way, what is there to undo. ``kept``: the
    subjects that the upgrade found where it would have created them; a downgrade drops none of them.
    """

    def __init__(
        self,
        reports: Reports,
        lease: Lease,
        context: Context,
        journal: Journal,
        matching: Matching,
        half: HalfUpgrade | None = None,
        kept: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(reports, lease, context)
        self._journal, self._matching = journal, matching
        self._half, self._preexisting = half, kept
        self._turns = Turns(
            (entry.collection, slot)
            for slot, entry in journal.former.items()
            if entry.checkpoint is not None and not entry.is_finished
        )
        self._tracked: dict[int, JournaledHooks] = {}
        self._builds: dict[int, JournaledBuild] = {}

    async def _perform(self, operation: Operation) -> Any:
        self._journal.defer_flush()
        if self._half is not None and (why := self._half.why_skipped(operation)):
            self._reports.skipped(self._number + 1, operation, why)
            return None
        if drops_only(operation, self._preexisting):
            self._reports.skipped(self._number + 1, operation, "it was there before this revision, and stays")
            return None
        self._number += 1
        site = call_site(self._matching.path)
        match = self._matching.find(operation, site, self._number)
        result = await self._done(_Asked(self._number, _as_begun(operation, match), site, match))
        self._journal.flush_soon()
        return result

    async def _done(self, asked: _Asked) -> Any:
        number, operation, match = asked.number, asked.operation, asked.found
        if match.diverged is not None:
            self._reports.diverged(number, match.diverged.description, operation)
            self._journal.diverge(match.slot)
        if match.how == "edited" and match.entry is not None:
            self._reports.edited(number, match.entry.description, operation, is_done=match.entry.is_finished)
        if match.is_done and not await self._is_undone(asked):
            self._reports.skipped(number, operation, _WHY_SKIPPED[match.how])
            return match.entry.result if match.entry else None
        await self._ask(number, operation)
        task = asyncio.ensure_future(self._journalled(asked))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        divisible = isinstance(operation, DataOperation)
        return await run_to_completion(task, self._lease, (lambda: self._stop(number)) if divisible else None)

    async def _is_undone(self, asked: _Asked) -> bool:
        """Whether somebody has undone what the journal has as done, and as the last word on the matter."""
        if not self._matching.is_last_word(asked.found.slot, asked.operation):
            return False
        operation, by_hand = asked.operation, self._matching.by_hand
        if asked.found.entry is not None and asked.found.entry.subjects != subjects(operation):
            return False  # what was done is about something else than what is asked for now
        asking = self._retried(asked.number, operation, lambda: is_undone(operation, self.context, by_hand=by_hand))
        return bool(await asking)

    def _stop(self, number: int) -> None:
        """Let an operation on data end with the batch that is under way."""
        if number in self._tracked:
            self._tracked[number].ask_to_stop()

    async def _journalled(self, asked: _Asked) -> Any:
        operation = asked.operation
        if not isinstance(operation, DataOperation):
            self._watch(asked)
            kept = {"arguments": self._kept(operation)} if isinstance(operation, KEEPING) else {}
            return await self._written_down(asked, **kept)
        # which a session asks, too:
        has_transactions = await self._retried(asked.number, operation, self.context.driver.has_transactions)
        if is_repeatable(operation) or (has_transactions and not await self._marks(asked.number, operation)):
            return await self._on_data(asked, operation)
        async with self._turns.turn(operation, asked.found.slot):
            return await self._on_data(asked, operation)

    async def _marks(self, number: int, operation: DataOperation) -> bool:
        return bool(await self._retried(number, operation, lambda: marks_documents(operation, self.context)))

    async def _on_data(self, asked: _Asked, operation: DataOperation) -> Any:
        earlier = asked.found.entry
        mark = self._journal.mark_of(earlier) if earlier else self._journal.new_mark()
        known = {"arguments": self._kept(operation), "mark": mark}
        async with self.context.driver.session() as session:
            self._track(asked, operation, session, mark)
            return await self._written_down(asked, session, **known)

    async def _written_down(self, asked: _Asked, session: Any = None, **known: Any) -> Any:
        number, operation, slot = asked.number, asked.operation, asked.found.slot
        intent = await self._intent(asked)
        known |= {"site": asked.site, "file": self._matching.file}
        await self._journal.start(slot, operation, intent, session, **known)
        try:
            result = await self._apply_and_report(number, operation, intent)
        except (OperationRefused, UnsupportedByDriver) as error:
            self._journal.refuse(slot, error)
            raise
        finally:
            if session is not None:
                self._journal.leave_session(slot)
        self._journal.finish(slot, result)
        return result

    async def _intent(self, asked: _Asked) -> Any:
        """What has to be known before: as it was before the first time, where there was one."""
        number, operation, entry = asked.number, asked.operation, asked.found.entry
        if entry is None or entry.intent is None:
            return await self._prepared(number, operation)
        intent = dict(entry.intent)
        if isinstance(operation, InsertDocuments):
            return await self._retried(number, operation, lambda: resumed_insert(operation, self.context, intent))
        if was_cut_short(operation, entry.subjects):
            return carried_on(intent, await self._prepared(number, operation), entry.subjects)
        return intent

    # -- on data --------------------------------------------------------------------------------

    def _kept(self, operation: Operation) -> bytes | None:
        """Its arguments for the journal, if they are of a size for it."""
        try:
            codec = encoder(self.context.driver.database.codec_options)
            encoded = bson.encode(arguments(operation), codec_options=codec)
        except (BSONError, OverflowError, ValueError, TypeError):  # the server is going to say so
            return None
        return encoded if len(encoded) <= _MAX_ARGUMENTS_BYTES else None

    def _track(self, asked: _Asked, operation: DataOperation, session: Any, mark: str) -> None:
        reports, number, earlier = self._reports, asked.number, asked.found.entry
        self._tracked[number] = JournaledHooks(
            self.context.driver,
            self._journal,
            asked.found.slot,
            earlier.checkpoint if earlier else None,
            session,
            mark,
            advanced=lambda advance: reports.advanced(number, operation, advance),
            retried=lambda error: reports.retried(number, operation, error),
        )

    def _watch(self, asked: _Asked) -> None:
        """Hear of the index builds of an operation."""
        reports, number, operation = self._reports, asked.number, asked.operation
        self._builds[number] = JournaledBuild(
            self._journal,
            asked.found.slot,
            progressed=lambda build: reports.building(number, operation, build),
            stalled=lambda build: reports.stalled(number, operation, build),
        )

    def _context(self, number: int) -> Context:
        return replace(self.context, progress=self._tracked.get(number), build=self._builds.get(number))

    @property
    def is_idle(self) -> bool:
        """As any executor; and nothing of a former run was put aside."""
        return super().is_idle and not self._journal.has_diverged

    def conclude(self) -> None:
        """Put aside what a former run has journalled and this one has not asked for."""
        for slot in self._matching.left_open():
            self._journal.leave_unasked(slot)
        first = self._matching.first_left
        if first is not None:
            self._journal.diverge(first)

    def defer_flush(self) -> None:
        """As the journal does."""
        self._journal.defer_flush()

    async def _rest(self) -> Pending:
        return await self._journal.take_unwritten()
