"""``Runner``: history run against a database: up, down, stamped, repaired, always under the lock.

**What a revision left half-way means.** Its record is ``upgrading`` or ``downgrading`` (the runner
was killed or interrupted) or ``failed`` (with the error and where it came up). Revisions before it
stay as they are. Then

- ``upgrade`` runs it again from its top: operations that the journal has as finished are skipped, the
  one that was started and whose end nobody knows is applied again with its first intent, and raw
  ``env.db`` calls run again. It makes no difference why the former run stopped.
- ``downgrade`` counts it as applied, as the head of its branch, and reverts it: of a half-applied
  revision exactly what its journal says was started or done; of a half-reverted one what is left.
- ``upgrade`` of a revision whose *downgrade* stopped half-way puts it back: the operations of its
  upgrade are applied again, with the intent of the first time, for nobody knows what raw calls undid;
  one that must not be done twice, only where it was undone as a whole
  (:mod:`asyncmig.running.ledger.reopening`).

**What is checked before the first step**, so that nothing stops in the middle which could have been
known: that all files can be loaded, that no revision of a downgrade is irreversible (or has an empty
``downgrade`` below an ``upgrade`` that is not), that transactional ones change no schema.

**Round trips.** A database that is where it should be costs one read and takes no lock. Otherwise:
taking the lock, asking for sessions left open, marking what is unsettled as ours, reading the state
again, listing the collections, then one per revision and one per operation, and releasing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from asyncmig.drivers.base import Driver
from asyncmig.drivers.capability import server_of
from asyncmig.drivers.explain import explaining
from asyncmig.errors import DriverError
from asyncmig.events import Direction, Event, RevisionsOutOfOrder, RunStarted
from asyncmig.files.demands import ServerTooOld, demands
from asyncmig.files.static import refuse_missing_context, refuse_unfinishable
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision
from asyncmig.running.abandoned import end_sessions
from asyncmig.running.ledger.audit_log import AuditLog
from asyncmig.running.ledger.ledger import Ledger
from asyncmig.running.ledger.record import Record
from asyncmig.running.ledger.status import Status
from asyncmig.running.locking.lock import Lock
from asyncmig.running.own_collections import refuse_own_in_code
from asyncmig.running.path import PathRun
from asyncmig.running.run import Admit, Run
from asyncmig.running.stamping import record_squashed, repaired, replace_range, stamped
from asyncmig.running.unadopted import unadopted
from asyncmig.schema.own_names import OwnNames

if TYPE_CHECKING:
    from asyncmig.files.module import RevisionModule

__all__ = ["Runner"]

Records = Mapping[str, Record]


class Runner:
    """Runs revisions of ``graph``, loaded by ``load``, against the database of ``driver``.

    ``lock_timeout``: seconds to wait for the lock; 0 asks once. ``command``: what the lock's
    document shows to those who wait. ``on_event`` is called with every
    :class:`~asyncmig.events.Event`, in the event loop; an error that it raises counts as
    one of the revision. ``admit`` is asked before each operation, and may raise.
    """

    def __init__(
        self,
        driver: Driver,
        *,
        graph: RevisionGraph,
        load: Callable[[Revision], RevisionModule],
        ledger: Ledger | None = None,
        lock: Lock | None = None,
        on_event: Callable[[Event], None] | None = None,
        lock_timeout: float = 60.0,
        command: str = "",
        admit: Admit | None = None,
        commit_quorum: str | int | None = None,
        keep_building: bool = False,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        self._driver, self._graph = driver, graph
        self._ledger = ledger or Ledger(driver)
        self._lock = lock or Lock(driver)
        self._audit_log = AuditLog(driver, collection=self._ledger.archive.collection, former=self._lock.collection)
        self._tell: Callable[[Event], None] = on_event or (lambda event: None)
        self._lock.tell = self._tell
        self._wait, self._command, self._admit = lock_timeout, command, admit
        self._commit_quorum, self._keep_building = commit_quorum, keep_building
        self._context = dict(context or {})
        self._modules: dict[str, RevisionModule] = {}
        self._loader = load

    async def upgrade(self, target: str = "head", *, strict_order: bool = False) -> list[Revision]:
        """Apply what is pending up to ``target``; returns the revisions that were applied, in order.

        Raises NotAdopted for a database that was there before its baseline,
        RevisionError for a target or files that do not fit, OutOfOrder when ``strict_order``
        and a pending revision is older than an applied one, LockTimeout, LockLost, RevisionFailed.
        """
        before = await self._status()
        for warning in before.warnings():
            self._tell(warning)
        path = before.path(target, "upgrade", strict_order=strict_order)
        before.refuse_half_done(path)
        if not path and before.is_tidy:
            return []
        await self._refuse_unadopted(before, path)
        self._examine(path, "upgrade")
        await self._refuse_older_server(path, "upgrade")
        await self._refuse_transactions(path)
        async with self._running() as (run, now):
            path = now.path(target, "upgrade", strict_order=strict_order)
            now.refuse_half_done(path)
            await self._refuse_unadopted(now, path)
            await self._tidy(run, now)
            if late := now.late(path):
                self._tell(RevisionsOutOfOrder(late))
            return await self._run_path(run, "upgrade", path, now.entries)

    async def downgrade(self, target: str) -> list[Revision]:
        """Revert what is above ``target``; returns the revisions that were reverted, in order.

        Raises IrreversibleRevision before the first step; else as upgrade.
        """
        before = await self._status()
        path = before.path(target, "downgrade")
        before.refuse_half_done(path)
        if not path:
            return []
        self._examine(path, "downgrade")
        await self._refuse_older_server(path, "downgrade")
        await self._refuse_transactions(path)
        async with self._running() as (run, now):
            path = now.path(target, "downgrade")
            now.refuse_half_done(path)
            if path:
                await self._audit_log.refuse_unwritable(run.lease)
            for revision in path:
                if parts := now.parts(revision):
                    await replace_range(run, revision, parts, now.entries)
            return await self._run_path(run, "downgrade", path, (await self._status()).entries if path else {})

    async def _status(self) -> Status[Record]:
        return Status(await self._ledger.summaries(), self._graph)

    async def _tidy(self, run: Run, now: Status[Record]) -> None:
        """Record the squashed revisions that the database has by their ranges; forget ranges that have no files."""
        if whole := now.unrecorded_squashes:
            await record_squashed(run, whole)
        for revision in now.squashes_without_files:
            await replace_range(run, revision, now.parts(revision), now.entries)

    async def _run_path(
        self, run: Run, direction: Direction, path: Sequence[Revision], records: Records
    ) -> list[Revision]:
        if not path:
            return []
        self._examine(path, direction)
        self._tell(RunStarted(direction, tuple(path)))
        await run.list_collections()
        path_run = PathRun(run, direction, records)
        with explaining(self._driver, f"running the {direction}"):
            await path_run.go(path)
        return path_run.done

    def _examine(self, path: Iterable[Revision], direction: Direction) -> None:
        """Load every file, and refuse before the first step what could not be finished."""
        own = OwnNames(self._ledger.collection, self._lock.collection).all
        for revision in path:
            module = self._load(revision)
            refuse_unfinishable(revision, module, direction)
            refuse_missing_context(revision, module, self._context)
            refuse_own_in_code(revision, module.source, own)

    async def _refuse_older_server(self, path: Iterable[Revision], direction: Direction) -> None:
        """Raise ServerTooOld where a file demands what this server does not have; asked only where one does."""
        wanted = [(revision, demands(self._load(revision).source or "", direction)) for revision in path]
        if not any(demanded for _, demanded in wanted):
            return
        with explaining(self._driver, "asking for the server's version"):
            server = await server_of(self._driver)
        for revision, demanded in wanted:
            if missing := [demand for demand in demanded if not server.has(demand.feature)]:
                raise ServerTooOld(revision, server, missing)

    async def _refuse_unadopted(self, before: Status[Record], path: Sequence[Revision]) -> None:
        """Raise NotAdopted where a baseline would run on the very database that it was written from."""
        with explaining(self._driver, "looking for collections of the baseline"):
            if error := await unadopted(self._driver, before.entries, path):
                raise error

    async def _refuse_transactions(self, path: Iterable[Revision]) -> None:
        """Raise DriverError where a revision wants a transaction and the server has none; an empty one tells."""
        wanting = next((revision for revision in path if revision.transactional), None)
        if wanting is None:
            return
        try:
            with explaining(self._driver, "asking for transactions"):
                async with self._driver.transaction():
                    pass
        except DriverError as error:
            error.add_note(f"Revision {wanting} has `transactional = True`. Nothing was done.")
            raise

    def _load(self, revision: Revision) -> RevisionModule:
        if revision.revision not in self._modules:
            self._modules[revision.revision] = self._loader(revision)
        return self._modules[revision.revision]

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[tuple[Run, Status[Record]]]:
        """The lock held, everything unsettled marked as ours, the state read again."""
        async with self._lock.held(wait=self._wait, command=self._command) as lease:
            own = OwnNames(self._ledger.collection, self._lock.collection).all
            driver = self._driver.guarded(lease)
            run = Run(driver, self._ledger, self._audit_log, lease, self._load, self._tell, own, self._admit)
            run.commit_quorum, run.keep_building = self._commit_quorum, self._keep_building
            run.context = self._context
            await end_sessions(self._driver, await self._ledger.sessions(lease))
            await self._ledger.claim(lease)
            status = await self._status()
            newest = max((record.token for record in status.entries.values()), default=0)
            if newest > lease.token:
                lease.token = await self._lock.raise_token(lease, newest + 1)
                await self._ledger.claim(lease)
            yield run, status

    async def stamp(
        self, target: str, *, purge: bool = False, imported: Mapping[str, Mapping[str, Any]] | None = None
    ) -> tuple[str, ...]:
        """Say that the database stands at ``target``, running nothing; returns the heads afterwards.

        ``purge`` forgets every record first, those of unknown revisions too. ``imported``: by revision, what
        another tool's log says of it. Raises as upgrade.
        """
        before = await self._status()
        wanted, kept = before.stamped(target, purge=purge)
        if wanted | kept != before.applied or len(before.entries) != len(wanted | kept):
            async with self._running() as (run, now):
                wanted, kept = now.stamped(target, purge=purge)
                revisions = [self._graph.get(name) for name in sorted(wanted)]
                await stamped(run, revisions, now.entries, target, kept, imported)
        return self._graph.heads_of(wanted)

    async def repair(self, revisions: Iterable[str] | None = None) -> list[Revision]:
        """Accept the files as they are now, on purpose: those named, or all that changed; recorded in each record."""
        wanted = None if revisions is None else {self._graph.get(name).revision for name in revisions}
        changed = [
            revision
            for revision in (await self._status()).edited_revisions
            if wanted is None or revision.revision in wanted
        ]
        if changed:
            async with self._running() as (run, _):
                await repaired(run, changed)
        return changed

    async def full_status(self) -> Status[Record]:
        """Where the database stands, what is half-way, and who is at work on it; takes no lock."""
        records = await self._ledger.summaries()
        whole = [await self._ledger.record(record.revision) for record in records.values() if not record.is_applied]
        half_way = [record for record in whole if record is not None]
        return Status(records, self._graph, half_way=half_way, holder=await self._lock.holder())
