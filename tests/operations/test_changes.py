"""What an operation replaces: by what is known to stand, and by what the operation remembers itself."""

from __future__ import annotations

from typing import Any

import pytest

from asyncmig.operations import CreateCollection, DropIndex, ModifyCollection, ModifyIndex, ModifyView, Operation
from asyncmig.operations.changes import Change, changes, remembered_changes
from asyncmig.operations.known import KnownCollection, KnownState
from asyncmig.schema.index import Index
from asyncmig.schema.state import CollectionState

SHOWN = {"viewOn": "c", "pipeline": [{"$match": {"a": 1}}]}
MORTAL = Index("a", name="x", expireAfterSeconds=60, hidden=True)
KNOWN = KnownState({"c": KnownCollection({"size": 4096, "max": 9}, {"x": MORTAL})}, {"v": SHOWN})

STANDING: list[tuple[Operation, list[tuple[str, Any, Any]]]] = [
    (ModifyIndex("c", "x", {"expireAfterSeconds": 600}), [("expireAfterSeconds", 60, 600)]),
    (ModifyIndex("c", "x", {"hidden": False, "unique": True}), [("hidden", True, False), ("unique", False, True)]),
    (ModifyIndex("c", "x", {"hidden": True, "prepareUnique": False}), []),
    (ModifyIndex("c", "another", {"hidden": True}), [("hidden", False, True)]),
    (ModifyCollection("c", {"cappedSize": 8192, "cappedMax": 9}), [("cappedSize", 4096, 8192)]),
    (ModifyCollection("c", {"validationLevel": "moderate"}), [("validationLevel", "strict", "moderate")]),
    (ModifyCollection("c", {"validationAction": "error"}), []),
    (ModifyView("v", "d", SHOWN["pipeline"]), [("viewOn", "c", "d")]),  # type: ignore[arg-type]
    (CreateCollection("n", {"size": 1}), []),
    (DropIndex("c", "x"), []),
]
BACK = ModifyIndex("c", "x", {"hidden": False})
REMEMBERED: list[tuple[Operation, list[tuple[str, Any, Any]]]] = [
    (
        ModifyIndex("c", "x", {"hidden": True}, was=(BACK,)),
        [("hidden", False, True)],
    ),
    (ModifyIndex("c", "x", {"unique": True}, was=(DropIndex("c", "x"),)), [("unique", False, True)]),
    (ModifyIndex("c", "x", {"unique": True}), []),
    (ModifyCollection("c", {"cappedMax": 5}, was={"cappedMax": 9}), [("cappedMax", 9, 5)]),
    (ModifyCollection("c", {"cappedMax": 5}), []),
    # what it does not name stays, but a validator is replaced as a whole
    (ModifyCollection("c", {"cappedMax": 5}, was={"cappedMax": 9, "cappedSize": 7}), [("cappedMax", 9, 5)]),
    (
        ModifyCollection("c", {"validator": {"s": {"a": 1, "b": 2}}}, was={"validator": {"s": {"c": 4, "b": 3}}}),
        [("validator.s.a", None, 1), ("validator.s.b", 3, 2), ("validator.s.c", 4, None)],
    ),
    (ModifyCollection("c", {"validator": {"a": 1}}, was={"validator": {}}), [("validator", {}, {"a": 1})]),
    (ModifyView("v", "d", [], was=CollectionState("v", kind="view", options={"viewOn": "c"})), [("viewOn", "c", "d")]),
    (ModifyView("v", "d", []), []),
]


def told(found: Any) -> list[tuple[str, Any, Any]]:
    return [(change.name, change.old, change.new) for change in found]


@pytest.mark.parametrize(("operation", "expected"), STANDING, ids=str)
def test_of_what_stands(operation: Operation, expected: list[tuple[str, Any, Any]]) -> None:
    assert told(changes(operation, KNOWN)) == expected


@pytest.mark.parametrize(("operation", "expected"), REMEMBERED, ids=str)
def test_of_what_is_remembered(operation: Operation, expected: list[tuple[str, Any, Any]]) -> None:
    assert told(remembered_changes(operation)) == expected


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (Change("a", None, 1), "a: not set → 1"),
        (Change("a", 0, None), "a: 0 → not set"),
        (Change("a.b", "x", {}), "a.b: 'x' → {}"),
    ],
)
def test_as_text_and_for_programs(change: Change, text: str) -> None:
    assert str(change) == text
    assert change.document == {"name": change.name, "old": change.old, "new": change.new}
