"""Ranges of the history, ``lower:upper``, as ``history -r`` takes them."""

from __future__ import annotations

from collections.abc import Sequence

from asyncmig.history.edges import reach
from asyncmig.history.errors import AmbiguousStep, BelowBase, InvalidTarget, NotAnAncestor
from asyncmig.history.graph_view import GraphView
from asyncmig.history.targets import resolved

__all__ = ["between"]

_CURRENT = "current"


def between(view: GraphView, lower: str, upper: str, current: Sequence[str]) -> set[str]:
    """The ids from ``lower`` up to ``upper``; see :meth:`RevisionGraph.between`."""
    for end in (lower, upper):
        if not isinstance(end, str):
            raise InvalidTarget(end, "it must be a string")
    tops = _end(view, f"{lower or 'base'}{upper}" if _is_steps(upper) else upper or "heads", current)
    try:
        bottoms = _end(view, f"{upper or 'head'}{lower}" if _is_steps(lower) else lower or "base", current)
    except BelowBase:
        bottoms = ()
    below = reach(tops, view.edges.needs)
    if missing := [bottom for bottom in bottoms if bottom not in below]:
        raise NotAnAncestor(f"{lower}:{upper}", missing[0], tops, f"{missing[0]} is not an ancestor of")
    return below & reach(bottoms, view.edges.children) if bottoms else below


def _is_steps(end: str) -> bool:
    return end.startswith(("+", "-"))


def _end(view: GraphView, end: str, current: Sequence[str]) -> tuple[str, ...]:
    steps = end.removeprefix(_CURRENT)
    if end == _CURRENT:
        return tuple(current)
    if steps == end or not _is_steps(steps):
        return resolved(view, end)
    if len(current) > 1:
        why = f"the database stands at {len(current)} revisions"
        raise AmbiguousStep(end, view.revisions(current), why, f"Name one: {current[0]}{steps}")
    return resolved(view, f"{current[0] if current else 'base'}{steps}")
