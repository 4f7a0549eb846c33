"""The arguments that are kept of an operation on data, and whether two of them may be the same operation's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from bson import Decimal128, Int64, ObjectId, Regex

from asyncmig.operations import Pace, TransformDocuments, UpdateInBatches
from asyncmig.operations.arguments import arguments, differ_by_chance, with_arguments

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SET = {"$set": {"a": 1}}
UPDATE = UpdateInBatches("c", {"at": {"$lt": NOW}}, SET, pace=Pace(7), on_error="collect", note="n", was=())
LATER: Any = NOW + timedelta(days=1)

KEPT: list[Any] = [
    None,
    "a",
    True,
    1,
    1.5,
    b"a",
    NOW,
    ObjectId(),
    Int64(1),
    Decimal128("1"),
    uuid4(),
    Regex("a"),
    [],
    {},
]
KEPT.append({"a": {"b": [1, (None,)]}})
TOLD_BY_TYPE: list[Any] = [
    object(),
    {1},
    {1: 2},
    {"a": object()},
    {"a": 1, "b": {2}},
    [1, object()],
    [[{1}], 1],
    1j,
    print,
]


def function_around(*values: Any) -> Any:
    first, second = values

    def change(document: Any, limit: int = 3, *, unit: str = "s") -> Any:
        return document, first, second, limit, unit

    return change


def test_what_is_kept() -> None:
    """What is done; not where, nor how fast, nor for whom."""
    assert arguments(UPDATE) == {"filter": {"at": {"$lt": NOW}}, "update": SET, "options": {}}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        *((value, True) for value in KEPT),
        *((value, False) for value in TOLD_BY_TYPE),
    ],
)
def test_what_a_function_closes_over(value: Any, kept: bool) -> None:
    """What BSON cannot hold is known by its type."""
    operation = TransformDocuments("c", {"n": 1}, function_around(value, 2), version_field="v")
    assert arguments(operation) == {
        "filter": {"n": 1},
        "function": {"first": value if kept else repr(type(value)), "second": 2, "limit": 3, "unit": "s"},
        "projection": None,
        "version_field": "v",
    }


def test_given_again() -> None:
    kept: dict[str, Any] = {"filter": {"n": 1}, "update": {"$set": {"b": 1}}, "collection": "d", "pace": 1, "newer": 1}
    again = with_arguments(UPDATE, kept)
    assert again == UpdateInBatches("c", {"n": 1}, {"$set": {"b": 1}}, pace=Pace(7), on_error="collect")
    assert (again.note, again.was) == ("n", ())
    assert with_arguments(UPDATE, {}) == UPDATE


def test_a_function_is_not_given_again() -> None:
    operation = TransformDocuments("c", {}, function_around(1, 2))
    again = with_arguments(operation, {**arguments(operation), "filter": {"n": 1}})
    assert again == TransformDocuments("c", {"n": 1}, operation.function)


@pytest.mark.parametrize(
    ("value", "other", "may_be_one"),
    [
        (1, 1, True),
        (1, 2, False),
        ("a", "b", False),
        ("ab", "ba", False),
        (b"a", b"b", True),
        (None, None, True),
        (None, NOW, False),
        (NOW, None, False),
        (NOW, LATER, True),
        (NOW, 1, False),
        (1, NOW, False),
        (ObjectId(), ObjectId(), True),
        (uuid4(), uuid4(), True),
        ({"a": NOW}, {"a": LATER}, True),
        ({"a": NOW, "b": 1}, {"a": LATER, "b": 2}, False),
        ({"a": 1}, {"b": 1}, False),
        ({"a": 1, "b": 1}, {"b": 1, "a": 1}, False),
        ({"a": 1}, {"a": 1, "b": 1}, False),
        ({"a": 1}, 1, False),
        ([1, 2], [2, 1], True),
        ([NOW, 1], [LATER, 1], True),
        ([1, NOW], [LATER, 1], False),
        ([1, 2], [1, 3], False),
        ([1, 2], [1, 2, 3], False),
        ([1, 2], [1, 2, 2], False),
        ([1, 2], (1, 2), True),
        ([1], 1, False),
        ({"$in": [NOW]}, {"$in": [LATER]}, True),
    ],
)
def test_what_differs_by_chance(value: Any, other: Any, may_be_one: bool) -> None:
    assert differ_by_chance(value, other) is may_be_one
