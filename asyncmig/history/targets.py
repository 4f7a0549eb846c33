"""Targets: where an upgrade or a downgrade goes, from the text that a user typed.

The forms are Alembic's, and mean what they mean there: ``head``, ``heads``, ``base``, an id or four
characters or more of its beginning, a label, each of them with ``+N`` or ``-N`` behind it, ``+N``
and ``-N`` alone (counted from what is applied), and any of these with ``<branch>@`` before it,
where the branch is a label or the id of a revision on it.

Kept as Alembic has it, though it may surprise:

- +N and -N count along ``down_revision``; dependencies are not steps.
- ``<label>`` limits a downgrade only where several branches start at its target, and is not looked
  at in finding the target; so ``downgrade <label>@head`` needs a single head.
- ``<label>@heads`` is refused where one of these heads needs another one.
- ``upgrade <id>-N`` that arrives at base is refused, ``downgrade <id>-N`` is not.

Other than in Alembic:

- ``+N`` and ``-N`` with several heads applied are an error, never a guess.
- A branch that does not exist is an error everywhere, also in ``nowhere@base``.
- ``base-N`` is below base (Alembic counts down from the head).
- Nothing may stand behind the number (Alembic reads ``+2x`` as ``+2``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncmig.history.edges import reach
from asyncmig.history.errors import (
    AmbiguousStep,
    BelowBase,
    InvalidTarget,
    NotAnAncestor,
    NotOnBranch,
    OverlappingTargets,
    PastTheEnd,
    WrongDirection,
)

if TYPE_CHECKING:
    from asyncmig.history.graph_view import GraphView

__all__ = ["Target", "downgraded", "goals", "parse", "resolved", "revisions_at"]

_STEPS = re.compile(r"(.*?)([+-])([0-9]+)", re.DOTALL)
_MORE_STEPS_THAN_ANY = 10**9


@dataclass(frozen=True, slots=True)
class Target:
    """A target in its parts; ``symbol`` None means "what is applied", ``offset`` None "no steps"."""

    text: str
    branch: str | None
    symbol: str | None
    offset: int | None


def parse(text: object, is_name: Callable[[str], bool]) -> Target:
    """Take a target apart.

    Raises:
        InvalidTarget: when it is no string, or a part of it is empty.
    """
    if not isinstance(text, str):
        raise InvalidTarget(text, "it must be a string")
    whole = text.strip()
    branch, at, rest = whole.partition("@") if "@" in whole else ("", "", whole)
    if at and not branch:
        raise InvalidTarget(text, "there is no branch before the @")
    if "@" in rest:
        raise InvalidTarget(text, "it has more than one @")
    if not rest:
        raise InvalidTarget(text, "there is nothing after the @" if at else "it is empty")
    steps = None if is_name(rest) else _STEPS.fullmatch(rest)
    if not steps:
        return Target(whole, branch or None, rest, None)
    symbol, sign, digits = steps.groups()
    size = int(digits) if len(digits) < 10 else _MORE_STEPS_THAN_ANY
    return Target(whole, branch or None, symbol or None, -size if sign == "-" else size)


def goals(view: GraphView, target: Target, current: Sequence[str]) -> tuple[str, ...]:
    """The revisions that an upgrade goes to; none for base. ``current`` is where the database stands."""
    if target.offset is None:
        revisions = revisions_at(view, target, target.branch)
        if len(revisions) > 1 and target.branch is not None:
            _refuse_overlap(view, target, revisions)
        return revisions
    _branch(view, target)
    if target.symbol is None:
        if target.offset <= 0:
            raise WrongDirection(target.text, "upgrade")
        return (_climb(view, target, _start_of_climb(view, target, current)),)
    if target.offset > 0:
        return (_climb(view, target, _one_at(view, target, None)),)
    reached = _descend(view, target, _one_at(view, target, target.branch))
    if reached is None:
        raise BelowBase(target.text, -target.offset, -target.offset - 1, target.symbol)
    return (reached,)


def resolved(view: GraphView, text: str) -> tuple[str, ...]:
    """The revisions that a target names on its own, whatever a database has.

    Raises:
        InvalidTarget: for +N and -N alone.
        TargetError: when it names nothing, or is ambiguous.
    """
    target = parse(text, view.names.__contains__)
    if target.symbol is None:
        raise InvalidTarget(text, "steps are counted from a revision here; name it, as in head-1")
    return goals(view, target, ())


def downgraded(view: GraphView, target: Target, current: Sequence[str], applied: AbstractSet[str]) -> set[str]:
    """What a downgrade reverts: what lies above the target on its branch, and all that needs any of that."""
    named = _branch(view, target)
    limit, stays = _lowest(view, target, current)
    branch = named or limit
    starts = list(view.bases if stays is None else view.edges.children[stays])
    if branch is not None and len(starts) > 1:
        path = view.below(branch)
        starts = [start for start in starts if start in path]
        if not starts:
            raise NotAnAncestor(target.text, str(stays), [branch], f"{stays} is not below the branch")
    removed = reach(starts, view.edges.dependents) & applied
    if stays is not None and not removed and stays not in current:
        fault = f"nothing to revert, for nothing above {stays} is applied"
        raise NotAnAncestor(target.text, stays, current, f"{fault}; the database stands at")
    return removed


def _lowest(view: GraphView, target: Target, current: Sequence[str]) -> tuple[str | None, str | None]:
    """The head that a downgrade by steps starts at, if it does, and the revision that stays; None for base."""
    if target.offset is None:
        return None, _one_at(view, target, None)
    if target.symbol is None:
        if target.offset >= 0:
            raise WrongDirection(target.text, "downgrade")
        start = _start_of_descent(view, target, current)
        return start, _descend(view, target, start)
    if target.offset < 0:
        return None, _descend(view, target, _one_at(view, target, target.branch))
    start_or_base = _one_at(view, target, None)
    if start_or_base is None and target.offset == 0:
        raise WrongDirection(target.text, "downgrade")
    return None, _climb(view, target, start_or_base)


def revisions_at(view: GraphView, target: Target, branch: str | None) -> tuple[str, ...]:
    """The revisions that a symbol names, steps aside; none for base.

    Raises:
        MultipleHeads: for ``head`` where there are several.
        UnknownRevision, AmbiguousRevision: when no revision, or more than one, goes by the name.
        NotOnBranch: when the revision is not on the branch.
    """
    lineage = None if branch is None else view.lineage(view.find(branch, target.text))
    if target.symbol == "base":
        return ()
    if target.symbol in ("head", "heads"):
        if lineage is None:
            return view.heads_alone() if target.symbol == "heads" else view.one_head(target.text, view.heads)
        heads = [head for head in view.heads if head in lineage]
        return tuple(heads) if target.symbol == "heads" else view.one_head(target.text, heads)
    name = view.find(str(target.symbol), target.text, lineage)
    if lineage is not None and name not in lineage:
        raise NotOnBranch(target.text, str(branch), name, view.labels_of(name))
    return (name,)


def _one_at(view: GraphView, target: Target, branch: str | None) -> str | None:
    names = view.one_head(target.text, revisions_at(view, target, branch))
    return names[0] if names else None


def _branch(view: GraphView, target: Target) -> str | None:
    return None if target.branch is None else view.find(target.branch, target.text)


def _refuse_overlap(view: GraphView, target: Target, goals: Sequence[str]) -> None:
    needs = view.edges.needs
    below = reach([need for goal in goals for need in needs[goal]], needs)
    for lower in goals:
        if lower in below:
            upper = next(goal for goal in goals if goal != lower and lower in reach([goal], needs))
            raise OverlappingTargets(target.text, upper, lower)


def _start_of_climb(view: GraphView, target: Target, current: Sequence[str]) -> str | None:
    starts = list(current)
    if target.branch is not None:
        lineage = view.lineage(view.find(target.branch, target.text))
        starts = [start for start in current if start in lineage]
        if not starts:
            active = reach(current, view.edges.needs) & lineage
            below = {need for name in active for need in view.edges.needs[name]}
            starts = sorted(active - below)
    if len(starts) > 1:
        raise _several(view, target, starts, "+")
    return starts[0] if starts else None


def _start_of_descent(view: GraphView, target: Target, current: Sequence[str]) -> str:
    starts = list(current)
    if target.branch is not None:
        lineage = view.lineage(view.find(target.branch, target.text))
        starts = [start for start in current if start in lineage]
        if not starts:
            # Its own head may be hidden: something on another branch that is applied depends on it.
            children = view.edges.children
            active = reach(current, view.edges.needs)
            starts = sorted(i for i in active & lineage if not any(child in active for child in children[i]))
    if len(starts) > 1:
        raise _several(view, target, starts, "-")
    if not starts:
        raise BelowBase(target.text, -(target.offset or 0), 0, f"branch {target.branch}" if target.branch else "base")
    return starts[0]


def _several(view: GraphView, target: Target, starts: Sequence[str], sign: str) -> AmbiguousStep:
    where = f"on branch {target.branch!r} " if target.branch else ""
    steps = f"{sign}{abs(target.offset or 0)}"
    return AmbiguousStep(
        target.text,
        view.revisions(starts),
        f"the database stands {where}at {len(starts)} revisions",
        f"Name one: {starts[0]}@{steps} or <label>@{steps}",
    )


def _climb(view: GraphView, target: Target, start: str | None) -> str:
    asked = target.offset or 0
    lineage = None if target.branch is None else view.lineage(view.find(target.branch, target.text))
    at = start
    for done in range(asked):
        ways = sorted(view.bases if at is None else view.edges.children[at])
        if lineage is not None:
            ways = [way for way in ways if way in lineage]
        if not ways:
            raise PastTheEnd(target.text, asked, done, at or "base")
        if len(ways) > 1:
            advice = f"Name a branch: {ways[0]}@… or <label>@…, or the revision to go to"
            raise AmbiguousStep(target.text, view.revisions(ways), f"the history forks after {at or 'base'}", advice)
        at = ways[0]
    if at is None:
        raise WrongDirection(target.text, "upgrade")
    return at


def _descend(view: GraphView, target: Target, start: str | None) -> str | None:
    asked = -(target.offset or 0)
    at = start
    for done in range(asked):
        if at is None:
            raise BelowBase(target.text, asked, done, start or "base")
        ways = view.edges.parents[at]
        if len(ways) > 1:
            advice = "Name the revision to stay at (what else is above it is reverted), or <id>@<id> for one side only"
            raise AmbiguousStep(target.text, view.revisions(ways), f"{at} merges {len(ways)} revisions", advice)
        at = ways[0] if ways else None
    return at
