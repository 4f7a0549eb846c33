"""``_id``s of every BSON type, in the order in which MongoDB sorts them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import bson
from bson import SON, Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Timestamp
from bson.errors import InvalidBSON
from bson.raw_bson import RawBSONDocument


def _scopes() -> list[Code]:
    """Code with a scope, where this PyMongo can read one in a raw document: 4.6 cannot."""
    scopes = [Code("x", {}), Code("x", {"a": 1})]
    try:
        return [scope for scope in scopes if RawBSONDocument(bson.encode({"_id": scope}))["_id"]]
    except InvalidBSON:
        return []


KEYS: list[Any] = [
    MinKey(),
    None,
    float("nan"),
    float("-inf"),
    Decimal128("-1E+6000"),
    -7,
    0,
    Decimal128("0.5"),
    1,
    1.5,
    Int64(2**53 + 1),
    float("inf"),
    "",
    "1",
    "Z",
    "a",
    "ä",
    {},
    {"a": None},
    {"a": 1},
    {"a": 1, "b": 1},
    SON([("b", 1), ("a", 1)]),
    DBRef("c", 1),
    {"a": {"b": [1, "x"]}},
    b"",
    b"ab",
    b"abc",
    Binary(bytes(range(16)), 3),
    Binary(bytes(range(16)), 4),
    ObjectId("0" * 24),
    ObjectId("507f1f77bcf86cd799439011"),
    ObjectId("f" * 24),
    False,
    True,
    DatetimeMS(-(2**60)),
    datetime(1969, 12, 31, tzinfo=UTC),
    datetime(2024, 2, 29, 12, tzinfo=UTC),
    DatetimeMS(2**62),
    Timestamp(1, 1),
    Timestamp(2**32 - 1, 2),
    Code("x"),
    Code("y"),
    *_scopes(),
    MaxKey(),
]
