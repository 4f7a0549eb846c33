"""Squashed revisions: ``s`` replaces ``r1 r2 r3`` between ``p`` and ``c``, files of the range there or gone."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from asyncmig.errors import RevisionError
from asyncmig.history import errors

from .drawn_graphs import drawn, ids

THERE = "p r1<p r2<r1 r3<r2 s<p=r1,r2,r3 c<r3"
GONE = "p s<p=r1,r2,r3 c<r3"
ALONE = "p r1<p r2<r1 r3<r2 s<p=r1,r2,r3"
BOTH = [THERE, GONE]


def up(drawing: str, applied: str, target: str = "head") -> str:
    return ids(drawn(drawing).upgrade_path(applied.split(), target))


def down(drawing: str, applied: str, target: str) -> str:
    return ids(drawn(drawing).downgrade_path(applied.split(), target))


@pytest.mark.parametrize("drawing", [*BOTH, GONE.replace("c<r3", "c<s"), THERE.replace("c<r3", "c<s")])
@pytest.mark.parametrize(
    ("applied", "target", "path"),
    [
        ("", "head", "p s c"),
        ("p", "head", "s c"),
        ("p", "+1", "s"),
        ("p", "s", "s"),
        ("p", "r3", "s"),
        ("p s", "head", "c"),
        ("p r1 r2 r3", "head", "c"),
        ("p r1 r2 r3", "+1", "c"),
        ("p r1 r2 r3", "s", ""),
        ("p r1 r2 r3 s", "head", "c"),
        ("p r1 r2 r3 c", "head", ""),
        ("r1 r2 r3", "head", "p c"),
    ],
)
def test_upgrade(drawing: str, applied: str, target: str, path: str) -> None:
    assert up(drawing, applied, target) == path


@pytest.mark.parametrize("drawing", BOTH)
@pytest.mark.parametrize(
    ("applied", "target", "path"),
    [
        ("p s c", "base", "c s p"),
        ("p s c", "-2", "c s"),
        ("p r1 r2 r3 c", "base", "c s p"),
        ("p r1 r2 r3 c", "p", "c s"),
        ("p r1 r2 r3", "-1", "s"),
        ("p r1 r2 r3 s c", "s", "c"),
        ("p r1 r2 r3 c", "r3", "c"),
    ],
)
def test_downgrade(drawing: str, applied: str, target: str, path: str) -> None:
    assert down(drawing, applied, target) == path


@pytest.mark.parametrize("drawing", BOTH)
def test_graph_is_folded(drawing: str) -> None:
    graph = drawn(drawing)
    assert (graph.heads, graph.bases, ids(graph)) == (("c",), ("p",), "p s c")
    assert graph.parents("c") == ("s",)
    assert graph.children("r2") == ("c",)
    assert dict(graph.replaced) == {"r1": "s", "r2": "s", "r3": "s"}
    assert graph.heads_of({"p", "r1", "r2", "r3"}) == ("s",)
    assert ids(graph.pending({"p", "r1", "r2", "r3"})) == "c"
    assert graph.unknown({"r1", "x"}) == ("x",)
    assert graph.stamped((), "c") == {"p", "s", "c"}


def test_a_range_at_the_end() -> None:
    assert drawn(ALONE).heads == ("s",)
    assert up(ALONE, "p") == "s"
    assert up(ALONE, "p r1 r2 r3") == ""


@pytest.mark.parametrize(
    ("drawing", "target"),
    [(d, t) for d in (THERE, ALONE) for t in ("head", "heads", "s", "s@head")] + [(THERE, "c"), (THERE, "+3")],
)
def test_a_part_of_the_range_is_told_to_finish(drawing: str, target: str) -> None:
    with pytest.raises(errors.PartlyReplaced) as raised:
        up(drawing, "p r1", target)
    assert (raised.value.applied, raised.value.missing) == (("r1",), ("r2", "r3"))
    assert "applied r1; not applied r2, r3" in str(raised.value)
    assert "asyncmig upgrade r3" in str(raised.value)


@pytest.mark.parametrize(
    ("applied", "target", "path"),
    [("p r1", "r3", "r2 r3"), ("p r1", "+1", "r2"), ("p r1", "+2", "r2 r3"), ("p r1", "r1+1", "r2"), ("p r1", "p", "")],
)
def test_the_range_can_be_finished(applied: str, target: str, path: str) -> None:
    assert up(THERE, applied, target) == path


@pytest.mark.parametrize(
    ("applied", "target", "path"),
    [
        ("p r1 r2", "-1", "r2"),
        ("p r1 r2", "r1", "r2"),
        ("p r1 r2", "base", "r2 r1 p"),
        ("p r1 r2 r3 c", "r1", "c r3 r2"),
    ],
)
def test_the_range_can_be_left(applied: str, target: str, path: str) -> None:
    assert down(THERE, applied, target) == path


def test_a_part_whose_files_are_gone_is_told_so() -> None:
    graph = drawn(GONE)
    for path, target in ((graph.upgrade_path, "head"), (graph.upgrade_path, "+1"), (graph.downgrade_path, "base")):
        with pytest.raises(errors.PartlyReplaced, match="these are gone: r1, r2, r3") as raised:
            path({"p", "r1"}, target)
        assert raised.value.gone == ("r1", "r2", "r3")
    assert graph.heads_of({"p", "r1"}) == ("p", "r1")


def test_other_branches_go_on_meanwhile() -> None:
    assert up(THERE + " x<p", "p r1", "x") == "x"


def test_naming_a_member() -> None:
    """In the middle of the range the members themselves are run, as long as there are files."""
    assert up(THERE, "", "r2") == "p r1 r2"
    with pytest.raises(errors.SquashedAway, match=r"r2 was squashed into s, and its file is gone; name s"):
        up(GONE, "", "r2")
    with pytest.raises(errors.SquashedAway, match=r"r3 was squashed into s, and its file is gone; name s"):
        up("p s<p=r3,r1,r2 c<r2", "", "r3")  # the last one by name, not by its place
    with pytest.raises(errors.SquashedAway, match="applied as a whole"):
        down(THERE, "p s c", "r2")
    assert drawn(THERE).get("r2").revision == "r2"
    with pytest.raises(errors.SquashedAway):
        drawn(GONE).get("r2")


NESTED = "p r1<p r2<r1 s1<p=r1,r2 r3<r2 s2<p=s1,r3 c<r3"
FLAT = NESTED.replace("=s1,r3", "=r1,r2,s1,r3")
FLAT_GONE = "p s2<p=r1,r2,s1,r3 c<r3"


@pytest.mark.parametrize("drawing", [NESTED, FLAT])
@pytest.mark.parametrize(
    ("applied", "path"),
    [("p", "s2 c"), ("p r1 r2 r3", "c"), ("p s1 r3", "c"), ("p s2", "c"), ("p s1 r1 r2 r3 s2", "c")],
)
def test_nested(drawing: str, applied: str, path: str) -> None:
    assert up(drawing, applied) == path


@pytest.mark.parametrize("drawing", [NESTED, FLAT])
@pytest.mark.parametrize(
    ("applied", "target", "path"), [("p s1", "r3", "r3"), ("p r1", "r2", "r2"), ("p r1", "+1", "r2")]
)
def test_nested_in_part(drawing: str, applied: str, target: str, path: str) -> None:
    with pytest.raises(errors.PartlyReplaced):
        up(drawing, applied)
    assert up(drawing, applied, target) == path


@pytest.mark.parametrize("applied", ["p s2", "p s1 r3 s2", "p r1 r2 r3 s1 s2", "p r1 r2 r3 s2"])
def test_nested_whose_files_are_gone(applied: str) -> None:
    """Whoever has recorded the outer one may have kept records of everything within."""
    assert up(FLAT_GONE, applied) == "c"
    assert down(FLAT_GONE, applied + " c", "base") == "c s2 p"


def test_what_is_within() -> None:
    for drawing in (NESTED, FLAT, FLAT_GONE):
        assert drawn(drawing).within("s2") == ("r1", "r2", "s1", "r3")
    assert drawn(FLAT).within("s1") == ("r1", "r2")
    assert drawn(FLAT).within("p") == ()


@pytest.mark.parametrize(
    ("drawing", "applied", "taken"),
    [
        (THERE, "p r1 r2 r3 c", "s"),
        (GONE, "p r1 r2 r3 c", "s"),
        (THERE, "p r1 r2", ""),
        (THERE, "p s", ""),
        (THERE, "p r1 r2 r3 s", ""),
        (FLAT, "p r1 r2", "s1"),
        (FLAT, "p r1 r2 r3", "s1 s2"),
        (FLAT, "p s1 r3", "s2"),
        ("p c<p", "p c", ""),
    ],
)
def test_what_is_taken_as_applied(drawing: str, applied: str, taken: str) -> None:
    assert ids(drawn(drawing).squashes_by_range(applied.split())) == taken


def test_labels_and_dependencies_follow() -> None:
    """A label on a member leads to the squashed revision, which may carry it too; so does depends_on."""
    graph = drawn("p r1<p#x r2<r1 s<p#x=r1,r2 q+r2 z+x")
    assert dict(graph.labels) == {"x": "s"}
    assert ids(graph.upgrade_path((), "q")) == ids(graph.upgrade_path((), "z")).replace("z", "q") == "p s q"


FAULTS: list[tuple[str, Any, str]] = [
    ("s=s", errors.IllegalReplacement, "replaces itself"),
    ("a s=a t=a", errors.IllegalReplacement, "replaces a, which s replaces too"),
    ("s=t t=s", errors.IllegalReplacement, "is a part of what it replaces"),
    ("p r1<p r2<r1 s<r2=r1,r2", errors.Cycle, "a revision needs itself: s"),
    ("p r1<p x<r1 r2<x s<p=r1,r2", errors.IllegalReplacement, "replaces r2, but not x, which r2 needs"),
]


@pytest.mark.parametrize(("drawing", "error", "said"), FAULTS)
def test_fault(drawing: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as raised:
        drawn(drawing)
    assert said in str(raised.value)


@pytest.mark.parametrize("drawing", [THERE, GONE, ALONE, NESTED, FLAT, FLAT_GONE])
def test_every_state_has_a_way(drawing: str) -> None:
    """Whatever a database has, in whatever combination, the answer is a path or one of our own errors."""
    graph = drawn(drawing)
    everything = ("p", "r1", "r2", "r3", "s", "s1", "s2", "c", "x")
    targets = ("head", "heads", "base", "r1", "r2", "r3", "c", "+1", "-1", "r2-1", "p+1", "r1@head", "c@r1", "x")
    for bits in range(2 ** len(everything)):
        applied = {one for number, one in enumerate(everything) if bits >> number & 1}
        graph.heads_of(applied)
        graph.pending(applied)
        for target in targets[bits % 3 :: 3]:
            for path in (graph.upgrade_path, graph.downgrade_path, graph.stamped):
                with suppress(RevisionError):
                    path(applied, target)
