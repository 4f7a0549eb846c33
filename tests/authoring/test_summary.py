"""What a list of operations changes, in a few lines."""

from __future__ import annotations

import pytest

from asyncmig.authoring.summary import summary
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
    NeedsRebuild,
    Operation,
    RenameCollection,
)
from asyncmig.schema.index import Index

A, B, C = Index("a"), Index("b"), Index("c")
BRIDGE, SECOND_BRIDGE = Index([("a", -1)], name="a_1__asyncmig_bridge"), Index("z", name="a_1__asyncmig_bridge1")

CASES: list[tuple[str, list[Operation], list[str]]] = [
    ("nothing", [], []),
    (
        "collections come in one line, indexes in one per collection",
        [
            CreateCollection("wallet"),
            CreateCollection("top_up"),
            CreateIndexes("wallet", (A, B, C)),
            CreateIndexes("top_up", (A,)),
        ],
        [
            "New collections: wallet, top_up",
            "New indexes on wallet: 3 indexes",
            "New indexes on top_up: 1 index",
            "Total new indexes: 4 indexes",
        ],
    ),
    (
        "an index that goes and comes is a changed one",
        [DropIndex("wallet", "a_1"), CreateIndexes("wallet", (A, B)), DropIndex("wallet", "old")],
        [
            "New indexes on wallet: 1 index",
            "Changed indexes on wallet: 1 index",
            "Dropped indexes on wallet: 1 index",
            "Total new indexes: 1 index",
        ],
    ),
    (
        "the same name on another collection is another index",
        [DropIndex("wallet", "a_1"), CreateIndexes("top_up", (A,))],
        [
            "New indexes on top_up: 1 index",
            "Dropped indexes on wallet: 1 index",
            "Total new indexes: 1 index",
        ],
    ),
    (
        "a bridge is not counted",
        [
            CreateIndexes("wallet", (BRIDGE, SECOND_BRIDGE)),
            DropIndex("wallet", "a_1"),
            CreateIndexes("wallet", (A,)),
            DropIndex("wallet", BRIDGE.name),
            DropIndex("wallet", SECOND_BRIDGE.name),
        ],
        ["Changed indexes on wallet: 1 index"],
    ),
    (
        "an index changed in place, in two steps, is one",
        [ModifyIndex("w", "a_1", {"prepareUnique": True}), ModifyIndex("w", "a_1", {"unique": True})],
        ["Changed indexes on w: 1 index"],
    ),
    (
        "everything that happens to collections",
        [
            RenameCollection("purse", "wallet"),
            RenameCollection("top", "top_up"),
            ModifyCollection("wallet", {"validator": {}}),
            NeedsRebuild("legs", ("the collation",)),
            DropCollection("old"),
        ],
        [
            "Renamed collections: purse to wallet, top to top_up",
            "Modified collections: wallet",
            "Needs a rebuild: legs",
            "Dropped collections: old",
        ],
    ),
    (
        "a view that goes and comes is a modified one",
        [
            DropView("a"),
            DropView("b"),
            CreateView("a", "w", []),
            CreateView("c", "w", []),
            ModifyView("d", "w", []),
        ],
        ["New views: c", "Modified views: d, a", "Dropped views: b"],
    ),
    (
        "documents are counted per collection",
        [
            InsertDocuments("item", ({"_id": 1}, {"_id": 2})),
            InsertDocuments("item", ({"_id": 3},)),
            DeleteDocuments("kind", (1, 2)),
        ],
        ["Initial data for item: 3 documents", "Deleted documents of kind: 2 documents"],
    ),
]


@pytest.mark.parametrize(("steps", "lines"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_the_lines(steps: list[Operation], lines: list[str]) -> None:
    assert summary(steps) == lines
