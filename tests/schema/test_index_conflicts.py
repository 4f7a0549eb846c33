"""What the server says to a second index beside a first, foretold from signature, definition and name."""

from __future__ import annotations

from typing import Any

import pytest

from asyncmig import Index
from asyncmig.schema.index_rules import index_faults
from asyncmig.schema.normal import agree, definition, normal_index, signature
from asyncmig.schema.text import is_text

from .index_cases import PAIRS, declared

EXISTS, CREATED = "EXISTS (no-op)", "CREATED (coexist)"

STRICTER = {"2d explicit defaults"}
"""The server keeps ``bits: 26`` apart from none, which are the same index; asyncmig asks for no rebuild."""


def verdict(first: Index, second: Index) -> str:
    one, other = (normal_index(index) for index in (first, second))
    same = definition(one.replace(hidden=None)) == definition(other.replace(hidden=None))  # not seen by createIndexes
    if signature(one) == signature(other):
        return EXISTS if same and one.name == other.name else "85 IndexOptionsConflict"
    if one.name == other.name:
        return "86 IndexKeySpecsConflict"
    return "67 CannotCreateIndex" if is_text(one.keys) and is_text(other.keys) else CREATED


@pytest.mark.parametrize(("case", "first", "second", "said"), PAIRS, ids=[case for case, *_ in PAIRS])
def test_verdict(case: str, first: dict[str, Any], second: dict[str, Any], said: str) -> None:
    expected = EXISTS if case in STRICTER else said
    assert verdict(declared(first), declared(second)) == expected


VERSIONS = [
    ("text", "textIndexVersion", None, 3, True),
    ("text", "textIndexVersion", 3, None, True),
    ("text", "textIndexVersion", 2, None, True),  # nobody asked for a version: what there is will do
    ("text", "textIndexVersion", 3, 2, False),
    ("text", "textIndexVersion", 2, 3, False),
    ("text", "textIndexVersion", 2, 2.0, True),
    ("2dsphere", "2dsphereIndexVersion", 1, None, True),
    ("2dsphere", "2dsphereIndexVersion", 3, 1, False),
]


@pytest.mark.parametrize(("plugin", "option", "there", "asked", "agreed"), VERSIONS)
def test_a_version_counts_where_it_is_asked_for(
    plugin: str, option: str, there: int | None, asked: float | None, agreed: bool
) -> None:
    current, wanted = (
        normal_index(Index([("a", plugin)], **({} if version is None else {option: version})))
        for version in (there, asked)
    )
    assert definition(current) == definition(wanted)
    assert agree(current, wanted) is agreed


def test_one_fault_is_told_once() -> None:
    (fault,) = index_faults(Index([("a", "text"), ("b", 0)]), "collection")
    assert "0 is no direction for 'b'" in fault
