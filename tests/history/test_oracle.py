"""Paths held to what Alembic 1.16 did on the same graphs: the same steps, an error where it had one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from asyncmig.errors import AsyncmigError
from asyncmig.history import Revision, RevisionGraph

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "oracles" / "graph_cases.json").read_text(encoding="utf-8")
)


def named(case: dict[str, Any]) -> str:
    return f"{case['direction']} {case['target']} from {','.join(case['applied']) or 'nothing'}"


def path(case: dict[str, Any]) -> list[Revision]:
    graph = RevisionGraph([Revision(**revision) for revision in case["graph"]])
    find = graph.upgrade_path if case["direction"] == "up" else graph.downgrade_path
    return find(set(case["applied"]), case["target"])


def test_all_cases_are_there() -> None:
    assert len(CASES) == 61


@pytest.mark.parametrize("case", CASES, ids=named)
def test_same_as_alembic(case: dict[str, Any]) -> None:
    if "error" in case:
        with pytest.raises(AsyncmigError):
            path(case)
        return
    steps = path(case)
    assert sorted(step.revision for step in steps) == sorted(case["steps"])
    done: set[str] = set(case["applied"])
    for step in steps:
        needs = {*step.down_revision, *step.depends_on}
        if case["direction"] == "up":
            assert needs <= done
            done.add(step.revision)
        else:
            done.remove(step.revision)
            left = [Revision(**r) for r in case["graph"] if r["revision"] in done]
            assert all(step.revision not in (*r.down_revision, *r.depends_on) for r in left)
