"""``Runner``: history run against a database: up, down, stamped, repaired, always under the lock.

**What a revision left half-way means.** Its record is ``upgrading`` or ``downgrading`` (the runner
was killed or interrupted) or ``failed`` (with the error and where it came up). Revisions before it
stay as they are. Then

- ``upgrade`` runs it again from its top: operations that the journal has as finished are skipped, the
  one that was started and whose end nobody knows is applied again with its first intent, and raw
  ``env.db`` calls run again. It makes no difference why the former run stopped.
- ``downgrade`` counts it as applied, as the head of its branch, and reverts it: of a half-applied
  revision exactly what its journal says was started or done; of a half-reverted one what is left.
- ``upgrade`` of a revision whose *downgrade* stopped half-way puts it back: every operation of its
  upgrade is applied again, with the intent of the first time, for nobody knows what raw calls undid.

**What is checked before the first step**, so that nothing stops in the middle which could have been
known: that all files can be loaded, that no revision of a downgrade is irreversible (or has an empty
``downgrade`` below an ``upgrade`` that is not), that transactional ones change no schema.

**Round trips.** A database that is where it should be costs one read and takes no lock. Otherwise:
taking the lock, marking what is unsettled as ours, reading the state again, listing the collections,
then one per revision and one per operation, and releasing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncmig.drivers.base import Driver
from asyncmig.drivers.explain import explaining
from asyncmig.errors import DriverError
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision
from asyncmig.running.events import ChecksumChanged, Direction, Event, RevisionsOutOfOrder, RunStarted
from asyncmig.running.holder import Holder
from asyncmig.running.inspection import refuse_one_way, refuse_schema_changes
from asyncmig.running.ledger import Ledger
from asyncmig.running.lock import Lock
from asyncmig.running.record import Record
from asyncmig.running.run import Run
from asyncmig.running.stamping import fold, repaired, stamped, taken
from asyncmig.running.trail import Trail
from asyncmig.running.walk import Walk

if TYPE_CHECKING:
    from asyncmig.history.module import RevisionModule

__all__ = ["Runner", "Situation"]

Records = Mapping[str, Record]


@dataclass(frozen=True, slots=True)
class Situation:
    """Where a database stands: its records without journals, the unsettled ones in full, and the lock's holder."""

    records: Records
    unsettled: tuple[Record, ...]
    holder: Holder | None

    @property
    def applied(self) -> frozenset[str]:
        """The ids that are applied as a whole."""
        return _applied(self.records)


