"""Targets of every form, up and down, on small graphs."""

from __future__ import annotations

from typing import Any

import pytest

from asyncmig.errors import AsyncmigError
from asyncmig.history import errors

from .drawn_graphs import FORK, LINE, MERGED, ROOTS, drawn, walk

# graph, direction, applied, target, path
WALKS = [
    # aaaa - bbbb - cccc - dddd - eeee
    (LINE, "up", "", "head", "aaaa bbbb cccc dddd eeee"),
    (LINE, "up", "", "heads", "aaaa bbbb cccc dddd eeee"),
    (LINE, "up", "", "base", ""),
    (LINE, "up", "", " head ", "aaaa bbbb cccc dddd eeee"),
    (LINE, "up", "..bbbb", "+1", "cccc"),
    (LINE, "up", "..bbbb", "head-1", "cccc dddd"),
    (LINE, "up", "..bbbb", "base+3", "cccc"),
    (LINE, "up", "..bbbb", "dddd-0", "cccc dddd"),
    (LINE, "up", "aaaa cccc", "eeee", "bbbb dddd eeee"),
    (LINE, "down", "..eeee", "base", "eeee dddd cccc bbbb aaaa"),
    (LINE, "down", "..eeee", "bbbb", "eeee dddd cccc"),
    (LINE, "down", "..eeee", "-2", "eeee dddd"),
    (LINE, "down", "..eeee", "-5", "eeee dddd cccc bbbb aaaa"),
    (LINE, "down", "..eeee", "aaaa-1", "eeee dddd cccc bbbb aaaa"),
    (LINE, "down", "..eeee", "head-2", "eeee dddd"),
    (LINE, "down", "..eeee", "eeee", ""),
    (LINE, "down", "", "head+0", errors.NotAnAncestor),
    (LINE, "down", "aaaa cccc", "base", "cccc aaaa"),
    # aaaa - bbbb < c1c1 (one) - d1d1
    #             < c2c2 (two) - d2d2
    (FORK, "up", "", "heads", "aaaa bbbb c1c1 c2c2 d1d1 d2d2"),
    (FORK, "up", "", "one@head", "aaaa bbbb c1c1 d1d1"),
    (FORK, "up", "", "one@heads", "aaaa bbbb c1c1 d1d1"),
    (FORK, "up", "", "one", "aaaa bbbb c1c1"),
    (FORK, "up", "", "one@base", ""),
    (FORK, "up", "", "one@+4", "aaaa bbbb c1c1 d1d1"),
    (FORK, "up", "..bbbb", "d1d1@+1", "c1c1"),
    (FORK, "up", "..bbbb", "one@base+3", "c1c1"),
    (FORK, "up", "..d1d1", "two@+1", "c2c2"),
    (FORK, "up", "..d1d1", "two@d2d2", "c2c2 d2d2"),
    (FORK, "up", "..d1d1 ..d2d2", "one@head", ""),
    (FORK, "down", "..d1d1 ..d2d2", "two@-1", "d2d2"),
    (FORK, "down", "..d1d1 ..d2d2", "two@bbbb", "d2d2 c2c2"),
    (FORK, "down", "..d1d1 ..d2d2", "d2d2@-2", "d2d2 c2c2"),
    (FORK, "down", "..d1d1 ..d2d2", "bbbb", "d2d2 d1d1 c2c2 c1c1"),
    (FORK, "down", "..d1d1 ..d2d2", "base", "d2d2 d1d1 c2c2 c1c1 bbbb aaaa"),
    (FORK, "down", "..d1d1", "-2", "d1d1 c1c1"),
    # the same, with both merged by eeee
    (MERGED, "up", "..d1d1", "head", "c2c2 d2d2 eeee ffff"),
    (MERGED, "down", "..ffff", "one@bbbb", "ffff eeee d1d1 c1c1"),
    (MERGED, "down", "..ffff", "d1d1", "ffff eeee"),
    (MERGED, "down", "..ffff", "c2c2", "ffff eeee d2d2"),
    # x1 (x) - x2
    #   '. . . .
    # y1 (y) - y2 needs x1
    (ROOTS, "up", "", "y@head", "x1 y1 y2"),
    (ROOTS, "up", "", "heads", "x1 x2 y1 y2"),
    (ROOTS, "up", "..y2", "x@+1", "x2"),
    (ROOTS, "down", "..x2 ..y2", "x@base", "y2 x2 x1"),
    (ROOTS, "down", "..y2", "-1", "y2"),
    (ROOTS, "down", "..y2", "x@-1", "y2 x1"),
    ("x1#x x2<x1 y1 y2<y1+x", "up", "", "y2", "x1 y1 y2"),
    ("x1x1x1 y1+x1x1", "up", "", "y1", "x1x1x1 y1"),
    # names
    ("2024010100 2024010200<2024010100", "up", "", "20240101", "2024010100"),
    ("aaaa aaaab<aaaa", "up", "", "aaaa", "aaaa"),
    ("aaaa aaaab<aaaa", "up", "", "aaaa+1", "aaaa aaaab"),
    ("aaaa#feature-1 bbbb<aaaa", "up", "", "feature-1", "aaaa"),
    ("aaaa#feature-1 bbbb<aaaa", "up", "", "feature-1@head", "aaaa bbbb"),
    ("aaaa#feature-1 bbbb<aaaa", "up", "", "feature-1+1", "aaaa bbbb"),
    ("aaaa1 bbbb1<aaaa1 aaaa2#side", "up", "", "bbbb1@aaaa", "aaaa1"),
    ("", "up", "", "head", ""),
    ("", "up", "", "heads", ""),
    ("", "down", "", "base", ""),
    # what comes next among equals is the smallest id, and back is exactly the other way round
    ("b a<b d c<d", "up", "", "heads", "b a d c"),
    ("b a<b d c<d", "down", "a b c d", "base", "c d a b"),
]


