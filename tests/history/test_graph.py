"""What a graph says of itself and of a database, and that it stays fast."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import Any

import pytest

from asyncmig.history import Revision, RevisionGraph, errors
from asyncmig.history.range import NotSquashable, squashable_range

from .drawn_graphs import FORK, LINE, MERGED, ROOTS, drawn, ids, revisions

# graph, question, answer
ANSWERS: list[tuple[str, Any, Any]] = [
    (LINE, lambda g: (g.heads, g.bases), (("eeee",), ("aaaa",))),
    (FORK, lambda g: (g.heads, g.bases), (("d1d1", "d2d2"), ("aaaa",))),
    (ROOTS, lambda g: (g.heads, g.bases), (("x2", "y2"), ("x1", "y1"))),
    ("x1 y1+x1", lambda g: (g.heads, ids(g.resolve("heads"))), (("x1", "y1"), "y1")),
    ("", lambda g: (g.heads, g.bases, len(g), list(g)), ((), (), 0, [])),
    (MERGED, lambda g: (g.branch_points, g.merge_points), (("bbbb",), ("eeee",))),
    (MERGED, ids, "aaaa bbbb c1c1 c2c2 d1d1 d2d2 eeee ffff"),
    ("b c<b a d<a", ids, "a b c d"),
    (MERGED, lambda g: ("eeee" in g, "one" in g, "eee" in g, 5 in g), (True, False, False, False)),
    (MERGED, lambda g: (g.children("bbbb"), g.parents("eeee")), (("c1c1", "c2c2"), ("d1d1", "d2d2"))),
    (MERGED, lambda g: g.ancestors("d1d1"), ("aaaa", "bbbb", "c1c1")),
    (MERGED, lambda g: g.descendants("c1c1"), ("d1d1", "eeee", "ffff")),
    (ROOTS, lambda g: (g.ancestors("y2"), g.descendants("x1")), (("x1", "y1"), ("x2", "y2"))),
    (ROOTS, lambda g: (g.dependencies("y2"), g.parents("y2")), (("x1",), ("y1",))),
    (FORK, lambda g: dict(g.labels), {"one": "c1c1", "two": "c2c2"}),
    (FORK, lambda g: [g.labels_of(i) for i in ("bbbb", "c1c1", "d1d1")], [(), ("one",), ("one",)]),
    (MERGED, lambda g: g.labels_of("ffff"), ("one", "two")),
    ("a b<a c<b#late d<c", lambda g: [g.labels_of(i) for i in "abcd"], [("late",)] * 4),
    ("a b<a x<a c<b#late", lambda g: [g.labels_of(i) for i in "abxc"], [(), ("late",), (), ("late",)]),
    ("a b<a x<b m<x,a c<m#late", lambda g: [g.labels_of(i) for i in "abxmc"], [(), (), (), (), ("late",)]),
    (FORK, lambda g: (g.get("one").revision, g.get("c2c2").revision), ("c1c1", "c2c2")),
    (FORK, lambda g: (g.fork_point("d1d1", "d2d2"), g.fork_point("d1d1", "c1c1")), ("bbbb", "c1c1")),
    ("a b", lambda g: g.fork_point("a", "b"), None),
    (MERGED, lambda g: [ids(g.resolve(t)) for t in ("base", "head", "one", "one@head", "c1c1+1", "ffff-1")],
     ["", "ffff", "c1c1", "ffff", "d1d1", "eeee"]),
    # where a database stands
    (LINE, lambda g: g.heads_of({"aaaa", "bbbb"}), ("bbbb",)),
    (LINE, lambda g: g.heads_of({"aaaa", "cccc"}), ("cccc",)),
    (LINE, lambda g: g.heads_of(()), ()),
    (ROOTS, lambda g: g.heads_of({"x1", "y1", "y2"}), ("y2",)),
    (ROOTS, lambda g: g.heads_of({"x1", "x2", "y1", "y2"}), ("x2", "y2")),
    (FORK, lambda g: ids(g.pending({"aaaa", "bbbb", "c2c2"})), "c1c1 d1d1 d2d2"),
    (LINE, lambda g: ids(g.pending({"aaaa", "cccc", "gone"})), "bbbb dddd eeee"),
    # history -r
    (LINE, lambda g: ids(g.between("bbbb", "dddd")), "bbbb cccc dddd"),
    (LINE, lambda g: ids(g.between("", "cccc")), "aaaa bbbb cccc"),
    (LINE, lambda g: ids(g.between("dddd", "")), "dddd eeee"),
    (LINE, lambda g: ids(g.between("current", "head", {"aaaa", "bbbb"})), "bbbb cccc dddd eeee"),
    (LINE, lambda g: ids(g.between("base", "current", {"aaaa", "bbbb"})), "aaaa bbbb"),
    (LINE, lambda g: ids(g.between("eeee-2", "head")), "cccc dddd eeee"),
    (LINE, lambda g: ids(g.between("-2", "dddd")), "bbbb cccc dddd"),
    (LINE, lambda g: ids(g.between("-2", "")), "cccc dddd eeee"),
    (LINE, lambda g: ids(g.between("-9", "bbbb")), "aaaa bbbb"),
    (LINE, lambda g: ids(g.between("bbbb", "+2")), "bbbb cccc dddd"),
    (LINE, lambda g: ids(g.between("-1", "current", {"aaaa", "bbbb", "cccc"})), "bbbb cccc"),
    (LINE, lambda g: ids(g.between("current", "+1", {"aaaa", "bbbb", "cccc"})), "cccc dddd"),
    (MERGED, lambda g: ids(g.between("c1c1", "eeee")), "c1c1 d1d1 eeee"),
    # stamp
    (LINE, lambda g: sorted(g.stamped((), "bbbb")), ["aaaa", "bbbb"]),
    (LINE, lambda g: sorted(g.stamped({"aaaa", "bbbb", "cccc"}, "aaaa")), ["aaaa"]),
    (LINE, lambda g: sorted(g.stamped({"aaaa", "bbbb"}, "base")), []),
    (LINE, lambda g: sorted(g.stamped({"aaaa", "bbbb"}, "+1")), ["aaaa", "bbbb", "cccc"]),
    (LINE, lambda g: sorted(g.stamped({"aaaa", "bbbb"}, "-1")), ["aaaa"]),
    (FORK, lambda g: sorted(g.stamped({"aaaa", "bbbb", "c1c1"}, "two")), ["aaaa", "bbbb", "c1c1", "c2c2"]),
    (FORK, lambda g: sorted(g.stamped({"aaaa", "bbbb", "c1c1", "c2c2"}, "bbbb")), ["aaaa", "bbbb"]),
    (FORK, lambda g: len(g.stamped((), "heads")), 6),
    (ROOTS, lambda g: sorted(g.stamped({"x1", "x2", "y1", "y2"}, "y@base")), ["x1", "x2"]),
    # out of order: the other branch's older revision comes in by a merge
    (MERGED, lambda g: [(a.revision, b.revision) for a, b in g.out_of_order(
        {"aaaa", "bbbb", "c2c2", "d2d2"}, g.upgrade_path({"aaaa", "bbbb", "c2c2", "d2d2"}))],
     [("c1c1", "d2d2"), ("d1d1", "d2d2")]),
    (LINE, lambda g: g.out_of_order({"aaaa"}, g.upgrade_path({"aaaa"})), []),
    (LINE, lambda g: g.out_of_order((), g.upgrade_path(())), []),
]  # fmt: skip


@pytest.mark.parametrize(("drawing", "question", "answer"), ANSWERS)
def test_answer(drawing: str, question: Any, answer: Any) -> None:
    assert question(drawn(drawing)) == answer


REFUSALS: list[tuple[str, Any, Any, str]] = [
    (LINE, lambda g: g.get("zzzz"), errors.UnknownRevision, "zzzz"),
    (LINE, lambda g: g.get(None), errors.UnknownRevision, "None"),
    (LINE, lambda g: g.ancestors(5), errors.UnknownRevision, "5"),
    (LINE, lambda g: g.children([]), errors.UnknownRevision, "[]"),
    (LINE, lambda g: g.between(None, "head"), errors.InvalidTarget, "must be a string"),
    (LINE, lambda g: g.resolve(None), errors.InvalidTarget, "must be a string"),
    (LINE, lambda g: g.children("zzzz"), errors.UnknownRevision, "zzzz"),
    (LINE, lambda g: g.resolve("+1"), errors.InvalidTarget, "name it"),
    (LINE, lambda g: g.resolve("-1"), errors.InvalidTarget, "name it"),
    (FORK, lambda g: g.between("current-1", "heads", g.get("c1c1") and ["aaaa", "bbbb", "c1c1", "c2c2"]),
     errors.AmbiguousStep, "2 revisions:\n  c1c1\n  c2c2\nName one: c1c1-1"),
    (LINE, lambda g: g.between("-1", "+2"), errors.UnknownRevision, "'-1' (in '-1+2')"),
    (LINE, lambda g: g.stamped({"aaaa"}, "+0"), errors.WrongDirection, "upgrade cannot go to '+0'"),
    (FORK, lambda g: squashable_range(g, "bbbb:heads"), NotSquashable, "it has more than one end (d1d1, d2d2)"),
    ("a b c<a,b", lambda g: squashable_range(g, ":c"), NotSquashable, "it has more than one end (a, b)"),
    (LINE, lambda g: g.between("dddd", "bbbb"), errors.NotAnAncestor, "dddd is not an ancestor of bbbb"),
    (FORK, lambda g: g.between("c1c1", "d2d2"), errors.NotAnAncestor, "c1c1 is not an ancestor of d2d2"),
    (FORK, lambda g: g.between("heads", "bbbb"), errors.NotAnAncestor, "d1d1 is not an ancestor of bbbb"),
    (LINE, lambda g: g.stamped({"gone"}, "head"), errors.UnknownApplied, "gone"),
    (LINE, lambda g: g.stamped((), "zzzz"), errors.UnknownRevision, "zzzz"),
    (MERGED, lambda g: g.refuse_out_of_order({"aaaa", "bbbb", "c2c2"}, g.upgrade_path({"aaaa", "bbbb", "c2c2"})),
     errors.OutOfOrder, "c1c1 comes before c2c2"),
]  # fmt: skip


@pytest.mark.parametrize(("drawing", "question", "error", "said"), REFUSALS)
def test_refusal(drawing: str, question: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as raised:
        question(drawn(drawing))
    assert said in str(raised.value)


def test_where_a_revision_stands_makes_no_other_one_of_it() -> None:
    assert Revision("a", path=Path("a.py"), checksum="1") == Revision("a", path=Path("b.py"), checksum="2")
    assert Revision("a", message="b") != Revision("a")


def test_order_does_not_depend_on_the_order_of_the_files() -> None:
    """The same steps in the same order, however the folder was listed."""
    expected = ids(drawn(MERGED).upgrade_path(()))
    shuffled = revisions(MERGED)
    for seed in range(20):
        random.Random(seed).shuffle(shuffled)
        assert ids(RevisionGraph(shuffled).upgrade_path(())) == expected


def test_twenty_thousand_in_a_line() -> None:
    """No recursion, and nothing that grows faster than the history."""
    names = [f"r{number:05}" for number in range(20_000)]
    graph = RevisionGraph([Revision(one, below) for one, below in zip(names, [None, *names], strict=False)])
    assert ids(graph.upgrade_path(())) == " ".join(names)
    assert ids(graph.downgrade_path(names, "base")) == " ".join(reversed(names))
    assert graph.heads_of(names) == ("r19999",)
    assert len(graph.ancestors("r19999")) == 19_999
    assert ids(graph.downgrade_path(names, "-3")) == "r19999 r19998 r19997"
    assert ids(graph.upgrade_path((), "head-19999")) == "r00000"


def forks(count: int) -> list[Revision]:
    """m0 < a0, b0 > m1 < a1, b1 > m2 ..."""
    found = [Revision("m0")]
    for number in range(count):
        m, a, b = f"m{number}", f"a{number}", f"b{number}"
        found += [Revision(a, m), Revision(b, m), Revision(f"m{number + 1}", (a, b))]
    return found


@pytest.mark.parametrize("make", [lambda n: [Revision(f"r{i}", f"r{i - 1}" if i else None) for i in range(n)], forks])
def test_time_grows_with_the_history_alone(make: Any) -> None:
    """Ten times as many revisions take about ten times as long; were it a hundred, it would be seconds."""
    small, large = (_plan_seconds(make(count)) for count in (300, 3_000))
    assert large < 40 * small + 0.05


def _plan_seconds(found: list[Revision]) -> float:
    """Of the processor: others may use it meanwhile."""
    applied = {revision.revision for revision in found}
    times = []
    for _ in range(3):
        start = time.process_time()
        graph = RevisionGraph(found)
        assert len(graph.upgrade_path(())) == len(graph.downgrade_path(applied, "base")) == len(found)
        graph.heads_of(applied)
        times.append(time.process_time() - start)
    return min(times)
