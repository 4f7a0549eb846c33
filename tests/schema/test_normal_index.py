"""The normal form of indexes beyond the oracle: what a server says differently from what it was asked."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest
from bson import SON, Decimal128, Int64
from hypothesis import given
from hypothesis import strategies as st
from pymongo import IndexModel
from pymongo.collation import Collation

from asyncmig import Index
from asyncmig.errors import DeclarationError
from asyncmig.schema.normal import definition, index_from_server, normal_index, signature

TEXT = {"default_language": "english", "language_override": "language", "textIndexVersion": 3}

LISTED: list[tuple[Index, dict[str, Any]]] = [
    # fields named in the weights alone are text fields; with $** nothing else has to be named
    (
        Index([("b", "text")], weights={"a": 1}),
        {"key": {"_fts": "text", "_ftsx": 1}, "weights": {"a": 1, "b": 1}, **TEXT},
    ),
    (
        Index([("$**", "text"), ("a", "text")]),
        {"key": {"_fts": "text", "_ftsx": 1}, "weights": {"$**": 1, "a": 1}, **TEXT},
    ),
    (
        Index([("a", "text")], weights={"$**": 3}),
        {"key": {"_fts": "text", "_ftsx": 1}, "weights": {"$**": 3, "a": 1}, **TEXT},
    ),
    (
        Index([("$**", "text")], weights={"$**": 2.9}),
        {"key": {"_fts": "text", "_ftsx": 1}, "weights": {"$**": 2}, **TEXT},
    ),
    (Index([("a", "text")], weights={}), {"key": {"_fts": "text", "_ftsx": 1}, "weights": {"a": 1}, **TEXT}),
    (
        Index([("a", "text")], weights={"b": 2}, expireAfterSeconds=5),
        {"key": {"_fts": "text", "_ftsx": 1}, "weights": {"a": 1, "b": 2}, "expireAfterSeconds": 5, **TEXT},
    ),
    (
        Index([("z", 1), ("b", "text"), ("a", "text"), ("y", -1)]),
        {"key": {"z": 1, "_fts": "text", "_ftsx": 1, "y": -1}, "weights": {"a": 1, "b": 1}, **TEXT},
    ),
    (
        Index([("a", 1), ("b", "text")], weights={"a": 1}),
        {"key": {"a": 1, "_fts": "text", "_ftsx": 1}, "weights": {"a": 1, "b": 1}, **TEXT},
    ),
    (
        Index([("a", 1), ("_fts", "text"), ("_ftsx", 1)], weights={"a": 1}),
        {"key": {"a": 1, "_fts": "text", "_ftsx": 1}, "weights": {"a": 1}, **TEXT},
    ),
    # options that mean nothing on other kinds of index are kept all the same
    (Index("a", default_language="english"), {"key": {"a": 1}, "default_language": "english"}),
    (Index("a", bits=20.7, min=1), {"key": {"a": 1}, "bits": 20, "min": 1.0}),
    (Index("a", finestIndexedLevel=3.7), {"key": {"a": 1}, "finestIndexedLevel": 3}),
    # numbers
    (Index("a", expireAfterSeconds=Decimal128("5.5")), {"key": {"a": 1}, "expireAfterSeconds": 6}),
    (Index("a", expireAfterSeconds=-0.5), {"key": {"a": 1}, "expireAfterSeconds": 0}),
    (Index("a", expireAfterSeconds=2147483647.5), {"key": {"a": 1}, "expireAfterSeconds": 2147483647}),
    (Index("a", unique=float("nan")), {"key": {"a": 1}, "unique": True}),
    (Index("a", unique=Decimal128("0")), {"key": {"a": 1}}),
    (Index([("a", Decimal128("-1"))]), {"key": {"a": Decimal128("-1")}}),
    (Index([("a", 0.4)]), {"key": {"a": 0.4}}),
    (Index([("a", float("inf"))]), {"key": {"a": float("inf")}}),
    (Index([("a", 1e300)]), {"key": {"a": 1e300}}),
    (Index([("g", "2d")], bits=26, min=-180), {"key": {"g": "2d"}}),
]


@pytest.mark.parametrize(("asked", "listed"), LISTED, ids=lambda value: repr(value)[:60])
def test_asked_and_listed_are_one(asked: Index, listed: dict[str, Any]) -> None:
    one, other = normal_index(asked), index_from_server({"v": 2, "name": asked.name, **listed})
    assert definition(one) == definition(other)
    assert signature(one) == signature(other)
    assert normal_index(one) == one
    assert normal_index(other) == other


APART = [
    (Index([("a", 1), ("b", 1)]), Index([("b", 1), ("a", 1)])),
    (Index([("a", 1)]), Index([("a", 2)])),
    (Index([("a", 1)]), Index([("a", -1)])),
    (Index("a", unique=True), Index("a")),
    (Index("a", hidden=True), Index("a")),
    (Index("a", prepareUnique=True), Index("a")),
    (Index("a", expireAfterSeconds=0), Index("a")),
    (Index("a", partialFilterExpression={}), Index("a")),
    (Index("a", storageEngine={"wiredTiger": {"configString": "x"}}), Index("a")),
    (Index([("a", "text")]), Index([("b", "text")])),
    (Index([("a", "text")]), Index([("a", "text")], weights={"a": 2})),
    (Index([("a", "text")]), Index([("a", "text")], default_language="french")),
    (Index([("a", "text")], default_language="fr"), Index([("a", "text")], default_language="french")),
    (Index([("$**", "text")]), Index([("$**", "text")], weights={"a": 1})),
    (Index([("g", "2d")]), Index([("g", "2d")], bits=20)),
    (Index([("g", "2dsphere")]), Index([("g", "2dsphere")], finestIndexedLevel=5)),
    (Index("$**"), Index("$**", wildcardProjection={"_id": 0})),
]


@pytest.mark.parametrize(("one", "other"), APART)
def test_differences(one: Index, other: Index) -> None:
    assert definition(normal_index(one)) != definition(normal_index(other))


TAKEN: list[tuple[Any, Index]] = [
    (IndexModel([("a", 1), ("b", -1)], unique=True), Index([("a", 1), ("b", -1)], unique=True)),
    (IndexModel("a", name="x", expireAfterSeconds=5), Index("a", name="x", expireAfterSeconds=5)),
    (IndexModel("a", collation=Collation("en", strength=2)), Index("a", collation={"locale": "en", "strength": 2})),
    (Index("a", collation=Collation("en")), Index("a", collation={"locale": "en"})),
    (SON([("a", 1), ("b", "text")]), Index([("a", 1), ("b", "text")])),
    ({"a": 1}, Index("a")),
    ("a", Index([("a", 1)])),
    ([("a", -1)], Index([("a", -1)])),
    (["a", ("b", -1)], Index([("a", 1), ("b", -1)])),
    (("a", "b"), Index([("a", 1), ("b", 1)])),
]


@pytest.mark.parametrize(
    ("entry", "index"), TAKEN, ids=lambda value: f"{type(value).__name__}{str(value)[:50] * isinstance(value, Index)}"
)
def test_what_is_taken_for_an_index(entry: Any, index: Index) -> None:
    assert Index.of(entry) == index
    assert Index.of(entry).name == index.name


@pytest.mark.parametrize("keys", [5, None, 1.5, b"a", ("a", -1), [("a",)], [("a", 1, 2)], [5], [(1, "a")]])
def test_what_is_not(keys: Any) -> None:
    with pytest.raises(DeclarationError, match="write for example"):
        Index.of(keys)


NAMES = [
    ("a", "a_1"),
    ([("a", 1), ("b", -1)], "a_1_b_-1"),
    ([("a", 1.0)], "a_1"),
    ([("a", Int64(-1))], "a_-1"),
    ([("$**", "text")], "$**_text"),
    ([("a.b", "2dsphere"), ("c", 1.5)], "a.b_2dsphere_c_1.5"),
]


@pytest.mark.parametrize(("keys", "name"), NAMES)
def test_default_names(keys: Any, name: str) -> None:
    assert Index(keys).name == name
    assert Index(keys, name="").name == Index(keys, name=None).name == name
    assert Index(keys).named_by_default


def test_an_index_is_a_value() -> None:
    index = Index([("a", 1)], unique=True)
    assert copy.deepcopy(index) == pickle.loads(pickle.dumps(index)) == index
    assert index.replace(unique=None) == Index("a")
    assert index.document == {"key": {"a": 1}, "name": "a_1", "unique": True}
    assert eval(repr(index)) == index


fields = st.sampled_from(["a", "b", "c.d", "имя", "z"])
directions = st.sampled_from([1, -1, 1.0, Int64(1), 2, 1.5, Decimal128("1"), "text", "2d", "2dsphere", "hashed"])
flags = st.sampled_from([True, False, 1, 0, 1.0])
numbers = st.one_of(st.integers(0, 1000), st.floats(0, 1000), st.just(float("nan")))
filters = st.recursive(
    st.dictionaries(fields, st.one_of(st.integers(), st.just({"$exists": 1}), st.just({"$in": [2, 1]})), max_size=2),
    lambda inner: st.fixed_dictionaries({"$and": st.lists(inner, min_size=1, max_size=2)}),
    max_leaves=4,
)
options = st.fixed_dictionaries(
    {},
    optional={
        "unique": flags,
        "sparse": flags,
        "hidden": flags,
        "background": flags,
        "expireAfterSeconds": numbers,
        "partialFilterExpression": filters,
        "collation": st.sampled_from([{"locale": "simple"}, {"locale": "th"}, {"locale": "en", "strength": 2.0}]),
        "weights": st.dictionaries(fields, st.integers(1, 9), max_size=3),
        "default_language": st.sampled_from(["english", "french"]),
        "bits": st.integers(1, 32),
        "min": st.sampled_from([-180, -180.0, 5]),
        "wildcardProjection": st.just({"a": {"b": 1}}),
        "storageEngine": st.sampled_from([{"wiredTiger": {}}, {"wiredTiger": {"configString": "x"}}]),
        "textIndexVersion": st.sampled_from([2, 3.0]),
        "v": st.sampled_from([1, 2]),
    },
)
collations = st.sampled_from([None, {"locale": "simple"}, {"locale": "fr_CA"}, {"locale": "th", "strength": 1}])


@given(st.dictionaries(fields, directions, min_size=1, max_size=4), options, collations)
def test_the_normal_form_is_its_own(
    keys: dict[str, Any], options: dict[str, Any], collation: dict[str, Any] | None
) -> None:
    once = normal_index(Index(keys, **options), collation)
    twice = normal_index(once, collation)
    assert twice == once
    assert definition(twice) == definition(once)
    assert signature(twice) == signature(once)
    assert hash(definition(once)) == hash(definition(twice))


@given(st.dictionaries(fields, directions, min_size=1, max_size=4), options, collations)
def test_what_is_sent_comes_back(
    keys: dict[str, Any], options: dict[str, Any], collation: dict[str, Any] | None
) -> None:
    """A server that answers as the facts say, without ``default_language`` and its like for other kinds."""
    normal = normal_index(Index(keys, **options), collation)
    spec = {"v": 2, **normal.document}
    if spec.get("collation") == {"locale": "simple"}:
        del spec["collation"]
    assert definition(index_from_server(spec, collation)) == definition(normal)
