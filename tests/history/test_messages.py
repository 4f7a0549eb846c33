"""Every message about a history, whole: what is listed, where a list is cut, and which words depend on how many."""

from __future__ import annotations

from pathlib import Path

import pytest

from asyncmig.errors import WAYS_BACK_TO_THE_FILES, AsyncmigError
from asyncmig.history import Revision, errors

A = Revision("aaaa", path=Path("a.py"))
B = Revision("bbbb")
IDS = [f"i{number:02}" for number in range(40)]
MANY = [Revision(name) for name in IDS]
LISTED_20 = "".join(f"\n  {name}" for name in IDS[:20])
NAMED_20 = ", ".join(IDS[:20])
STAY = "; `asyncmig history` shows what lies below what"
STRICT = (
    "\nThey came in later, by a merge or on another branch. `asyncmig rebase` puts an unapplied revision "
    "behind the others; --no-strict-order runs them as they are, and says so"
)
JOIN = ", or say `heads` for all of them where that is allowed"
FORMS = f" A target is one of: {errors.InvalidTarget.FORMS}"
BASE = "; say `base` to go all the way down"
ONE_BRANCH = "\nA name must stand for one branch only: change branch_labels, or take the label out"


def ring(size: int) -> list[Revision]:
    return [*MANY[:size], MANY[0]]


