"""The documentation's table of faults names the tests that show them: they are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "appendix" / "faults.md").read_text(encoding="utf-8")
ROWS = [line for line in PAGE.partition("## Runs")[2].partition("\n## ")[0].splitlines() if line.startswith("| ")][1:]
NAMED = [(row, file, name) for row in ROWS for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row)]


@cache
def marks_in(file: str) -> dict[str, set[str]]:
    """The tests, and classes of tests, of a file, each with its marks."""
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {one.name: {ast.unparse(mark) for mark in one.decorator_list} for one in tree.body if isinstance(one, kinds)}


def test_every_row_names_a_test() -> None:
    assert len(ROWS) > 20
    assert {row for row, _, _ in NAMED} == set(ROWS)


@pytest.mark.parametrize(("row", "file", "name"), NAMED, ids=[name for _, _, name in NAMED])
def test_it_is_there_and_marked_where_it_runs_in_large_numbers(row: str, file: str, name: str) -> None:
    assert name in marks_in(file)
    assert ("⁂" in row) == ("pytest.mark.chaos" in marks_in(file)[name])
