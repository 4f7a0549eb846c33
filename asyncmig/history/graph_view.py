"""``GraphView``: the history as a graph of revisions, checked, with its heads, branches and labels.

There is one view for each choice of squashed revisions to unfold; without any there is just one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from itertools import pairwise

from asyncmig.history.edges import Edges, hull, latest_common, loop, ordered, reach
from asyncmig.history.errors import (
    Cycle,
    DuplicateLabel,
    MissingDependency,
    MissingParent,
    MultipleHeads,
    UnknownRevision,
)
from asyncmig.history.names import Names
from asyncmig.history.revision import Revision
from asyncmig.history.squash import Squashes

__all__ = ["GraphView"]


class GraphView:
    """A checked graph of revisions.

    Raises:
        DuplicateLabel, MissingParent, MissingDependency, Cycle: when the revisions form no history.
    """

    def __init__(self, files: Mapping[str, Revision], squashes: Squashes, unfolded: Collection[str] = ()) -> None:
        self._files, self._squashes, self._unfolded = files, squashes, frozenset(unfolded)
        self._members = self._visible()
        self.names = Names({**files, **dict.fromkeys(squashes.owner)} if squashes else files, self._labels())
        self.edges = Edges.of(self._parents(), self._dependencies())
        self.order = ordered(self._members, self.edges)
        if len(self.order) < len(self._members):
            raise self._cycle()

    def __contains__(self, name: object) -> bool:
        return name in self._members

    # -- building ------------------------------------------------------------------------------

    def _visible(self) -> Mapping[str, Revision]:
        if not self._squashes:
            return self._files
        return {i: self._files[i] for i in self._squashes.visible(self._files, self._unfolded)}

    def places(self, name: str) -> tuple[str, ...]:
        """Where the revision of an id is found in this view; several for the tips of an unfolded range."""
        return self._squashes.places(name, self._files, self._unfolded) if self._squashes else (name,)

    def _labels(self) -> dict[str, str]:
        labels: dict[str, str] = {}
        carriers = sorted(i for i, revision in self._files.items() if revision.branch_labels)
        for carrier in sorted(carriers, key=lambda i: i not in self._members):
            for label in self._files[carrier].branch_labels:
                if label in self._files:
                    raise DuplicateLabel(label, [self._files[label], self._files[carrier]])
                place = self.places(carrier)[-1]
                if labels.setdefault(label, place) != place and carrier in self._members:
                    raise DuplicateLabel(label, [self._files[labels[label]], self._files[carrier]])
        return labels

    def _parents(self) -> dict[str, tuple[str, ...]]:
        parents: dict[str, tuple[str, ...]] = {}
        known = self._members
        for i, revision in known.items():
            named = revision.down_revision
            for parent in named:
                if parent not in known:
                    named = self._placed(revision)
                    break
            parents[i] = named if len(named) < 2 else tuple(dict.fromkeys(named))
        return parents

    def _placed(self, revision: Revision) -> tuple[str, ...]:
        placed: list[str] = []
        for parent in revision.down_revision:
            if parent not in self._files and parent not in self._squashes.owner:
                raise MissingParent(revision, parent, self.names.near(parent))
            placed.extend(self.places(parent))
        return tuple(placed)

    def _dependencies(self) -> dict[str, tuple[str, ...]]:
        return {i: self._resolved(revision) for i, revision in self._members.items() if revision.depends_on}

    def _resolved(self, revision: Revision) -> tuple[str, ...]:
        places: list[str] = []
        for name in revision.depends_on:
            try:
                places.extend(self.places(self.names(name, f"depends_on of {revision.revision}")))
            except UnknownRevision as error:
                raise MissingDependency(revision, name, error.near) from None
        return tuple(places)

    def _cycle(self) -> Cycle:
        left = self._members.keys() - set(self.order)
        path = loop(left, self.edges.needs)
        parents = self.edges.parents
        fields = ["down_revision" if b in parents[a] else "depends_on" for a, b in pairwise(path)]
        return Cycle(self.revisions(path), fields)

    # -- reading -------------------------------------------------------------------------------

    def revisions(self, ids: Iterable[str]) -> list[Revision]:
        """The revisions of ids that this view has."""
        return [self._members[i] for i in ids]

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """What no other revision has as its parent, sorted."""
        return tuple(sorted(i for i, children in self.edges.children.items() if not children))

    def heads_alone(self) -> tuple[str, ...]:
        """The heads that nothing depends on either, sorted."""
        return tuple(head for head in self.heads if not self.edges.dependents[head])

    @cached_property
    def bases(self) -> tuple[str, ...]:
        """What has no parent, sorted."""
        return tuple(sorted(i for i, parents in self.edges.parents.items() if not parents))

    def one_head(self, target: str, heads: Sequence[str]) -> tuple[str, ...]:
        """The heads, at most one.

        Raises:
            MultipleHeads: when there are more.
        """
        if len(heads) > 1:
            fork = latest_common(heads, self.order, self.edges.parents)
            raise MultipleHeads(target, self.revisions(heads), None if fork is None else self._members[fork])
        return tuple(heads)

    def find(self, name: str, target: str = "", among: Collection[str] | None = None) -> str:
        """The id of the revision in this view that a name stands for; see :class:`Names`."""
        if among is None:
            return self.places(self.names(name, target))[-1]
        return self.places(self.names.among(name, lambda i: self.places(i)[-1] in among, target))[-1]

    def below(self, name: str) -> set[str]:
        """A revision and all its ancestors, dependencies aside."""
        return reach([name], self.edges.parents)

    def lineage(self, name: str) -> set[str]:
        """A revision with all its ancestors and descendants, dependencies aside."""
        return self.below(name) | reach([name], self.edges.children)

    def path(self, steps: Collection[str], *, gaps: bool) -> list[str]:
        """Steps in order; with ``gaps``, some may be connected only by way of revisions that are not steps."""
        return ordered(steps, self.edges, hull(steps, self.edges).difference(steps) if gaps else ())

    def heads_of(self, applied: Collection[str]) -> tuple[str, ...]:
        """What is applied minus the ancestors of what is applied, dependencies included, sorted."""
        needs = self.edges.needs
        below = reach([need for name in applied for need in needs[name]], needs)
        return tuple(sorted(name for name in applied if name not in below))

    def labels_of(self, name: str) -> tuple[str, ...]:
        """The labels of the branches that a revision is on, sorted."""
        return tuple(sorted(label for label, members in self._branches.items() if name in members))

    @cached_property
    def _branches(self) -> dict[str, set[str]]:
        return {label: self._branch(carrier) for label, carrier in self.names.labels.items()}

    def _branch(self, carrier: str) -> set[str]:
        """A labelled revision, all its descendants, and its line down to the fork or the merge that it came from."""
        parents, dependents = self.edges.parents, self.edges.dependents
        members = reach([carrier], self.edges.children)
        at = carrier
        while len(parents[at]) == 1 and len(dependents[at]) < 2:
            at = parents[at][0]
            if len(parents[at]) > 1 or len(dependents[at]) > 1:
                break
            members.add(at)
        return members
