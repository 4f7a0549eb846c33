"""What to do when a server refuses an operation, by the code of its error. Pure.

https://www.mongodb.com/docs/manual/reference/error-codes/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asyncmig.operations import (
    ConvertField,
    CreateCollection,
    CreateIndexes,
    CreateView,
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

__all__ = ["advice", "broken_validator"]

_MANUAL = "https://www.mongodb.com/docs/manual"
_DATA = "correct the documents first (in an earlier revision, for instance), then run `asyncmig upgrade` again"
_LANGUAGE = f"{_DATA}, or set language_override to another field"
_ONE_COLLATION = "views that show one another have one collation: give each the collation of what it shows"
_UNKNOWN_INDEX_OPTION = f"this server does not know the option; see {_MANUAL}/reference/command/createIndexes/"

_ADVICE: dict[int, str] = {
    2: "a value is not one that MongoDB takes here; its message says which",
    5: "the views would be defined by one another in a circle: point one of them at a real collection",
    9: "MongoDB cannot read a part of the command; its message says which",
    13: "the user lacks a privilege: dbAdmin or dbOwner on this database is needed (readWrite may not collMod)",
    20: "transactions need a replica set: start mongod with --replSet (one member is enough)",
    26: "the collection is not there: create it first, or mind the spelling",
    27: "no index has this name: mind the spelling; `asyncmig diff` shows what the database has",
    48: "a collection or view of this name is there already: drop or rename it first, or choose another name",
    50: "the time limit was reached, often behind a lock that a long transaction holds; try again when it is quieter",
    59: "this server does not know the command: it may be too old",
    67: f"MongoDB does not allow this key with these options; see {_MANUAL}/indexes/",
    68: "the same index stands twice in the list: remove one",
    72: f"not possible on this kind of collection, or not below this featureCompatibilityVersion; see {_MANUAL}/",
    73: "MongoDB does not allow this name for a collection",
    85: "an index like this one exists with another name or other options: drop that one in the same revision, before",
    86: "an index of this name exists with another key: choose another name, or drop that one before",
    121: "a document does not fit the collection's validator: correct the document or the validator",
    161: "the collation's version differs from the server's: leave `version` out",
    166: "this is a view, and a view has neither indexes nor a validator of its own",
    167: "a view or time series does not take this option",
    171: f"a compound index takes one array field at most, and a document has two; {_DATA}",
    181: "several indexes have this key: name the index",
    197: _UNKNOWN_INDEX_OPTION,
    263: "MongoDB does not do this inside a transaction: take `transactional = True` out of the revision",
    276: "the index was dropped while it was being built: run `asyncmig upgrade` again",
    323: "this is outside the Stable API, to which the client is bound by apiStrict",
    359: "documents share a value: " + _DATA,
    11000: "documents share a value that has to be unique; " + _DATA,
    13027: f"a document has coordinates outside the bounds of the 2d index; {_DATA}",
    13103: "a compound index has 32 fields at most",
    13297: "a database whose name differs only in upper and lower case exists",
    16755: f"a document has something in the field that is no GeoJSON geometry; {_DATA}",
    16764: "a hashed index cannot be unique: make a second, plain index unique",
    16766: f"a hashed index cannot hold arrays, and a document has one; {_DATA}",
    17261: f"the language of a document is not a string; {_LANGUAGE}",
    17262: f"the language of a document is not one that MongoDB has; {_LANGUAGE}",
    31254: "a wildcardProjection either includes or excludes fields, never both (but for _id)",
    31303: "an index has one hashed field at most",
    40324: f"this server does not know a stage of the pipeline; see {_MANUAL}/reference/operator/aggregation-pipeline/",
    40415: "this server does not know the option; mind the spelling, and the server's version",
    50001: "autoIndexId cannot be false any more: leave it out",
    51024: "a number is out of its range; the message says which",
    5979700: "a clusteredIndex has to say unique: True",
    5979800: "the index of a clustered collection is the collection itself: it goes with it",
    6011800: "the index of a clustered collection cannot be hidden",
    6243700: "clustered belongs into the collection's clusteredIndex, not into an index",
}

_ON_DOCUMENTS = (ConvertField, InsertDocuments, RemoveField, RenameField, TransformDocuments, UpdateInBatches)
_VALIDATOR = (
    "the collection's validator refuses what the document would be. Put the steps that change documents above the one "
    "that puts the validator on. Where this revision has put it on already, swapping the lines does not help: "
    "`asyncmig downgrade` takes it off, then `asyncmig upgrade`; or loosen it first (validationLevel='off')"
)
_ADVICE_BY_OPERATION: dict[tuple[type[Operation], int], str] = {
    (ConvertField, 241): "correct the document, or say what becomes of such values: "
    'on_error="collect", "keep", "null" or a function',
    (CreateCollection, 197): "a clusteredIndex has the key {_id: 1}",
    (CreateView, 167): _ONE_COLLATION,
    (ModifyView, 167): _ONE_COLLATION,
    (
        InsertDocuments,
        11000,
    ): "a document to insert has a value that another has, and that has to be unique: correct it "
    "in this revision, or drop the unique index before",
    (CreateView, 48): "a collection of this name, or another view, is there: drop it first, or use env.modify_view",
    (ModifyCollection, 40415): "MongoDB cannot change this option of a standing collection: it takes a rebuild",
    (ModifyIndex, 2): "this cannot be changed in place: drop the index and create it anew",
    (ModifyIndex, 40415): "this cannot be changed in place: drop the index and create it anew",
    (ModifyIndex, 72): "this cannot be changed in place on this index, or not on this version of the server; "
    "drop the index and create it anew",
    (RenameField, 11000): "a unique index is over the old name or the new one, and documents that lack the field are "
    "equal to it: drop the index before the rename, and create the one on the new name after it",
    **dict.fromkeys(((kind, 121) for kind in _ON_DOCUMENTS), _VALIDATOR),
    (CreateIndexes, 72): "a time series takes no unique, text or TTL index: leave that option out",
}


def advice(operation: Operation, code: int | None) -> str:
    """What to do about a refusal with this code; empty where nothing better than the server's words is known."""
    if code is None:
        return ""
    return _ADVICE_BY_OPERATION.get((type(operation), code)) or _ADVICE.get(code, "")


def broken_validator(operation: Operation, result: Any) -> str:
    """What to say where a validator went on that a document breaks; empty where there is nothing to say."""
    if not isinstance(operation, ModifyCollection) or not isinstance(result, Mapping) or "breaks" not in result:
        return ""
    return (
        f"{operation.collection} has documents that break the validator which is on now, such as the one with _id "
        f"{result['breaks']!r}: a change of theirs is refused unless it mends them. Steps that mend documents belong "
        "above the step that puts the validator on; if one below it is refused, downgrade, then upgrade"
    )
