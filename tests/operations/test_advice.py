"""What is advised about a server's refusal: by code, and by operation where it means something else there."""

from __future__ import annotations

from typing import Any

import pytest

from asyncmig.operations import (
    ConvertField,
    CreateCollection,
    CreateIndexes,
    CreateView,
    DropCollection,
    InsertDocuments,
    ModifyCollection,
    ModifyIndex,
    ModifyView,
    Operation,
    RemoveField,
    RenameField,
    TransformDocuments,
    UpdateInBatches,
)
from asyncmig.operations.advice import advice, broken_validator

COLLECTION, INDEX, VIEW = ModifyCollection("c", {}), ModifyIndex("c", "i", {}), ModifyView("v", "c", [])
CREATED_VIEW, CONVERSION = CreateView("v", "c", []), ConvertField("c", "f", "int")
INSERT, RENAME = InsertDocuments("c", ()), RenameField("c", "f", "g")
ON_DOCUMENTS = (
    *(INSERT, RENAME, CONVERSION, RemoveField("c", "f")),
    *(TransformDocuments("c", {}, dict), UpdateInBatches("c", {}, {"$set": {"a": 1}})),
)
BY_CODE = {
    2: "is not one that MongoDB takes",
    5: "in a circle",
    9: "cannot read",
    13: "privilege",
    20: "replica set",
    26: "is not there",
    27: "no index has this name",
    48: "is there already",
    50: "time limit",
    59: "too old",
    67: "this key with these options",
    68: "stands twice",
    72: "featureCompatibilityVersion",
    73: "does not allow this name",
    85: "another name or other options",
    86: "with another key",
    121: "correct the document or the validator",
    161: "`version`",
    166: "neither indexes nor a validator",
    167: "does not take this option",
    171: "one array field",
    181: "name the index",
    197: "createIndexes",
    263: "inside a transaction",
    276: "while it was being built",
    323: "Stable API",
    359: "share a value: ",
    11000: "has to be unique",
    13027: "2d index",
    13103: "32 fields",
    13297: "upper and lower case",
    16755: "GeoJSON",
    16764: "cannot be unique",
    16766: "cannot hold arrays",
    17261: "is not a string",
    17262: "not one that MongoDB has",
    31254: "wildcardProjection",
    31303: "one hashed field",
    40324: "a stage of the pipeline",
    40415: "mind the spelling",
    50001: "autoIndexId",
    51024: "out of its range",
    5979700: "unique: True",
    5979800: "the collection itself",
    6011800: "cannot be hidden",
    6243700: "clusteredIndex",
}
BY_OPERATION: list[tuple[Operation, int, str]] = [
    (CONVERSION, 241, "on_error"),
    (CreateCollection("c"), 197, "{_id: 1}"),
    (CREATED_VIEW, 167, "one collation"),
    (VIEW, 167, "one collation"),
    (INSERT, 11000, "a document to insert"),
    (CREATED_VIEW, 48, "env.modify_view"),
    (COLLECTION, 40415, "takes a rebuild"),
    (INDEX, 2, "cannot be changed in place: drop"),
    (INDEX, 40415, "cannot be changed in place: drop"),
    (INDEX, 72, "not on this version of the server"),
    (RENAME, 11000, "the old name or the new one"),
    (CreateIndexes("c", ()), 72, "time series takes no unique"),
    *((operation, 121, "puts the validator on") for operation in ON_DOCUMENTS),
]


@pytest.mark.parametrize(("code", "words"), BY_CODE.items())
def test_by_code(code: int, words: str) -> None:
    assert words in advice(DropCollection("c"), code)


@pytest.mark.parametrize(("operation", "code", "words"), BY_OPERATION, ids=str)
def test_by_operation(operation: Operation, code: int, words: str) -> None:
    assert words in advice(operation, code)
    assert words not in advice(DropCollection("c"), code)


def test_none() -> None:
    assert advice(INDEX, None) == advice(INDEX, 241) == advice(INDEX, 3) == ""


@pytest.mark.parametrize(
    ("operation", "result", "told"),
    [
        (COLLECTION, {"breaks": "x"}, True),
        (COLLECTION, {"breaks": None}, True),  # an _id may be null
        (COLLECTION, {"ok": 1}, False),
        (COLLECTION, None, False),
        (COLLECTION, "breaks", False),
        (INDEX, {"breaks": "x"}, False),
    ],
)
def test_documents_that_break_a_validator(operation: Operation, result: Any, told: bool) -> None:
    assert bool(broken_validator(operation, result)) is told
    assert (
        not told
        or f"c has documents that break the validator which is on now, such as the one with _id {result['breaks']!r}"
        in broken_validator(operation, result)
    )
