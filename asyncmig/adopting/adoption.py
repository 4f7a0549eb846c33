"""``Adoption``: taking an existing database over: look at it, propose, and write all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from asyncmig.adopting.agreement import Agreement, Line
from asyncmig.adopting.carrying_out import Changes, carry_out, verified
from asyncmig.adopting.errors import AdoptionRefused, NotAgreed
from asyncmig.adopting.facts import with_facts
from asyncmig.adopting.histories.importing import Imported
from asyncmig.adopting.project_file import with_settings
from asyncmig.adopting.proposal import Proposal, Wish, compared, from_database, from_models
from asyncmig.authoring.diff import Difference
from asyncmig.authoring.revision_file import revision_source
from asyncmig.authoring.summary import summary
from asyncmig.drivers.base import Driver
from asyncmig.files.directory import Directory, slug
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision
from asyncmig.schema.state import DatabaseState
from asyncmig.sources import Declared

__all__ = ["Adopted", "Adoption", "LedgerEntry", "Project"]

_MESSAGE = "baseline"


class LedgerEntry(Protocol):
    """What an adoption needs to know of one record."""

    @property
    def is_applied(self) -> bool:
        """Whether the revision is applied as a whole."""
        ...


class Project(Protocol):
    """What an adoption needs of the façade."""

    directory: Directory

    async def state(self) -> DatabaseState:
        """What the database has."""
        ...

    def declared(self) -> Declared:
        """What the models say."""
        ...

    async def stamp(
        self, target: str, *, purge: bool = False, imported: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        """Record a revision as applied, running nothing; ``imported``: what another tool's log says of each."""
        ...


