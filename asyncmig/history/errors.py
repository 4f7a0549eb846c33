"""What can be wrong with a history, or with a target in it, each with the way out.

RevisionError
├── GraphFault                    the revisions do not form a history
│   ├── IllegalRevision             not a Revision, or with fields of the wrong type
│   ├── IllegalRevisionId           a character or a word that targets need for themselves
│   ├── IllegalLabel                the same, in a branch label
│   ├── DuplicateLabel              two revisions carry one label
│   ├── MissingParent               down_revision names nobody
│   ├── MissingDependency           depends_on names nobody
│   ├── Cycle                       revisions that need each other
│   └── IllegalReplacement          `replaces` contradicts itself or another squash
├── TargetError                   the history is fine, the question is not
│   ├── InvalidTarget               not a target at all
│   ├── UnknownRevision             nothing goes by this name
│   ├── AmbiguousRevision           a prefix that fits several
│   ├── MultipleHeads               several heads where one is needed (exit code 5)
│   ├── AmbiguousStep               +N or -N could go several ways (exit code 5)
│   ├── PastTheEnd, BelowBase       +N or -N goes too far
│   ├── WrongDirection              upgrade -1, downgrade +1
│   ├── NotAnAncestor               not below what is applied
│   ├── NotOnBranch                 <label>@<id> that do not belong together
│   ├── OverlappingTargets          one of several goals already needs the other
│   └── SquashedAway                a revision that lives on only as a part of a squashed one
├── AppliedError                  what the database says does not fit the files
│   ├── InvalidApplied              not a collection of ids
│   ├── UnknownApplied              applied, and no file has it
│   ├── PartlyReplaced              half of a squashed range is applied
│   └── OutOfOrder                  older than what is applied, and strict order was asked for
└── RevisionFileError             one file: see asyncmig.files.errors
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from asyncmig.errors import WAYS_BACK_TO_THE_FILES, DatabaseAhead, RevisionError, RevisionFileError

__all__ = [
    "AmbiguousRevision",
    "AmbiguousStep",
    "AppliedError",
    "BelowBase",
    "Cycle",
    "DuplicateLabel",
    "DuplicateRevision",
    "GraphFault",
    "IllegalLabel",
    "IllegalReplacement",
    "IllegalRevision",
    "IllegalRevisionId",
    "InvalidApplied",
    "InvalidTarget",
    "MissingDependency",
    "MissingParent",
    "MultipleHeads",
    "NotAnAncestor",
    "NotOnBranch",
    "OutOfOrder",
    "OverlappingTargets",
    "PartlyReplaced",
    "PastTheEnd",
    "SquashedAway",
    "TargetError",
    "UnknownApplied",
    "UnknownRevision",
    "WrongDirection",
    "listed",
    "shown",
]


class Named(Protocol):
    """What an error prints of a :class:`~asyncmig.history.Revision`: its id, and its file if it has one."""

    @property
    def revision(self) -> str:
        """The id."""
        ...

    @property
    def path(self) -> Path | None:
        """The file."""
        ...


def shown(revision: Named) -> str:
    """A revision as messages name it: the id, and the file where there is one."""
    return f"{revision.revision} ({revision.path})" if revision.path else str(revision.revision)


def listed(revisions: Iterable[Named], limit: int = 20) -> str:
    """Revisions as an indented list, one to a line; a long one is cut, and says so."""
    everything = tuple(revisions)
    lines = [f"\n  {shown(revision)}" for revision in everything[:limit]]
    return "".join(lines) + (f"\n  … and {len(everything) - limit} more" if len(everything) > limit else "")


def _named(ids: Iterable[str], limit: int = 20) -> str:
    everything = tuple(ids)
    return ", ".join(everything[:limit]) + (f", … ({len(everything)} in all)" if len(everything) > limit else "")


class GraphFault(RevisionError, ValueError):
    """The root of what keeps revisions from forming a history."""


class IllegalRevision(GraphFault, TypeError):
    """Raised when something that is not a proper Named is among the revisions."""

    def __init__(self, what: object, fault: str) -> None:
        self.what, self.fault = what, fault
        super().__init__(f"{what!r:.200} cannot be a revision: {fault}")


class IllegalRevisionId(GraphFault):
    """Raised when an id has characters, or is a word, that targets need for themselves."""

    def __init__(self, revision: Named, fault: str) -> None:
        self.revision, self.fault = revision, fault
        where = f" in {revision.path}" if revision.path else ""
        change = "change `revision` there (and `down_revision` of its children) to" if where else "choose one of"
        super().__init__(
            f"the revision id {revision.revision!r}{where} {fault}; {change} letters, digits and underscores"
        )


class IllegalLabel(GraphFault):
    """Raised when a branch label has characters, or is a word, that targets need for themselves."""

    def __init__(self, label: object, revision: Named, fault: str) -> None:
        self.label, self.revision, self.fault = label, revision, fault
        super().__init__(f"the branch label {label!r} of revision {shown(revision)} {fault}; choose another label")


class DuplicateLabel(GraphFault):
    """Raised when a branch label is carried by two revisions, or is the id of one."""

    def __init__(self, label: str, revisions: Sequence[Named]) -> None:
        self.label, self.revisions = label, tuple(revisions)
        ids = [revision.revision for revision in self.revisions]
        what = "is the id of a revision" if label in ids else "is carried by several revisions"
        files = dict(zip(ids, self.revisions, strict=True)).values()
        super().__init__(
            f"the branch label {label!r} {what}:{listed(files)}\n"
            "A name must stand for one branch only: change branch_labels, or take the label out"
        )


class MissingParent(GraphFault, LookupError):
    """Raised when `down_revision` names a revision that does not exist."""

    field = "down_revision"

    def __init__(self, revision: Named, missing: str, near: Sequence[str] = ()) -> None:
        self.revision, self.missing, self.near = revision, missing, tuple(near)
        hint = f" (did you mean {' or '.join(near)}?)" if near else ""
        super().__init__(
            f"revision {shown(revision)} has {self.field} {missing!r}, and there is no such revision{hint}. "
            f"Restore the file of {missing!r} (was it committed?), or correct {self.field}"
        )


class MissingDependency(MissingParent):
    """Raised when `depends_on` names neither a revision nor a branch label."""

    field = "depends_on"


class Cycle(GraphFault):
    """Raised when revisions need each other; ``path`` is the way round, first and last the same."""

    def __init__(self, path: Sequence[Named], fields: Sequence[str]) -> None:
        self.path, self.fields = tuple(path), tuple(fields)
        self.revisions = tuple(revision.revision for revision in self.path)
        arrows = [f"-({field})-> {one}" for field, one in zip(self.fields, self.revisions[1:], strict=True)]
        if len(arrows) > 20:
            arrows[15:-3] = [f"… {len(arrows) - 18} more …"]
        drawn = " ".join((self.revisions[0], *arrows))
        what = "a revision needs itself" if len(self.path) == 2 else "these revisions need each other"
        files = {revision.revision: revision for revision in self.path if revision.path}
        super().__init__(
            f"{what}: {drawn}. Change {' or '.join(sorted(set(self.fields)))} in one of them"
            + (f":{listed(files.values())}" if files else "")
        )


class IllegalReplacement(GraphFault):
    """Raised when `replaces` contradicts itself or another squashed revision."""

    def __init__(self, revision: Named, fault: str) -> None:
        self.revision, self.fault = revision, fault
        super().__init__(f"revision {shown(revision)} {fault}; correct `replaces` there")


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
            f"{prefix!r}{asked} is the beginning of {len(self.candidates)} names: {_named(self.candidates)}; "
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
        there = f"only {possible} (up to {last}); say `head` to go all the way up" if possible else f"none after {last}"
        super().__init__(f"{target!r} asks for {asked} step(s) up, and there {'are' if possible else 'is'} {there}")


class BelowBase(TargetError, LookupError):
    """Raised when -N goes below the first revision; ``possible`` is how many steps there are."""

    def __init__(self, target: str, asked: int, possible: int, first: str = "base") -> None:
        self.target, self.asked, self.possible, self.first = target, asked, possible, first
        super().__init__(
            f"{target!r} asks for {asked} step(s) down from {first}, and there "
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
            f"{target!r}: {fault} {_named(heads) or 'base'}; `asyncmig history` shows what lies below what"
        )


class NotOnBranch(TargetError, ValueError):
    """Raised for <label>@<id> where the revision is neither above nor below the one that carries the label."""

    def __init__(self, target: str, branch: str, revision: str, on: Sequence[str] = ()) -> None:
        self.target, self.branch, self.revision = target, branch, revision
        hint = f"; it is on {_named(on)}" if on else ""
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


class AppliedError(RevisionError):
    """The root of what does not fit between the database and the files."""


class InvalidApplied(AppliedError, TypeError):
    """Raised when the applied ids are not a collection of strings."""

    def __init__(self, applied: object) -> None:
        super().__init__(f"applied must be a collection of revision ids (strings), not {applied!r:.200}")


class UnknownApplied(AppliedError, DatabaseAhead, LookupError):
    """Raised by a path when the database has revisions that no file has.

    ``unknown`` are those ids, ``last_known`` the newest applied ones that files do have.
    """

    def __init__(self, unknown: Sequence[str], last_known: Sequence[Named]) -> None:
        self.ahead = self.unknown = tuple(unknown)
        self.last_known = tuple(last_known)
        known = (
            f"The last known applied revision:{listed(self.last_known)}" if last_known else "No applied one is known"
        )
        Exception.__init__(
            self,
            f"the database has {len(self.unknown)} applied revision(s) that no file has: {_named(self.unknown)}.\n"
            f"{known}\n{WAYS_BACK_TO_THE_FILES}",
        )


class PartlyReplaced(AppliedError, ValueError):
    """Raised when a database has a part of the range that a squashed revision replaces."""

    def __init__(
        self, squash: Named, applied: Sequence[str], missing: Sequence[str], gone: Sequence[str] = (), last: str = ""
    ) -> None:
        self.squash, self.applied, self.missing, self.gone = squash, tuple(applied), tuple(missing), tuple(gone)
        if self.gone:
            advice = (
                f"Their files are needed for this, and these are gone: {_named(self.gone)}. Go back to the release "
                "that still has them and finish (or revert) the range there"
            )
        else:
            advice = f"Finish the range first: `asyncmig upgrade {last or self.missing[-1]}`"
        super().__init__(
            f"revision {shown(squash)} replaces {len(self.applied) + len(self.missing)} revisions, and the database "
            f"has only a part of them: applied {_named(self.applied)}; not applied {_named(self.missing)}. {advice}"
        )


class OutOfOrder(AppliedError, ValueError):
    """Raised when strict order was asked for and pending revisions are older than an applied one."""

    def __init__(self, pairs: Sequence[tuple[Named, Named]]) -> None:
        self.pairs = tuple(pairs)
        lines = "".join(f"\n  {shown(late)} comes before {newer.revision}" for late, newer in self.pairs[:20])
        super().__init__(
            f"{len(self.pairs)} pending revision(s) are older than one that is applied:{lines}\n"
            "They came in later, by a merge or on another branch. `asyncmig rebase` puts an unapplied revision "
            "behind the others; --no-strict-order runs them as they are, and says so"
        )


class DuplicateRevision(RevisionFileError, ValueError):
    """Raised when two files (or two Revision values) have one id."""

    def __init__(self, revision: str, paths: Sequence[Path | None]) -> None:
        self.revision, self.paths = revision, tuple(paths)
        files = [path for path in self.paths if path]
        if len(files) == 1:
            super().__init__(files[0], f"the revision id {revision!r} is taken by this file; choose another one")
            return
        both = " and ".join(map(str, files)) or "revisions without files"
        super().__init__(
            self.paths[-1],
            f"the revision id {revision!r} is there twice: {both}. "
            "Delete the one that is a copy, or give one a new id (and correct down_revision of its children)",
        )
