"""Which unapplied revision is put behind which other one. Pure."""

from __future__ import annotations

from asyncmig.errors import RevisionError
from asyncmig.history.errors import InvalidTarget, UnknownRevision, listed
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision

__all__ = ["NotRebasable", "new_parent"]


class NotRebasable(RevisionError, ValueError):
    """Raised when a revision cannot be put behind another one."""

    def __init__(self, revision: Revision, reason: str) -> None:
        self.revision, self.reason = revision, reason
        super().__init__(f"revision {revision} cannot be rebased: {reason}")


def new_parent(graph: RevisionGraph, name: str, onto: str | None = None) -> tuple[Revision, Revision]:
    """The revision that ``name`` means and the head that it is to be put behind: the only other one, or ``onto``.

    Raises:
        NotRebasable: when there is no other head, or several and ``onto`` does not choose, or
            ``onto`` comes after the revision itself, or is its parent already, or the revisions
            between it and the fork would be left behind.
        TargetError: when a name means nothing.
    """
    revision = _one(graph, name)
    own = {revision.revision, *graph.descendants(revision.revision)}
    if revision.revision in graph.replaced:
        raise NotRebasable(revision, f"it was squashed into {graph.replaced[revision.revision]}; rebase that")
    if len(revision.down_revision) > 1:
        raise NotRebasable(revision, "it is a merge and has several parents; delete it and merge again")
    heads = [_one(graph, onto)] if onto else [graph.get(head) for head in graph.heads if head not in own]
    if not heads:
        raise NotRebasable(revision, "there is no other head to put it behind")
    if len(heads) > 1:
        raise NotRebasable(revision, f"there are several other heads; choose one with --onto:{listed(heads)}")
    if heads[0].revision in own:
        raise NotRebasable(revision, f"{heads[0].revision} comes after it")
    if graph.parents(revision.revision) == (heads[0].revision,):
        raise NotRebasable(revision, f"it comes after {heads[0].revision} already")
    if not onto:
        _refuse_to_leave(graph, revision, heads[0])
    return revision, heads[0]


def _one(graph: RevisionGraph, name: str) -> Revision:
    """The one revision that a name, or a target that stands for itself, means."""
    try:
        return graph.get(name)
    except UnknownRevision:
        revisions = graph.resolve(name)
    if len(revisions) != 1:
        raise InvalidTarget(name, f"it stands for {len(revisions)} revisions, and one is moved at a time")
    return revisions[0]


def _refuse_to_leave(graph: RevisionGraph, revision: Revision, head: Revision) -> None:
    """Refuse to move the end of a chain and leave its beginning behind as one more head."""
    first, place = revision, graph.parents(revision.revision)
    below = {head.revision, *graph.ancestors(head.revision)}
    while len(place) == 1 and place[0] not in below and len(graph.children(place[0])) == 1:
        first, place = graph.get(place[0]), graph.parents(place[0])
    if first is not revision:
        along = f"rebase {first.revision}, and all that comes after it moves along; "
        raise NotRebasable(
            revision,
            f"{first.revision}, which it comes from, would be left behind as a head of its own; "
            f"{along if len(first.down_revision) < 2 else ''}`asyncmig merge` joins the heads as they are; "
            f"--onto {head.revision} moves this one alone",
        )
