"""``Range``: a piece of the history that one squashed revision can stand for. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from asyncmig.errors import RevisionError
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision

__all__ = ["NotSquashable", "Range", "squashable_range"]


class NotSquashable(RevisionError, ValueError):
    """Raised when a range of revisions cannot be replaced by one."""

    def __init__(self, text: str, reason: str) -> None:
        self.range, self.reason = text, reason
        super().__init__(f"{text!r} cannot be squashed: {reason}")


@dataclass(frozen=True, slots=True)
class Range:
    """The revisions of a range, in order, and what it hangs on.

    ``replaces`` are their ids, and before that of a squashed one those that it replaces in turn: a
    database may have those alone, when the file of the squashed one is gone.
    """

    members: tuple[Revision, ...]
    parents: tuple[str, ...]
    depends_on: tuple[str, ...]
    labels: tuple[str, ...]
    replaces: tuple[str, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of the members, in order."""
        return tuple(member.revision for member in self.members)


def squashable_range(graph: RevisionGraph, text: str) -> Range:
    """The range ``A:B``, both included; an end left out is base, or the head.

    Raises:
        NotSquashable: when it is no range, has fewer than two revisions, or something else in the
            history begins or ends in its middle.
        TargetError: when an end names nothing.
    """
    lower, colon, upper = text.partition(":")
    if not colon:
        raise NotSquashable(text, "a range has a colon: A:B, A: or :B")
    members = graph.between(lower, upper or "head")
    ids = [member.revision for member in members]
    if len(ids) < 2:
        raise NotSquashable(text, "it has fewer than two revisions")
    inside = frozenset(ids)
    tops = [name for name in ids if not inside & set(graph.children(name))]
    bottoms = [name for name in ids if not inside & set(graph.parents(name))]
    if len(bottoms) > 1 or len(tops) > 1:
        raise NotSquashable(text, f"it has more than one end ({', '.join(bottoms if len(bottoms) > 1 else tops)})")
    _refuse_openings(graph, text, ids, bottoms[0], tops[0])
    needs = dict.fromkeys(need for name in ids for need in graph.dependencies(name) if need not in inside)
    labels = dict.fromkeys(label for member in members for label in member.branch_labels)
    replaces = [every for name in ids for every in (*graph.within(name), name)]
    return Range(tuple(members), graph.parents(bottoms[0]), tuple(needs), tuple(labels), tuple(replaces))


def _refuse_openings(graph: RevisionGraph, text: str, ids: list[str], bottom: str, top: str) -> None:
    for name in ids:
        if name != bottom and (foreign := set(graph.parents(name)) - set(ids)):
            raise NotSquashable(text, f"{name} also comes from {', '.join(sorted(foreign))}, outside of it")
        if name != top and (foreign := set(graph.children(name)) - set(ids)):
            raise NotSquashable(text, f"{', '.join(sorted(foreign))}, outside of it, comes from {name} in its middle")
