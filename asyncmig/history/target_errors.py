"""What can be wrong with a target: the history is fine, the question is not. See :mod:`asyncmig.history.errors`."""

from __future__ import annotations

from collections.abc import Sequence

from asyncmig.errors import RevisionError
from asyncmig.history.shown import Named, listed, named_ids, shown
from asyncmig.printable import counted

__all__ = [
    "AmbiguousRevision",
    "AmbiguousStep",
    "BelowBase",
    "InvalidTarget",
    "MultipleHeads",
    "NotAnAncestor",
    "NotOnBranch",
    "OverlappingTargets",
    "PastTheEnd",
    "SquashedAway",
    "TargetError",
    "UnknownRevision",
    "WrongDirection",
]


class TargetError(RevisionError):
    """The root of what can be wrong with a target; ``target`` is what was asked for."""

    target: str


class InvalidTarget(TargetError, ValueError):
    """Raised when a target is not of any known form."""

    FORMS = (
        "head, heads, base, an id (or the beginning of one of four characters or more), a branch label, +N, -N, "
        "<id>+N, <id>-N, <label>@head, <label>@base, <label>@+N, <label>@-N"
    )

    def __init__(self, target: object, fault: str) -> None:
        self.target, self.fault = str(target), fault
        super().__init__(f"{target!r:.200} is not a target: {fault}. A target is one of: {self.FORMS}")


class UnknownRevision(TargetError, LookupError):
    """Raised when nothing goes by a name."""

    def __init__(self, name: str, target: str = "", near: Sequence[str] = ()) -> None:
        self.name, self.target, self.near = name, target or name, tuple(near)
        asked = f" (in {target!r})" if target and target != name else ""
        if near:
            advice = f"did you mean {' or '.join(near)}?"
        elif len(name) < 4:
            advice = "only ids of four characters or more go by their beginning; `asyncmig history` lists the ids"
        else:
            advice = "`asyncmig history` lists the ids; is the file there, and committed?"
        super().__init__(f"no revision or branch is called {name!r}{asked}: {advice}")


class AmbiguousRevision(TargetError, LookupError):
    """Raised when the beginning of an id fits several."""

    def __init__(self, prefix: str, candidates: Sequence[str], target: str = "") -> None:
        self.prefix, self.candidates, self.target = prefix, tuple(candidates), target or prefix
        asked = f" (in {target!r})" if target and target != prefix else ""
        super().__init__(
            f"{prefix!r}{asked} is the beginning of {len(self.candidates)} names: {named_ids(self.candidates)}; "
            "give more characters"
        )


class MultipleHeads(TargetError, LookupError):
    """Raised when there are several heads where one is needed; ``fork`` is where they part, if anywhere."""

    exit_code = 5

    def __init__(self, target: str, heads: Sequence[Named], fork: Named | None) -> None:
        self.target, self.heads, self.fork = target, tuple(heads), fork
        ids = [revision.revision for revision in self.heads]
        parted = f"They part at {shown(fork)}" if fork else "They have no revision in common"
        super().__init__(
            f"{target!r} needs one head, and there are {len(ids)}:{listed(self.heads)}\n"
            f"{parted}. Join them with `asyncmig merge {' '.join(ids[:20])}{' …' if len(ids) > 20 else ''}`, "
            f"or name the one you mean ({ids[0]}, <label>@head), or say `heads` for all of them where that is allowed"
        )


class AmbiguousStep(TargetError, LookupError):
    """Raised when +N or -N could go several ways; ``where`` is the revision it happens at (None: the database)."""

    exit_code = 5

    def __init__(self, target: str, options: Sequence[Named], why: str, advice: str) -> None:
        self.target, self.options, self.why = target, tuple(options), why
        super().__init__(f"{target!r} could mean several revisions: {why}:{listed(self.options)}\n{advice}")


class PastTheEnd(TargetError, LookupError):
    """Raised when +N goes beyond the newest revision; ``possible`` is how many steps there are."""

    def __init__(self, target: str, asked: int, possible: int, last: str) -> None:
        self.target, self.asked, self.possible, self.last = target, asked, possible, last
        available = (
            f"only {possible} (up to {last}); say `head` to go all the way up" if possible else f"none after {last}"
        )
        super().__init__(
            f"{target!r} asks for {counted(asked, 'step')} up, and there {'are' if possible else 'is'} {available}"
        )


class BelowBase(TargetError, LookupError):
    """Raised when -N goes below the first revision; ``possible`` is how many steps there are."""

    def __init__(self, target: str, asked: int, possible: int, first: str = "base") -> None:
        self.target, self.asked, self.possible, self.first = target, asked, possible, first
        super().__init__(
            f"{target!r} asks for {counted(asked, 'step')} down from {first}, and there "
            + ("is none" if possible == 0 else f"are only {possible}")
            + "; say `base` to go all the way down"
        )


class WrongDirection(TargetError, ValueError):
    """Raised for `upgrade -1`, `downgrade +1`, and steps of zero."""

    def __init__(self, target: str, direction: str) -> None:
        self.target, self.direction = target, direction
        right = "+N, counted from what is applied" if direction == "upgrade" else "-N, counted from what is applied"
        other = "downgrade" if direction == "upgrade" else "upgrade"
        super().__init__(f"{direction} cannot go to {target!r}: it takes {right}; did you mean `asyncmig {other}`?")


class NotAnAncestor(TargetError, ValueError):
    """Raised when a target is not below what is applied, so that there is nothing to revert (or to list)."""

    def __init__(self, target: str, revision: str, heads: Sequence[str], fault: str) -> None:
        self.target, self.revision, self.heads = target, revision, tuple(heads)
        super().__init__(
            f"{target!r}: {fault} {named_ids(heads) or 'base'}; `asyncmig history` shows what lies below what"
        )


class NotOnBranch(TargetError, ValueError):
    """Raised for <label>@<id> where the revision is neither above nor below the one that carries the label."""

    def __init__(self, target: str, branch: str, revision: str, on: Sequence[str] = ()) -> None:
        self.target, self.branch, self.revision = target, branch, revision
        hint = f"; it is on {named_ids(on)}" if on else ""
        super().__init__(f"{target!r}: revision {revision} is not on the branch {branch!r}{hint}")


class OverlappingTargets(TargetError, ValueError):
    """Raised when one of several goals already needs another one."""

    def __init__(self, target: str, upper: str, lower: str) -> None:
        self.target, self.upper, self.lower = target, upper, lower
        super().__init__(f"{target!r} names both {lower} and {upper}, which needs it already; name {upper} alone")


class SquashedAway(TargetError, LookupError):
    """Raised when a target names a revision that lives on only as a part of a squashed one."""

    def __init__(self, target: str, revision: str, squash: Named, fault: str) -> None:
        self.target, self.revision, self.squash = target, revision, squash
        super().__init__(
            f"{target!r}: revision {revision} was squashed into {shown(squash)}, {fault}; "
            f"name {squash.revision}, or a revision before or after it"
        )
