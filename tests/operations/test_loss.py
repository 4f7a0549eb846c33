"""What operations take away for good: a table of what is said of each, and of what is said of none."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from asyncmig import Delete
from asyncmig.operations import (
    ConvertField,
    CreateCollection,
    Deduplicate,
    DeleteDocuments,
    DropCollection,
    DropIndex,
    MergeInto,
    ModifyCollection,
    MoveDocuments,
    Operation,
    RemoveField,
    RenameField,
    TransformBatches,
    TransformDocuments,
    UpdateInBatches,
)
from asyncmig.operations.loss import loss

CAPPED = {"cappedSize": 4096, "cappedMax": 10}
KEEP = (("_id", 1),)


def with_delete(document: Any) -> Any:
    return Delete if document["n"] else None


def within(documents: list[Any]) -> list[Any]:
    return [(lambda document: Delete if document else None)(document) for document in documents]


def around(value: Any, *, bound: bool = True) -> Any:
    """A function that gives a value of the function around it, which may not have it yet."""
    if bound:
        inner = value
    return lambda document: inner


Gone = Delete


TABLE: list[tuple[Operation, str]] = [
    (CreateCollection("c"), ""),
    (DropCollection("c"), "drop collection c"),
    (DropIndex("c", "a_1"), "drop unique index a_1 of c"),
    (DeleteDocuments("c", (1,)), "delete documents of c"),
    (DeleteDocuments("c", (1,), if_unchanged=True), ""),
    (RemoveField("c", "a"), "remove a field from the documents of c"),
    (RemoveField("c", "a", keep_in="kept"), ""),
    (RenameField("c", "a", "b"), ""),
    (RenameField("c", "a", "b", on_conflict="keep"), "drop one of two fields where documents of c have both (keep)"),
    (RenameField("c", "a", "b", on_conflict="overwrite"), "have both (overwrite)"),
    (ConvertField("c", "a", "int"), ""),
    (ConvertField("c", "a", "int", on_error="null"), "put null in the place of values of c"),
    (ConvertField("c", "a", "int", on_error="collect"), ""),
    (ModifyCollection("c", {"cappedSize": 4095}, was=CAPPED), "make the capped collection c smaller"),
    (ModifyCollection("c", {"cappedMax": 9}, was=CAPPED), "make the capped collection c smaller"),
    (ModifyCollection("c", {"cappedMax": 9}), "make the capped collection c smaller"),
    (ModifyCollection("c", {"cappedMax": 9}, was={"cappedMax": 0}), "make the capped collection c smaller"),
    (ModifyCollection("c", {"cappedSize": 4096, "cappedMax": 11}, was=CAPPED), ""),
    (ModifyCollection("c", {"cappedMax": 0}, was=CAPPED), ""),
    (ModifyCollection("c", {"validator": {}}, was={"validator": {"a": 1}}), ""),
    (UpdateInBatches("c", {}, {"$set": {"a": 1}}), ""),
    (UpdateInBatches("c", {}, {"$unset": {"a": ""}}), "take fields or values from documents of c ($unset)"),
    (UpdateInBatches("c", {}, [{"$unset": "a"}, {"$project": {"b": 1}}]), "from documents of c ($project, $unset)"),
    (UpdateInBatches("c", {}, [{"$set": {"a": {"$cond": ["$b", 1, "$$REMOVE"]}}}]), "from documents of c ($$REMOVE)"),
    (UpdateInBatches("c", {}, [{"$set": {"a": {"$cond": ["$b", 1, "$c"]}}}]), ""),
    (Deduplicate("c", ("a",), KEEP), "delete documents of c that stand twice"),
    (Deduplicate("c", ("a",), KEEP, "kept"), ""),
    (MergeInto("b", "a", ()), "replace documents of b by what is made of a"),
    (MergeInto("b", "a", (), when_matched="merge"), ""),
    (MergeInto("b", "a", (), when_matched="keepExisting"), ""),
    (MoveDocuments("c", {}, "d"), ""),
    (MoveDocuments("c", {}, "d", ({"$unset": "a"},)), "move documents of c without all that they hold ($unset)"),
    (TransformDocuments("c", {}, len), ""),
    (TransformDocuments("c", {}, with_delete), "delete documents of c for which a function returns Delete"),
    (TransformBatches("c", {}, within), "delete documents of c for which a function returns Delete"),
    (TransformDocuments("c", {}, lambda document: Gone), "returns Delete"),
    (TransformDocuments("c", {}, functools.wraps(with_delete)(lambda document: None)), "returns Delete"),
    (TransformDocuments("c", {}, around(Delete)), "returns Delete"),
    (TransformDocuments("c", {}, around(None)), ""),
    (TransformDocuments("c", {}, around(Delete, bound=False)), ""),
    (TransformDocuments("c", {}, lambda document: document), ""),
]


@pytest.mark.parametrize(
    ("operation", "said"), TABLE, ids=lambda value: "" if isinstance(value, str) else value.describe()
)
def test_what_is_said(operation: Operation, said: str) -> None:
    told = loss(operation)
    assert bool(told) is bool(said)
    assert said in told
