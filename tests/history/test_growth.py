"""Where a new revision grows, what a squash may span, and what a rebase moves."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from asyncmig.errors import AsyncmigError
from asyncmig.files.rewriting import with_parents
from asyncmig.history import Revision, RevisionGraph
from asyncmig.history.parents import merged_parents, new_parents
from asyncmig.history.range import squashable_range
from asyncmig.history.rebase import new_parent


def graph(*lines: str) -> RevisionGraph:
    """``"bbbb < aaaa needs cccc"``: bbbb comes from aaaa, and depends on cccc."""
    parts = [re.fullmatch(r"(\w+)(?: < ([\w ]+?))?(?: needs (\w+))?", line).groups() for line in lines]
    return RevisionGraph([Revision(name, tuple((parents or "").split()), needs) for name, parents, needs in parts])


FORK = ("aaaa", "bbbb < aaaa", "cccc < aaaa")
LINE = ("aaaa", "bbbb < aaaa", "cccc < bbbb", "dddd < cccc")
DIAMOND = (*FORK, "dddd < bbbb cccc", "eeee < dddd")
CHAIN = (*FORK, "dddd < cccc", "eeee < dddd")


@pytest.mark.parametrize(
    ("lines", "head", "splice", "parents"),
    [
        ((), None, False, ()),
        (LINE, None, False, ("dddd",)),
        (LINE, "head", False, ("dddd",)),
        (LINE, "base", False, ()),
        (LINE, "bbbb", True, ("bbbb",)),
        (FORK, "bbbb", False, ("bbbb",)),
        (FORK, "heads", False, ("bbbb", "cccc")),
        (LINE, "bbbb", False, "NotAHead"),
        (FORK, None, False, "MultipleHeads"),
        (LINE, "zzzz", False, "UnknownRevision"),
    ],
)
def test_new_parents(lines: tuple[str, ...], head: str | None, splice: bool, parents: tuple[str, ...] | str) -> None:
    if isinstance(parents, tuple):
        assert new_parents(graph(*lines), head, splice=splice) == parents
        return
    with pytest.raises(AsyncmigError) as caught:
        new_parents(graph(*lines), head, splice=splice)
    assert type(caught.value).__name__ == parents


@pytest.mark.parametrize(
    ("lines", "targets", "parents"),
    [
        (FORK, (), ("bbbb", "cccc")),
        (FORK, ("heads",), ("bbbb", "cccc")),
        (FORK, ("cccc", "bbbb"), ("cccc", "bbbb")),
        (LINE, (), "NothingToMerge"),
        (FORK, ("bbbb", "bbbb"), "NothingToMerge"),
        (FORK, ("bbbb", "aaaa"), "NotAHead"),
        ((), (), "NothingToMerge"),
        ((*FORK, "dddd < bbbb needs cccc"), (), ("cccc", "dddd")),
        ((*FORK, "dddd < bbbb needs cccc"), ("heads",), ("cccc", "dddd")),
        (FORK, ("head",), "MultipleHeads"),
        (FORK, ("base", "bbbb"), "NothingToMerge"),
        (FORK, ("+1",), "InvalidTarget"),
    ],
)
def test_merged_parents(lines: tuple[str, ...], targets: tuple[str, ...], parents: tuple[str, ...] | str) -> None:
    if isinstance(parents, tuple):
        assert merged_parents(graph(*lines), targets) == parents
        return
    with pytest.raises(AsyncmigError) as caught:
        merged_parents(graph(*lines), targets)
    assert type(caught.value).__name__ == parents


@pytest.mark.parametrize(
    ("lines", "span", "ids"),
    [
        (LINE, "bbbb:cccc", ("bbbb", "cccc")),
        (LINE, ":", ("aaaa", "bbbb", "cccc", "dddd")),
        (LINE, ":bbbb", ("aaaa", "bbbb")),
        (LINE, "cccc:", ("cccc", "dddd")),
        (DIAMOND, ":dddd", ("aaaa", "bbbb", "cccc", "dddd")),
        (DIAMOND, "dddd:eeee", ("dddd", "eeee")),
        (LINE, "bbbb", "NotSquashable"),  # no range
        (LINE, "bbbb:bbbb", "NotSquashable"),  # one alone
        (DIAMOND, "bbbb:dddd", "NotSquashable"),  # dddd also comes from cccc
        (DIAMOND, ":bbbb", "NotSquashable"),  # cccc comes from its middle
        (LINE, "cccc:bbbb", "NotAnAncestor"),
        (FORK, ":", "MultipleHeads"),
    ],
)
def test_squashable_range(lines: tuple[str, ...], span: str, ids: tuple[str, ...] | str) -> None:
    if isinstance(ids, tuple):
        assert squashable_range(graph(*lines), span).ids == ids
        return
    with pytest.raises(AsyncmigError) as caught:
        squashable_range(graph(*lines), span)
    assert type(caught.value).__name__ == ids


@pytest.mark.parametrize(
    ("lines", "name", "onto", "parent"),
    [
        (FORK, "cccc", None, "bbbb"),
        (FORK, "bbbb", None, "cccc"),
        ((*FORK, "dddd < cccc"), "cccc", None, "bbbb"),  # dddd goes along
        ((*FORK, "dddd < aaaa"), "cccc", "dddd", "dddd"),
        (LINE, "dddd", "bbbb", "bbbb"),
        (LINE, "dddd", None, "NotRebasable"),  # no other head
        ((*FORK, "dddd < aaaa"), "cccc", None, "NotRebasable"),  # two others
        (LINE, "bbbb", "cccc", "NotRebasable"),  # a cycle
        (LINE, "bbbb", "dddd", "NotRebasable"),  # one through another revision
        (LINE, "bbbb", "bbbb", "NotRebasable"),  # its own parent
        ((*FORK, "dddd < aaaa needs bbbb"), "bbbb", "dddd", "NotRebasable"),  # one through what depends on it
        (DIAMOND, "dddd", "aaaa", "NotRebasable"),  # a merge
        (CHAIN, "cccc", None, "bbbb"),
        (CHAIN, "eeee", None, "NotRebasable"),  # cccc and dddd would be left behind
        (CHAIN, "eeee", "bbbb", "bbbb"),
        (CHAIN, "bbbb", None, "eeee"),
        ((*CHAIN, "ffff < dddd"), "eeee", "bbbb", "bbbb"),
        ((*FORK, "dddd < aaaa", "eeee < bbbb cccc", "ffff < eeee"), "ffff", None, "NotRebasable"),  # from a merge
        (FORK, "cccc", "aaaa", "NotRebasable"),  # it is there already
        (FORK, "base", None, "InvalidTarget"),
        (FORK, "cccc", "heads", "InvalidTarget"),
        (FORK, "cccc", "nothing", "UnknownRevision"),
    ],
)
def test_new_parent(lines: tuple[str, ...], name: str, onto: str | None, parent: str) -> None:
    if parent.islower():
        assert new_parent(graph(*lines), name, onto)[1].revision == parent
        return
    with pytest.raises(AsyncmigError) as caught:
        new_parent(graph(*lines), name, onto)
    assert type(caught.value).__name__ == parent


@pytest.mark.parametrize(
    ("before", "parents", "after"),
    [
        ('down_revision = "aaaa"\n', ["bbbb"], 'down_revision = "bbbb"\n'),
        ("x = 1\r\ndown_revision = None  # root\r\n", ["bbbb"], 'x = 1\r\ndown_revision = "bbbb"  # root\r\n'),
        ('down_revision: str = "ä"; y = 2', [], "down_revision: str = None; y = 2"),
        ('down_revision = (\n    "a",\n    "b",\n)\nz = 3', ["c", "d"], 'down_revision = ("c", "d")\nz = 3'),
        ('"""a\u2028b\x0cc"""\ndown_revision = "a"\n', ["b"], '"""a\u2028b\x0cc"""\ndown_revision = "b"\n'),
        ('\ufeffdown_revision = "a"\n', ["b"], '\ufeffdown_revision = "b"\n'),
        ('x = 1\rdown_revision = "a"\r', ["b"], 'x = 1\rdown_revision = "b"\r'),
    ],
)
def test_with_parents(before: str, parents: list[str], after: str) -> None:
    assert with_parents(before, Revision("eeee", path=Path("e.py")), parents) == after
