"""Which updates may be applied twice: never said of one that may not."""

from __future__ import annotations

from typing import Any

import pytest

from asyncmig.operations.retryability import is_idempotent

TWICE: list[Any] = [
    {"$set": {"a": 1}},
    {"$set": {"a": 1}, "$unset": {"b": ""}, "$max": {"c": 3}},
    {"$rename": {"a": "b"}},
    {"$addToSet": {"a": 1}, "$currentDate": {"b": True}},
    [{"$set": {"a": 1}}],
    [{"$set": {"a": "$b"}}],
    [{"$addFields": {"a": {"$concat": ["$b", "$$NOW", "$c.d"]}}}, {"$unset": ["x", "y"]}],
    [{"$set": {"a": {"$literal": "$a"}}}],
    [{"$set": {"a.b": "$a2.b"}}],
]
ONCE: list[Any] = [
    {"$inc": {"a": 1}},
    {"$mul": {"a": 2}},
    {"$push": {"a": 1}},
    {"$pop": {"a": 1}},
    {"$bit": {"a": {"xor": 1}}},
    {"$set": {"a": 1}, "$inc": {"b": 1}},
    [{"$set": {"a": {"$add": ["$a", 1]}}}],
    [{"$set": {"a": "$b"}}, {"$set": {"b": "$a"}}],
    [{"$set": {"a": "$a.b"}}],
    [{"$set": {"a.b": "$a"}}],
    [{"$set": {"a": "$b"}}, {"$unset": "b"}],
    [{"$set": {"a": "$$ROOT"}}],
    [{"$set": {"a": "$$CURRENT.a"}}],
    [{"$set": {"a": {"$let": {"vars": {"x": "$$ROOT"}, "in": "$$x.a"}}}}],
    [{"$set": {"a": {"$rand": {}}}}],
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


@pytest.mark.parametrize("update", TWICE, ids=repr)
async def test_the_server_agrees(turn: Any, update: Any) -> None:
    documents = turn["c"]
    await documents.insert_one({"_id": 1, "a": 2, "b": "x", "c": {"d": "y"}, "a2": {"b": 3}, "x": 1})
    if "$currentDate" in str(update) or "$$NOW" in str(update):
        return  # true but for the time
    await documents.update_many({}, update)
    once = await documents.find_one({})
    await documents.update_many({}, update)
    assert await documents.find_one({}) == once
