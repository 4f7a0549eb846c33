"""``Migrator``: the one façade; the command line, an application and the tests all come through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from asyncmig.errors import (
    AsyncmigError,
    ConfigurationError,
    DatabaseAhead,
    NotAdopted,
    PendingRevisions,
    RevisionHalfDone,
    RevisionsEdited,
    SchemaDiffers,
)
from asyncmig.files.directory import Directory, Listing
from asyncmig.files.errors import RevisionFileError
from asyncmig.history.errors import MultipleHeads
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision
from asyncmig.schema.own_names import OwnNames

if TYPE_CHECKING:
    from asyncmig.authoring.diff import Difference
    from asyncmig.authoring.policy import IndexNames, RemovedFields, Undeclared, UndeclaredOptions
    from asyncmig.drivers.base import Driver
    from asyncmig.events import Direction, Listener
    from asyncmig.fields.declaring import FieldSettings
    from asyncmig.files.module import RevisionModule
    from asyncmig.files.recorded import RecordedFiles
    from asyncmig.files.snapshot import Snapshot
    from asyncmig.operations import Operation
    from asyncmig.preflight.probe import Cost, Preflight
    from asyncmig.profiling.reading import Reading
    from asyncmig.profiling.survey import Report
    from asyncmig.review.loss import Confirm, Loss, LossGuard
    from asyncmig.review.plan import Plan
    from asyncmig.running.ledger.ledger import Ledger
    from asyncmig.running.ledger.position import Position
    from asyncmig.running.ledger.record import Mark, Record
    from asyncmig.running.ledger.status import Status
    from asyncmig.running.locking.holder import Holder
    from asyncmig.running.locking.lock import Lock
    from asyncmig.running.runner import Runner, Situation
    from asyncmig.schema.fields import Level
    from asyncmig.schema.state import DatabaseState
    from asyncmig.sources import Declared, Models

__all__ = ["Generated", "Migrator", "autogenerate_migration"]


class Migrator:
    """Migrations of one database.

    ``database``: a Motor ``AsyncIOMotorDatabase``, a PyMongo ``AsyncDatabase``, or a mongomock-motor
    database; it and its client stay the caller's. Without one, what needs only files works.
    ``directory``: the folder that holds ``versions/``. ``collections``: the models, of asyncmig's own
    or another library's, or where to import them from (``"app.models:ALL_COLLECTIONS"``; a list joins
    several); ``db_alias``: of models that name their database, which are taken. ``lock_timeout`` and
    ``lock_lease`` are seconds. ``strict_order`` refuses to run a revision that is older than an applied one.
    ``include(kind, name)`` tells which collections are asyncmig's business at all;
    ``undeclared_indexes`` (``agreed``, ``drop``, ``hide`` or ``ignore``) and ``undeclared_options`` say what
    becomes of what a collection has and its model does not mention. ``fields`` is ``ignore``, ``record``,
    ``warn``, ``moderate`` or ``strict``: how the fields that models declare are enforced;
    ``fields_by_collection`` for single collections; ``field_constraints``: whether bounds are, too;
    ``removed_fields``: ``suggest`` or ``drop``. ``index_names``: ``exact``, or ``ignore`` for indexes that differ by
    their names only. ``on_event`` is called with each
    event of a run; ``command`` is what others see in the lock. ``commit_quorum``: which members have to have
    built an index, where the revision does not say: ``majority`` on a replica set unless given.

    Raises ConfigurationError for one of MongoDB's own databases (admin, config, local), for names of the
    ledger and the lock that no collection can have, or that are one, and for seconds and words that do not fit.
    """

    def __init__(
        self,
        database: Any = None,
        directory: str | Path = "migrations",
        collections: Models | None = None,
        *,
        db_alias: str | None = None,
        revisions_collection: str = "asyncmig_revisions",
        lock_collection: str = "asyncmig_lock",
        lock_timeout: float = 60.0,
        lock_lease: float = 30.0,
        strict_order: bool = False,
        include: Callable[[str, str], bool] | None = None,
        undeclared_indexes: Undeclared = "agreed",
        undeclared_options: UndeclaredOptions = "agreed",
        fields: Level = "ignore",
        fields_by_collection: Mapping[str, Level] | None = None,
        field_constraints: bool = False,
        removed_fields: RemovedFields = "suggest",
        index_names: IndexNames = "exact",
        on_event: Listener | None = None,
        command: str = "",
        commit_quorum: str | int | None = None,
    ) -> None:
        _refuse_reserved(database)
        self.database = database
        self.directory = Directory(directory)
        self._models, self._db_alias = collections, db_alias
        self._declared: Declared | None = None
        self._names = _checked(revisions_collection, lock_collection)
        self._own = OwnNames(*self._names).all
        self._patience = _seconds("lock_timeout", lock_timeout, lock_timeout == 0)
        self._lease = _seconds("lock_lease", lock_lease)
        self._strict_order = strict_order
        self._include = include
        self._undeclared: Undeclared = _one_of(
            "undeclared_indexes", undeclared_indexes, ("agreed", "drop", "hide", "ignore")
        )
        self._undeclared_options: UndeclaredOptions = _one_of(
            "undeclared_options", undeclared_options, ("agreed", "drop", "ignore")
        )
        self._fields = _field_settings(fields, fields_by_collection or {}, constraints=field_constraints)
        if removed_fields not in ("suggest", "drop"):
            raise ConfigurationError(f"removed_fields: must be suggest or drop, not {removed_fields!r}")
        self._removed_fields: RemovedFields = removed_fields
        if index_names not in ("exact", "ignore"):
            raise ConfigurationError(f"index_names: must be exact or ignore, not {index_names!r}")
        self._index_names: IndexNames = index_names
        self._on_event, self._command = on_event, command
        self._commit_quorum = commit_quorum
        self.keep_building = False
        """Whether an index build is left to the server when a run is cancelled."""

    # Files alone.

    def listing(self, *, thorough: bool = False) -> Listing:
        """The revision files as they are now, the faulty ones beside the good; ``thorough`` parses their bodies too."""
        return self.directory.read(thorough=thorough)

    @property
    def graph(self) -> RevisionGraph:
        """The graph of the revision files as they are now. Raises RevisionError for the first faulty file."""
        return self.listing().graph()

    # Writing history.

    async def diff(self) -> list[Operation]:
        """The operations that would bring the database to the models; empty when they agree.

        Raises ConfigurationError without models, DeclarationError for a fault in them.
        """
        return list((await self.difference()).operations)

    async def difference(self, *, drop_collections: bool = False) -> Difference:
        """As ``diff``, with remarks on what no operation stands for.

        ``drop_collections`` lets collections go that asyncmig itself has created and no model claims.
        Raises DatabaseAhead where there is a folder of revision files, and the database has others.
        """
        if self.database is not None and self.directory.versions.is_dir():
            await self._refuse_ahead(await self._position())
        return await self._difference(drop_collections=drop_collections)

    async def _difference(self, *, drop_collections: bool = False, look: bool = False) -> Difference:
        from asyncmig.authoring.comparison import Scope, compare
        from asyncmig.authoring.policy import Policy

        owned = await self._created() if drop_collections else frozenset()
        policy = Policy(
            self._undeclared,
            self._undeclared_options,
            drop_collections=drop_collections,
            owned=owned,
            removed_fields=self._removed_fields,
            index_names=self._index_names,
        )
        declared = self.declared()
        with self._explaining("comparing the models with"):
            scope = Scope(self._include, self._own)
            found = await compare(self._connected(), declared.state, scope, policy, look=look)
            if found.left_alone and (agreed := await self._agreed() & found.left_alone):
                policy = replace(policy, agreed=agreed)
                found = await compare(self._connected(), declared.state, scope, policy, look=look)
            looked_at = scope.of(declared.state)
            said = (
                note for note in declared.notes if note.collection in looked_at or note.collection not in declared.state
            )
            return replace(found, notes=(*said, *found.notes))

    async def revision(self, message: str, *, autogenerate: bool = False, **place: Any) -> Revision | None:
        """Write a revision file, and return what it declares; ``place`` as :meth:`generate` takes it.

        With ``autogenerate`` None comes back where nothing differs, and no file is written.
        """
        if autogenerate:
            return (await self.generate(message, **place)).revision
        from asyncmig.authoring.writer import write_revision

        return write_revision(self.directory, message, **place)

    async def generate(self, message: str, *, drop_collections: bool = False, **place: Any) -> Generated:
        """Write what the models ask for into a revision file, and tell what that is.

        ``place``: ``head`` (the parent; default: the only head), ``splice`` (it need not be a head),
        ``branch_label``, ``depends_on`` (ids), ``rev_id``. The live database is compared, so that
        what is written already has to be applied: raises PendingRevisions otherwise.
        """
        from asyncmig.authoring.writer import write_revision

        position = await self._position()
        await self._refuse_ahead(position)
        if waiting := position.pending:
            raise PendingRevisions([revision.revision for revision in waiting])
        found = await self._difference(drop_collections=drop_collections, look=True)
        revision = write_revision(self.directory, message, found, **place) if found else None
        return Generated(revision, found)

    async def merge(
        self, targets: Sequence[str] = (), message: str | None = None, *, rev_id: str | None = None
    ) -> Revision:
        """Write the revision that joins several heads: all of them, or those that ``targets`` name."""
        from asyncmig.authoring.writer import write_merge

        return write_merge(self.directory, targets, message, rev_id=rev_id)

    async def squash(self, span: str, message: str | None = None, *, rev_id: str | None = None) -> Revision:
        """Write one revision that replaces the range ``A:B``; its operations are those of the range, folded.

        Raises NotSquashable for the range, NotReplayable where a revision does more than its operations say.
        """
        from asyncmig.authoring.writer import write_squash
        from asyncmig.files.static import is_one_way
        from asyncmig.history.range import squashable_range
        from asyncmig.review.replay import replay

        wanted = squashable_range(self.graph, span)
        modules = [self.directory.load(member) for member in wanted.members]
        forth = [one for module in modules for one in await replay(module, "upgrade")]
        one_way = [module.revision.revision for module in modules if is_one_way(module)]
        back = [] if one_way else [one for module in reversed(modules) for one in await replay(module, "downgrade")]
        return write_squash(self.directory, wanted, forth, back, message, one_way=one_way, rev_id=rev_id)

    async def rebase(self, name: str, *, onto: str | None = None, force: bool = False) -> tuple[Revision, Revision]:
        """Put an unapplied revision behind another head, in its file; returns it as it is now, and its new parent.

        Raises NotRebasable where it cannot be moved; with a database, also where it is applied there; and,
        unless ``force``, where another branch of a git remote has its file: others may have applied it.
        """
        from asyncmig.authoring.writer import rebase
        from asyncmig.files.published import published_in
        from asyncmig.history.rebase import NotRebasable, new_parent

        graph = self.graph
        revision, _ = new_parent(graph, name, onto)
        if not force and revision.path and (branches := published_in(revision.path)):
            others = " and others" if len(branches) > 3 else ""
            raise NotRebasable(
                revision,
                f"it is published, in {', '.join(branches[:3])}{others}, and may have "
                "been applied elsewhere. `asyncmig merge` joins the heads as they are; --force moves it all the same",
            )
        if self.database is not None:
            begun = await self._ledger().marks()  # what stopped half-way counts, too
            if revision.revision not in {one.revision for one in graph.pending(begun)}:
                raise NotRebasable(revision, f"it is applied in {self.database.name}; downgrade it first, or use merge")
        return rebase(self.directory, name, onto)

    # Running history.

    async def current(self) -> tuple[str, ...]:
        """The ids of the revisions at the heads of what is applied."""
        return (await self._position()).heads

    async def applied(self) -> frozenset[str]:
        """The ids of all that is applied."""
        return (await self._position()).applied

    async def pending(self) -> list[Revision]:
        """The revisions that are not applied, in the order in which they would be."""
        return (await self._position()).pending

    async def standing(self, files: Snapshot | None = None) -> Status:
        """What is pending, and what the database has that no file knows; one round trip, no lock.

        ``files``: a snapshot to compare with, for whoever asks again and again; else they are read
        now. The cheapest of all questions: a database at head is known by its files' checksums.
        """
        import asyncio

        from asyncmig.files.snapshot import Snapshot
        from asyncmig.running.ledger.status import status_of

        files = files or Snapshot(self.directory)
        asking = asyncio.ensure_future(self._ledger().marks())
        try:
            await asyncio.sleep(0)  # the question goes out, and the server is at work while the files are read
            _ = files.checksums
            return status_of(await asking, files)
        finally:
            asking.cancel()

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
        from asyncmig.files.static import refuse_unfinishable
        from asyncmig.review.plan import make_plan
        from asyncmig.schema.state import DatabaseState

        files = await self._recorded() if from_ledger else None

        def load(revision: Revision) -> RevisionModule:
            module = (files or self.directory).load(revision)
            refuse_unfinishable(revision, module, direction)
            return module

        position = await self._position(files.graph if files else None)
        path = position.path(target, direction, strict_order=self._strict(strict_order))
        position.refuse_half_done(path)
        live = await self.state() if path else DatabaseState()
        half_way = [one.revision for one in path if one.revision in position.entries.keys() - position.applied]
        records = await self._stopped(half_way, direction)
        with self._explaining("planning a run on"):
            plan = await make_plan(
                path, direction, load=load, driver=self._driver(), live=live, records=records, inserted=self._inserted
            )
        return replace(plan, out_of_order=position.late(path)) if direction == "upgrade" else plan

    async def preflight(
        self, target: str = "head", *, budget: float = 30.0, exact: bool = False, **choice: Any
    ) -> Preflight:
        """What a run to ``target`` will meet, in numbers: duplicates, documents that break a validator, and so on.

        ``budget``: seconds for each question that scans a collection. With ``exact`` the server's dry run
        is asked for duplicates, which marks an index (``prepareUnique``) for a moment; else nothing is
        written. ``choice`` as :meth:`plan` takes it: ``direction``, ``strict_order``, ``from_ledger``.
        """
        plan = await self.plan(target, **choice)
        return await self.forecast(plan, costs=("A", "B", "C", "D") if exact else ("A", "B", "C"), budget=budget)

    async def forecast(self, plan: Plan, *, costs: Iterable[Cost] = ("A", "B", "C"), budget: float = 30.0) -> Preflight:
        """As ``preflight``, of a plan that is there already; ``costs`` says which probes are run."""
        from asyncmig.preflight.run import preflight
        from asyncmig.schema.state import DatabaseState

        live = await self.state() if plan else DatabaseState()
        with self._explaining("looking ahead in"):
            return await preflight(plan, self._driver(), live, costs=costs, budget=budget)

    async def _stopped(self, revisions: Iterable[str], direction: Direction) -> dict[str, Record]:
        """The records of those that stopped half-way in this direction, and were no transactions."""
        found = [await self._ledger().record(one) for one in revisions]
        stopped = [one for one in found if one and not one.is_applied and not one.transactional]
        return {one.revision: one for one in stopped if one.direction == direction}

    async def losses(self, target: str = "head", *, direction: Direction = "upgrade") -> tuple[Loss, ...]:
        """What a run to ``target`` would take away for good, found in the sources without running them."""
        return await self._losses((await self._position()).path(target, direction), direction)

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
        calls = [call for one in path for call in losing_calls(one, direction, source(one))]
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

    def _strict(self, asked: bool | None) -> bool:
        return self._strict_order if asked is None else asked

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

    async def _refuse_ahead(self, position: Position[Mark]) -> None:
        """Raise DatabaseAhead, with what the ledger has to say about the revisions that no file knows.

        RevisionHalfDone where one of them is half-way.
        """
        if half_done := position.half_done_unknown:
            summaries = await self._ledger().summaries()
            raise RevisionHalfDone({one: summaries[one].message for one in half_done if one in summaries}, unknown=True)
        if ahead := position.graph.unknown(position.entries):
            records = await self._ledger().summaries()
            raise DatabaseAhead(ahead, messages={one: records[one].message for one in ahead if one in records})

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
        position = await self._position(files.graph if files else None)
        path = position.path(target, direction, strict_order=strict_order)
        position.refuse_half_done(path)
        if not path and (direction == "downgrade" or position.is_tidy):
            if self._on_event:
                for warning in position.warnings():
                    self._on_event(warning)
            return None
        guard = None
        if confirm:
            losses = await self._losses(path, direction, files)
            await confirm(losses)
            guard = self._guarded(losses, confirm)
        return self._runner(position.graph, files, guard)

    def _guarded(self, agreed: Sequence[Loss], confirm: Confirm) -> LossGuard:
        from asyncmig.review.loss import LossGuard

        return LossGuard(self._driver(), agreed, self._inserted, confirm)

    async def stamp(self, target: str, *, purge: bool = False) -> None:
        """Record ``target`` as where the database stands, without running anything."""
        await self._runner().stamp(target, purge=purge)

    async def check(self) -> None:
        """Return when the database is at head and agrees with the models, and the files are as they were applied.

        Raises DatabaseAhead (nothing more is looked at then), MultipleHeads (a fresh database could not be
        upgraded to ``head``; labelled branches are meant so), PendingRevisions (also when the models differ
        besides), SchemaDiffers, RevisionsEdited, RevisionError for a faulty file, HeadFileError; of
        several the first, and the others are notes on it. Without models only the revisions are looked at.
        """
        from asyncmig.running.unadopted import unadopted

        position = await self._position(self.listing(thorough=True).graph())
        await self._refuse_ahead(position)
        waiting = [one.revision for one in position.pending]
        operations = (await self._difference()).operations if self._models is not None else ()
        failures: list[AsyncmigError] = []
        if error := await unadopted(self._driver(), position.entries, position.pending):
            failures.append(error)
        if waiting:
            failures.append(PendingRevisions(waiting, operations))
        elif operations:
            failures.append(SchemaDiffers(operations))
        if edited := position.edited:
            failures.append(RevisionsEdited(edited))
        failures += [*self._head_faults(position.graph), *_several_heads(position.graph)]
        if failures:
            first, *others = failures
            first.__notes__ = [str(other) for other in others]
            raise first

    async def unadopted(self) -> NotAdopted | None:
        """What stands against running anything: a baseline is pending, and the database was there before it."""
        from asyncmig.running.unadopted import unadopted

        position = await self._position()
        return await unadopted(self._driver(), position.entries, position.pending)

    def _head_faults(self, graph: RevisionGraph) -> list[RevisionFileError]:
        try:
            self.directory.head_file.verify(graph.heads)
        except RevisionFileError as fault:
            return [fault]
        return []

    async def repair(self, revisions: Sequence[str] | None = None) -> list[Revision]:
        """Accept files that were edited after they were applied: those named, or all; the ledger remembers it."""
        return await self._runner().repair(revisions)

    async def records(self) -> list[Record]:
        """The ledger: one record for each revision that is applied, or half-way."""
        return await self._ledger().records()

    async def situation(self, graph: RevisionGraph | None = None) -> Situation:
        """Where the database stands, what is half-way, and who holds the lock; ``graph`` where it is known."""
        return await self._runner(graph).situation()

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
        from asyncmig.running.applying.index_build import under_construction

        command = {"setIndexCommitQuorum": collection, "indexNames": [name], "commitQuorum": quorum}
        with self._explaining("changing the quorum of an index build on"):
            if name not in await under_construction(self._driver(), collection):
                raise await self._not_building(collection, name)
            await self._driver().command(command)

    async def _not_building(self, collection: str, name: str) -> ConfigurationError:
        from asyncmig.running.applying.index_build import under_construction

        others = await under_construction(self._driver(), collection)
        told = f"; {', '.join(others)} is" if others else ""
        return ConfigurationError(f"index {name} of {collection} is not being built{told}")

    async def state(self) -> DatabaseState:
        """What the database has, in normal form."""
        from asyncmig.authoring.introspect import introspect

        with self._explaining("reading the schema of"):
            return await introspect(self._connected(), include=self._include, own=self._own)

    async def fields(
        self,
        collections: Sequence[str] = (),
        reading: Reading | None = None,
        *,
        count: bool = False,
        on_progress: Callable[[str, int, int], None] | None = None,
    ) -> list[Report]:
        """What the documents of these collections hold (of all, unless named), against the models; only reads.

        ``reading``: how much to read, and how gently. ``count``: count exactly the documents that break
        the models. ``on_progress`` is called with collection, documents read, and about how many there are.
        Raises ConfigurationError for a collection that is not there.
        """
        from asyncmig.fields.declaring import declared_schemas
        from asyncmig.profiling.survey import survey

        declared = None if self._models is None else self.declared()
        schemas = declared_schemas(declared.state, declared.classes) if declared else {}
        present = [one.name for one in await self.state() if one.kind != "view"]
        with self._explaining("reading documents of"):
            return await survey(
                self._connected(), present, schemas, collections, reading, count=count, on_progress=on_progress
            )

    # The parts.

    async def _position(self, graph: RevisionGraph | None = None) -> Position[Mark]:
        """Where the database stands among the files as they are now, or of ``graph``; one round trip."""
        from asyncmig.running.ledger.position import Position

        graph = graph or self.graph  # a fault in the files is told before anything is asked
        return Position(graph, await self._ledger().marks())

    def _connected(self) -> Any:
        if self.database is None:
            raise ConfigurationError("this needs a database: pass one to Migrator, or set url and database")
        return self.database

    def declared(self) -> Declared:
        """What the models say, whoever's library they are of; read once.

        Raises ConfigurationError without models, DeclarationError for a fault in them.
        """
        from asyncmig.fields.declaring import with_fields
        from asyncmig.sources import load_models

        if self._declared is None:
            if self._models is None:
                raise ConfigurationError(
                    "this needs models: pass collections to Migrator, or set `models` in [tool.asyncmig], "
                    'for example "app.models:ALL_COLLECTIONS"'
                )
            if isinstance(self._models, type):
                raise ConfigurationError(f"collections is a list of models: write [{self._models.__name__}]")
            declared = load_models(self._models, db_alias=self._db_alias)
            self._declared = replace(declared, state=with_fields(declared.state, declared.classes, self._fields))
        if taken := sorted(self._own & self._declared.state.collections.keys()):
            raise ConfigurationError(
                f"{taken[0]!r} is asyncmig's own collection, and a model has its name; rename the model's, or set "
                "revisions_collection or lock_collection to another name"
            )
        return self._declared

    def _explaining(self, doing: str) -> AbstractContextManager[None]:
        from asyncmig.drivers.explain import explaining

        return explaining(self._driver(), f"{doing} the database")

    def _driver(self) -> Driver:
        from asyncmig.drivers import driver_for

        return driver_for(self._connected())

    def _ledger(self) -> Ledger:
        from asyncmig.running.ledger.ledger import Ledger

        return Ledger(self._driver(), collection=self._names[0])

    def _lock(self) -> Lock:
        from asyncmig.running.locking.lock import Lock

        return Lock(self._driver(), collection=self._names[1], lease=self._lease)

    def _runner(
        self,
        graph: RevisionGraph | None = None,
        files: RecordedFiles | None = None,
        guard: LossGuard | None = None,
    ) -> Runner:
        from asyncmig.running.runner import Runner

        return Runner(
            self._driver(),
            graph=self.graph if graph is None else graph,
            load=(files or self.directory).load,
            ledger=self._ledger(),
            lock=self._lock(),
            lock_timeout=self._patience,
            on_event=self._on_event,
            command=self._command,
            admit=guard,
            commit_quorum=self._commit_quorum,
            keep_building=self.keep_building,
        )

    async def _agreed(self) -> frozenset[str]:
        from asyncmig.running.ledger.provenance import agreed_collections

        return agreed_collections(await self.records())

    async def _created(self) -> frozenset[str]:
        from asyncmig.running.ledger.provenance import created_collections

        return created_collections(await self.records())


@dataclass(frozen=True, slots=True)
class Generated:
    """What autogenerate has found, and the revision it has written: None where nothing differs."""

    revision: Revision | None
    difference: Difference


async def autogenerate_migration(message: str, *, database: Any, collections: Models) -> tuple[str, bool]:
    """The source of the revision that would bring ``database`` to ``collections``, and whether anything differs.

    Writes nothing, neither to the database nor to disk. The source has no parent: it is for looking
    at, for tests, and for tools that keep revisions their own way.
    """
    from asyncmig.authoring.draft import draft

    found = await Migrator(database, collections=collections).difference()
    revision = Directory(".").new_id(taken=())
    return draft(found, revision=revision, down_revision=None, message=message), bool(found)


def _several_heads(graph: RevisionGraph) -> list[AsyncmigError]:
    """The error of who upgrades to ``head``, unless each head is on a branch with a label of its own."""
    labels = [set(graph.labels_of(head)) for head in graph.heads]
    if all(labels) and sum(map(len, labels)) == len(set().union(*labels)):
        return []
    try:
        graph.resolve("head")
    except MultipleHeads as error:
        return [error]
    return []


def _refuse_reserved(database: Any) -> None:
    from asyncmig.address import RESERVED
    from asyncmig.schema.names import database_name_fault

    name = getattr(database, "name", None)
    if isinstance(name, str) and name.lower() in RESERVED:
        raise ConfigurationError(f"database: {database_name_fault(name)}")


def _checked(ledger: str, lock: str) -> tuple[str, str]:
    from asyncmig.schema.names import name_fault

    for key, name in (("revisions_collection", ledger), ("lock_collection", lock)):
        if fault := name_fault(name):
            raise ConfigurationError(f"{key}: {fault}")
    if lock in OwnNames(ledger, "").all:
        raise ConfigurationError(
            f"lock_collection: {lock!r} is the ledger's own; the lock needs a collection of its own"
        )
    return ledger, lock


def _field_settings(level: Level, by_collection: Mapping[str, Level], *, constraints: bool) -> FieldSettings:
    from asyncmig.fields.declaring import FieldSettings
    from asyncmig.schema.fields import LEVELS

    for key, given in {"fields": level, **{f"fields_by_collection.{k}": v for k, v in by_collection.items()}}.items():
        if given not in LEVELS:
            raise ConfigurationError(f"{key}: must be one of {', '.join(LEVELS)}, not {given!r}")
    return FieldSettings(level, by_collection, constraints)


def _one_of(key: str, value: Any, choices: tuple[str, ...]) -> Any:
    if value not in choices:
        raise ConfigurationError(f"{key}: must be one of {', '.join(choices)}, not {value!r}")
    return value


def _seconds(key: str, value: Any, allowed: bool = False) -> float:
    if isinstance(value, int | float) and (allowed or 0 < value < float("inf")):
        return value
    raise ConfigurationError(f"{key}: must be a number of seconds, not {value!r}")