MESSAGES: list[tuple[AsyncmigError, str]] = [
    (errors.IllegalRevision("x" * 300, "no"), f"'{'x' * 199} cannot be a revision: no"),
    (
        errors.IllegalRevisionId(A, "has a dot"),
        "the revision id 'aaaa' in a.py has a dot; change `revision` there (and `down_revision` of its children) to "
        "letters, digits and underscores",
    ),
    (
        errors.IllegalRevisionId(B, "has a dot"),
        "the revision id 'bbbb' has a dot; choose one of letters, digits and underscores",
    ),
    (
        errors.IllegalLabel("x+", A, "has a plus"),
        "the branch label 'x+' of revision aaaa (a.py) has a plus; choose another label",
    ),
    (
        errors.DuplicateLabel("x", [A, B, A]),
        f"the branch label 'x' is carried by several revisions:\n  aaaa (a.py)\n  bbbb{ONE_BRANCH}",
    ),
    (
        errors.DuplicateLabel("bbbb", [A, B]),
        f"the branch label 'bbbb' is the id of a revision:\n  aaaa (a.py)\n  bbbb{ONE_BRANCH}",
    ),
    (
        errors.MissingParent(B, "x"),
        "revision bbbb has down_revision 'x', and there is no such revision. Restore the file of 'x' (was it "
        "committed?), or correct down_revision",
    ),
    (
        errors.MissingDependency(A, "x", ["y", "z"]),
        "revision aaaa (a.py) has depends_on 'x', and there is no such revision (did you mean y or z?). Restore the "
        "file of 'x' (was it committed?), or correct depends_on",
    ),
    (
        errors.Cycle([B, B], ["down_revision"]),
        "a revision needs itself: bbbb -(down_revision)-> bbbb. Change down_revision in one of them",
    ),
    (
        errors.Cycle([A, B, A], ["down_revision", "depends_on"]),
        "these revisions need each other: aaaa -(down_revision)-> bbbb -(depends_on)-> aaaa. "
        "Change depends_on or down_revision in one of them:\n  aaaa (a.py)",
    ),
    (
        errors.Cycle(ring(20), ["x"] * 20),
        f"these revisions need each other: {' -(x)-> '.join([*IDS[:20], 'i00'])}. Change x in one of them",
    ),
    (
        errors.Cycle(ring(21), ["x"] * 21),
        f"these revisions need each other: {' -(x)-> '.join(IDS[:16])} … 3 more … -(x)-> i19 -(x)-> i20 -(x)-> i00. "
        "Change x in one of them",
    ),
    (
        errors.Cycle(ring(40), ["x"] * 40),
        f"these revisions need each other: {' -(x)-> '.join(IDS[:16])} … 22 more … -(x)-> i38 -(x)-> i39 -(x)-> i00. "
        "Change x in one of them",
    ),
    (errors.IllegalReplacement(A, "is odd"), "revision aaaa (a.py) is odd; correct `replaces` there"),
    (
        errors.InvalidApplied("x" * 300),
        f"applied must be a collection of revision ids (strings), not '{'x' * 199}",
    ),
    (
        errors.UnknownApplied(["x"], []),
        f"the database has 1 applied revision that no file has: x.\nNo applied one is known\n{WAYS_BACK_TO_THE_FILES}",
    ),
    (
        errors.UnknownApplied(IDS[:21], MANY[:21]),
        f"the database has 21 applied revisions that no file has: {NAMED_20}, … (21 in all).\n"
        f"The last known applied revision:{LISTED_20}\n  … and 1 more\n{WAYS_BACK_TO_THE_FILES}",
    ),
    (
        errors.UnknownApplied(IDS[:20], MANY[:20]),
        f"the database has 20 applied revisions that no file has: {NAMED_20}.\n"
        f"The last known applied revision:{LISTED_20}\n{WAYS_BACK_TO_THE_FILES}",
    ),
    (
        errors.PartlyReplaced(A, ["x"], ["y", "z"]),
        "revision aaaa (a.py) replaces 3 revisions, and the database has only a part of them: applied x; not applied "
        "y, z. Finish the range first: `asyncmig upgrade z`",
    ),
    (
        errors.PartlyReplaced(A, ["x"], ["y", "z"], last="y"),
        "revision aaaa (a.py) replaces 3 revisions, and the database has only a part of them: applied x; not applied "
        "y, z. Finish the range first: `asyncmig upgrade y`",
    ),
    (
        errors.PartlyReplaced(A, ["x"], ["y"], ["y"], "y"),
        "revision aaaa (a.py) replaces 2 revisions, and the database has only a part of them: applied x; not applied "
        "y. Their files are needed for this, and these are gone: y. Go back to the release that still has them and "
        "finish (or revert) the range there",
    ),
    (
        errors.OutOfOrder([(A, B)]),
        f"1 pending revision is older than one that is applied:\n  aaaa (a.py) comes before bbbb{STRICT}",
    ),
    (
        errors.OutOfOrder([(late, B) for late in MANY[:21]]),
        "21 pending revisions are older than one that is applied:"
        f"{''.join(f'{chr(10)}  {name} comes before bbbb' for name in IDS[:20])}{STRICT}",
    ),
    (
        errors.DuplicateRevision("x", [None, Path("a.py")]),
        "a.py: the revision id 'x' is taken by this file; choose another one",
    ),
    (
        errors.DuplicateRevision("x", [Path("a.py"), Path("b.py")]),
        "b.py: the revision id 'x' is there twice: a.py and b.py. "
        "Delete the one that is a copy, or give one a new id (and correct down_revision of its children)",
    ),
    (
        errors.DuplicateRevision("x", [None, None]),
        "a revision without a file: the revision id 'x' is there twice: revisions without files. "
        "Delete the one that is a copy, or give one a new id (and correct down_revision of its children)",
    ),
    (errors.InvalidTarget("x" * 300, "no"), f"'{'x' * 199} is not a target: no.{FORMS}"),
    (
        errors.UnknownRevision("abc"),
        "no revision or branch is called 'abc': only ids of four characters or more go by their beginning; "
        "`asyncmig history` lists the ids",
    ),
    (
        errors.UnknownRevision("abcd", "abcd"),
        "no revision or branch is called 'abcd': `asyncmig history` lists the ids; is the file there, and committed?",
    ),
    (
        errors.UnknownRevision("abcd", "abcd+1", ["abce", "abcf"]),
        "no revision or branch is called 'abcd' (in 'abcd+1'): did you mean abce or abcf?",
    ),
    (
        errors.AmbiguousRevision("abcd", ["abcde", "abcdf"]),
        "'abcd' is the beginning of 2 names: abcde, abcdf; give more characters",
    ),
    (
        errors.AmbiguousRevision("abcd", ["abcde", "abcdf"], "abcd"),
        "'abcd' is the beginning of 2 names: abcde, abcdf; give more characters",
    ),
    (
        errors.AmbiguousRevision("abcd", ["abcde", "abcdf"], "abcd-1"),
        "'abcd' (in 'abcd-1') is the beginning of 2 names: abcde, abcdf; give more characters",
    ),
    (
        errors.MultipleHeads("head", [A, B], None),
        "'head' needs one head, and there are 2:\n  aaaa (a.py)\n  bbbb\nThey have no revision in common. "
        f"Join them with `asyncmig merge aaaa bbbb`, or name the one you mean (aaaa, <label>@head){JOIN}",
    ),
    (
        errors.MultipleHeads("head", MANY[:20], A),
        f"'head' needs one head, and there are 20:{LISTED_20}\nThey part at aaaa (a.py). "
        f"Join them with `asyncmig merge {' '.join(IDS[:20])}`, or name the one you mean (i00, <label>@head){JOIN}",
    ),
    (
        errors.MultipleHeads("head", MANY[:21], A),
        f"'head' needs one head, and there are 21:{LISTED_20}\n  … and 1 more\nThey part at aaaa (a.py). "
        f"Join them with `asyncmig merge {' '.join(IDS[:20])} …`, or name the one you mean (i00, <label>@head){JOIN}",
    ),
    (errors.AmbiguousStep("+1", [B], "why", "advice"), "'+1' could mean several revisions: why:\n  bbbb\nadvice"),
    (errors.PastTheEnd("+1", 1, 0, "bbbb"), "'+1' asks for 1 step up, and there is none after bbbb"),
    (
        errors.PastTheEnd("+2", 2, 1, "bbbb"),
        "'+2' asks for 2 steps up, and there are only 1 (up to bbbb); say `head` to go all the way up",
    ),
    (errors.BelowBase("-1", 1, 0), f"'-1' asks for 1 step down from base, and there is none{BASE}"),
    (errors.BelowBase("-2", 2, 1, "bbbb"), f"'-2' asks for 2 steps down from bbbb, and there are only 1{BASE}"),
    (
        errors.WrongDirection("-1", "upgrade"),
        "upgrade cannot go to '-1': it takes +N, counted from what is applied; did you mean `asyncmig downgrade`?",
    ),
    (
        errors.WrongDirection("+1", "downgrade"),
        "downgrade cannot go to '+1': it takes -N, counted from what is applied; did you mean `asyncmig upgrade`?",
    ),
    (errors.NotAnAncestor("x", "x", [], "not below"), f"'x': not below base{STAY}"),
    (errors.NotAnAncestor("x", "x", IDS[:21], "not below"), f"'x': not below {NAMED_20}, … (21 in all){STAY}"),
    (errors.NotOnBranch("x@bbbb", "x", "bbbb"), "'x@bbbb': revision bbbb is not on the branch 'x'"),
    (
        errors.NotOnBranch("x@bbbb", "x", "bbbb", ["y", "z"]),
        "'x@bbbb': revision bbbb is not on the branch 'x'; it is on y, z",
    ),
    (
        errors.OverlappingTargets("x", "upper", "lower"),
        "'x' names both lower and upper, which needs it already; name upper alone",
    ),
    (
        errors.SquashedAway("x-1", "x", A, "which is applied"),
        "'x-1': revision x was squashed into aaaa (a.py), which is applied; name aaaa, or a revision before or after "
        "it",
    ),
]


@pytest.mark.parametrize(("error", "message"), MESSAGES, ids=lambda value: type(value).__name__)
def test_the_whole_message(error: AsyncmigError, message: str) -> None:
    assert str(error) == message
