"""``RevisionRun``: one revision in one direction: what the ledger has of it, its function, and its writes."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from functools import cached_property
from time import perf_counter
from typing import Any

from asyncmig.drivers.base import Document
from asyncmig.errors import innermost, words
from asyncmig.events import Direction, RevisionResumed, RevisionStarted
from asyncmig.files.calling import call
from asyncmig.files.remaining import remaining
from asyncmig.files.static import has_raw_calls, is_one_way
from asyncmig.history.revision import Revision
from asyncmig.running.applying.context import Context
from asyncmig.running.applying.preexisting import preexisting
from asyncmig.running.executor import Executor
from asyncmig.running.journaling import JournalingExecutor
from asyncmig.running.ledger import transitions
from asyncmig.running.ledger.archive import Notes
from asyncmig.running.ledger.half_applied import HalfUpgrade
from asyncmig.running.ledger.journal import Field, Journal
from asyncmig.running.ledger.made_transactional import refuse_made_transactional
from asyncmig.running.ledger.placement import FORMAT, Placement
from asyncmig.running.ledger.record import JournalEntry, Record
from asyncmig.running.ledger.reopening import reopened
from asyncmig.running.ledger.sources import former_sources, left_undone, matching_of
from asyncmig.running.ledger.write import Write
from asyncmig.running.locking.holder import identity
from asyncmig.running.reports import Reports
from asyncmig.running.run import Run
from asyncmig.running.started import StartedWork, WatchedEnv
from asyncmig.running.transactional import TransactionExecutor

__all__ = ["RevisionRun", "source_of"]

_MAX_SOURCE = 1_000_000  # characters of a revision's file that the ledger keeps


class RevisionRun:
    """One revision in one direction. ``record`` is what the ledger holds of it, whole, if anything.

    ``how``: what is to become of that record.
    """

    def __init__(self, run: Run, revision: Revision, direction: Direction, record: Record | None) -> None:
        self._run, self.revision, self.record = run, revision, record
        self.how = transitions.transition(record, direction, transactional=revision.transactional)
        self._module = module = run.load(revision)
        self._function = module.upgrade if direction == "upgrade" else module.downgrade
        self._source = _kept(module.source) if module.source is not None else source_of(revision)
        self.is_open = False
        """Whether the ledger says that it is under way."""
        self.seconds = 0.0
        self._executor: Executor | None = None
        self._placement = Placement()

    @property
    def direction(self) -> Direction:
        """Up or down."""
        return self.how.direction

    @property
    def asks_for_collections(self) -> bool:
        """Whether its code may ask which collections there are."""
        return self._source is None or "collections" in self._source

    # -- the writes to its record ---------------------------------------------------------------

    async def opening(self, session: Any) -> Write:
        """The write that precedes the revision's own code; ``session``: that of its transaction, if it is one."""
        refuse_made_transactional(self.record, self.how)
        if self._half is not None:
            self._half.refuse_beforehand()
        facts: Document = {
            "owner": self._run.lease.owner,
            "error": None,
            "finished_at": None,
            "milliseconds": None,
            "session": session.session_id if session is not None else None,
            **identity(),
        }
        if self.direction == "upgrade":
            facts |= self._described
        rewritten = await self._rewritten()
        if self.how.journal == "continued":
            return transitions.opening(self.revision.revision, self.how, facts | rewritten)
        return transitions.opening(self.revision.revision, self.how, facts, rewritten)

    async def _rewritten(self) -> Document:
        """The fields that hold what a former run has journalled, where it cannot stay as it stands in the record."""
        record, is_reopened = self.record, self.how.journal == "reopened"
        if record is None or not (is_reopened or (self.how.journal == "continued" and record.format != FORMAT)):
            self._placement = record.placements.get(self._field, Placement()) if record else Placement()
            return {}
        fields, self._placement = await self._run.ledger.placed(self._run.lease, self._field, self._former)
        return fields

    @property
    def _field(self) -> Field:
        return "journal" if self.direction == "upgrade" else "undo"

    @property
    def _described(self) -> Document:
        """What the record says of the revision; the checksum is that of the file as it was loaded."""
        return {
            "parents": list(self.revision.down_revision),
            "depends_on": list(self.revision.depends_on),
            "replaces": list(self.revision.replaces),
            "message": self.revision.message,
            "checksum": self._module.revision.checksum,
            "source": self._source,
            **former_sources(self.record, self._module.revision.checksum),
        }

    def restoring(self) -> Write:
        """The write that says that nothing is left to do."""
        return transitions.restoring(self.revision.revision, self.how)

    @property
    def is_idle(self) -> bool:
        """Whether the revision did nothing by way of ``env``, so that nothing has to be waited for."""
        return self._executor is not None and self._executor.is_idle

    async def closing(self) -> Write:
        """The write that says the revision is done; waits for what it has started and not awaited."""
        unwritten, dates = await self._executor.close() if self._executor else ({}, ())
        return transitions.closing(self.revision.revision, self.how, round(self.seconds * 1000), unwritten, dates)

    async def failing(self, error: BaseException, *, interrupted: bool = False) -> Write:
        """The write that says why, and where, the revision stopped."""
        unwritten, dates = await self._executor.close() if self._executor else ({}, ())
        cause = innermost(error)
        facts = {"type": type(cause).__name__, "message": words(cause), "where": self.where(cause)}
        if interrupted:
            facts |= {"type": "Interrupted", "message": "stopped on request"}
        return transitions.failing(self.revision.revision, self.how, facts, unwritten, dates, interrupted=interrupted)

    def where(self, error: BaseException) -> str:
        """Where in the revision an error came up: the operation, and the line of the file."""
        place = self._executor.place if self._executor else "its start"
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if self.revision.path and frame.filename == str(self.revision.path)]
        return f"{place}, line {lines[-1]}" if lines else place

    # -- its own code ---------------------------------------------------------------------------

    async def call_journaled(self) -> None:
        """Run the revision's own code, each operation written down before it is applied and after."""
        matching = matching_of(
            self.record,
            self._former,
            self._module.revision,
            self._source,
            by_hand=self.record is not None and has_raw_calls(self._function),
        )
        known = self._context(None), self._journal(), matching, self._half, self._kept
        executor = JournalingExecutor(self._reports, self._run.lease, *known)
        await self._call(executor)
        executor.conclude()

    async def call_within(self, session: Any) -> None:
        """Run the revision's own code within the transaction of ``session``."""
        await self._call(TransactionExecutor(self._reports, self._run.lease, self._context(session)))

    async def _call(self, executor: Executor) -> None:
        self._executor, began = executor, perf_counter()
        executor.admit = self._run.admit
        env = WatchedEnv(
            self._run.driver,
            executor.perform,
            collections=self._run.collections,
            session=executor.context.session,
            context=self._run.context,
        )
        executor.started = StartedWork(self.revision.path, self._run.tasks)
        try:
            await call(self._function, env)
            executor.defer_flush()
            await executor.started.refuse_unfinished(self.revision, env)
        finally:
            executor.defer_flush()
            self.seconds = perf_counter() - began

    @property
    def _reports(self) -> Reports:
        return Reports(self.revision, self.direction, self._run.tell)

    def _context(self, session: Any) -> Context:
        run = self._run
        notes = Notes(run.ledger.archive, run.lease, session)
        return Context(
            run.driver,
            session=session,
            inserted=self._inserted(),
            notes=notes,
            own=run.own,
            commit_quorum=run.commit_quorum,
            keep_building=run.keep_building,
        )

    def _journal(self) -> Journal:
        superseded = self.record.superseded if self.record else ()
        return Journal(
            self._run.ledger,
            self._run.lease,
            self._run.clock,
            self.revision.revision,
            self._field,
            self._former,
            superseded,
            self._placement if self.how.journal != "new" else None,
        )

    @cached_property
    def _former(self) -> tuple[JournalEntry, ...]:
        """What a former run has journalled, as the opening leaves it."""
        if self.record is None or self.how.journal == "new":
            return ()
        if self.how.journal == "reopened":
            return reopened(self.record, by_hand=has_raw_calls(self._module.downgrade))
        return self.record.journal if self.direction == "upgrade" else self.record.undo

    @property
    def _entries(self) -> tuple[JournalEntry, ...]:
        """All that the journal has of its upgrade."""
        return (*self.record.journal, *self.record.superseded) if self.record else ()

    @cached_property
    def _half(self) -> HalfUpgrade | None:
        """Of a downgrade that takes back an upgrade which stopped half-way, what there is to undo."""
        record, source = self.record, self._source
        if record is None or not self.how.partial:
            return None
        again = {entry.fingerprint for entry in record.journal}
        older = (entry for entry in record.superseded if entry.fingerprint not in again)
        return HalfUpgrade(
            self.revision.revision,
            [*older, *record.journal],
            left_undone(record, self._module.revision.checksum, source),
            remaining(source, "downgrade"),
            is_followed=not any(one.does == "anything" for one in remaining(source, "upgrade")),
            kept=self._kept,
            path=str(self.revision.path or ""),
        )

    @property
    def _kept(self) -> frozenset[str]:
        """What the upgrade found where it would have created it."""
        return preexisting(entry.intent for entry in self._entries) if self.direction == "downgrade" else frozenset()

    def _inserted(self) -> Mapping[str, list[Mapping[str, Any]]]:
        """By collection, the documents that this revision's upgrade has inserted, as its journal tells."""
        inserted: dict[str, list[Mapping[str, Any]]] = {}
        for entry in self._entries:
            if entry.operation == "InsertDocuments":
                listed = (entry.result or {}).get("inserted") or (entry.intent or {}).get("missing") or ()
                inserted.setdefault(entry.collection, []).extend(listed)
        return inserted

    # -- what is told ---------------------------------------------------------------------------

    def tell_started(self, number: int, total: int) -> None:
        """Tell that the revision begins, or goes on."""
        self._run.tell(RevisionStarted(self.revision, self.direction, number, total))
        if (record := self.record) is not None and not record.is_applied:
            unknown = record.unknown.description if record.unknown else ""
            self._run.tell(RevisionResumed(self.revision, record.direction, record.finished, unknown, record.trouble))

    @property
    def way_out(self) -> str:
        """What to do about it once it has stopped half-way."""
        file = f" ({self.revision.path})" if self.revision.path else ""
        if self.direction == "upgrade" and not self.revision.transactional and is_one_way(self._module):
            return self._way_out_without_downgrade(file)
        down = f"downgrade {self.revision.revision}-1"
        again, back = ("upgrade", down) if self.direction == "upgrade" else (down, "upgrade")
        if self.revision.transactional:
            return f"Its transaction was rolled back. Put right what is wrong{file}, and run `asyncmig {again}` again"
        return (
            f"What is done is in the ledger. Put right what is wrong{file}: `asyncmig {again}` goes on from there "
            f"(calls on env.db run again), `asyncmig {back}` takes back what was done of it"
        )

    def _way_out_without_downgrade(self, file: str) -> str:
        done = any(entry.may_be_done for entry in self._entries) or (self._executor and not self._executor.is_idle)
        first = "Undo by hand what it has done, and " if done or has_raw_calls(self._module.upgrade) else ""
        return (
            f"What is done is in the ledger. Put right what is wrong{file}: `asyncmig upgrade` goes on from there "
            f"(calls on env.db run again). It has no downgrade; to be rid of it: {first}"
            f"`asyncmig stamp {self.revision.revision}-1` says that it is not applied"
        )


def source_of(revision: Revision) -> str | None:
    """The text of a revision's file, for the ledger."""
    if revision.path is None:
        return None
    try:
        text = revision.path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    return _kept(text)


def _kept(text: str) -> str | None:
    return text if len(text) <= _MAX_SOURCE else None
