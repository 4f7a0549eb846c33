"""The half of ``Migrator`` that runs history, and tells where a database stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from asyncmig.errors import (
    ConfigurationError,
    NotAdopted,
)
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision

if TYPE_CHECKING:
    from asyncmig.events import Direction
    from asyncmig.files.module import RevisionModule
    from asyncmig.files.recorded import RecordedFiles
    from asyncmig.files.snapshot import Snapshot
    from asyncmig.preflight.probe import Cost, Preflight
    from asyncmig.review.loss import Confirm, Loss, LossGuard
    from asyncmig.review.plan import Plan
    from asyncmig.running.ledger.record import Mark, Record
    from asyncmig.running.ledger.status import Status
    from asyncmig.running.locking.holder import Holder
    from asyncmig.running.runner import Runner

from asyncmig.migrator.parts import Parts

__all__ = ["RunningHistory"]


class RunningHistory(Parts):
    """What runs revisions against the database, looks ahead at them, and reads the ledger and the lock."""

    async def current(self) -> tuple[str, ...]:
        """The ids of the revisions at the heads of what is applied."""
        return (await self._status()).current

    async def applied(self) -> frozenset[str]:
        """The ids of all that is applied."""
        return (await self._status()).applied

    async def pending(self) -> list[Revision]:
        """The revisions that are not applied, in the order in which they would be."""
        return (await self._status()).pending_revisions

    async def status(self, files: Snapshot | None = None) -> Status[Mark]:
        """Where the database stands, what is pending, and what it has that no file knows; one round trip, no lock.

        ``files``: a snapshot to compare with, for whoever asks again and again; else they are read
        now. The cheapest of all questions: a database at head is known by its files' checksums.
        """
        import asyncio

        from asyncmig.files.snapshot import Snapshot
        from asyncmig.running.ledger.status import Status

        files = files or Snapshot(self.directory)
        asking = asyncio.ensure_future(self._ledger().marks())
        try:
            await asyncio.sleep(0)  # the question goes out, and the server is at work while the files are read
            _ = files.checksums
            status = Status(await asking, files)
        finally:
            asking.cancel()
        if not status.is_exact:
            _ = status.graph  # files that form no history are told of now
        return status

    async def plan(
        self,
        target: str = "head",
        *,
        direction: Direction = "upgrade",
        strict_order: bool | None = None,
        from_ledger: bool = False,
    ) -> Plan:
        """What a run to ``target`` would do; nothing is written, though the revisions' own code runs.

        Raises what a run would raise before its first step, as for a revision without a way back.
        """
        from asyncmig.files.static import refuse_missing_context, refuse_unfinishable
        from asyncmig.review.plan import make_plan
        from asyncmig.schema.state import DatabaseState

        files = await self._recorded() if from_ledger else None

        def load(revision: Revision) -> RevisionModule:
            module = (files or self.directory).load(revision)
            refuse_unfinishable(revision, module, direction)
            refuse_missing_context(revision, module, self._context)
            return module

        status = await self._status(files.graph if files else None)
        path = status.path(target, direction, strict_order=self._strict(strict_order))
        status.refuse_half_done(path)
        live = await self.state() if path else DatabaseState()
        half_way = [
            revision.revision for revision in path if revision.revision in status.entries.keys() - status.applied
        ]
        records = await self._stopped(half_way, direction)
        with self._explaining("planning a run on"):
            plan = await make_plan(
                path,
                direction,
                load=load,
                driver=self._driver(),
                live=live,
                records=records,
                inserted=self._inserted,
                context=self._context,
            )
        return replace(plan, out_of_order=status.late(path)) if direction == "upgrade" else plan

    async def preflight(
        self,
        target: str = "head",
        *,
        budget: float = 30.0,
        exact: bool = False,
        show: Iterable[str] = (),
        **choice: Any,
    ) -> Preflight:
        """What a run to ``target`` will meet, in numbers: duplicates, documents that break a validator, and so on.

        ``budget``: seconds for each question that scans a collection. With ``exact`` the server's dry run
        is asked for duplicates, which marks an index (``prepareUnique``) for a moment; else nothing is
        written. ``show``: codes of probes that name all that they find (P01: every group of duplicates, in the
        figure ``all``). ``choice`` as :meth:`plan` takes it: ``direction``, ``strict_order``, ``from_ledger``.
        """
        plan = await self.plan(target, **choice)
        costs: tuple[Cost, ...] = ("A", "B", "C", "D") if exact else ("A", "B", "C")
        return await self.forecast(plan, costs=costs, budget=budget, show=show)

    async def forecast(
        self,
        plan: Plan,
        *,
        costs: Iterable[Cost] = ("A", "B", "C"),
        budget: float = 30.0,
        show: Iterable[str] = (),
    ) -> Preflight:
        """As ``preflight``, of a plan that is there already; ``costs`` says which probes are run."""
        from asyncmig.preflight.run import preflight
        from asyncmig.schema.state import DatabaseState

        live = await self.state() if plan else DatabaseState()
        with self._explaining("looking ahead in"):
            return await preflight(plan, self._driver(), live, costs=costs, budget=budget, shown=show)

    async def _stopped(self, revisions: Iterable[str], direction: Direction) -> dict[str, Record]:
        """The records of those that stopped half-way in this direction; of a transaction it holds no operation."""
        records = [await self._ledger().record(name) for name in revisions]
        stopped = [record for record in records if record and not record.is_applied]
        return {record.revision: record for record in stopped if record.direction == direction}

    async def losses(self, target: str = "head", *, direction: Direction = "upgrade") -> tuple[Loss, ...]:
        """What a run to ``target`` would take away for good, found in the sources without running them."""
        return await self._losses((await self._status()).path(target, direction), direction)

    async def _inserted(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """What asyncmig itself has inserted, by collection: to take that back loses nothing."""
        from asyncmig.running.ledger.provenance import inserted_documents

        return inserted_documents(await self.records())

    async def _losses(
        self, path: Sequence[Revision], direction: Direction, files: RecordedFiles | None = None
    ) -> tuple[Loss, ...]:
        from asyncmig.review.loss import find_losses, losing_calls
        from asyncmig.running.ledger.provenance import inserted_documents

        source = (files or self.directory).source
        calls = [call for revision in path for call in losing_calls(revision, direction, source(revision))]
        inserted = inserted_documents(await self.records()) if calls else {}
        with self._explaining("looking for data that would be lost in"):
            return await find_losses(calls, self._driver(), inserted) if calls else ()

    async def upgrade(
        self, target: str = "head", *, strict_order: bool | None = None, confirm: Confirm | None = None
    ) -> list[Revision]:
        """Apply what is pending up to ``target``, under the lock; returns what was applied, in order.

        A database that is there already takes no lock and costs one round trip. ``confirm`` is
        awaited with what the run would lose, before anything is done, and stops it by raising; and
        again before an operation that loses what could not be known then.

        A revision that is older than an applied one (it came in by a merge) is run, and told of by
        the event RevisionsOutOfOrder; with ``strict_order`` it is refused: OutOfOrder.

        Raises RevisionError for the target or the files, LockTimeout, LockLost, and RevisionFailed
        when a revision stops half-way: the ledger says where, and another ``upgrade`` goes on.
        """
        strict = self._strict(strict_order)
        runner = await self._ready(target, "upgrade", confirm, strict_order=strict)
        return await runner.upgrade(target, strict_order=strict) if runner else []

    async def downgrade(
        self, target: str, *, confirm: Confirm | None = None, from_ledger: bool = False
    ) -> list[Revision]:
        """Revert what is above ``target``, under the lock; returns what was reverted, in order. As ``upgrade``.

        With ``from_ledger`` revisions that have no file are reverted by the source that the ledger has
        kept of them. That source is run: the ledger has to be trusted as the files are.
        """
        files = await self._recorded() if from_ledger else None
        runner = await self._ready(target, "downgrade", confirm, files=files)
        return await runner.downgrade(target) if runner else []

    async def _recorded(self) -> RecordedFiles:
        from asyncmig.files.recorded import RecordedFiles

        records = {record.revision: record for record in await self.records()}
        sources = {name: record.source for name, record in records.items() if record.source is not None}
        return RecordedFiles(self.directory, self.graph.unknown(records), sources)

    async def _ready(
        self,
        target: str,
        direction: Direction,
        confirm: Confirm | None,
        *,
        strict_order: bool = False,
        files: RecordedFiles | None = None,
    ) -> Runner | None:
        """The runner to run on; None where nothing is to be done, found without what only a run needs."""
        status = await self._status(files.graph if files else None)
        path = status.path(target, direction, strict_order=strict_order)
        status.refuse_half_done(path)
        if not path and (direction == "downgrade" or status.is_tidy):
            if self._on_event:
                for warning in status.warnings():
                    self._on_event(warning)
            return None
        guard = None
        if confirm:
            losses = await self._losses(path, direction, files)
            await confirm(losses)
            guard = self._guarded(losses, confirm, direction)
        return self._runner(status.graph, files, guard)

    def _guarded(self, agreed: Sequence[Loss], confirm: Confirm, direction: Direction) -> LossGuard:
        from asyncmig.review.loss import LossGuard

        return LossGuard(self._driver(), agreed, self._inserted, confirm, indexes=direction == "upgrade")

    async def stamp(
        self, target: str, *, purge: bool = False, imported: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        """Record ``target`` as where the database stands, without running anything.

        ``imported``: by revision, what another tool's log says of it (``tool``, ``name``, ``applied_at``); it is
        kept in the revision's record and among the ledger's events.
        """
        await self._runner().stamp(target, purge=purge, imported=imported)

    async def unadopted(self) -> NotAdopted | None:
        """What stands against running anything: a baseline is pending, and the database was there before it."""
        from asyncmig.running.unadopted import unadopted

        status = await self._status()
        return await unadopted(self._driver(), status.entries, status.pending_revisions)

    async def repair(self, revisions: Sequence[str] | None = None) -> list[Revision]:
        """Accept files that were edited after they were applied: those named, or all; the ledger remembers it."""
        return await self._runner().repair(revisions)

    async def full_status(self, graph: RevisionGraph | None = None) -> Status[Record]:
        """As ``status``, with the records, those of what is half-way in full, and with who holds the lock.

        ``graph``: that of the files, where it is known.
        """
        return await self._runner(graph).full_status()

    async def holder(self) -> Holder | None:
        """Who holds the lock, alive or not; None when it is free. One round trip."""
        return await self._lock().holder()

    async def unlock(self, *, force: bool = False) -> Holder | None:
        """Release a lock whose lease has ended; with ``force`` also one that is alive. Returns who held it."""
        return await self._lock().break_lock(force=force)

    async def abort_index(self, collection: str, name: str) -> list[str]:
        """End the build of an index that is going on; the names of all that go with it.

        Raises ConfigurationError where no index of that name is being built.
        """
        from asyncmig.running.applying.index_build import end_build

        with self._explaining("ending an index build on"):
            ended = await end_build(self._driver(), collection, [name])
        if not ended:
            raise await self._not_building(collection, name)
        return ended

    async def set_index_quorum(self, collection: str, name: str, quorum: str | int) -> None:
        """Change which members a running index build waits for: ``majority``, a number, a tag.

        https://www.mongodb.com/docs/manual/reference/command/setIndexCommitQuorum/
        """
        from asyncmig.running.applying.index_build import built_together

        with self._explaining("changing the quorum of an index build on"):
            names = await built_together(self._driver(), collection, [name])
            if not names:
                raise await self._not_building(collection, name)
            command = {"setIndexCommitQuorum": collection, "indexNames": names, "commitQuorum": quorum}
            await self._driver().command(command)

    async def _not_building(self, collection: str, name: str) -> ConfigurationError:
        from asyncmig.running.applying.index_build import under_construction

        others = await under_construction(self._driver(), collection)
        running = f"; {', '.join(others)} is" if others else ""
        return ConfigurationError(f"index {name} of {collection} is not being built{running}")