class Runner:
    """Runs revisions of ``graph``, loaded by ``load``, against the database of ``driver``.

    ``lock_timeout``: seconds to wait for the lock; 0 asks once. ``command``: what the lock's
    document shows to those who wait. ``on_event`` is called with every
    :class:`~asyncmig.running.events.Event`, in the event loop; an error that it raises counts as
    one of the revision.
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
    ) -> None:
        self._driver, self._graph = driver, graph
        self._ledger = ledger or Ledger(driver)
        self._lock = lock or Lock(driver)
        self._trail = Trail(driver, collection=self._lock.collection)
        self._tell: Callable[[Event], None] = on_event or (lambda event: None)
        self._lock.tell = self._tell
        self._wait, self._command = lock_timeout, command
        self._modules: dict[str, RevisionModule] = {}
        self._loader = load

    async def upgrade(self, target: str = "head", *, strict_order: bool = False) -> list[Revision]:
        """Apply what is pending up to ``target``; returns the revisions that were applied, in order.

        Raises RevisionError for a target or files that do not fit, OutOfOrder when ``strict_order``
        and a pending revision is older than an applied one, LockTimeout, LockLost, RevisionFailed.
        """
        records = await self._ledger.summaries()
        self._tell_changed(records)
        path = self._up(records, target, strict_order)
        if not path and not self._taken(records) and not self._graph.outlived(_applied(records)):
            return []
        self._examine(path, "upgrade")
        await self._refuse_transactions(path)
        async with self._running() as (run, now):
            path = self._up(now, target, strict_order)
            await self._tidy(run, now)
            if late := self._graph.out_of_order(_applied(now), path):
                self._tell(RevisionsOutOfOrder(tuple(late)))
            return await self._walk(run, "upgrade", path, now)

    async def downgrade(self, target: str) -> list[Revision]:
        """Revert what is above ``target``; returns the revisions that were reverted, in order.

        Raises IrreversibleRevision before the first step; else as upgrade.
        """
        path = self._down(await self._ledger.summaries(), target)
        if not path:
            return []
        self._examine(path, "downgrade")
        await self._refuse_transactions(path)
        async with self._running() as (run, now):
            path = self._down(now, target)
            for revision in path:
                if parts := self._parts(revision, now):
                    await fold(run, revision, parts, now)
            return await self._walk(run, "downgrade", path, await self._ledger.summaries() if path else now)

    async def path(self, target: str, direction: Direction) -> list[Revision]:
        """The revisions that a run would go through, in order, as the database stands now."""
        records = await self._ledger.summaries()
        return self._up(records, target, False) if direction == "upgrade" else self._down(records, target)

    def _up(self, records: Records, target: str, strict_order: bool) -> list[Revision]:
        path = self._graph.upgrade_path(_applied(records), target)
        if strict_order:
            self._graph.refuse_out_of_order(_applied(records), path)
        return path

    def _taken(self, records: Records) -> list[Revision]:
        """The squashed revisions that the database has by their ranges, and no record of."""
        return [one for one in self._graph.taken(_applied(records)) if one.revision not in records]

    async def _tidy(self, run: Run, records: Records) -> None:
        """Record the squashed revisions that the database has by their ranges; forget ranges that have no files."""
        if whole := self._taken(records):
            await taken(run, whole)
        for revision in self._graph.outlived(_applied(records)):
            await fold(run, revision, self._parts(revision, records), records)

    def _parts(self, revision: Revision, records: Records) -> list[str]:
        return [one for one in self._graph.within(revision.revision) if one in records]

    def _down(self, records: Records, target: str) -> list[Revision]:
        return self._graph.downgrade_path(frozenset(records), target)

    async def _walk(self, run: Run, direction: Direction, path: Sequence[Revision], records: Records) -> list[Revision]:
        if not path:
            return []
        self._examine(path, direction)
        self._tell(RunStarted(direction, tuple(path)))
        await run.look()
        walk = Walk(run, direction, records)
        with explaining(self._driver, f"running the {direction}"):
            await walk.go(path)
        return walk.done

    def _examine(self, path: Iterable[Revision], direction: Direction) -> None:
        """Load every file, and refuse before the first step what could not be finished."""
        for revision in path:
            module = self._load(revision)
            if direction == "downgrade":
                refuse_one_way(revision, module)
            if revision.transactional:
                refuse_schema_changes(revision, module.upgrade if direction == "upgrade" else module.downgrade)

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
    async def _running(self) -> AsyncIterator[tuple[Run, Records]]:
        """The lock held, everything unsettled marked as ours, the state read again."""
        async with self._lock.held(wait=self._wait, command=self._command) as lease:
            own = frozenset({self._ledger.collection, self._ledger.failures, self._lock.collection})
            run = Run(self._driver, self._ledger, self._trail, lease, self._load, self._tell, own)
            await self._ledger.adopt(lease)
            records = await self._ledger.summaries()
            newest = max((record.token for record in records.values()), default=0)
            if newest > lease.token:
                lease.token = await self._lock.raise_token(lease, newest + 1)
                await self._ledger.adopt(lease)
            yield run, records

    async def stamp(self, target: str, *, purge: bool = False) -> tuple[str, ...]:
        """Say that the database stands at ``target``, running nothing; returns the heads afterwards.

        ``purge`` forgets every record first, those of unknown revisions too. Raises as upgrade.
        """
        records = await self._ledger.summaries()
        wanted, kept = self._stamped(records, target, purge)
        if wanted | kept != _applied(records) or len(records) != len(wanted | kept):
            async with self._running() as (run, now):
                wanted, kept = self._stamped(now, target, purge)
                await stamped(run, [self._graph.get(one) for one in sorted(wanted)], now, target, kept)
        return self._graph.heads_of(wanted)

    def _stamped(self, records: Records, target: str, purge: bool) -> tuple[frozenset[str], frozenset[str]]:
        """What is to be recorded, and what else may stay: the records of what squashed revisions among it replace."""
        if purge:
            return self._graph.stamped(frozenset(), target), frozenset()
        wanted = self._graph.stamped(frozenset(records), target)
        within = (part for one in wanted for part in self._graph.within(one))
        return wanted, frozenset(within) & _applied(records)

    async def repair(self, revisions: Iterable[str] | None = None) -> list[Revision]:
        """Accept the files as they are now, on purpose: those named, or all that changed; recorded in each record."""
        wanted = None if revisions is None else {self._graph.get(one).revision for one in revisions}
        changed = [
            one for one in self._changed(await self._ledger.summaries()) if wanted is None or one.revision in wanted
        ]
        if changed:
            async with self._running() as (run, _):
                await repaired(run, changed)
        return changed

    async def situation(self) -> Situation:
        """Where the database stands and who is at work on it; takes no lock."""
        records = await self._ledger.summaries()
        whole = [await self._ledger.record(one.revision) for one in records.values() if not one.is_applied]
        return Situation(records, tuple(one for one in whole if one is not None), await self._lock.holder())

    def changed(self, records: Records) -> list[Revision]:
        """The applied revisions whose file is not the one that was applied."""
        return self._changed(records)

    def _changed(self, records: Records) -> list[Revision]:
        files = [self._graph.get(one) for one in records if one in self._graph]
        return [
            file
            for file in files
            if file.checksum and (known := records[file.revision].checksum) and known != file.checksum
        ]

    def _tell_changed(self, records: Records) -> None:
        for revision in self._changed(records):
            record = records[revision.revision]
            if record.is_applied:
                self._tell(ChecksumChanged(revision, str(record.checksum), str(revision.checksum)))


def _applied(records: Records) -> frozenset[str]:
    return frozenset(one for one, record in records.items() if record.is_applied)
