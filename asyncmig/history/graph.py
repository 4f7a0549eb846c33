"""``RevisionGraph``: all revisions as one history, and the paths through it; pure, ids in and revisions out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from asyncmig.history.between import between
from asyncmig.history.edges import latest_common, ordered, reach
from asyncmig.history.errors import (
    DuplicateRevision,
    IllegalRevision,
    InvalidApplied,
    OutOfOrder,
    SquashedAway,
    UnknownApplied,
)
from asyncmig.history.graph_views import GraphViews
from asyncmig.history.names import check_id, check_labels
from asyncmig.history.revision import Revision
from asyncmig.history.squash import Coverage
from asyncmig.history.targets import Target, downgraded, goals, parse, resolved

__all__ = ["RevisionGraph"]


class RevisionGraph:
    """The history as a graph: several roots, branches, merges, dependencies, labels, squashed ranges.

    It is a value: made once from all revisions, checked then, and never changed. ``applied`` is
    everywhere *every* id that a database has, not only its heads; ids that no revision knows raise
    :class:`UnknownApplied` (``known`` filters them). Paths come in an order in which each revision
    follows what it needs, and of those that could come next the smallest id does; a downgrade goes
    exactly the other way round. See :mod:`asyncmig.history.targets` for the forms of a target.

    A revision with ``replaces`` stands for that range: the ids of the range lead to it, whether
    their files are still there or not. A database that has the whole range has the squashed
    revision; one that has a part is told to finish first (``upgrade <last of the range>``, while
    the files are there). Downgrading a database that has the range reverts the squashed revision,
    so whoever records that must forget the ids in ``replaces`` along with its own.

    Raises:
        RevisionError: one of the faults in :mod:`asyncmig.history.errors`, when the revisions do
            not form a history.
    """

    def __init__(self, revisions: Iterable[Revision]) -> None:
        self._files = _by_id(revisions)
        self._views = GraphViews(self._files)
        self._view = self._views.folded

    # -- the graph ------------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._view.order)

    def __iter__(self) -> Iterator[Revision]:
        """Each revision after what it needs. What a squashed revision replaces is left out."""
        return iter(self._view.revisions(self._view.order))

    def __contains__(self, revision: object) -> bool:
        return isinstance(revision, str) and revision in self._files

    def __repr__(self) -> str:
        return f"<RevisionGraph of {len(self)} revisions, heads {', '.join(self.heads[:5]) or 'none'}>"

    @property
    def heads(self) -> tuple[str, ...]:
        """The ids that no ``down_revision`` names, sorted."""
        return self._view.heads

    @property
    def bases(self) -> tuple[str, ...]:
        """The ids without ``down_revision``, sorted."""
        return self._view.bases

    @property
    def labels(self) -> Mapping[str, str]:
        """Each branch label with the id of the revision that carries it."""
        return MappingProxyType(self._view.names.labels)

    @property
    def replaced(self) -> Mapping[str, str]:
        """Each id that was squashed away, with the id of the revision that replaces it."""
        return MappingProxyType(self._views.squashes.owner)

    def within(self, name: str) -> tuple[str, ...]:
        """The ids that a squashed revision stands for, in order, each squashed one after its own; else none."""
        return self._views.squashes.within(name)

    @property
    def branch_points(self) -> tuple[str, ...]:
        """The ids with several children, in order."""
        return tuple(i for i in self._view.order if len(self._view.edges.children[i]) > 1)

    @property
    def merge_points(self) -> tuple[str, ...]:
        """The ids with several parents, in order."""
        return tuple(i for i in self._view.order if len(self._view.edges.parents[i]) > 1)

    def get(self, name: str) -> Revision:
        """The revision of an id, the beginning of one of four characters or more, or a label.

        Raises:
            UnknownRevision, AmbiguousRevision: when there is none, or more than one.
            SquashedAway: when only a squashed revision remembers it.
        """
        known = self._view.names(name)
        if known in self._files:
            return self._files[known]
        raise SquashedAway(name, known, self._files[self._views.squashes.owner[known]], "and its file is gone")

    def resolve(self, target: str) -> tuple[Revision, ...]:
        """The revisions that a target names on its own, without a database: none for ``base``, several for ``heads``.

        Raises:
            TargetError: for +N and -N alone, and for what names nothing or is ambiguous.
        """
        return tuple(self._view.revisions(resolved(self._view, target)))

    def parents(self, name: str) -> tuple[str, ...]:
        """The ids that a revision's ``down_revision`` names, as they stand in the graph."""
        return tuple(self._view.edges.parents[self._view.find(name)])

    def children(self, name: str) -> tuple[str, ...]:
        """The ids whose ``down_revision`` names a revision, sorted."""
        return tuple(sorted(self._view.edges.children[self._view.find(name)]))

    def dependencies(self, name: str) -> tuple[str, ...]:
        """The ids that a revision's ``depends_on`` leads to, parents left out."""
        known = self._view.find(name)
        return tuple(need for need in self._view.edges.needs[known] if need not in self._view.edges.parents[known])

    def ancestors(self, name: str) -> tuple[str, ...]:
        """All that a revision needs, dependencies included, in order; itself left out."""
        return self._around(name, self._view.edges.needs)

    def descendants(self, name: str) -> tuple[str, ...]:
        """All that needs a revision, dependents included, in order; itself left out."""
        return self._around(name, self._view.edges.dependents)

    def _around(self, name: str, links: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
        start = self._view.find(name)
        return tuple(ordered(reach([start], links) - {start}, self._view.edges))

    def labels_of(self, name: str) -> tuple[str, ...]:
        """The labels of the branches that a revision is on: from the one that carries the label on,
        and below it to where the branch began."""
        return self._view.labels_of(self._view.find(name))

    def fork_point(self, *names: str) -> str | None:
        """The last id that all of these come from, or None where they have nothing in common."""
        return latest_common([self._view.find(name) for name in names], self._view.order, self._view.edges.parents)

    # -- what a database has --------------------------------------------------------------------

    def known(self, applied: Iterable[str]) -> frozenset[str]:
        """The applied ids that the files, or a squashed revision's ``replaces``, know of."""
        ids = _ids(applied)
        return ids - ids.difference(self._files).difference(self._views.squashes.owner)

    def unknown(self, applied: Iterable[str]) -> tuple[str, ...]:
        """The applied ids that nothing knows of, sorted."""
        return tuple(sorted(_ids(applied).difference(self._files).difference(self._views.squashes.owner)))

    def heads_of(self, applied: Iterable[str]) -> tuple[str, ...]:
        """Where a database stands: applied minus the ancestors of applied, sorted.

        An id that nothing knows of is a head of its own. A whole squashed range is named by the
        squashed revision.
        """
        ids = _ids(applied)
        view, counted, rest = self._views.state_of(ids)
        return tuple(sorted({*view.heads_of(counted), *rest}))

    def squashes_by_range(self, applied: Iterable[str]) -> list[Revision]:
        """The squashed revisions that a database has by their ranges alone, not by their ids; inner ones first."""
        ids = _ids(applied)
        shares = self._views.squashes.shares(ids)
        return [self._files[squash] for squash, share in shares.items() if share is Coverage.ALL and squash not in ids]

    def squashes_without_files(self, applied: Iterable[str]) -> list[Revision]:
        """The squashed revisions that a database has beside some of their ranges, and those have no files any more."""
        ids = _ids(applied)
        within = {
            squash: self._views.squashes.within(squash) for squash in self._views.squashes.members if squash in ids
        }
        gone = {squash: parts for squash, parts in within.items() if not any(part in self._files for part in parts)}
        return [self._files[squash] for squash, parts in gone.items() if not ids.isdisjoint(parts)]

    def pending(self, applied: Iterable[str]) -> list[Revision]:
        """What is not applied, in the order in which it would be; unknown ids are no matter here."""
        view, counted, _ = self._views.state_of(_ids(applied))
        return view.revisions(i for i in view.order if i not in counted)

    def out_of_order(self, applied: Iterable[str], steps: Iterable[Revision]) -> list[tuple[Revision, Revision]]:
        """The steps that are older than something applied, each with the newest such revision.

        Older is what comes earlier in the order of the whole graph, as it does when another branch
        with older revisions is merged after newer ones were applied.
        """
        view, counted, _ = self._views.state_of(_ids(applied))
        position = {name: number for number, name in enumerate(view.order)}
        newest = max(counted, key=position.__getitem__, default=None)
        if newest is None:
            return []
        late = [step for step in steps if position.get(step.revision, len(position)) < position[newest]]
        return [(step, self._files[newest]) for step in late]

    def refuse_out_of_order(self, applied: Iterable[str], steps: Iterable[Revision]) -> None:
        """What ``--strict-order`` does.

        Raises:
            OutOfOrder: when a step is older than something applied.
        """
        if pairs := self.out_of_order(applied, steps):
            raise OutOfOrder(pairs)

    # -- paths ----------------------------------------------------------------------------------

    def upgrade_path(self, applied: Iterable[str], target: str = "head") -> list[Revision]:
        """The revisions to apply, in order: the target and all it needs that is not applied.

        Raises:
            TargetError: see :mod:`asyncmig.history.errors`.
            UnknownApplied, PartlyReplaced: when the database does not fit the files.
        """
        ids = self._known(applied)
        aim = self._aim(target)
        view, counted, _ = self._views.upgrading(ids, aim)
        reached = goals(view, aim, view.heads_of(counted))
        steps = reach(reached, view.edges.needs) - counted
        self._views.refuse_parts(ids, steps, reached)
        gaps = any(dependent in counted for step in steps for dependent in view.edges.dependents[step])
        return view.revisions(view.path(steps, gaps=gaps))

    def downgrade_path(self, applied: Iterable[str], target: str) -> list[Revision]:
        """The revisions to revert, in order: what is above the target, and all that needs any of that.

        Raises:
            TargetError: see :mod:`asyncmig.history.errors`.
            UnknownApplied, PartlyReplaced: when the database does not fit the files.
        """
        ids = self._known(applied)
        aim = self._aim(target)
        view, counted, _ = self._views.downgrading(ids, aim)
        steps = downgraded(view, aim, view.heads_of(counted), counted)
        gaps = any(need not in counted for step in steps for need in view.edges.needs[step])
        return view.revisions(reversed(view.path(steps, gaps=gaps)))

    def stamped(self, applied: Iterable[str], target: str) -> frozenset[str]:
        """The ids to record as applied once ``target`` is where the database is said to stand.

        What is above or below the target (dependencies included) gives way to it; other branches
        stay. ``base`` clears everything, ``<label>@base`` one branch. For ``--purge`` pass no
        applied ids.

        Raises:
            TargetError, UnknownApplied: as for a path.
        """
        ids = self._known(applied)
        aim = self._aim(target)
        view, counted, _ = self._views.downgrading(ids, aim)
        current = view.heads_of(counted)
        if aim.symbol is None and (aim.offset or 0) < 0:
            above = downgraded(view, aim, current, counted)
            return counted - above
        reached = goals(view, aim, current)
        moved = [*reached, *([view.find(aim.branch)] if aim.branch and not reached else [])]
        related = reach(moved, view.edges.needs) | reach(moved, view.edges.dependents)
        kept = [head for head in current if head not in related] if moved else []
        return frozenset(reach([*reached, *kept], view.edges.needs))

    def between(self, lower: str, upper: str, applied: Iterable[str] = ()) -> list[Revision]:
        """The revisions from ``lower`` up to ``upper``, both included, in order: what ``history -r lower:upper`` shows.

        Either may be any target that stands for itself, ``current`` (what ``applied`` stands at),
        steps counted from the other end, or empty for base and heads; a ``lower`` below base is
        base. What ``upper`` needs by ``depends_on`` is listed too where it comes after ``lower`` on
        a branch, or where ``lower`` is base.

        Raises:
            NotAnAncestor: when there is no way from the one to the other.
            TargetError: when one of them names nothing, or too much.
        """
        state = self._views.state_of(_ids(applied))
        here = [place for head in state.view.heads_of(state.applied) for place in self._view.places(head)]
        return self._view.revisions(ordered(between(self._view, lower, upper, here), self._view.edges))

    # -- what was asked -------------------------------------------------------------------------

    def _aim(self, target: object) -> Target:
        return parse(target, self._view.names.__contains__)

    def _known(self, applied: Iterable[str]) -> frozenset[str]:
        ids = _ids(applied)
        if unknown := self.unknown(ids):
            view, counted, _ = self._views.state_of(ids)
            raise UnknownApplied(unknown, view.revisions(view.heads_of(counted)))
        return ids


def _by_id(revisions: Iterable[Revision]) -> dict[str, Revision]:
    try:
        everything = list(revisions)
    except TypeError:
        raise IllegalRevision(revisions, "RevisionGraph takes a collection of Revision") from None
    files: dict[str, Revision] = {}
    for revision in everything:
        if not isinstance(revision, Revision):
            raise IllegalRevision(revision, "RevisionGraph takes a collection of Revision")
        check_id(revision)
        if revision.branch_labels:
            check_labels(revision)
        if revision.revision in files:
            raise DuplicateRevision(revision.revision, [files[revision.revision].path, revision.path])
        files[revision.revision] = revision
    return files


def _ids(applied: Iterable[str]) -> frozenset[str]:
    if isinstance(applied, frozenset):
        ids = applied
    elif isinstance(applied, (str, bytes)):
        raise InvalidApplied(applied)
    else:
        try:
            ids = frozenset(applied)
        except TypeError:
            raise InvalidApplied(applied) from None
    if not all(isinstance(i, str) for i in ids):
        raise InvalidApplied(applied)
    return ids
