"""Two spellings of one filter or projection come out equal, where a real server said so, and only there."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from bson import SON, Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from asyncmig.schema.canonical import canonical, canonical_filter, canonical_projection, canonical_schema, exact

NAN = float("nan")

SAME_FILTER = [
    ({"b": {"$type": ["string"]}}, {"b": {"$type": "string"}}),
    ({"b": {"$type": ["string", "int"]}}, {"b": {"$type": ["int", "string"]}}),
    ({"b": {"$type": 2.0}}, {"b": {"$type": "string"}}),
    ({"b": {"$type": -1}}, {"b": {"$type": "minKey"}}),
    ({"$and": [{"b": 1}]}, {"b": 1}),
    ({"$and": [{"$and": [{"b": 1}, {"c": 1}]}, {"d": 1}]}, {"b": 1, "c": 1, "d": 1}),
    ({"$or": [{"b": 1}]}, {"b": 1}),
    ({"$or": [{"b": 1}, {"c": 2}]}, {"$or": [{"c": 2}, {"b": 1}]}),
    ({"$or": [{"b": 1}, {"b": 2}]}, {"b": {"$in": [1, 2]}}),
    ({"$or": [{"$or": [{"b": 1}, {"c": 1}]}, {"d": 1}]}, {"$or": [{"b": 1}, {"c": 1}, {"d": 1}]}),
    ({"$or": [{"b": 1, "c": 1}, {"d": 1}]}, {"$or": [{"d": 1}, {"$and": [{"c": 1}, {"b": 1}]}]}),
    ({"$and": [{"b": {"$gt": 1}}, {"b": {"$lt": 9}}]}, {"b": {"$gt": 1, "$lt": 9}}),
    ({"$and": [{"$or": [{"b": 1}, {"c": 1}]}, {"d": 1}]}, {"d": 1, "$or": [{"c": 1}, {"b": 1}]}),
    ({"$and": [{}]}, {}),
    ({"$and": [{"b": 1}, {"$or": [{"$and": [{"c": 1}, {"d": 1}]}]}]}, {"b": 1, "c": 1, "d": 1}),
    ({"$or": [{"$and": [{"$or": [{"b": 1}, {"c": 1}]}]}, {"d": 1}]}, {"$or": [{"b": 1}, {"c": 1}, {"d": 1}]}),
    ({"$and": [{"b": 1}, {}]}, {"b": 1}),
    ({"$or": [{"b": 1}, {"b": 2}, {"c": 1}]}, {"$or": [{"c": 1}, {"b": {"$in": [2, 1]}}]}),
    ({"b": {"$in": [1, 1.0, 2]}}, {"b": {"$in": [1, 2]}}),
    ({"b": {"$in": [None]}}, {"b": None}),
    ({"b": {"$in": [None, 1]}}, {"b": {"$in": [1, None]}}),
    ({"b": {"$in": [[1, 2]]}}, {"b": [1, 2]}),
    ({"b": {"$in": [{"x": 1}]}}, {"b": {"x": 1}}),
    ({"b": {"$eq": None}}, {"b": None}),
    ({"b": {"$exists": True}}, {"b": {"$exists": 5}}),
    ({"b": {"$exists": "x"}}, {"b": {"$exists": True}}),
    ({"b": {"$gte": 1, "$exists": True}}, {"b": {"$exists": True, "$gte": 1}}),
    ({"b": {"$eq": {"x": 1}}}, {"b": {"x": 1.0}}),
    ({"b": {}}, {"b": {"$eq": {}}}),
    ({"b": 1}, {"b": Decimal128("1.0")}),
    ({"b": NAN}, {"b": Decimal128("NaN")}),
    ({"b": 0.0}, {"b": -0.0}),
    ({"b": 2**53}, {"b": float(2**53)}),
    ({"b": {"$gt": 1, "$lt": 5}}, {"$and": [{"b": {"$lt": 5}}, {"b": {"$gt": 1}}]}),
    ({"b": {"$all": [1]}}, {"b": 1}),
    ({"b": {"$all": [1, 2]}}, {"$and": [{"b": 1}, {"b": 2}]}),
    ({"b": 1, "$comment": "x"}, {"b": 1}),
]

OTHER_FILTER = [
    ({"b": {"$type": "number"}}, {"b": {"$type": ["int", "double", "long", "decimal"]}}),
    ({"$and": [{"b": 1}, {"b": 1}]}, {"b": 1}),
    ({"$or": [{"b": 1}, {"b": 1}]}, {"b": 1}),
    ({"$or": [{"b": 1}, {}]}, {}),
    ({"$or": [{"b": {"$in": [1, 2]}}, {"b": 3}]}, {"b": {"$in": [1, 2, 3]}}),
    ({"b": {"$gt": 1, "$exists": True}}, {"b": {"$gt": 1}}),
    ({"b": 1}, {"b": True}),
    ({"b": 2**53 + 1}, {"b": float(2**53)}),
    ({"b": 0.1}, {"b": Decimal128("0.1")}),
    ({"b": b"x"}, {"b": "x"}),
    ({"b": Code("x")}, {"b": "x"}),
    ({"b": {"$gt": 1}}, {"b": {"$gte": 1}}),
    ({"b": {"$gte": None}}, {"b": None}),
    ({"b": [1, 2]}, {"b": [2, 1]}),
    ({"b": {"x": 1, "y": 1}}, {"b": {"y": 1, "x": 1}}),
    ({"a.b": 1}, {"a": {"b": 1}}),
]

VALIDATORS = [  # what no partial filter can have in it; here nothing is known of the server's opinion
    ({"b": {"$not": {"$gt": 1, "$lt": 2}}}, {"b": {"$not": {"$lt": 2, "$gt": 1}}}, True),
    ({"b": {"$nin": [1, 2]}}, {"b": {"$nin": [2, 1]}}, True),
    ({"b": {"$nin": [1]}}, {"b": {"$not": {"$eq": 1}}}, True),
    ({"b": {"$not": {"$gt": 1}}}, {"b": {"$gt": 1}}, False),
    ({"$nor": [{"a": 1}, {"b": 1}]}, {"$nor": [{"b": 1}, {"a": 1}]}, True),
    ({"$nor": [{"a": 1}, {"a": 1}]}, {"$nor": [{"a": 1}]}, False),
    ({"$nor": [{"a": 1}, {"a": 1}, {"b": 1}]}, {"$nor": [{"a": 1}, {"b": 1}, {"b": 1}]}, False),
    ({"$nor": [{"a": 1}, {"b": 1}, {"a": 1}]}, {"$nor": [{"b": 1}, {"a": 1}, {"a": 1}]}, True),
    ({"b": {"$elemMatch": {"c": 1, "d": 1}}}, {"b": {"$elemMatch": {"d": 1, "c": 1}}}, True),
    ({"b": {"$elemMatch": {"$gt": 1, "$lt": 2}}}, {"b": {"$elemMatch": {"$lt": 2, "$gt": 1}}}, True),
    ({"b": re.compile("x")}, {"b": {"$eq": re.compile("x")}}, False),
    ({"b": {"$regex": "x", "$options": "i"}}, {"b": {"$options": "i", "$regex": "x"}}, True),
    ({"$expr": {"$eq": ["$a", 1]}}, {"$expr": {"$eq": [1, "$a"]}}, False),
    ({"b": DBRef("c", 1)}, {"b": {"$ref": "c", "$id": 1}}, True),
    ({"$jsonSchema": {"required": ["a", "b"]}}, {"$jsonSchema": {"required": ["b", "a"]}}, True),
]

SCHEMAS = [
    ({"bsonType": "object", "required": ["a"]}, {"required": ["a"], "bsonType": ["object"]}, True),
    (
        {"properties": {"a": {"minimum": 1, "maximum": 2}, "b": {}}},
        {"properties": {"b": {}, "a": {"maximum": 2.0, "minimum": 1.0}}},
        True,
    ),
    ({"properties": {"enum": {"type": "string"}}}, {"properties": {"enum": {"type": ["string"]}}}, True),
    ({"enum": [1, {"x": 1, "y": 2}]}, {"enum": [{"x": 1, "y": 2}, 1]}, True),
    ({"enum": [{"x": 1, "y": 2}]}, {"enum": [{"y": 2, "x": 1}]}, False),
    ({"items": [{"type": "string"}, {"type": "number"}]}, {"items": [{"type": "number"}, {"type": "string"}]}, False),
    ({"dependencies": {"a": ["b", "c"]}}, {"dependencies": {"a": ["c", "b"]}}, True),
    ({"additionalProperties": False}, {"additionalProperties": 0}, False),
    ({"title": "a"}, {"title": "b"}, False),
]

PROJECTIONS = [
    ({"a": 1}, {"a": 5}, True),
    ({"a": 1}, {"a": -1}, True),
    ({"a": 0.5}, {"a": True}, True),
    ({"a": NAN}, {"a": 1}, True),
    ({"a": Decimal128("1")}, {"a": Int64(1)}, True),
    ({"a": 1, "_id": 1}, {"a": 1}, False),
    ({"a": 1, "_id": 0}, {"a": 1}, True),
    ({"_id": 0}, {"a": 0}, False),
    ({"_id": 1, "a": 0}, {"a": 0}, False),
    ({"a": {"b": 1, "c": 1}}, {"a.c": 1, "a.b": 1}, True),
    ({"a": {"b.c": 1}}, {"a.b": {"c": 1}}, True),
    ({"a": {"_id": 0}}, {"a._id": 0}, True),
    ({"a": {"_id": 0}}, {"a": 0}, False),
]

SAME_VALUE = [
    (1, 1.0),
    (1, Int64(1)),
    (1, Decimal128("1.00")),
    (0.5, Decimal128("0.5")),
    (float("inf"), Decimal128("Infinity")),
    (NAN, NAN),
    (b"x", Binary(b"x", 0)),
    (UUID(int=7), Binary(UUID(int=7).bytes, 4)),
    (datetime(2020, 1, 1), datetime(2020, 1, 1, tzinfo=UTC)),
    (datetime(2020, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), datetime(2020, 1, 1, 0, 0, 0, 999)),
    (datetime(2020, 1, 1), DatetimeMS(1577836800000)),
    (re.compile("x", re.I | re.U), Regex("x", re.I | re.U)),
    (SON([("a", 1), ("b", 2)]), {"a": 1, "b": 2}),
    ((1, 2), [1, 2]),
    (DBRef("c", 1, "d"), {"$ref": "c", "$id": 1, "$db": "d"}),
    (MinKey(), MinKey()),
]

OTHER_VALUE = [
    (1, True),
    (0, False),
    (0, None),
    ("1", 1),
    ("x", b"x"),
    ("x", Code("x")),
    (Code("x"), Code("x", {})),
    (b"x", Binary(b"x", 128)),
    ("0" * 24, ObjectId("0" * 24)),
    (datetime(2020, 1, 1), Timestamp(1577836800, 1)),
    (MinKey(), MaxKey()),
    ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ([], {}),
    (Regex("x", "i"), Regex("x")),
]


@pytest.mark.parametrize(("one", "other"), SAME_FILTER)
def test_one_filter(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert canonical_filter(one) == canonical_filter(other)
    assert hash(canonical_filter(one)) == hash(canonical_filter(other))


@pytest.mark.parametrize(("one", "other"), OTHER_FILTER)
def test_two_filters(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert canonical_filter(one) != canonical_filter(other)


@pytest.mark.parametrize(("one", "other", "same"), VALIDATORS)
def test_validators(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert (canonical_filter(one) == canonical_filter(other)) is same


@pytest.mark.parametrize(("one", "other", "same"), SCHEMAS)
def test_schemas(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert (canonical_schema(one) == canonical_schema(other)) is same


@pytest.mark.parametrize(("one", "other", "same"), PROJECTIONS)
def test_projections(one: dict[str, Any], other: dict[str, Any], same: bool) -> None:
    assert (canonical_projection(one) == canonical_projection(other)) is same


@pytest.mark.parametrize(("one", "other"), SAME_VALUE)
def test_one_value(one: Any, other: Any) -> None:
    assert canonical(one) == canonical(other)
    assert hash(canonical(one)) == hash(canonical(other))


@pytest.mark.parametrize(("one", "other"), OTHER_VALUE)
def test_two_values(one: Any, other: Any) -> None:
    assert canonical(one) != canonical(other)


EXACT = [
    (1, 1, True),
    (1, 1.0, False),
    (1, Int64(1), False),
    (2**40, Int64(2**40), True),
    *((number, Int64(number), False) for number in (0, 5, 2**31 - 1, -(2**31))),
    *((number, Int64(number), True) for number in (2**31, -(2**31) - 1)),
    (0.0, -0.0, False),
    (NAN, NAN, True),
    (Decimal128("1.0"), Decimal128("1.00"), False),
    ([{"a": 1}], ({"a": 1},), True),
    ([{"a": 1}], [{"a": True}], False),
]


@pytest.mark.parametrize(("one", "other", "same"), EXACT)
def test_exact_values(one: Any, other: Any, same: bool) -> None:
    assert (exact(one) == exact(other)) is same
