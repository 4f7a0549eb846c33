"""The way back of every operation: what it is, in which order, and where there is none."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from asyncmig import Index
from asyncmig import operations as operations_module
from asyncmig.errors import IrreversibleOperation
from asyncmig.operations import (
    ConvertField,
    CreateCollection,
    CreateCollections,
    CreateIndexes,
    CreateView,
    DataOperation,
    Deduplicate,
    DeleteDocuments,
    DropCollection,
    DropIndex,
    DropView,
    InsertDocuments,
    MergeInto,
    ModifyCollection,
    ModifyIndex,
    ModifyView,
    MoveDocuments,
    NeedsRebuild,
    NewCollection,
    Operation,
    Pace,
    RemoveField,
    RenameCollection,
    RenameField,
    Suggestion,
    TransformBatches,
    TransformDocuments,
    UpdateInBatches,
    reverse,
)
from asyncmig.operations.fields import TYPES
from asyncmig.schema.state import CollectionState

A, B, D = Index("a"), Index("b", unique=True), Index("d")
SLOW: dict[str, Any] = {"pace": Pace(batch_size=7), "on_error": "collect"}
OPTIONS = {"validator": {"a": 1}}
STATE = CollectionState("c", options=OPTIONS, indexes=(A, B))
VIEW = CollectionState("v", "view", {"viewOn": "c", "pipeline": [{"$match": {}}], "collation": {"locale": "fr"}})
HOURLY = CollectionState("s", "timeseries", {"timeseries": {"timeField": "t", "granularity": "hours"}})
SUM = {"$set": {"n": 1}}
WAS = (UpdateInBatches("c", {}, {"$unset": {"n": ""}}),)
FINER = ModifyCollection(
    "s",
    {"timeseries": {"granularity": "hours"}, "expireAfterSeconds": 9},
    was={"timeseries": {"granularity": "minutes"}, "expireAfterSeconds": 5},
    state=HOURLY,
)
NO_FINER = "timeseries.granularity: it was minutes and is hours now; MongoDB makes it coarser only"


def drop(index: Index, collection: str = "c") -> DropIndex:
    return DropIndex(collection, index.name, was=index)


def function(document: Any) -> Any:
    return document


BACK: list[tuple[Operation, tuple[Operation, ...]]] = [
    (CreateCollection("c", OPTIONS), (DropCollection("c"),)),
    (
        CreateCollections((NewCollection("a"), NewCollection("b", OPTIONS, (A,)))),
        (DropCollection("b"), DropCollection("a")),
    ),
    (DropCollection("c", was=STATE), (CreateCollection("c", OPTIONS), CreateIndexes("c", (A, B)))),
    (DropCollection("c", was=CollectionState("c")), (CreateCollection("c"),)),
    (RenameCollection("c", "d"), (RenameCollection("d", "c"),)),
    (
        ModifyCollection("c", OPTIONS, was={"validator": {}}),
        (ModifyCollection("c", {"validator": {}}, was=OPTIONS),),
    ),
    (ModifyCollection("c", OPTIONS, was={}), ()),
    (
        FINER,
        (
            ModifyCollection("s", {"expireAfterSeconds": 5}, was=FINER.options),
            NeedsRebuild("s", (NO_FINER,), target=HOURLY, was=HOURLY),
        ),
    ),
    (NeedsRebuild("c", ("x",)), ()),
    (
        NeedsRebuild("c", ("x",), target=STATE, was=HOURLY, back=("y",)),
        (NeedsRebuild("c", ("y",), target=HOURLY, was=STATE, back=("x",)),),
    ),
    (CreateIndexes("c", (A, B), commit_quorum=1), (drop(B), drop(A))),
    (drop(A), (CreateIndexes("c", (A,)),)),
    (
        ModifyIndex("c", "b_1", {"unique": True}, was=(drop(B), CreateIndexes("c", (A,)))),
        (drop(B), CreateIndexes("c", (A,))),
    ),
    (CreateView("v", "c", []), (DropView("v"),)),
    (ModifyView("v", "d", [], was=VIEW), (ModifyView("v", "c", [{"$match": {}}]),)),
    (DropView("v", was=VIEW), (CreateView("v", "c", [{"$match": {}}], {"collation": {"locale": "fr"}}),)),
    (InsertDocuments("c", ({"_id": 1}, {"_id": 2})), (DeleteDocuments("c", (2, 1), if_unchanged=True),)),
    (UpdateInBatches("c", {}, SUM, was=WAS), WAS),
    (RenameField("c", "a", "b", **SLOW), (RenameField("c", "b", "a", **SLOW),)),
    (RenameField("c", "a", "b", on_conflict="keep", was=WAS), WAS),
    (RemoveField("c", "a", "kept", **SLOW), (RenameField("c", "kept", "a", **SLOW),)),
    (RemoveField("c", "a", was=WAS), WAS),
    (ConvertField("c", "a", "long", "int", **SLOW), (ConvertField("c", "a", "int", "long", **SLOW),)),
    (
        ConvertField("c", "a", "string", "date", on_error="keep"),
        (ConvertField("c", "a", "date", "string", on_error="keep"),),
    ),
    (ConvertField("c", "a", "int", was=WAS), WAS),
    (MoveDocuments("c", {"a": 1}, "d", **SLOW), (MoveDocuments("d", {"a": 1}, "c", **SLOW),)),
    (Deduplicate("c", ("a",), (("b", 1),), "others", **SLOW), (MoveDocuments("others", {}, "c", **SLOW),)),
    (
        Suggestion("c", (CreateCollection("c"), CreateCollection("d"))),
        (Suggestion("c", (DropCollection("d"), DropCollection("c"))),),
    ),
]
NO_WAY_BACK: list[tuple[Operation, str]] = [
    (DropCollection("c"), "its options and indexes are not known"),
    (ModifyCollection("c", OPTIONS), "the options before it are not known"),
    (DropIndex("c", "a_1"), "its definition is not known"),
    (ModifyIndex("c", "a_1", {"hidden": True}), "the options before it are not known"),
    (ModifyView("v", "c", []), "the pipeline before it is not known"),
    (DropView("v"), "its pipeline is not known"),
    (DeleteDocuments("c", (1,), if_unchanged=True), "the documents are not known"),
    (UpdateInBatches("c", {}, SUM), "what the documents were before is not kept"),
    (TransformDocuments("c", {}, function), "no function is known"),
    (TransformBatches("c", {}, function), "no function is known"),
    (MergeInto("c", "d"), "what of c was there before is not known"),
    (RenameField("c", "a", "b", on_conflict="overwrite"), r"one was lost \(overwrite\)"),
    (RenameField("c", "a", "b", on_conflict="keep"), r"one was lost \(keep\)"),
    (RemoveField("c", "a"), "its values are gone"),
    (ConvertField("c", "a", "int"), "from_=... would tell"),
    (ConvertField("c", "a", "int", "double"), "int does not hold all that double does"),
    (ConvertField("c", "a", "long", "int", on_error="null"), "values that could not be converted were replaced"),
    (ConvertField("c", "a", "long", "int", on_error=function), "values that could not be converted were replaced"),
    (MoveDocuments("c", {}, "d", [{"$set": {"a": 1}}]), "a pipeline has changed the documents"),
    (Deduplicate("c", ("a",), (("b", 1),)), "the documents are gone"),
    (Suggestion("c", (DropIndex("c", "a_1"),)), "its definition is not known"),
]


def everything(operation: Operation) -> dict[str, Any]:
    """All fields, those that take no part in the comparison too."""
    return {one.name: getattr(operation, one.name) for one in fields(operation)}


@pytest.mark.parametrize(("operation", "back"), BACK, ids=lambda one: type(one).__name__)
def test_the_reverse_of_one(operation: Operation, back: tuple[Operation, ...]) -> None:
    found = operation.reverse()
    assert found == back
    assert [everything(one) for one in found if not isinstance(one, Suggestion)] == [
        everything(one) for one in back if not isinstance(one, Suggestion)
    ]
    assert reverse([operation]) == back


@pytest.mark.parametrize(("operation", "reason"), NO_WAY_BACK, ids=lambda one: type(one).__name__)
def test_no_way_back(operation: Operation, reason: str) -> None:
    with pytest.raises(IrreversibleOperation, match=reason):
        operation.reverse()
    with pytest.raises(IrreversibleOperation, match=reason):
        reverse([CreateCollection("before"), operation, CreateCollection("after")])


def test_no_operation_is_left_out() -> None:
    public = [getattr(operations_module, name) for name in operations_module.__all__]
    kinds = {one for one in public if isinstance(one, type) and issubclass(one, Operation)} - {Operation, DataOperation}
    assert kinds == {type(one) for one, _ in (*BACK, *NO_WAY_BACK)}


@pytest.mark.parametrize(
    ("operations", "back"),
    [
        ((), ()),
        # the last one first
        ((CreateCollection("c"), RenameCollection("c", "d")), (RenameCollection("d", "c"), DropCollection("c"))),
        # indexes go with their collection, those of another one alone
        (
            (CreateCollection("c"), CreateIndexes("c", (A,)), CreateIndexes("d", (B,))),
            (drop(B, "d"), DropCollection("c")),
        ),
        # not with one that was dropped before, nor with a view of the name
        (
            (CreateIndexes("c", (A,)), DropCollection("c", was=STATE), CreateCollection("c")),
            (DropCollection("c"), CreateCollection("c", OPTIONS), CreateIndexes("c", (A, B)), drop(A)),
        ),
        # what comes back next to one another comes back at once, in the order of the way back
        ((drop(A), drop(B), drop(D)), (CreateIndexes("c", (D, B, A)),)),
        ((drop(A), drop(B, "d")), (CreateIndexes("d", (B,)), CreateIndexes("c", (A,)))),
        (
            (drop(A), RenameCollection("x", "y"), drop(B)),
            (CreateIndexes("c", (B,)), RenameCollection("y", "x"), CreateIndexes("c", (A,))),
        ),
        (
            (drop(A), DropCollection("c", was=CollectionState("c", indexes=(B,)))),
            (CreateCollection("c"), CreateIndexes("c", (B, A))),
        ),
        # one index stands in for another: never without
        (
            (CreateIndexes("c", (B,)), drop(A), CreateIndexes("c", (D,)), drop(B)),
            (CreateIndexes("c", (B,)), drop(D), CreateIndexes("c", (A,)), drop(B)),
        ),
    ],
)
def test_the_reverse_of_several(operations: tuple[Operation, ...], back: tuple[Operation, ...]) -> None:
    assert reverse(operations) == back


@pytest.mark.parametrize(
    ("type_", "back"),
    [
        ("int", {"long", "double", "decimal", "string"}),
        ("long", {"int", "decimal", "string", "date"}),
        ("double", {"string"}),
        ("decimal", {"string"}),
        ("string", {"int", "long", "double", "decimal", "date", "objectId"}),
        ("bool", {"int", "long", "double", "decimal"}),
        ("date", {"long", "string"}),
        ("objectId", {"string"}),
    ],
)
def test_types_that_come_back(type_: str, back: set[str]) -> None:
    found = set()
    for to in TYPES:
        try:
            ConvertField("c", "a", to, type_).reverse()
        except IrreversibleOperation:
            continue
        found.add(to)
    assert found == back
