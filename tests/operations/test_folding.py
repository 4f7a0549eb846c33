"""What a squash folds away, and that the rest leads to the same database."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asyncmig import Index
from asyncmig.operations import (
    CreateCollection,
    CreateIndexes,
    CreateView,
    DeleteDocuments,
    DropCollection,
    DropIndex,
    DropView,
    InsertDocuments,
    ModifyCollection,
    ModifyIndex,
    ModifyView,
    Operation,
    RenameCollection,
)
from asyncmig.operations.folding import fold

A, B = Index("a"), Index("b")
MADE, X = CreateCollection("c"), CreateCollection("x")
BOTH = CreateIndexes("c", (A, B))
VALIDATED = {"validator": {"a": 1}}


@pytest.mark.parametrize(
    ("operations", "folded"),
    [
        ((MADE, DropCollection("c")), ()),
        ((MADE, BOTH, InsertDocuments("c", ({"_id": 1},)), DropCollection("c")), ()),
        ((MADE, CreateView("v", "c", ()), DropCollection("c")), (MADE, CreateView("v", "c", ()), DropCollection("c"))),
        ((DropCollection("c"), MADE), (DropCollection("c"), MADE)),
        ((BOTH, DropIndex("c", "a_1")), (CreateIndexes("c", (B,)),)),
        ((BOTH, DropIndex("c", "a_1"), DropIndex("c", "b_1")), ()),
        ((DropIndex("c", "a_1"), CreateIndexes("c", (A,))), (DropIndex("c", "a_1"), CreateIndexes("c", (A,)))),
        ((CreateIndexes("c", (A,)), CreateIndexes("c", (B,))), (BOTH,)),
        ((BOTH, ModifyIndex("c", "a_1", {"hidden": True})), (CreateIndexes("c", (A.replace(hidden=True), B)),)),
        ((BOTH, ModifyIndex("c", "b_1", {"hidden": True})), (CreateIndexes("c", (A, B.replace(hidden=True))),)),
        (
            (ModifyIndex("c", "x", {"hidden": True}), ModifyIndex("c", "x", {"expireAfterSeconds": 5})),
            (ModifyIndex("c", "x", {"hidden": True, "expireAfterSeconds": 5}),),
        ),
        ((ModifyIndex("c", "x", {"hidden": True}), DropIndex("c", "x")), (DropIndex("c", "x"),)),
        ((MADE, ModifyCollection("c", VALIDATED)), (CreateCollection("c", VALIDATED),)),
        # What is about another index, or stands between, is left.
        *(
            ((ModifyIndex("c", changed, {"hidden": True}), DropIndex("c", gone)),) * 2
            for changed, gone in (("a_1", "x"), ("x", "a_1"))
        ),
        ((BOTH, X, DropIndex("c", "a_1")), (CreateIndexes("c", (B,)), X)),
        ((CreateIndexes("c", (A,)), X, DropIndex("c", "a_1")), (X,)),
        ((ModifyIndex("c", "x", {"hidden": True}), X, DropIndex("c", "x")), (X, DropIndex("c", "x"))),
        *(
            ((InsertDocuments("c", documents), X, DeleteDocuments("c", (1,), if_unchanged=True)), (*left, X))
            for documents, left in (
                (({"_id": 1},), ()),
                (({"_id": 1}, {"_id": 2}), (InsertDocuments("c", ({"_id": 2},)),)),
            )
        ),
        ((MADE, ModifyCollection("c", {"cappedMax": 5})), (MADE, ModifyCollection("c", {"cappedMax": 5}))),
        (
            (MADE, ModifyCollection("c", {**VALIDATED, "cappedMax": 5})),
            (MADE, ModifyCollection("c", {**VALIDATED, "cappedMax": 5})),
        ),
        (
            (ModifyCollection("c", VALIDATED), ModifyCollection("c", {"validationLevel": "off"})),
            (ModifyCollection("c", {**VALIDATED, "validationLevel": "off"}),),
        ),
        ((MADE, BOTH, RenameCollection("c", "d")), (CreateCollection("d"), CreateIndexes("d", (A, B)))),
        ((RenameCollection("c", "d"), BOTH), (RenameCollection("c", "d"), BOTH)),
        # The new name was another collection's before: at that place in the list it is not free.
        *(
            ((*before, MADE, after, RenameCollection("c", "d")), (*before, MADE, after, RenameCollection("c", "d")))
            for before, after in (
                ((RenameCollection("x", "d"),), CreateIndexes("y", (A,))),  # the server will refuse it
                ((), DropCollection("d")),
                ((), RenameCollection("d", "e")),
                ((RenameCollection("x", "d"),), DropCollection("d")),
                ((CreateIndexes("d", (A,)),), DropCollection("d")),
            )
        ),
        ((CreateView("v", "c", ()), ModifyView("v", "c", ({},))), (CreateView("v", "c", ({},)),)),
        ((CreateView("v", "c", ()), DropView("v")), ()),
        (
            (InsertDocuments("c", ({"_id": 1}, {"_id": 2})), DeleteDocuments("c", (1,), if_unchanged=True)),
            (InsertDocuments("c", ({"_id": 2},)),),
        ),
        (
            (*(InsertDocuments("c", ({"_id": 1},)),) * 2, DeleteDocuments("c", (1,), if_unchanged=True)),
            (*(InsertDocuments("c", ({"_id": 1},)),) * 2, DeleteDocuments("c", (1,), if_unchanged=True)),
        ),
        # Without if_unchanged it deletes whatever stands there, be it somebody else's.
        (
            (InsertDocuments("c", ({"_id": 1},)), DeleteDocuments("c", (1,))),
            (InsertDocuments("c", ({"_id": 1},)), DeleteDocuments("c", (1,))),
        ),
        (
            (InsertDocuments("c", ({"_id": 1},)), DeleteDocuments("c", (1, 2), if_unchanged=True)),
            (InsertDocuments("c", ({"_id": 1},)), DeleteDocuments("c", (1, 2), if_unchanged=True)),
        ),
        # Documents in between may be what a unique index is about.
        (
            (CreateIndexes("c", (A,)), InsertDocuments("c", ({"_id": 1},)), ModifyIndex("c", "a_1", {"unique": True})),
            (CreateIndexes("c", (A,)), InsertDocuments("c", ({"_id": 1},)), ModifyIndex("c", "a_1", {"unique": True})),
        ),
        # A bridge stands in while the old index goes.
        (
            (CreateIndexes("c", (B,)), DropIndex("c", "old"), CreateIndexes("c", (A,)), DropIndex("c", "b_1")),
            (CreateIndexes("c", (B,)), DropIndex("c", "old"), CreateIndexes("c", (A,)), DropIndex("c", "b_1")),
        ),
    ],
)
def test_fold(operations: tuple[Operation, ...], folded: tuple[Operation, ...]) -> None:
    assert fold(operations) == folded


World = dict[str, dict[str, Any]]


def step(world: World, operation: Operation) -> bool:
    """A small model of a database; False where the server would refuse the operation."""
    name, here = operation.collection, world.get(operation.collection)
    match operation:
        case CreateCollection(options=options):
            if here is not None:
                return False
            world[name] = {"options": dict(options), "indexes": {}, "documents": {}}
        case _ if here is None:
            return False
        case DropCollection():
            del world[name]
        case RenameCollection(new=new):
            if new in world:
                return False
            world[new] = world.pop(name)
        case ModifyCollection(options=options):
            here["options"] |= options
        case CreateIndexes(indexes=(index,)) | CreateIndexes(indexes=(index, *_)) if index.name in here["indexes"]:
            return False
        case CreateIndexes(indexes=indexes):
            here["indexes"] |= {index.name: index for index in indexes}
        case DropIndex(name=index):
            return here["indexes"].pop(index, None) is not None
        case ModifyIndex(name=index, options=options):
            if index not in here["indexes"]:
                return False
            changes = {key: value or None for key, value in options.items()}
            here["indexes"][index] = here["indexes"][index].replace(**changes)
        case InsertDocuments(documents=documents):
            here["documents"] = {document["_id"]: document for document in documents} | here["documents"]
        case DeleteDocuments(ids=ids):
            here["documents"] = {key: value for key, value in here["documents"].items() if key not in ids}
    return True


names = st.sampled_from(["c", "d"])
indexes = st.sampled_from([A, B])
steps = st.one_of(
    st.builds(CreateCollection, names),
    st.builds(DropCollection, names),
    st.builds(RenameCollection, names, names),
    st.builds(ModifyCollection, names, st.sampled_from([VALIDATED, {"validationLevel": "off"}, {"cappedMax": 5}])),
    st.builds(CreateIndexes, names, indexes.map(lambda index: (index,))),
    st.builds(DropIndex, names, indexes.map(lambda index: index.name)),
    st.builds(
        ModifyIndex,
        names,
        indexes.map(lambda index: index.name),
        st.sampled_from([{"hidden": True}, {"hidden": False}, {"expireAfterSeconds": 9}, {"unique": True}]),
    ),
    st.builds(InsertDocuments, names, st.sampled_from([({"_id": 1},), ({"_id": 2},)])),
    st.builds(DeleteDocuments, names, st.sampled_from([(1,), (2,), (1, 2)]), if_unchanged=st.just(True)),
)


@settings(max_examples=5 * settings().max_examples)
@given(st.lists(steps, max_size=14))
def test_folding_leads_to_the_same_database(asked: list[Operation]) -> None:
    before: World = {}
    possible = [operation for operation in asked if step(before, operation)]
    after: World = {}
    folded = fold(possible)
    assert all(step(after, operation) for operation in folded), folded
    assert after == before
    assert len(folded) <= len(possible)
