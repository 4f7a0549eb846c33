"""Where a new revision grows: on which parents. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from asyncmig.errors import RevisionError
from asyncmig.history.errors import TargetError, listed
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision

__all__ = ["NotAHead", "NothingToMerge", "merged_parents", "new_parents"]


class NotAHead(TargetError, ValueError):
    """Raised when a new revision would grow from the middle of a branch and nobody asked for a new branch."""

    def __init__(
        self, revision: Revision, advice: str = "Pass --splice if that is wanted, or leave --head out"
    ) -> None:
        self.revision = revision
        super().__init__(f"revision {revision} is not a head: a child of it begins a new branch. {advice}")


class NothingToMerge(RevisionError, ValueError):
    """Raised when a merge is asked for and there are not two heads to merge."""

    def __init__(self, heads: Sequence[Revision]) -> None:
        self.heads = tuple(heads)
        super().__init__(f"a merge joins two heads or more, and here is only:{listed(heads) or ' none'}")


def new_parents(graph: RevisionGraph, head: str | None, *, splice: bool = False) -> tuple[str, ...]:
    """The parents of a new revision: the only head, what ``head`` names, or none for a new root (``base``).

    Raises:
        MultipleHeads: when there are several heads and ``head`` does not choose.
        NotAHead: when ``head`` is no head and ``splice`` is not set.
        TargetError: when ``head`` names nothing.
    """
    if head is None and not graph.heads:
        return ()
    parents = graph.resolve(head or "head")
    for parent in parents:
        if parent.revision not in graph.heads and not splice:
            raise NotAHead(parent)
    return tuple(parent.revision for parent in parents)


def merged_parents(graph: RevisionGraph, targets: Sequence[str]) -> tuple[str, ...]:
    """The parents of a merge: all heads, or those that ``targets`` name.

    ``heads`` is every head here, also one that another head depends on: joining them is what a merge is for.

    Raises:
        NothingToMerge: when they are fewer than two.
        NotAHead: when one of them is no head.
        TargetError: when one of them names nothing.
    """
    named = dict.fromkeys(parent for target in targets or ("heads",) for parent in _merged(graph, target))
    if len(named) < 2:
        raise NothingToMerge([graph.get(name) for name in named])
    return tuple(named)


def _merged(graph: RevisionGraph, target: str) -> tuple[str, ...]:
    if target == "heads":
        return graph.heads
    revisions = graph.resolve(target)
    for revision in revisions:
        if revision.revision not in graph.heads:
            raise NotAHead(revision, f"A merge joins heads, and those are: {', '.join(graph.heads)}")
    return tuple(revision.revision for revision in revisions)
