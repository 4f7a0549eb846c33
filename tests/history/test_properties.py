"""What holds for every graph, every set of applied revisions, and every target."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from asyncmig.errors import AsyncmigError
from asyncmig.history import Revision, RevisionGraph

# A busy machine is no fault of the graph.
relaxed = settings(deadline=None)

IDS = [f"{letter}{number:03}" for number, letter in enumerate("qwertyuiop", start=1)]


@st.composite
def graphs(draw: st.DrawFn, least: int = 0) -> RevisionGraph:
    """Up to ten revisions, each with parents and dependencies among those before it, in any order of ids."""
    names = draw(st.permutations(IDS))[: draw(st.integers(least, len(IDS)))]
    found = []
    for number, name in enumerate(names):
        before = st.lists(st.sampled_from(names[:number]), max_size=2, unique=True) if number else st.just([])
        labels = [f"label{number}"] if draw(st.integers(0, 3)) == 0 else []
        found.append(Revision(name, draw(before), draw(before) if draw(st.booleans()) else (), labels))
    return RevisionGraph(draw(st.permutations(found)))


def needs(graph: RevisionGraph, name: str) -> set[str]:
    return {*graph.parents(name), *graph.dependencies(name)}


def closed(graph: RevisionGraph, names: Iterable[str]) -> frozenset[str]:
    return frozenset(one for name in names for one in (name, *graph.ancestors(name)))


@st.composite
def cases(draw: st.DrawFn) -> tuple[RevisionGraph, frozenset[str], str]:
    """A graph, a set of applied revisions with all that they need, and a target that may or may not make sense."""
    graph = draw(graphs())
    names = [revision.revision for revision in graph]
    some = st.lists(st.sampled_from(names), max_size=4) if names else st.just([])
    word = st.sampled_from([*names, *graph.labels, "head", "heads", "base", "q00", "w002"])
    step = st.sampled_from(["", "+1", "-1", "+2", "-2", "+0", "-9"])
    branch = st.sampled_from(["", "", *(f"{name}@" for name in (*names, *graph.labels))])
    target = draw(branch) + draw(st.one_of(word, st.just(""))) + draw(step)
    return graph, closed(graph, draw(some)), target


@st.composite
def downgrades(draw: st.DrawFn) -> tuple[RevisionGraph, frozenset[str], str]:
    """The same, of which most have something to revert: a good part is applied, and the target lies below its top."""
    graph = draw(graphs(least=4))
    names = [revision.revision for revision in graph]
    some = st.lists(st.sampled_from(names), min_size=1, max_size=4)
    applied = closed(graph, draw(st.one_of(st.just(names), some)))
    heads = graph.heads_of(applied)
    below = sorted(applied.difference(heads)) or ["base"]
    labels = [f"{label}@base" for label in graph.labels if graph.get(label).revision in applied]
    words = [
        st.sampled_from(below),
        st.sampled_from(["base", *labels, *(["-1", "-2"] if len(heads) == 1 else [])]),
        st.sampled_from([f"{head}-1" for head in heads]),
        st.sampled_from([f"{head}@{word}" for head in heads for word in ("base", "-1", f"{head}-1", f"{head}-2")]),
    ]
    return graph, applied, draw(st.one_of(words))


NEEDED_ELSEWHERE = RevisionGraph(
    [Revision("q001"), Revision("w002", "q001"), Revision("e003"), Revision("r004", "e003", "w002")]
)
"""r004 is on the other branch, and depends on w002."""
BY_DEPENDENCY = (NEEDED_ELSEWHERE, frozenset({"q001", "w002", "e003", "r004"}), "q001")

some_downgrades = st.one_of(downgrades(), downgrades(), cases())


@relaxed
@given(cases())
def test_an_upgrade_is_closed_and_in_order(case: tuple[RevisionGraph, frozenset[str], str]) -> None:
    graph, applied, target = case
    try:
        steps = [step.revision for step in graph.upgrade_path(applied, target)]
    except AsyncmigError:
        return
    done = set(applied)
    for step in steps:
        assert step not in done
        assert needs(graph, step) <= done
        done.add(step)
    assert steps == [step.revision for step in graph.upgrade_path(sorted(applied), target)]


@relaxed
@example(BY_DEPENDENCY)
@given(downgrades())
def test_what_a_downgrade_to_a_revision_reverts(case: tuple[RevisionGraph, frozenset[str], str]) -> None:
    """The target stays, with what it needs; its children go, with all that needs them, and nothing else."""
    graph, applied, target = case
    if target not in applied:
        return
    try:
        steps = {step.revision for step in graph.downgrade_path(applied, target)}
    except AsyncmigError:
        return
    above = {one for child in graph.children(target) for one in (child, *graph.descendants(child))}
    assert steps == applied & above


def test_most_downgrades_revert_something() -> None:
    """What these tests draw: a property that is true of an empty path says nothing of the others."""
    found: list[bool] = []

    @settings(relaxed, derandomize=True, max_examples=100, database=None)
    @given(some_downgrades)
    def draw(case: tuple[RevisionGraph, frozenset[str], str]) -> None:
        graph, applied, target = case
        with suppress(AsyncmigError):
            found.append(bool(graph.downgrade_path(applied, target)))
            return
        found.append(False)

    draw()
    assert sum(found) >= len(found) / 2


@relaxed
@example(BY_DEPENDENCY)
@given(some_downgrades)
def test_a_downgrade_leaves_nothing_hanging(case: tuple[RevisionGraph, frozenset[str], str]) -> None:
    graph, applied, target = case
    try:
        steps = [step.revision for step in graph.downgrade_path(applied, target)]
    except AsyncmigError:
        return
    left = set(applied)
    for step in steps:
        left.remove(step)
        assert all(step not in needs(graph, other) for other in left)


@relaxed
@example(BY_DEPENDENCY)
@given(some_downgrades)
def test_down_then_up_gives_the_set_back(case: tuple[RevisionGraph, frozenset[str], str]) -> None:
    graph, applied, target = case
    try:
        steps = graph.downgrade_path(applied, target)
    except AsyncmigError:
        return
    left = applied - {step.revision for step in steps}
    again: list[str] = []
    for head in graph.heads_of(applied):
        again += [step.revision for step in graph.upgrade_path(left.union(again), head)]
    assert left.isdisjoint(again)
    assert left.union(again) == applied
    assert len(again) == len(set(again)) == len(steps)


@relaxed
@given(cases())
def test_up_then_down_gives_the_set_back(case: tuple[RevisionGraph, frozenset[str], str]) -> None:
    """Each step of an upgrade, taken back by its own ``<id>@-1``, last one first."""
    graph, applied, target = case
    try:
        steps = [step.revision for step in graph.upgrade_path(applied, target)]
    except AsyncmigError:
        return
    there = set(applied).union(steps)
    for step in reversed(steps):
        if len(graph.parents(step)) < 2:
            back = [one.revision for one in graph.downgrade_path(there, f"{step}@{step}-1")]
            # Other children of its parent go by their own name.
            assert step in back
            assert set(back) <= {step, *graph.descendants(step)}
        there.discard(step)
    assert there == applied


@relaxed
@given(graphs())
def test_all_the_way_up_and_down_mirror_each_other(graph: RevisionGraph) -> None:
    up = [step.revision for step in graph.upgrade_path((), "heads")]
    assert up == [revision.revision for revision in graph]
    assert [step.revision for step in graph.downgrade_path(up, "base")] == up[::-1]


@relaxed
@given(st.permutations(IDS), st.integers(0, 10), st.integers(0, 10))
def test_steps_up_and_down_a_line(names: list[str], start: int, size: int) -> None:
    graph = RevisionGraph([Revision(one, below) for one, below in zip(names, [None, *names], strict=False)])
    applied = set(names[:start])
    if size == 0 or start + size > len(names):
        with pytest.raises(AsyncmigError):
            graph.upgrade_path(applied, f"+{size}")
        return
    up = [step.revision for step in graph.upgrade_path(applied, f"+{size}")]
    down = [step.revision for step in graph.downgrade_path(applied.union(up), f"-{size}")]
    assert up == down[::-1] == names[start : start + size]


@relaxed
@given(graphs(), st.lists(st.sampled_from(IDS)))
def test_sets_with_gaps(graph: RevisionGraph, names: list[str]) -> None:
    """What is applied out of order: an upgrade fills the gaps, and what needs something else still follows it."""
    applied = graph.known(names)
    steps = [step.revision for step in graph.upgrade_path(applied, "heads")]
    assert applied.isdisjoint(steps)
    assert applied.union(steps) == {revision.revision for revision in graph}
    assert all(steps.index(below) < number for number, step in enumerate(steps) for below in graph.ancestors(step)
               if below in steps)  # fmt: skip
    back = [step.revision for step in graph.downgrade_path(applied, "base")]
    assert sorted(back) == sorted(applied)
    assert all(back.index(above) < number for number, step in enumerate(back) for above in graph.descendants(step)
               if above in back)  # fmt: skip


@relaxed
@given(graphs(), st.lists(st.sampled_from(IDS)))
def test_heads_of_a_database(graph: RevisionGraph, names: list[str]) -> None:
    applied = graph.known(names)
    assert set(graph.heads_of(applied)) == applied - {one for name in applied for one in graph.ancestors(name)}


WORDS = st.text(alphabet="qw0123head base+-@:\x00ü٣", max_size=12)


@settings(relaxed, max_examples=3 * relaxed.max_examples)
@given(graphs(), st.lists(st.sampled_from(IDS)), st.one_of(WORDS, st.text(max_size=8)))
def test_nothing_but_our_own_errors(graph: RevisionGraph, names: list[str], target: str) -> None:
    for question in (
        lambda: graph.upgrade_path(names, target),
        lambda: graph.downgrade_path(names, target),
        lambda: graph.stamped(graph.known(names), target),
        lambda: graph.resolve(target),
        lambda: graph.get(target),
        lambda: graph.between(target, ""),
        lambda: graph.between("", target, names),
        lambda: RevisionGraph([Revision(target, target, target, target, target)]),
        lambda: RevisionGraph([*graph, Revision("zzzz", target[:4], (target,))]),
    ):
        with suppress(AsyncmigError):
            question()
