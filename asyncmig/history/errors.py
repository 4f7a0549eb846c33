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

from collections.abc import Sequence
from pathlib import Path

from asyncmig.errors import WAYS_BACK_TO_THE_FILES, DatabaseAhead, RevisionError, RevisionFileError
from asyncmig.history.shown import Named, listed, named_ids, shown
from asyncmig.history.target_errors import (
    AmbiguousRevision,
    AmbiguousStep,
    BelowBase,
    InvalidTarget,
    MultipleHeads,
    NotAnAncestor,
    NotOnBranch,
    OverlappingTargets,
    PastTheEnd,
    SquashedAway,
    TargetError,
    UnknownRevision,
    WrongDirection,
)
from asyncmig.printable import counted

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
        arrows = [f"-({field})-> {revision}" for field, revision in zip(self.fields, self.revisions[1:], strict=True)]
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
            f"the database has {counted(len(self.unknown), 'applied revision')} that no file has: "
            f"{named_ids(self.unknown)}.\n{known}\n{WAYS_BACK_TO_THE_FILES}",
        )


class PartlyReplaced(AppliedError, ValueError):
    """Raised when a database has a part of the range that a squashed revision replaces."""

    def __init__(
        self, squash: Named, applied: Sequence[str], missing: Sequence[str], gone: Sequence[str] = (), last: str = ""
    ) -> None:
        self.squash, self.applied, self.missing, self.gone = squash, tuple(applied), tuple(missing), tuple(gone)
        if self.gone:
            advice = (
                f"Their files are needed for this, and these are gone: {named_ids(self.gone)}. Go back to the release "
                "that still has them and finish (or revert) the range there"
            )
        else:
            advice = f"Finish the range first: `asyncmig upgrade {last or self.missing[-1]}`"
        super().__init__(
            f"revision {shown(squash)} replaces {len(self.applied) + len(self.missing)} revisions, and the database "
            f"has only a part of them: applied {named_ids(self.applied)}; not applied "
            f"{named_ids(self.missing)}. {advice}"
        )


class OutOfOrder(AppliedError, ValueError):
    """Raised when strict order was asked for and pending revisions are older than an applied one."""

    def __init__(self, pairs: Sequence[tuple[Named, Named]]) -> None:
        self.pairs = tuple(pairs)
        lines = "".join(f"\n  {shown(late)} comes before {newer.revision}" for late, newer in self.pairs[:20])
        verb = "is" if len(self.pairs) == 1 else "are"
        super().__init__(
            f"{counted(len(self.pairs), 'pending revision')} {verb} older than one that is applied:{lines}\n"
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
