"""Which updates may be applied twice: never said of one that may not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from asyncmig.operations.repeatability import is_idempotent

NOW = datetime(2026, 1, 1, tzinfo=UTC)
BIG, SMALL = {"x.v": {"$gt": 1}}, {"y.v": {"$lt": 2}}

TWICE: list[Any] = [
    {"$set": {"a": 1}},
    {"$set": {"a": 1}, "$unset": {"b": ""}, "$max": {"c": 3}},
    {"$set": {"a.0": 1, "a.3.b": 2}},
    {"$set": {"a.$[].v": 1}},
    {"$set": {"a.$[x].v": 5, "a.$[x].w": 6, "b": 1}},
    {"$set": {"a.$[x].b.$[y].v": 5, "a.$[x].b.$[y].w": 6}},
    {"$unset": {"a.$[x]": ""}},
    {"$min": {"a.$[x].b.$[].v": NOW}},
    {"$rename": {"a": "b", "c.d": "e"}},
    {"$addToSet": {"a": 1, "b": {"$each": [1, 2]}}},
    {"$pull": {"a": {"v": 1}, "b": 1}},
    {"$pullAll": {"a": [1, 2]}},
    {"$bit": {"a": {"and": 5}, "b": {"or": 2, "and": 6}}},
    {"$setOnInsert": {"a": 1}},
    [{"$set": {"a": 1}}],
    [{"$set": {"a": "$b"}}],
    [{"$addFields": {"a": {"$concat": ["$b", "$c.d"]}}}, {"$unset": ["x", "y"]}],
    [{"$set": {"a": {"$literal": "$a"}}}],
    [{"$set": {"a": {"$literal": {"$rand": "$$NOW"}}}}],
    [{"$set": {"a.b": "$a2.b"}}],
    [{"$set": {"a": {"$map": {"input": "$b", "as": "it", "in": {"n": {"$toString": "$$it.n"}}}}}}],
    [{"$set": {"a": {"$cond": [{"$eq": ["$b", 1]}, "$$REMOVE", {"c": "$b"}]}}}],
]
ONCE: list[Any] = [
    {"$inc": {"a": 1}},
    {"$mul": {"a": 2}},
    {"$push": {"a": 1}},
    {"$pop": {"a": 1}},
    {"$bit": {"a": {"xor": 1}}},
    {"$bit": {"a": {"and": 1, "xor": 1}}},
    {"$currentDate": {"a": True}},
    {"$set": {"a": 1}, "$inc": {"b": 1}},
    {"$set": {"a": 1}, "$unknown": {"b": 1}},
    {"$set": {"a.$": 1}},
    {"$set": {"a.$.b": 1}},
    {"$unset": {"b.a.$": ""}},
    {"$pull": {"a.$.b": 1}},
    {"$set": {"a.$[].v": 1, "a.$[x].w": 2}},
    {"$set": {"a.$[x].v": 1}, "$unset": {"a.$[y].w": ""}},
    {"$set": {"a.0.v": 1, "a.$[x].w": 2}},
    {"$set": {"a.$[x].b.$[y].v": 1, "a.$[x].w": 2}},
    [{"$set": {"a": {"$add": ["$a", 1]}}}],
    [{"$set": {"a": "$b"}}, {"$set": {"b": "$a"}}],
    [{"$set": {"a": "$a.b"}}],
    [{"$set": {"a.b": "$a"}}],
    [{"$set": {"a": "$b"}}, {"$unset": "b"}],
    [{"$set": {"a": "$$ROOT"}}],
    [{"$set": {"a": "$$CURRENT.a"}}],
    [{"$set": {"a": "$$NOW"}}],
    [{"$set": {"a": {"b": [{"$min": ["$b", "$$CLUSTER_TIME"]}]}}}],
    [{"$set": {"a": {"$let": {"vars": {"x": "$$ROOT"}, "in": "$$x.a"}}}}],
    [{"$set": {"a": {"$rand": {}}}}],
    [{"$set": {"a": {"$createObjectId": {}}}}],
    [{"$set": {"a": {"$unknown": "$b"}}}],
    [{"$set": {"a": {"$function": {"body": "f", "args": [], "lang": "js"}}}}],
    [{"$set": {"a": {"$getField": "a"}}}],
    [{"$replaceWith": {"a": 1}}],
    [{"$project": {"a": 1}}],
]


@pytest.mark.parametrize("update", TWICE, ids=repr)
def test_may_be_applied_twice(update: Any) -> None:
    assert is_idempotent(update)


@pytest.mark.parametrize("update", ONCE, ids=repr)
def test_may_not(update: Any) -> None:
    assert not is_idempotent(update)


@pytest.mark.parametrize(
    ("variables", "expected"), [({"x": 1}, True), ({"x": "$$NOW"}, False), ({"x": [{"$rand": {}}]}, False)]
)
def test_variables_are_to_be_plain_values(variables: dict[str, Any], expected: bool) -> None:
    assert is_idempotent([{"$set": {"a": "$$x"}}], {"let": variables}) is expected


# -- held against the server ----------------------------------------------------------------------

numbers = st.integers(0, 4)
elements = st.fixed_dictionaries({"v": numbers}, optional={"w": numbers, "t": st.lists(numbers, max_size=3)})
values = numbers | st.lists(numbers, max_size=4) | st.lists(elements, max_size=4) | elements
stored = st.fixed_dictionaries({}, optional={"a": values, "b": values, "c": values})

roots = st.sampled_from(["a", "b", "c"])
steps = st.sampled_from(["$[]", "$[x]", "$[y]", "$", "0", "2"])
leaves = st.sampled_from(["v", "w", "t", "t.$[]", "t.$[y]"])
paths = st.one_of(
    roots,
    st.tuples(roots, steps).map(".".join),
    st.tuples(roots, steps, leaves).map(".".join),
    st.tuples(roots, leaves).map(".".join),
)
operands = numbers | elements
operators: list[tuple[str, st.SearchStrategy[Any]]] = [
    ("$set", operands | st.lists(operands, max_size=2)),
    ("$unset", st.just("")),
    ("$inc", numbers),
    ("$mul", numbers),
    ("$min", operands),
    ("$max", operands),
    ("$push", operands | st.just({"$each": [3, 1], "$sort": 1, "$slice": -2})),
    ("$addToSet", operands | st.just({"$each": [1, 2]})),
    ("$pull", operands | st.just({"v": {"$gt": 1}}) | st.just({"$lt": 2})),
    ("$pullAll", st.lists(numbers, max_size=2)),
    ("$pop", st.sampled_from([1, -1])),
    ("$bit", st.dictionaries(st.sampled_from(["and", "or", "xor"]), numbers, min_size=1)),
    ("$rename", st.tuples(roots, leaves).map(".".join) | st.just("d")),
]
single = st.one_of(
    *(st.tuples(st.just(name), st.dictionaries(paths, what, min_size=1, max_size=2)) for name, what in operators)
)
with_operators = st.lists(single, min_size=1, max_size=2, unique_by=lambda one: one[0]).map(dict)

read = st.sampled_from(["$a", "$b", "$c", "$a.v", "$b.t", "$$ROOT.a", "$$x"])
expressions = st.one_of(
    read,
    numbers,
    st.tuples(read, read).map(lambda two: {"$ifNull": list(two)}),
    st.tuples(read, numbers).map(lambda two: {"$cond": [{"$isNumber": two[0]}, {"$add": [two[0], 1]}, two[1]]}),
    read.map(lambda one: {"$objectToArray": {"$cond": [{"$eq": [{"$type": one}, "object"]}, one, {}]}}),
    read.map(lambda one: {"$map": {"input": {"$ifNull": [[one], []]}, "in": "$$this"}}),
    read.map(lambda one: {"$let": {"vars": {"z": one}, "in": "$$z"}}),
    read.map(lambda one: {"k": one}),
    st.just({"$literal": "$a"}),
    st.just({"$getField": "a"}),
)
fields = st.sampled_from(["a", "b", "c", "a.v", "b.t", "d"])
stages = st.one_of(
    st.dictionaries(fields, expressions, min_size=1, max_size=2).map(lambda one: {"$set": one}),
    st.lists(fields, min_size=1, max_size=2, unique=True).map(lambda some: {"$unset": some}),
    st.just({"$replaceWith": {"a": "$b", "b": "$a"}}),
)


@pytest.fixture(scope="module")
def documents(server_url: str) -> Iterator[Any]:
    with MongoClient[dict[str, Any]](server_url, w=1) as client:
        yield client["repeatability"]["c"]
        client.drop_database("repeatability")


@settings(
    max_examples=4 * settings().max_examples, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(update=with_operators | st.lists(stages, min_size=1, max_size=3), held=st.lists(stored, min_size=2, max_size=2))
def test_the_server_agrees(documents: Any, update: Any, held: list[dict[str, Any]]) -> None:
    """What is said to be the same when done twice is, whatever operators, paths and documents."""
    if not is_idempotent(update):
        event("not repeatable")
        return
    documents.drop()
    documents.insert_many([{"_id": number, **each} for number, each in enumerate(held)])
    text = str(update)
    filters = [one for one, name in ((BIG, "$[x]"), (SMALL, "$[y]")) if name in text]
    options: dict[str, Any] = {"array_filters": filters} if filters else {}
    if isinstance(update, list):
        options["let"] = {"x": 3}
    try:
        documents.update_many({}, update, **options)
        once = list(documents.find())
        documents.update_many({}, update, **options)
    except PyMongoError:
        event("refused by the server")
        return
    event("compared")
    assert list(documents.find()) == once
