"""Data operations in a revision file: as calls, in the summary, and as suggestions."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Int64

from asyncmig.authoring.diff import difference
from asyncmig.authoring.render import render
from asyncmig.authoring.revision_file import revision_source
from asyncmig.authoring.summary import summary
from asyncmig.operations import (
    ConvertField,
    ModifyCollection,
    Operation,
    Pace,
    RemoveField,
    RenameField,
    Suggestion,
    UpdateInBatches,
)
from asyncmig.schema.state import CollectionState, DatabaseState

from .run_source import replay

OPERATIONS = [
    UpdateInBatches("c", {"a": Int64(5)}, {"$set": {"b": 1}}),
    UpdateInBatches(
        "c", {}, [{"$set": {"b": "$a"}}], {"hint": "a_1", "collation": {"locale": "de"}}, pace=Pace(batch_size=500)
    ),
    UpdateInBatches("c", {}, {"$set": {"l.$[x]": 1}}, {"arrayFilters": [{"x": {"$gt": 1}}]}, on_error="collect"),
    RenameField("c", "a.b", "a.c"),
    RenameField("c", "a", "b", on_conflict="keep", pace=Pace(max_per_second=100, max_lag=5.0, max_queue=3)),
    RemoveField("c", "a"),
    RemoveField("c", "a", keep_in="old_a"),
    ConvertField("c", "a", "int"),
    ConvertField("c", "a", "int", from_="string", on_error="null"),
]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.describe())
async def test_rendered_and_run_it_is_the_same(operation: Operation) -> None:
    source = revision_source(revision="aaaa", down_revision=(), message="x", upgrade=[operation])
    assert await replay(source) == [operation]


def test_what_it_looks_like() -> None:
    lines = render([RenameField("wallet", "name", "title")]).lines
    assert list(lines) == ['await env.rename_field("wallet", "name", "title")']


def test_in_the_summary() -> None:
    assert summary([RenameField("wallet", "a", "b"), RemoveField("wallet", "c", keep_in="d")]) == [
        "Rename field a of wallet to b",
        "Remove field c of wallet, keeping it in d",
    ]


def schema(required: list[str] | None = None, **types: str) -> dict[str, Any]:
    properties = {name: {"bsonType": kind} for name, kind in types.items()}
    return {"validator": {"$jsonSchema": {"properties": properties, "required": required or []}}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (schema(a="int"), schema(b="int"), [RenameField("c", "a", "b")]),
        (schema(a="int"), schema(), [RemoveField("c", "a", keep_in="a_removed")]),
        (schema(a="int"), schema(a="bool"), [ConvertField("c", "a", "bool", "int")]),
        (
            schema(a="int"),
            schema(["b"], a="int", b="string"),
            [UpdateInBatches("c", {"b": {"$exists": False}}, {"$set": {"b": ""}})],
        ),
        (schema(a="int"), schema(a="int"), []),
        ({}, schema(a="int"), []),
    ],
)
def test_suggestions(before: Any, after: Any, expected: list[Operation]) -> None:
    states = [DatabaseState({"c": CollectionState("c", options=options)}) for options in (before, after)]
    found = difference(*states).operations
    suggested = [one for step in found if isinstance(step, Suggestion) for one in step.operations]
    assert [one for one in suggested if not isinstance(one, ModifyCollection)] == expected
