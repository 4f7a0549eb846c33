"""``Step``: one revision on its way up or down: its record opened, its code run, its record closed."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cached_property
from time import perf_counter
from typing import Any

from asyncmig.drivers.base import Document
from asyncmig.drivers.transient import outcome_is_unknown, wants_another_transaction
from asyncmig.errors import reason
from asyncmig.events import (
    Direction,
    RevisionResumed,
    RevisionRetried,
    RevisionStarted,
)
from asyncmig.files.static import has_raw_calls
from asyncmig.history.revision import Revision
from asyncmig.running.env.env import Env
from asyncmig.running.executor import Executor
from asyncmig.running.journaling import JournalingExecutor
from asyncmig.running.ledger.journal import Field, Journal
from asyncmig.running.ledger.record import JournalEntry, Record
from asyncmig.running.ledger.reopening import reopened
from asyncmig.running.ledger.write import DeleteRecord, InsertRecord, UpdateRecord, Write
from asyncmig.running.locking.holder import identity
from asyncmig.running.locking.lease import local_clock
from asyncmig.running.run import Run
from asyncmig.running.transactional import TransactionExecutor

__all__ = ["RevisionRun", "source_of"]

_PATIENCE = 120.0  # seconds that a transaction is tried again; what the drivers' with_transaction allows
_MAX_SOURCE = 1_000_000  # characters of a revision's file that the ledger keeps


class RevisionRun:
    """One revision in one direction. ``record`` is what the ledger holds of it, whole, if anything."""

    def __init__(self, run: Run, revision: Revision, direction: Direction, record: Record | None) -> None:
        self.run, self.revision, self.record = run, revision, record
        self.direction: Direction = direction
        self._module = module = run.load(revision)
        self.function = module.upgrade if direction == "upgrade" else module.downgrade
        self.source = _kept(module.source) if module.source is not None else source_of(revision)
        self._checksum = module.revision.checksum  # of what is going to run, should the file have changed since
        self.seconds = 0.0
        self._executor: Executor | None = None
        self._session: Document | None = None
        self._began = 0.0

    # -- the record -----------------------------------------------------------------------------

    def opening(self) -> Write:
        """The write that precedes the revision's own code."""
        if self.direction == "downgrade":
            return self._opening_downgrade()
        fields = {
            "state": "upgrading",
            "direction": "upgrade",
            "parents": list(self.revision.down_revision),
            "depends_on": list(self.revision.depends_on),
            "replaces": list(self.revision.replaces),
            "message": self.revision.message,
            "checksum": self._checksum,
            "source": self.source,
            "transactional": self._leaves_nothing,
            **self._who(),
        }
        if self.record is None:
            return InsertRecord(self.revision.revision, {**fields, "journal": []}, ("started_at",))
        return UpdateRecord(self.revision.revision, {**fields, **self._reopened()}, ("started_at",))

    def _reopened(self) -> Document:
        """The journal of an upgrade that goes on; after half a downgrade its operations are open again."""
        if self.revision.transactional:
            return {"journal": [], "undo": [], "partial": False}
        if self.record is None or self.record.direction == "upgrade":
            return {}
        return {"journal": [entry.document for entry in self._former], "undo": [], "partial": False}

    def _opening_downgrade(self) -> Write:
        fields = {
            "state": "downgrading",
            "direction": "downgrade",
            "transactional": self._leaves_nothing,
            **self._who(),
        }
        if self._goes_on and not self.revision.transactional:
            return UpdateRecord(self.revision.revision, fields, ("started_at",))
        partial = self._undoes_a_part
        return UpdateRecord(
            self.revision.revision, {**fields, "undo": [], "partial": partial}, ("started_at",), any_token=True
        )

    @property
    def _leaves_nothing(self) -> bool:
        """Whether it is a transaction, as was all that has stopped before it: should it stop, nothing has happened."""
        before = self.record
        return self.revision.transactional and (before is None or before.is_applied or before.transactional)

    @property
    def _is_there_already(self) -> bool:
        """Whether what stopped in the other direction was rolled back, so that nothing is left to do in this one."""
        before = self.record
        if before is None or before.is_applied or not (self.revision.transactional and before.transactional):
            return False
        is_whole = before.direction == "downgrade" and not before.partial
        return is_whole == (self.direction == "upgrade")

    def _restored(self) -> Write:
        """The write that says so."""
        if self.direction == "downgrade":
            return DeleteRecord(self.revision.revision)
        fields: Document = {"state": "applied", "direction": "upgrade", "undo": [], "error": None, "session": None}
        return UpdateRecord(self.revision.revision, fields | {"milliseconds": 0}, ("finished_at",))

    @property
    def _goes_on(self) -> bool:
        return self.record is not None and self.record.direction == self.direction and not self.record.is_applied

    @property
    def _undoes_a_part(self) -> bool:
        if self.record is None or self.record.is_applied or self.direction == "upgrade":
            return False
        return self.record.partial or self.record.direction == "upgrade"

    def _who(self) -> Document:
        return {
            "owner": self.run.lease.owner,
            "error": None,
            "finished_at": None,
            "milliseconds": None,
            "session": self._session,
            **identity(),
        }

    @cached_property
    def _former(self) -> tuple[JournalEntry, ...]:
        """What a former run has journalled, as the opening leaves it."""
        if self.record is None or self.revision.transactional:
            return ()
        if self.direction == "downgrade":
            return self.record.undo if self._goes_on else ()
        if self.record.direction == "downgrade":
            return reopened(self.record, by_hand=has_raw_calls(self._module.downgrade))
        return self.record.journal

    def closed(self) -> Write | None:
        """As :meth:`closing`, where nothing has to be waited for: the revision did nothing by way of ``env``."""
        if self._executor is None or not self._executor.is_idle:
            return None
        self._executor.end()
        return self._closing({}, ())

    async def closing(self) -> Write:
        """The write that says the revision is done."""
        if self._executor is None:
            raise RuntimeError("a step that did not run cannot be closed")
        return self._closing(*await self._executor.close())

    def _closing(self, fields: Document, dates: Sequence[str]) -> Write:
        if self.direction == "downgrade":
            return DeleteRecord(self.revision.revision)
        done = {"state": "applied", "milliseconds": round(self.seconds * 1000)}
        if self._session is not None:
            done["session"] = None
        return UpdateRecord(self.revision.revision, {**fields, **done}, (*dates, "finished_at"))

    async def failing(self, error: BaseException, *, interrupted: bool = False) -> Write:
        """The write that says why, and where, the revision stopped."""
        fields, dates = await self._executor.close() if self._executor else ({}, ())
        if self.revision.transactional:  # nothing of it has happened, and that is what the journal is to say
            fields, dates = {}, ()
        facts = {"type": type(error).__name__, "message": reason(str(error)), "where": self.where(error)}
        if interrupted:
            facts = {"type": "Interrupted", "message": "stopped on request", "where": self.where(error)}
        state = {} if interrupted else {"state": "failed"}
        only = f"{self.direction[:-1]}ing" if self.revision.transactional else None  # a commit may have come through
        told = {**fields, **state, "error": facts, "session": None}
        return UpdateRecord(self.revision.revision, told, (*dates, "stopped_at"), state=only)

    def where(self, error: BaseException) -> str:
        """Where in the revision an error came up: the operation, and the line of the file."""
        place = self._executor.place if self._executor else "its start"
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if self.revision.path and frame.filename == str(self.revision.path)]
        return f"{place}, line {lines[-1]}" if lines else place

    # -- the code -------------------------------------------------------------------------------

    async def execute(self, begin: Callable[[Write], Awaitable[None]]) -> None:
        """Run the revision's own code; ``begin`` is called with the opening, before the first line of it."""
        if self._is_there_already:
            if self.direction == "downgrade":
                await self.run.audit_log.add(self.run.lease, "downgrade", [self.revision.revision])
            await begin(self._restored())
            return
        if self.source is None or "collections" in self.source:
            await self.run.look()
        if self.revision.transactional:
            await self._in_a_transaction(begin)
            return
        await begin(self.opening())
        field: Field = "journal" if self.direction == "upgrade" else "undo"
        superseded = self.record.superseded if self.record else ()
        journal = Journal(
            self.run.ledger, self.run.lease, self.run.clock, self.revision.revision, field, self._former, superseded
        )
        executor = JournalingExecutor(self, journal, self._undoable() if self._undoes_a_part else None)
        await self._run(executor)
        executor.conclude()

    async def _run(self, executor: Executor) -> None:
        self._executor, self._began = executor, perf_counter()
        env = Env(self.run.driver, executor.perform, collections=self.run.collections, session=executor.context.session)
        try:
            await self.function(env)
        finally:
            executor.defer_flush()
            self.seconds = perf_counter() - self._began

    def _undoable(self) -> set[str]:
        """What an upgrade that stopped half-way has touched, and so is to be undone."""
        entries = (*self.record.journal, *self.record.superseded) if self.record else ()
        return {subject for entry in entries if entry.may_be_done for subject in entry.subjects}

    async def _in_a_transaction(self, begin: Callable[[Write], Awaitable[None]]) -> None:
        """The whole revision and its record in one transaction, again where the server wants that."""
        async with self.run.driver.session() as session:
            self._session = session.session_id if session is not None else None
            await self._until_committed(begin, session)

    async def _until_committed(self, begin: Callable[[Write], Awaitable[None]], session: Any) -> None:
        begun, give_up = False, local_clock() + _PATIENCE
        while True:
            try:
                async with self.run.driver.transaction(session):
                    if not begun:
                        await begin(self.opening())
                        begun = True
                    await self._run(TransactionExecutor(self, session))
                    await self._close_within(session)
            except Exception as error:
                if await self._has_come_through(error):
                    return
                if not wants_another_transaction(error) or local_clock() > give_up:
                    raise
                self.run.tell(RevisionRetried(self.revision, self.direction, str(error)))
            else:
                return

    async def _close_within(self, session: Any) -> None:
        if self.direction == "downgrade":
            await self.run.audit_log.add(self.run.lease, "downgrade", [self.revision.revision], session=session)
        await self.run.ledger.send(self.run.lease, await self.closing(), session=session)

    async def _has_come_through(self, error: BaseException) -> bool:
        """Whether a commit whose outcome the server could not tell was done: the record is a part of it."""
        if not outcome_is_unknown(error):
            return False
        record = await self.run.ledger.record(self.revision.revision, self.run.lease)
        return record is None if self.direction == "downgrade" else record is not None and record.is_applied

    def started(self, number: int, total: int) -> None:
        """Tell that the revision begins, or goes on."""
        self.run.tell(RevisionStarted(self.revision, self.direction, number, total))
        if (record := self.record) is not None and not record.is_applied:
            unknown = record.unknown.description if record.unknown else ""
            self.run.tell(RevisionResumed(self.revision, record.direction, record.finished, unknown, record.trouble))

    def inserted(self) -> Mapping[str, list[Mapping[str, Any]]]:
        """By collection, the documents that this revision's upgrade has inserted, as its journal tells."""
        found: dict[str, list[Mapping[str, Any]]] = {}
        for entry in (*self.record.journal, *self.record.superseded) if self.record else ():
            if entry.operation == "InsertDocuments":
                listed = (entry.result or {}).get("inserted") or (entry.intent or {}).get("missing") or ()
                found.setdefault(entry.collection, []).extend(listed)
        return found


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
