"""By what the journal knows operations: the same for the same one, also in the ledgers that stand already."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from bson import Int64

from asyncmig.operations import (
    CreateCollection,
    CreateCollections,
    CreateIndexes,
    CreateView,
    Deduplicate,
    DeleteDocuments,
    DropCollection,
    DropIndex,
    InsertDocuments,
    ModifyCollection,
    ModifyIndex,
    ModifyView,
    MoveDocuments,
    Operation,
    Pace,
    RenameCollection,
    TransformDocuments,
    UpdateInBatches,
)
from asyncmig.operations.fingerprint import Touched, fingerprint, has_function, is_touched, outline, path_to, subjects
from asyncmig.operations.several import NewCollection
from asyncmig.schema.index import Index

LONG = "n" * 501
INSERT = InsertDocuments("c", ({"_id": 1, "n": Int64(2), "s": {"t": [None, 1.5]}},))
UPDATE = UpdateInBatches("c", {"n": 1}, {"$set": {"m": 1}})
GOLDEN = {
    "create": (CreateCollection("c", {"capped": True, "size": 4096}), "c7dd29b54a1102f11036b6870d16a90d"),
    "indexes": (CreateIndexes("c", (Index([("a", 1), ("b", -1)], unique=True),)), "aa8bc604b6bb222055d1d3ae6af56068"),
    "insert": (INSERT, "1188ca18c86594742150d6f782c05225"),
    "update": (UPDATE, "265090f73d885d3a4f6164e6d905e7f1"),
}
"""They stand in ledgers: with others, what is done would be done again."""


@pytest.mark.parametrize("name", GOLDEN)
def test_it_is_the_same_in_every_version(name: str) -> None:
    operation, expected = GOLDEN[name]
    assert fingerprint(operation) == outline(operation) == expected


@pytest.mark.parametrize(
    "other",
    [
        InsertDocuments("d", INSERT.documents),
        InsertDocuments("c", ({"_id": 1, "n": 2, "s": {"t": [None, 1.5]}},)),
        InsertDocuments("c", ({"_id": 1, "s": {"t": [None, 1.5]}, "n": Int64(2)},)),
        InsertDocuments("c", (*INSERT.documents, {"_id": 2})),
        DeleteDocuments("c", (1,)),
    ],
)
def test_another_one_has_another(other: Operation) -> None:
    assert fingerprint(other) != fingerprint(INSERT)


def test_how_fast_and_what_was_take_no_part() -> None:
    assert fingerprint(replace(UPDATE, pace=Pace(7, 8.0))) == fingerprint(UPDATE)
    assert fingerprint(DropIndex("c", "a_1", was=Index("a"))) == fingerprint(DropIndex("c", "a_1"))


def test_a_function_that_is_edited() -> None:
    one = TransformDocuments("c", {}, lambda document: document | {"n": 1})
    other = TransformDocuments("c", {}, lambda document: document | {"n": 2})
    again = TransformDocuments("c", {}, lambda document: document | {"n": 1})
    assert fingerprint(one) == fingerprint(again) != fingerprint(other)
    assert outline(one) == outline(other) != outline(UPDATE)
    assert [has_function(operation) for operation in (one, UPDATE, INSERT)] == [True, False, False]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (DropCollection("c"), ["c"]),
        (CreateView("v", "c", []), ["v"]),
        (RenameCollection("c", "d"), ["c", "d"]),
        (CreateCollections((NewCollection("c"), NewCollection("d"))), ["c", "d"]),
        (CreateIndexes("c", (Index("a"), Index("b", name="x"))), ["c/i/a_1", "c/i/x"]),
        (DropIndex("c", "a_1"), ["c/i/a_1"]),
        (ModifyIndex("c", "a_1", {"hidden": True}), ["c/i/a_1"]),
        (ModifyCollection("c", {}), ["c/o"]),
        (ModifyView("v", "c", []), ["v/o"]),
        (INSERT, ["c/d"]),
        (DeleteDocuments("c", (1,)), ["c/d"]),
        (UPDATE, ["c/d"]),
        (MoveDocuments("c", {}, "d"), ["c/d", "d/d"]),
        (Deduplicate("c", ("a",), (("_id", 1),)), ["c/d"]),
        (Deduplicate("c", ("a",), (("_id", 1),), "d"), ["c/d", "d/d"]),
        (DropIndex("c", "n" * 500), ["c/i/" + "n" * 500]),
    ],
    ids=lambda value: value.describe()[:40] if isinstance(value, Operation) else "",
)
def test_what_is_touched(operation: Operation, expected: list[str]) -> None:
    assert list(subjects(operation)) == expected


def test_a_long_name_is_told_by_its_digest() -> None:
    (one,), (other,) = subjects(DropIndex("c", LONG)), subjects(DropIndex("c", LONG + "x"))
    assert one != other
    assert len(one) == len(other) < 100
    assert one.startswith("c/i/" + "n" * 50 + "#")


@pytest.mark.parametrize(
    ("done", "expected"),
    [
        (["c/i/a_1"], True),  # itself
        (["c"], True),  # what contains it
        (["c/i/b_1"], False),
        (["c/d"], False),
        (["d"], False),
        (["ca"], False),
        ([], False),
    ],
)
def test_what_has_to_do_with_what(done: list[str], expected: bool) -> None:
    wanted: Any = DropIndex("c", "a_1")
    assert is_touched(wanted, done) is is_touched(wanted, Touched.of(done)) is expected
    assert is_touched(DropCollection("c"), done) is any(one.split("/")[0] == "c" for one in done)  # a part of it


def test_a_path() -> None:
    assert list(path_to("wallet/i/name")) == ["wallet", "wallet/i", "wallet/i/name"]