@dataclass(frozen=True, slots=True)
class Adopted:
    """What an adoption found, and what it wrote, or would write.

    ``lines`` come with facts of the server. ``baseline`` is the revision that makes all of it on an
    empty database, None where only a history is taken over.
    """

    agreement: Agreement
    lines: tuple[Line, ...] = ()
    baseline: Revision | None = None
    imported: tuple[Imported, ...] = ()
    files: tuple[Path, ...] = ()
    changed: tuple[Path, ...] = ()
    left: tuple[Line, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def target(self) -> str | None:
        """The revision at which the database stands from then on."""
        if self.baseline is not None:
            return self.baseline.revision
        return self.imported[-1].revision.revision if self.imported else None


@dataclass(slots=True)
class Adoption:
    """One adoption. ``settings``: the project's configuration file, which may not exist yet.

    ``named``: the setting ``models`` as it stands. ``history_only``: no models are looked at, nor written.
    ``keys``: further settings to be written. ``ignored``: collections of other tools, which are nobody's models.
    ``state``: what to take over where that is known already; ``records``: whether the baseline is recorded.
    """

    project: Project
    driver: Driver | None
    wish: Wish
    settings: Path
    named: str | Sequence[str] | None = None
    from_database: bool = False
    history_only: bool = False
    keys: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    state: DatabaseState | None = None
    records: bool = True

    async def propose(
        self, records: Mapping[str, LedgerEntry], imported: Sequence[Imported] = ()
    ) -> tuple[Adopted, Changes]:
        """What is there, and what would be written; nothing is touched.

        Raises NotAgreed (with the lines in ``.found``), AdoptionRefused, ConfigurationError, DeclarationError.
        """
        graph = self._graph()
        baseline = _baseline(graph)
        self._refuse_used(records, baseline, imported)
        current = await self._current()
        proposal = await self._proposal(current, baseline)
        new = None if baseline or self.history_only else self._new(graph, imported)
        changes = self._changes(proposal, new, imported)
        revision = baseline or new
        return await self._told(proposal, revision, changes, imported), changes

    async def carry_out(self, adopted: Adopted, changes: Changes) -> None:
        """Write the files and record the baseline, without running anything; all of it, or nothing."""

        async def record() -> None:
            self.project.directory.record_heads()
            if adopted.target is not None and self.records:
                origins = {step.revision.revision: step.origin for step in adopted.imported}
                await self.project.stamp(adopted.target, imported=origins)

        await carry_out(changes, record)

    async def compare(self) -> tuple[Line, ...]:
        """The lines that are open now, of a database that was adopted before."""
        current = await self._current()
        return tuple(await self._facts(compared(current, self.project.declared().state).open))

    async def _facts(self, lines: Sequence[Line]) -> Sequence[Line]:
        return await with_facts(self.driver, lines) if self.driver is not None else lines

    async def _current(self) -> DatabaseState:
        state = await self.project.state() if self.state is None else self.state
        return DatabaseState(
            {collection.name: collection for collection in state if collection.name not in self.ignored}
        )

    def _graph(self) -> RevisionGraph:
        directory = self.project.directory
        return directory.read().graph() if directory.versions.is_dir() else RevisionGraph([])

    def _refuse_used(
        self, records: Mapping[str, LedgerEntry], baseline: Revision | None, imported: Sequence[Imported]
    ) -> None:
        """An adoption is for a database that asyncmig does not run yet."""
        known = {step.revision.revision for step in imported} | ({baseline.revision} if baseline else set())
        if others := sorted(records.keys() - known):
            count = f"{len(others)} revisions are applied or half-way ({_some(others)})"
            raise AdoptionRefused(
                f"asyncmig runs this database already: {count}; there is nothing to adopt, and `asyncmig status` shows "
                "where it stands"
            )
        pending = [revision.revision for revision in self._graph() if revision.revision not in known and not baseline]
        if pending:
            raise AdoptionRefused(
                f"{self.project.directory.versions} has {len(pending)} revisions and no baseline ({_some(pending)}): a "
                "baseline comes first. Where this database has what they do, `asyncmig stamp head` says so; else move "
                "them away, adopt, and generate them anew"
            )

    async def _proposal(self, current: DatabaseState, baseline: Revision | None) -> Proposal:
        if self.history_only:
            return Proposal(Agreement(), Difference(), current=current)
        if self.from_database and baseline is None:
            return from_database(current, self.wish)
        declared = self.project.declared()
        try:
            return from_models(current, declared.state, self.wish, self.named, _own(declared))
        except NotAgreed as error:
            agreement = compared(current, declared.state)
            error.found = Adopted(agreement, tuple(await self._facts(agreement.lines)), notes=self._notes(current))
            raise

    def _new(self, graph: RevisionGraph, imported: Sequence[Imported]) -> Revision:
        """The baseline's place: behind what is imported; its id is newer than all others."""
        taken = {revision.revision for revision in graph} | {step.revision.revision for step in imported}
        heads = _heads([step.revision for step in imported]) or graph.heads
        return Revision(self.project.directory.new_id(taken=taken), heads, message=_MESSAGE, baseline=True)

    def _changes(self, proposal: Proposal, new: Revision | None, imported: Sequence[Imported]) -> Changes:
        versions = self.project.directory.versions
        changes = Changes(folders=[versions], kept=[self.project.directory.head_file.path])
        for step in imported:
            if step.source is not None:
                changes.created[versions / f"{step.revision.revision}_{slug(step.step.name)}.py"] = step.source
        if new is not None:
            changes.created[versions / f"{new.revision}_{_MESSAGE}.py"] = self._source(proposal, new)
            changes.created.update(proposal.files)
        if new is not None or self.history_only:
            self._set(changes, proposal)
        self._verify(proposal)
        return changes

    def _source(self, proposal: Proposal, revision: Revision) -> str:
        """Without a way back: reverting it would drop what was there before asyncmig."""
        return revision_source(
            revision=revision.revision,
            down_revision=revision.down_revision,
            message=f"{_MESSAGE}: what {self.wish.database} had when it was adopted",
            upgrade=proposal.baseline.operations,
            summary=summary(proposal.baseline.operations),
            baseline=True,
        )

    def _set(self, changes: Changes, proposal: Proposal) -> None:
        """The configuration file with what has changed; the table is added where there is none."""
        keys = dict(self.keys) | ({"models": proposal.models} if proposal.models is not None else {})
        before = self.settings.read_bytes().decode() if self.settings.exists() else ""
        after = with_settings(before, keys, own_file=self.settings.name != "pyproject.toml") if keys else before
        if after != before:
            changes.replaced[self.settings] = after

    def _verify(self, proposal: Proposal) -> None:
        """Written models are read back before any of them is kept."""
        if not proposal.files or proposal.written is None:
            return
        if wrong := verified(proposal.files, proposal.written):
            raise AdoptionRefused(
                f"the written models would not say what the database has of {', '.join(wrong)}; nothing was kept. "
                "Please report this, with `asyncmig diff` of these collections"
            )

    async def _told(
        self, proposal: Proposal, revision: Revision | None, changes: Changes, imported: Sequence[Imported]
    ) -> Adopted:
        return Adopted(
            proposal.agreement,
            tuple(await self._facts(proposal.agreement.lines)),
            revision,
            tuple(imported),
            tuple(changes.created),
            tuple(changes.replaced),
            proposal.left,
            self._notes(proposal.current),
        )

    def _notes(self, current: DatabaseState) -> tuple[str, ...]:
        building = [
            f"{collection.name}: {', '.join(collection.building)} being built just now, and not taken in"
            for collection in current
            if collection.building
        ]
        said = [] if self.from_database or self.history_only else [str(note) for note in self.project.declared().notes]
        return (*building, *said)


def _own(declared: Declared) -> frozenset[str]:
    return frozenset(
        name
        for name, origins in declared.provenance.items()
        if any(origin.framework == "asyncmig" for origin in origins)
    )


def _baseline(graph: RevisionGraph) -> Revision | None:
    return next((revision for revision in graph if revision.baseline), None)


def _heads(revisions: Sequence[Revision]) -> tuple[str, ...]:
    parents = {name for revision in revisions for name in revision.down_revision}
    return tuple(revision.revision for revision in revisions if revision.revision not in parents)


def _some(names: Sequence[str]) -> str:
    return f"{', '.join(names[:3])}{' ...' if len(names) > 3 else ''}"
