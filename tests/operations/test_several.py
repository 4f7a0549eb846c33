"""Many new collections in a row become one operation, which leads to the same database."""

from __future__ import annotations

import pytest

from asyncmig import Index
from asyncmig.authoring.diff import difference
from asyncmig.authoring.draft import draft
from asyncmig.operations import (
    CreateCollection,
    CreateCollections,
    CreateIndexes,
    DropCollection,
    InsertDocuments,
    NewCollection,
    Operation,
    RenameCollection,
    reverse,
)
from asyncmig.operations.several import MIN_GATHERED, gathered, spread
from asyncmig.schema.state import CollectionState, DatabaseState

NAMES = [f"c{number:02}" for number in range(MIN_GATHERED)]
CREATIONS = tuple(CreateCollection(name) for name in NAMES)
A, B, X = Index("a"), Index("b"), CreateCollection("x")


def together(indexes: dict[str, tuple[Index, ...]] | None = None) -> CreateCollections:
    return CreateCollections(tuple(NewCollection(name, {}, (indexes or {}).get(name, ())) for name in NAMES))


def on(name: str, *indexes: Index) -> CreateIndexes:
    return CreateIndexes(name, indexes)


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        (CREATIONS, (together(),)),
        (CREATIONS[1:], CREATIONS[1:]),
        # indexes between them, and after something else
        ((on("x", A), *CREATIONS), (on("x", A), together())),
        ((CREATIONS[0], on("c00", A), *CREATIONS[1:]), (together({"c00": (A,)}),)),
        ((*CREATIONS, on("x", A), on("c01", A), on("c01", B)), (together({"c01": (A, B)}), on("x", A))),
        # something is done with the collection before
        (
            (*CREATIONS, InsertDocuments("c01", ({"_id": 1},)), on("c01", A)),
            (together(), InsertDocuments("c01", ({"_id": 1},)), on("c01", A)),
        ),
        (
            (*CREATIONS, RenameCollection("x", "c01"), on("c01", A)),
            (together(), RenameCollection("x", "c01"), on("c01", A)),
        ),
        # of the same name: left to the server
        ((*CREATIONS, on("c01", A), on("c01", A)), (together({"c01": (A,)}), on("c01", A))),
        ((*CREATIONS, CREATIONS[0]), (together(), CREATIONS[0])),
    ],
)
def test_gathered(operations: tuple[Operation, ...], expected: tuple[Operation, ...]) -> None:
    assert gathered(operations) == expected


def test_there_and_back() -> None:
    made = together({"c01": (A,)})
    assert tuple(spread([X, made])) == (X, CREATIONS[0], CREATIONS[1], on("c01", A), *CREATIONS[2:])
    assert gathered(tuple(spread([made]))) == (made,)
    assert reverse([made]) == tuple(DropCollection(name) for name in reversed(NAMES))


@pytest.mark.parametrize(("count", "expected"), [(MIN_GATHERED - 1, 0), (MIN_GATHERED, 1), (5 * MIN_GATHERED, 1)])
def test_autogenerate_writes_it_where_there_are_many(count: int, expected: int) -> None:
    states = [CollectionState(f"c{number}", indexes=(A,)) for number in range(count)]
    wanted = DatabaseState({state.name: state for state in states})
    source = draft(difference(DatabaseState(), wanted), revision="r1", down_revision=None, message="many")
    assert source.count("env.create_collections(") == expected
    assert source.count("env.create_collection(") == (0 if expected else count)
    assert source.count("env.create_indexes(") == (0 if expected else count)
    assert source.count("env.drop_collection(") == count
    assert f"Total new indexes: {count} indexes" in source


@pytest.mark.parametrize(
    ("made", "collection", "description"),
    [
        ((), "", "create 0 collections: "),
        ((NewCollection("b"), NewCollection("a")), "b", "create 2 collections: b, a"),
        ((NewCollection("b", {}, (A, B)),), "b", "create 1 collection with 2 indexes: b"),
        (tuple(map(NewCollection, "bacd")), "b", "create 4 collections: b, a, c and 1 more"),
        (tuple(map(NewCollection, "bac")), "b", "create 3 collections: b, a, c"),
        (tuple(map(NewCollection, "bacdefgh")), "b", "create 8 collections: b, a, c and 5 more"),
    ],
)
def test_described(made: tuple[NewCollection, ...], collection: str, description: str) -> None:
    operation = CreateCollections(made)
    assert (operation.collection, operation.describe()) == (collection, description)
