"""What operations tell of a database: a table of operations, and what is known after them."""

from __future__ import annotations

from typing import Any

import pytest

from asyncmig.operations import (
    ConvertField,
    CreateCollection,
    CreateCollections,
    CreateIndexes,
    CreateView,
    DropCollection,
    DropIndex,
    DropView,
    InsertDocuments,
    ModifyCollection,
    ModifyIndex,
    ModifyView,
    Operation,
    RenameCollection,
    RenameField,
    TransformDocuments,
    UpdateInBatches,
)
from asyncmig.operations.known import ANY_FIELD, KnownCollection, KnownState, written_fields
from asyncmig.operations.several import NewCollection
from asyncmig.schema.index import Index
from asyncmig.schema.state import CollectionState, DatabaseState

A, B = Index("a"), Index("b")
MADE = KnownCollection({"capped": True}, {"a_1": A}, frozenset({"x"}))
SHOWN = {"viewOn": "c", "pipeline": [{"$match": {}}]}
BEFORE = KnownState({"c": MADE, "d": KnownCollection()}, {"v": SHOWN})
D = {"d": KnownCollection()}
AFTER: list[tuple[Operation, KnownState]] = [
    (CreateCollection("e", {"size": 1}), KnownState({"c": MADE, **D, "e": KnownCollection({"size": 1})}, {"v": SHOWN})),
    (
        CreateCollections((NewCollection("e", {"size": 1}, (B,)), NewCollection("f"))),
        KnownState(
            {"c": MADE, **D, "e": KnownCollection({"size": 1}, {"b_1": B}), "f": KnownCollection()}, {"v": SHOWN}
        ),
    ),
    (DropCollection("c"), KnownState(D, {"v": SHOWN})),
    (DropView("v"), KnownState({"c": MADE, **D})),
    (CreateView("w", "d", []), KnownState({"c": MADE, **D}, {"v": SHOWN, "w": {"viewOn": "d", "pipeline": []}})),
    (ModifyView("v", "d", []), KnownState({"c": MADE, **D}, {"v": {"viewOn": "d", "pipeline": []}})),
    (RenameCollection("c", "e"), KnownState({**D, "e": MADE}, {"v": SHOWN})),
    (
        ModifyCollection("c", {"validator": {}}),
        KnownState(
            {"c": KnownCollection({"capped": True, "validator": {}}, {"a_1": A}, frozenset("x")), **D}, {"v": SHOWN}
        ),
    ),
    (
        CreateIndexes("c", (B,)),
        KnownState({"c": KnownCollection({"capped": True}, {"a_1": A, "b_1": B}, frozenset("x")), **D}, {"v": SHOWN}),
    ),
    (
        DropIndex("c", "a_1"),
        KnownState({"c": KnownCollection({"capped": True}, {}, frozenset("x")), **D}, {"v": SHOWN}),
    ),
    (DropIndex("c", "another"), BEFORE),
    (
        ModifyIndex("c", "a_1", {"hidden": True, "unique": False}),
        KnownState(
            {"c": KnownCollection({"capped": True}, {"a_1": A.replace(hidden=True)}, frozenset("x")), **D}, {"v": SHOWN}
        ),
    ),
    (ModifyIndex("c", "another", {"hidden": True}), BEFORE),
    (
        UpdateInBatches("c", {}, {"$set": {"y.z": 1}}),
        KnownState({"c": KnownCollection({"capped": True}, {"a_1": A}, frozenset("xy")), **D}, {"v": SHOWN}),
    ),
    (InsertDocuments("c", ({"_id": 1},)), BEFORE),
]


def named(value: Any) -> str:
    return value.describe() if isinstance(value, Operation) else ""


@pytest.mark.parametrize(("operation", "after"), AFTER, ids=named)
def test_what_is_known_after(operation: Operation, after: KnownState) -> None:
    assert BEFORE.after(operation) == after
    assert BEFORE.after_all([operation, InsertDocuments("c", ({"_id": 1},))]) == after


def test_of_a_database() -> None:
    states = (
        CollectionState("c", options={"capped": True}, indexes=(A,)),
        CollectionState("v", kind="view", options=SHOWN),
    )
    live = DatabaseState({state.name: state for state in states})
    assert KnownState.of(live) == KnownState({"c": KnownCollection({"capped": True}, {"a_1": A})}, {"v": SHOWN})


def test_of_what_nobody_has_named() -> None:
    assert BEFORE.get("another") == KnownCollection()
    assert (BEFORE.index("c", "a_1"), BEFORE.index("c", "b_1"), BEFORE.index("another", "a_1")) == (A, None, None)
    assert (KnownCollection({"timeseries": {}}).kind, KnownCollection({"timeseries": {"timeField": "t"}}).kind) == (
        "collection",
        "timeseries",
    )


def test_what_two_branches_know_together() -> None:
    other = KnownState({"c": KnownCollection({"size": 1}, {"b_1": B}, frozenset("y")), "e": MADE}, {"w": SHOWN})
    both = KnownCollection({"capped": True, "size": 1}, {"a_1": A, "b_1": B}, frozenset("xy"))
    assert BEFORE.joined(other) == KnownState({"c": both, **D, "e": MADE}, {"v": SHOWN, "w": SHOWN})
    assert BEFORE.joined(KnownState()) is BEFORE
    assert KnownState().joined(other) == other
    assert BEFORE.joined(KnownState(views={"w": SHOWN})).views == {"v": SHOWN, "w": SHOWN}


@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        (UpdateInBatches("c", {}, {"$set": {"a.b": 1}, "$inc": {"n": 1}, "$rename": {"o": "p.q"}}), {"a", "n", "p"}),
        (UpdateInBatches("c", {}, [{"$set": {"a": 1}}, {"$addFields": {"b": 1}}]), {"a", "b"}),
        (UpdateInBatches("c", {}, [{"$replaceWith": "$x"}]), {ANY_FIELD}),
        (UpdateInBatches("c", {}, {"$unset": {"a": ""}}), set()),
        (RenameField("c", "a.b", "x.y"), {"x"}),
        (ConvertField("c", "x.y", "int"), {"x"}),
        (TransformDocuments("c", {}, len), {ANY_FIELD}),
        (DropCollection("c"), set()),
    ],
    ids=named,
)
def test_which_fields_are_written(operation: Any, fields: set[str]) -> None:
    assert written_fields(operation) == fields
