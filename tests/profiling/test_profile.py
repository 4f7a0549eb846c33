"""A profile counts types, presence and time exactly; and what it finds against a schema."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import bson
import pytest
from bson import Binary, Code, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from asyncmig.profiling.bson_walk import members, type_name
from asyncmig.profiling.findings import compare
from asyncmig.profiling.profile import Collector
from asyncmig.profiling.rename_evidence import likely_renames

from .shapes import PLAIN, RENAMED, documents, profile_of

VALUES: dict[str, Any] = {
    "double": 1.5,
    "string": "é" * 100,
    "object": {"": {"x": 1}},
    "array": [1, [2, {"y": 3}]],
    "binData": Binary(b"12345", 4),
    "objectId": ObjectId(),
    "bool": True,
    "date": dt.datetime(2020, 1, 1),
    "null": None,
    "regex": Regex("a.b", "i"),
    "javascript": Code("x"),
    "javascriptWithScope": Code("x", {"a": 1}),
    "int": 1,
    "timestamp": Timestamp(1, 2),
    "long": Int64(1),
    "decimal": Decimal128("1.5"),
    "minKey": MinKey(),
    "maxKey": MaxKey(),
}
ODD = {
    "undefined": b"\x06u\x00",
    "symbol": b"\x0es\x00\x02\x00\x00\x00a\x00",
    "dbPointer": b"\x0cp\x00\x02\x00\x00\x00a\x00" + b"1" * 12,
}
"""What no driver writes any more, and databases with a past hold."""


def test_every_type_of_bson() -> None:
    found = {name: type_name(kind) for name, kind, _, _ in members(bson.encode(VALUES))}
    assert found == {name: name for name in VALUES}
    body = b"".join(ODD.values())
    odd = (len(body) + 5).to_bytes(4, "little") + body + b"\0"
    assert [type_name(kind) for _, kind, _, _ in members(odd)] == list(ODD)


def test_counts() -> None:
    found = profile_of(
        [
            {"a": 1, "b": {"c": "x"}, "t": [1, "x", {"y": 1}]},
            {"a": "x", "b": {"c": None, "d": 1}, "t": []},
            {"b": None, "r": DBRef("c", 1)},
            {"t": [{"y": 2}, {"z": 3}]},
        ]
    )
    assert {path: dict(one.types) for path, one in found.paths.items()} == {
        "a": {"int": 1, "string": 1},
        "b": {"object": 2, "null": 1},
        "b.c": {"string": 1, "null": 1},
        "b.d": {"int": 1},
        "r": {"object": 1},
        "r.$id": {"int": 1},
        "r.$ref": {"string": 1},
        "t": {"array": 3},
        "t[]": {"int": 1, "string": 1, "object": 3},
        "t[].y": {"int": 2},
        "t[].z": {"int": 1},
    }
    assert (found.paths["a"].share, found.paths["b.d"].share, found.paths["t[].y"].share) == (0.5, 0.5, 2 / 3)
    assert (found.paths["t"].lengths.least, found.paths["t"].lengths.most, found.paths["t"].lengths.total) == (0, 3, 5)
    assert (found.error, found.rarest) == (0.0, 0.0)
    assert all(not one.examples for one in found.paths.values()), "examples are personal data"


def test_when_a_path_was_seen() -> None:
    early, late = ObjectId(bytes.fromhex("5e0be100") + b"1" * 8), ObjectId(bytes.fromhex("5fee6600") + b"1" * 8)
    found = profile_of([{"_id": late, "a": 1}, {"_id": early, "a": 1, "b": 1}, {"_id": 7, "c": 1}]).paths
    assert (found["a"].first_seen, found["a"].last_seen) == (early.generation_time, late.generation_time)
    assert found["b"].last_seen == early.generation_time
    assert found["c"].last_seen is None
    made = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    assert profile_of([{"_id": 1, "made": made}], by="made").paths["_id"].last_seen == made


def test_values_are_bounded() -> None:
    found = profile_of(
        [{"kind": f"k{number % 3}", "name": f"n{number}", "free": "x" * 100} for number in range(200)]
    ).paths
    assert found["kind"].values == Counter({"k0": 67, "k1": 67, "k2": 66})
    assert found["kind"].is_enumeration
    assert not found["name"].values
    assert not found["name"].is_enumeration
    assert not found["free"].values
    assert profile_of([{"a": "x"}], examples=True).paths["a"].examples == ["x"]


def test_paths_are_bounded() -> None:
    found = profile_of([{f"user{number}": 1} for number in range(300)], max_paths=100)
    assert (len(found.paths), found.truncated) == (100, True)


@pytest.mark.parametrize("name", RENAMED)
@pytest.mark.parametrize("seed", range(2))
def test_renames_are_found(name: str, seed: int) -> None:
    shape, expected = RENAMED[name]
    found = likely_renames(profile_of(documents(shape, 2_000, seed)))
    assert [(one.old, one.new) for one in found] == [expected]
    assert not found[0].told_by
    assert found[0].last_old is not None


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("seed", range(2))
def test_nothing_else_is_taken_for_a_rename(name: str, seed: int) -> None:
    assert likely_renames(profile_of(documents(PLAIN[name], 2_000, seed))) == []


def test_a_kind_in_the_place_of_another_is_told_apart() -> None:
    def replaced(random: Any, late: bool, age: float) -> dict[str, Any]:
        return {"kind": "iban", "iban": "x"} if late else {"kind": "card", "cardNo": "x"}

    (found,) = likely_renames(profile_of(documents(replaced, 2_000, 1)))
    assert (found.old, found.new, found.told_by) == ("cardNo", "iban", "kind")


SCHEMA = {
    "bsonType": "object",
    "required": ["number", "total"],
    "properties": {
        "number": {"bsonType": ["int", "long"]},
        "total": {"bsonType": ["double", "int", "long"]},
        "kind": {"enum": ["a", "b", None]},
        "meta": {"bsonType": "object"},
        "customer": {
            "bsonType": ["object", "null"],
            "required": ["name"],
            "properties": {"name": {"bsonType": "string"}},
        },
        "lines": {
            "bsonType": "array",
            "items": {"bsonType": "object", "properties": {"price": {"bsonType": "double"}}},
        },
        "gone": {"bsonType": "string"},
    },
}


def test_findings_against_a_schema() -> None:
    found = profile_of(
        [
            {
                "_id": 1,
                "number": 1,
                "total": 1.5,
                "kind": "a",
                "meta": {"x": 1},
                "customer": {"name": "x"},
                "lines": [{"price": 1.5}],
            },
            {
                "_id": 2,
                "total": "2",
                "kind": None,
                "customer": {"zip": "1"},
                "lines": [{"price": "1"}, 7],
                "debug": True,
            },
            {"_id": 3, "number": None, "total": 3, "kind": 5, "customer": None},
        ]
    )
    findings = compare(found, SCHEMA)
    assert {(finding.kind, finding.path) for finding in findings} == {
        ("missing", "number"),
        ("type", "number"),
        ("type", "total"),
        ("type", "kind"),
        ("missing", "customer.name"),
        ("type", "lines[]"),
        ("type", "lines[].price"),
        ("undeclared", "customer.zip"),
        ("undeclared", "debug"),
        ("unseen", "gone"),
    }
    assert [finding.breaks for finding in findings] == sorted((finding.breaks for finding in findings), reverse=True)
    (total,) = [finding for finding in findings if finding.path == "total"]
    assert (
        total.suggest == 'await env.convert_field("orders", "total", to="double", from_="string", on_error="collect")'
    )
    assert compare(profile_of([]), SCHEMA) == []
    assert {finding.path for finding in compare(found)} == {"kind", "total", "lines[]", "lines[].price"}


def test_an_empty_collection() -> None:
    found = Collector().profile("orders", 0, is_whole=True)
    assert (found.paths, found.error, found.rarest, compare(found)) == ({}, 0.0, 0.0, [])
