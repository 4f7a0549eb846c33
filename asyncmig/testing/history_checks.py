"""``HistoryChecks``: what the ready-made tests do: a history run up, down, twice, and broken off everywhere."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asyncmig.errors import AsyncmigError, RevisionError, RevisionFailed
from asyncmig.events import Event, Listener, OperationFinished, OperationStarted
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision
from asyncmig.migrator import Migrator
from asyncmig.schema.own_names import OwnNames
from asyncmig.testing.masking import masked
from asyncmig.testing.snapshot import DatabaseSnapshot, differences, take

__all__ = ["Faulty", "HistoryChecks"]

Documents = Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]


class Faulty(AsyncmigError, AssertionError):
    """Raised when a history is not as it should be; its message is all that a report needs."""


@dataclass(frozen=True, slots=True)
class HistoryChecks:
    """One history on empty databases.

    ``fresh`` gives the next empty database, ``migrator(database, on_event)`` what runs the history on
    it. ``documents`` are inserted once their revision is applied: what an application would have
    stored by then. ``own`` are asyncmig's own collections.
    """

    fresh: Callable[[], Any]
    migrator: Callable[[Any, Listener | None], Migrator]
    documents: Documents = field(default_factory=dict)
    own: frozenset[str] = OwnNames().all

    def history(self) -> list[Revision]:
        """Every revision after what it needs."""
        return list(self.migrator(None, None).graph)

    def single_head(self) -> None:
        """One revision is the last. Raises MultipleHeads."""
        self.migrator(None, None).graph.upgrade_path((), "head")

    def files_import(self) -> None:
        """Every revision file parses, imports, and has what a revision needs."""
        migrator = self.migrator(None, None)
        listing = migrator.listing(thorough=True)
        faults = [str(problem) for problem in listing.problems]
        for revision in listing.revisions:
            try:
                migrator.directory.load(revision)
            except AsyncmigError as error:
                faults.append(str(error))
        _refuse(faults, "revision files that cannot be used:")

    async def upgrade(self) -> None:
        """Every revision can be applied, one after the other, from an empty database."""
        database = self.fresh()
        for revision in self.history():
            await self._up(database, revision)

    async def models_match(self) -> None:
        """A migrated database is what the models declare."""
        migrator = self.migrator(self.fresh(), None)
        await migrator.upgrade("heads")
        operations = await migrator.diff()
        _refuse(
            [operation.describe() for operation in operations],
            "the migrations do not lead to the models; `asyncmig revision --autogenerate` would write:",
        )

    async def up_down(self) -> None:
        """Up then down leaves no trace: collections, options, indexes, views and documents are as before.

        Revisions that say ``irreversible = True`` are only applied.
        """
        database, applied = self.fresh(), []
        for revision in self.history():
            before = await self._snapshot(database)
            await self._up(database, revision)
            applied.append(revision.revision)
            if not revision.irreversible and await self._down(database, revision, applied):
                after = await self._snapshot(database)
                _refuse(differences(before, after), f"downgrade of {revision} does not put back what was there:")
                await self._up(database, revision)
            await self._insert(database, revision)

    async def resume(self) -> None:
        """Broken off before and after each operation, and started again each time, a history comes to the same end."""
        plain, broken = self.fresh(), self.fresh()
        for revision in self.history():
            await self._up(plain, revision)
            breaks = await self._break(broken, revision)
            left = differences(masked(await self._snapshot(plain)), masked(await self._snapshot(broken)))
            _refuse(left, f"{revision}, broken off {breaks} times and resumed, does not lead to the same database:")
            await self._insert(plain, revision)
            await self._insert(broken, revision)

    async def second_upgrade(self) -> None:
        """A second upgrade finds nothing to do, and changes nothing."""
        migrator = self.migrator(self.fresh(), None)
        await migrator.upgrade("heads")
        before = await take(migrator.database)
        again = await migrator.upgrade("heads")
        _refuse([str(revision) for revision in again], "applied again by a second upgrade:")
        _refuse(differences(before, await take(migrator.database)), "changed by a second upgrade:")

    async def files_unchanged(self) -> None:
        """Running a history does not change its files; and none was edited that the main branch has."""
        from asyncmig.testing.published import edited_since_published

        migrator = self.migrator(self.fresh(), None)
        before = migrator.directory.checksums()
        await migrator.upgrade("heads")
        edited = (await migrator.status()).edited
        if before != migrator.directory.checksums() or edited:
            raise Faulty(f"running the revisions has changed their files: {', '.join(edited)}")
        _refuse(
            edited_since_published(migrator.directory.versions),
            "revision files that the main branch has were edited; write a new revision instead:",
        )

    # -- parts ----------------------------------------------------------------------------------

    async def _up(self, database: Any, revision: Revision) -> None:
        await self._run(self.migrator(database, None).upgrade(revision.revision), revision, "upgrade")

    async def _down(self, database: Any, revision: Revision, applied: Sequence[str]) -> bool:
        """Revert this revision, the last that was applied; False where no target names exactly that."""
        migrator = self.migrator(database, None)
        target = _just_below(migrator.graph, revision, applied)
        if target:
            await self._run(migrator.downgrade(target), revision, "downgrade")
        return bool(target)

    async def _run(self, work: Awaitable[object], revision: Revision, direction: str) -> None:
        try:
            await work
        except RevisionFailed as error:
            raise Faulty(f"{direction} of {revision}: {error}") from error

    async def _insert(self, database: Any, revision: Revision) -> None:
        for name, documents in self.documents.get(revision.revision, {}).items():
            await database[name].insert_many([dict(document) for document in documents])

    async def _snapshot(self, database: Any) -> DatabaseSnapshot:
        return await take(database, without=self.own)

    async def _break(self, database: Any, revision: Revision) -> int:
        """Apply a revision, breaking it off at one more place each time; how often it was."""
        breaker = _Breaker()
        while True:
            breaker.has_broken = False
            try:
                await self.migrator(database, breaker).upgrade(revision.revision)
            except RevisionFailed as error:
                if not breaker.has_broken:
                    raise Faulty(f"upgrade of {revision}, broken off {breaker.count} times: {error}") from error
            else:
                return breaker.count


class _Broken(Exception):  # no error of the history: what stands for a crash
    """Raised into a run at one place after the other."""


class _Breaker:
    """A listener that breaks a run off once before each operation is applied, and once after, unrecorded."""

    def __init__(self) -> None:
        self.has_broken = False
        self._places: set[tuple[type[Event], int]] = set()

    @property
    def count(self) -> int:
        """How often it has."""
        return len(self._places)

    def __call__(self, event: Event) -> None:
        """Take one event of the run."""
        if isinstance(event, OperationStarted | OperationFinished):
            place = (type(event), event.number)
            if place not in self._places:
                self._places.add(place)
                self.has_broken = True
                raise _Broken(f"broken off at operation {event.number}")


def _just_below(graph: RevisionGraph, revision: Revision, applied: Sequence[str]) -> str | None:
    name = revision.revision
    for target in (f"{name}@-1", *(f"{name}@{parent}" for parent in revision.down_revision)):
        try:
            path = graph.downgrade_path(applied, target)
        except RevisionError:
            continue
        if [step.revision for step in path] == [name]:
            return target
    return None


def _refuse(lines: Sequence[str], heading: str) -> None:
    if lines:
        raise Faulty("\n  ".join([heading, *lines]))