@pytest.mark.parametrize(("drawing", "direction", "applied", "target", "path"), WALKS)
def test_walk(drawing: str, direction: str, applied: str, target: str, path: Any) -> None:
    if isinstance(path, str):
        assert walk(drawn(drawing), direction, applied, target) == path
    else:
        with pytest.raises(path):
            walk(drawn(drawing), direction, applied, target)


# graph, direction, applied, target, error, what its message says
REFUSALS: list[tuple[str, str, str, Any, type[AsyncmigError], list[str]]] = [
    (FORK, "up", "", "head", errors.MultipleHeads, ["d1d1", "d2d2", "part at bbbb", "asyncmig merge d1d1 d2d2"]),
    ("a b", "up", "", "head", errors.MultipleHeads, ["no revision in common", "asyncmig merge a b"]),
    (FORK, "up", "", "head-1", errors.MultipleHeads, ["'head-1'", "d1d1", "d2d2"]),
    (FORK, "up", "", "heads-1", errors.MultipleHeads, ["'heads-1'", "d1d1", "d2d2"]),
    (FORK, "down", "..d1d1", "head", errors.MultipleHeads, ["d1d1", "d2d2"]),
    (FORK, "down", "..d1d1", "one@head", errors.MultipleHeads, ["d1d1", "d2d2"]),
    (FORK, "up", "..c1c1 ..c2c2", "+1", errors.AmbiguousStep, ["2 revisions", "c1c1@+1", "<label>@+1"]),
    (FORK, "down", "..c1c1 ..c2c2", "-1", errors.AmbiguousStep, ["2 revisions", "c1c1@-1"]),
    (FORK, "down", "..d1d1 ..d2d2", "aaaa@-1", errors.AmbiguousStep, ["on branch 'aaaa'"]),
    (FORK, "up", "..bbbb", "+1", errors.AmbiguousStep, ["forks after bbbb", "c2c2", "Name a branch: c1c1@… or"]),
    (FORK, "up", "", "aaaa+2", errors.AmbiguousStep, ["forks after bbbb"]),
    ("a b", "up", "", "+1", errors.AmbiguousStep, ["forks after base"]),
    (MERGED, "down", "..ffff", "-2", errors.AmbiguousStep, ["eeee merges 2"]),
    (LINE, "up", "..dddd", "+2", errors.PastTheEnd, ["2 steps up", "only 1"]),
    (LINE, "up", "..eeee", "+1", errors.PastTheEnd, ["none after eeee"]),
    (LINE, "up", "", "+" + "9" * 9_999, errors.PastTheEnd, ["only 5"]),
    (LINE, "up", "", "cccc+3", errors.PastTheEnd, ["up to eeee"]),
    ("", "up", "", "+1", errors.PastTheEnd, ["none after base"]),
    (LINE, "down", "..bbbb", "-3", errors.BelowBase, ["3 steps down from bbbb", "only 2"]),
    (LINE, "down", "", "-1", errors.BelowBase, ["there is none", "`base`"]),
    (LINE, "down", "..bbbb", "base-1", errors.BelowBase, ["there is none"]),
    (LINE, "up", "", "bbbb-2", errors.BelowBase, ["2 steps down from bbbb", "only 1"]),
    (LINE, "up", "..bbbb", "-1", errors.WrongDirection, ["asyncmig downgrade"]),
    (LINE, "up", "..bbbb", "+0", errors.WrongDirection, []),
    (LINE, "down", "..bbbb", "+1", errors.WrongDirection, ["asyncmig upgrade"]),
    (LINE, "down", "..bbbb", "base+0", errors.WrongDirection, []),
    (LINE, "down", "..bbbb", "cccc", errors.NotAnAncestor, ["nothing above cccc is applied", "bbbb"]),
    (ROOTS, "down", "..y2", "x1", errors.NotAnAncestor, ["nothing above x1 is applied"]),
    (FORK, "down", "..d1d1 ..d2d2", "aaaa@bbbb", errors.NotAnAncestor, ["not below the branch"]),
    (FORK, "up", "", "one@d2d2", errors.NotOnBranch, ["d2d2", "'one'", "it is on two"]),
    ("r x<r y<r+x", "up", "", "r@heads", errors.OverlappingTargets, ["x and y", "name y alone"]),
    (LINE, "up", "", "zzzz", errors.UnknownRevision, ["'zzzz'", "asyncmig history"]),
    (LINE, "up", "", "aaaaa", errors.UnknownRevision, ["did you mean aaaa"]),
    ("abc", "up", "", "ab", errors.UnknownRevision, ["four characters"]),
    (LINE, "up", "", "x", errors.UnknownRevision, ["four characters"]),
    (LINE, "up", "", "nowhere@head", errors.UnknownRevision, ["'nowhere' (in 'nowhere@head')"]),
    (LINE, "up", "", "nowhere@base", errors.UnknownRevision, []),
    (LINE, "up", "", "nowhere@+1", errors.UnknownRevision, []),
    (LINE, "down", "", "nowhere@base", errors.UnknownRevision, []),
    (LINE, "down", "..bbbb", "nowhere@-1", errors.UnknownRevision, []),
    (LINE, "up", "", "aaaa+2x", errors.UnknownRevision, []),
    ("202401 202402", "up", "", "2024", errors.AmbiguousRevision, ["202401, 202402", "more characters"]),
    (LINE, "up", "", "", errors.InvalidTarget, ["empty", "<label>@head"]),
    (LINE, "up", "", "@head", errors.InvalidTarget, ["before the @"]),
    (LINE, "up", "", "aaaa@", errors.InvalidTarget, ["after the @"]),
    (LINE, "up", "", "a@b@c", errors.InvalidTarget, ["more than one @"]),
    (LINE, "up", "", None, errors.InvalidTarget, ["must be a string"]),
    (LINE, "up", "", 7, errors.InvalidTarget, ["must be a string"]),
    (LINE, "down", "", ("aaaa",), errors.InvalidTarget, ["must be a string"]),
]


