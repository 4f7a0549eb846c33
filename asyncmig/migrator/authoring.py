"""The half of ``Migrator`` that writes history: models and database are compared, files written and moved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from asyncmig.errors import (
    AsyncmigError,
    ConfigurationError,
    DatabaseAhead,
    PendingRevisions,
    RevisionHalfDone,
    RevisionsEdited,
    SchemaDiffers,
)
from asyncmig.files.errors import RevisionFileError
from asyncmig.history.errors import MultipleHeads
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision

if TYPE_CHECKING:
    from asyncmig.authoring.diff import Difference
    from asyncmig.operations import Operation
    from asyncmig.profiling.reading import Reading
    from asyncmig.profiling.survey import Report
    from asyncmig.running.ledger.record import Mark
    from asyncmig.running.ledger.status import Status

from asyncmig.migrator.parts import Parts

__all__ = ["Generated", "WritingHistory"]

_GRAVEST_FIRST = (7, 9, 10, 5, 4, 3)  # exit codes of `check`, where several hold


class WritingHistory(Parts):
    """What compares the models with the database, and writes revision files."""

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
            await self._refuse_ahead(await self._status())
        return await self._difference(drop_collections=drop_collections)

    async def _difference(self, *, drop_collections: bool = False, look: bool = False) -> Difference:
        from asyncmig.authoring.comparison import Scope, compare
        from asyncmig.authoring.policy import Policy

        owned = await self._created() if drop_collections else frozenset()
        policy = Policy(**self._policy, drop_collections=drop_collections, owned=owned)
        declared = self.declared()
        with self._explaining("comparing the models with"):
            scope = Scope(self._include, self._own)
            difference = await compare(self._connected(), declared.state, scope, policy, look=look)
            if difference.left_alone and (agreed := await self._agreed() & difference.left_alone):
                policy = replace(policy, agreed=agreed)
                difference = await compare(self._connected(), declared.state, scope, policy, look=look)
            looked_at = scope.of(declared.state)
            said = (
                note for note in declared.notes if note.collection in looked_at or note.collection not in declared.state
            )
            return replace(difference, notes=(*said, *difference.notes))

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

        status = await self._status()
        await self._refuse_ahead(status)
        if status.pending:
            raise PendingRevisions(status.pending)
        difference = await self._difference(drop_collections=drop_collections, look=True)
        revision = write_revision(self.directory, message, difference, **place) if difference else None
        return Generated(revision, difference)

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
        forth = [operation for module in modules for operation in await replay(module, "upgrade")]
        one_way = [module.revision.revision for module in modules if is_one_way(module)]
        back = (
            []
            if one_way
            else [operation for module in reversed(modules) for operation in await replay(module, "downgrade")]
        )
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
            if revision.revision not in {waiting.revision for waiting in graph.pending(begun)}:
                raise NotRebasable(revision, f"it is applied in {self.database.name}; downgrade it first, or use merge")
        return rebase(self.directory, name, onto)

    async def check(self) -> None:
        """Return when the database is at head and agrees with the models, and the files are as they were applied.

        Raises DatabaseAhead (nothing more is looked at then), RevisionHalfDone (a revision has stopped
        half-way, and nobody is at work on it), MultipleHeads (a fresh database could not be
        upgraded to ``head``; labelled branches are meant so), PendingRevisions (also when the models differ
        besides), SchemaDiffers, RevisionsEdited, RevisionError for a faulty file, HeadFileError; of
        several the gravest, and the others are notes on it. Without models only the revisions are looked at.
        """
        if failures := await self.failures():
            raise failures[0]

    async def failures(self) -> list[AsyncmigError]:
        """Everything that ``check`` finds wrong, the gravest first, with the others as notes on it.

        Raises RevisionError for a faulty file: nothing can be compared with it.
        """
        status = await self._status(self.listing(thorough=True).graph())
        try:
            await self._refuse_ahead(status)
            unsorted = await self._failures(status)
        except (DatabaseAhead, RevisionHalfDone) as error:  # nothing can be compared then
            unsorted = [*await self._half_done(status), error]
        failures = sorted(unsorted, key=_gravity)
        for other in failures[1:]:
            failures[0].add_note(str(other))
        return failures

    async def _failures(self, status: Status[Mark]) -> list[AsyncmigError]:
        from asyncmig.running.unadopted import unadopted

        operations = (await self._difference()).operations if self._models is not None else ()
        failures: list[AsyncmigError] = [*await self._half_done(status)]
        if error := await unadopted(self._driver(), status.entries, status.pending_revisions):
            failures.append(error)
        if status.pending:
            failures.append(PendingRevisions(status.pending, operations))
        elif operations:
            failures.append(SchemaDiffers(operations))
        if edited := status.edited_revisions:
            failures.append(RevisionsEdited(edited))
        if fault := self.head_fault(status.graph):
            failures.append(fault)
        return [*failures, *_several_heads(status.graph)]

    async def _half_done(self, status: Status[Mark]) -> list[RevisionHalfDone]:
        """What is half-way, unless a run that is alive is at work on it."""
        left = sorted(name for name in status.unsettled if name in status.graph)
        if not left or (all(status.entries[name].state != "failed" for name in left) and await self._is_at_work()):
            return []
        summaries = await self._ledger().summaries()
        return [RevisionHalfDone({name: summaries[name].message for name in left if name in summaries}, unknown=False)]

    async def _is_at_work(self) -> bool:
        holder = await self._lock().holder()
        return holder is not None and holder.alive

    def head_fault(self, graph: RevisionGraph) -> RevisionFileError | None:
        """What is wrong with the HEAD file, held against the heads of the revision files; None where nothing is."""
        try:
            self.directory.head_file.verify(graph.heads)
        except RevisionFileError as fault:
            return fault
        return None

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
        Raises ConfigurationError for a collection that is not there, and with ``count`` DatabaseAhead where there
        is a folder of revision files, and the database has others: the models are older than the documents.
        """
        from asyncmig.fields.declaring import declared_schemas
        from asyncmig.profiling.survey import survey

        if count and self.directory.versions.is_dir():
            await self._refuse_ahead(await self._status())

        declared = None if self._models is None else self.declared()
        schemas = declared_schemas(declared.state, declared.classes) if declared else {}
        state = await self.state()
        for view in (state.get(name) for name in collections):
            if view is not None and view.kind == "view":
                raise ConfigurationError(
                    f"{view.name!r} is a view; its documents are those of {view.options['viewOn']!r}"
                )
        present = [collection.name for collection in state if collection.kind != "view"]
        with self._explaining("reading documents of"):
            return await survey(
                self._connected(), present, schemas, collections, reading, count=count, on_progress=on_progress
            )


class Generated(NamedTuple):
    """What autogenerate has found, and the revision it has written: None where nothing differs."""

    revision: Revision | None
    difference: Difference


def _gravity(error: AsyncmigError) -> int:
    """The rank of an error among several of `check`: by its exit code, and those without one of their own last."""
    return _GRAVEST_FIRST.index(error.exit_code) if error.exit_code in _GRAVEST_FIRST else len(_GRAVEST_FIRST)


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
