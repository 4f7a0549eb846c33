"""Graphs for tests, each revision in a word: ``id<parent,parent+dependency#label=replaced,replaced``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from asyncmig.history import Revision, RevisionGraph

_WORD = re.compile(r"(\w+)(?:<([\w,]+))?(?:\+([\w,]+))?(?:#([\w,-]+))?(?:=([\w,]+))?")

LINE = "aaaa bbbb<aaaa cccc<bbbb dddd<cccc eeee<dddd"
FORK = "aaaa bbbb<aaaa c1c1<bbbb#one d1d1<c1c1 c2c2<bbbb#two d2d2<c2c2"
MERGED = FORK + " eeee<d1d1,d2d2 ffff<eeee"
ROOTS = "x1#x x2<x1 y1#y y2<y1+x1"


def revisions(drawing: str) -> list[Revision]:
    found = [_WORD.fullmatch(word) for word in drawing.split()]
    parts = [[part.split(",") if part else () for part in match.groups()] for match in found if match]
    assert len(parts) == len(found), f"not a drawing: {drawing}"
    return [Revision(name[0], *rest) for name, *rest in parts]


def drawn(drawing: str) -> RevisionGraph:
    return RevisionGraph(revisions(drawing))


def ids(path: Iterable[Revision]) -> str:
    return " ".join(revision.revision for revision in path)


def walk(graph: RevisionGraph, direction: str, applied: str, target: Any) -> str:
    """The ids of a path; ``applied`` is a list of ids, or ``..id`` for a revision and all that it needs."""
    have = {one for word in applied.split() for one in _meant(graph, word)}
    path = graph.upgrade_path if direction == "up" else graph.downgrade_path
    return ids(path(have, target))


def _meant(graph: RevisionGraph, word: str) -> tuple[str, ...]:
    return (word[2:], *graph.ancestors(word[2:])) if word.startswith("..") else (word,)