@pytest.mark.parametrize(("drawing", "direction", "applied", "target", "error", "said"), REFUSALS)
def test_refusal(
    drawing: str, direction: str, applied: str, target: Any, error: type[AsyncmigError], said: list[str]
) -> None:
    with pytest.raises(error) as raised:
        walk(drawn(drawing), direction, applied, target)
    assert type(raised.value) is error
    assert [part for part in said if part not in str(raised.value)] == []


@pytest.mark.parametrize("applied", ["aaaa", b"aaaa", None, 5, [5], [None], [["aaaa"]], [{}]])
def test_applied_that_is_no_collection_of_ids(applied: Any) -> None:
    for path in (drawn(LINE).upgrade_path, drawn(LINE).downgrade_path):
        with pytest.raises(errors.InvalidApplied, match="collection of revision ids"):
            path(applied, "base")


def test_several_heads_is_an_exit_code_of_its_own() -> None:
    assert errors.MultipleHeads.exit_code == errors.AmbiguousStep.exit_code == 5
    assert errors.UnknownRevision.exit_code == errors.BelowBase.exit_code == 1


def test_applied_ids_that_no_file_has() -> None:
    graph = drawn(LINE)
    for path in (graph.upgrade_path, graph.downgrade_path):
        with pytest.raises(errors.UnknownApplied) as raised:
            path({"aaaa", "bbbb", "gone2", "gone1"}, "base")
        assert raised.value.unknown == ("gone1", "gone2")
        assert [revision.revision for revision in raised.value.last_known] == ["bbbb"]
        assert "no file has: gone1, gone2" in str(raised.value)
        assert "stamp --purge" in str(raised.value)
    assert graph.known({"aaaa", "gone1"}) == {"aaaa"}
    assert graph.unknown({"aaaa", "gone1"}) == ("gone1",)
    assert graph.heads_of({"aaaa", "bbbb", "gone1"}) == ("bbbb", "gone1")
