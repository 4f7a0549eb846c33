"""What the methods of ``env`` for data refuse before anything runs, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from asyncmig.errors import DeclarationError
from asyncmig.operations import Pace, UpdateInBatches
from asyncmig.running.env.env import Env

SET = {"$set": {"a": 1}}


def env() -> tuple[Any, list[Any]]:
    performed: list[Any] = []

    async def perform(operation: Any) -> None:
        performed.append(operation)

    driver: Any = None
    return Env(driver, perform, collections=set()), performed


@pytest.mark.parametrize(
    ("method", "arguments", "given", "words"),
    [
        ("update_in_batches", ({}, SET), {"batch_size": 0}, "batch_size is a whole number from 1 on, not 0"),
        ("update_in_batches", ({}, SET), {"batch_size": -1}, "batch_size is a whole number"),
        ("update_in_batches", ({}, SET), {"batch_size": True}, "batch_size is a whole number"),
        ("update_in_batches", ({}, SET), {"batch_size": 2.0}, "batch_size is a whole number"),
        ("update_in_batches", ({}, SET), {"max_per_second": 0}, "max_per_second is a number of documents above 0"),
        ("update_in_batches", ({}, SET), {"max_per_second": float("nan")}, "max_per_second"),
        ("update_in_batches", ({}, SET), {"max_lag": "5"}, "max_lag is a number of seconds above 0"),
        ("update_in_batches", ({}, SET), {"max_queue": -1}, "max_queue is a number of operations from 0 on"),
        ("update_in_batches", ({}, SET), {"on_error": "skip"}, "on_error is one of 'fail', 'collect', not 'skip'"),
        ("update_in_batches", ({}, SET), {"upsert": True}, "upsert is not known"),
        ("update_in_batches", ({}, SET), {"arrayFilter": []}, "arrayFilter is not known.*arrayFilters"),
        ("update_in_batches", ({}, [{"$set": {}}]), {"arrayFilters": [{"x": 1}]}, "cannot go with a pipeline"),
        ("update_in_batches", ({}, {}), {}, "update is empty"),
        ("update_in_batches", ({}, []), {}, "update is a pipeline without stages"),
        ("update_in_batches", ({}, {"a": 1}), {}, "'a', which is no operator; to set fields write"),
        ("update_in_batches", ({}, {"$set": 5}), {}, "is a document"),
        ("update_in_batches", ({}, {"$set": {"$a": 1}}), {}, "the name of a field does not begin with \\$"),
        ("update_in_batches", ({}, {"$set": {"a..b": 1}}), {}, "with an empty name in it"),
        ("update_in_batches", ({}, [{"$match": {}}]), {}, "update\\[0\\] is one of"),
        ("update_in_batches", ({}, "x"), {}, "update"),
        ("update_in_batches", ([], SET), {}, "filter"),
        ("transform_documents", ({}, None), {}, "function is a function that takes a document"),
        ("transform_documents", ({}, len), {"concurrency": 0}, "concurrency is a whole number from 1 on"),
        ("transform_documents", ({}, len), {"version_field": "$v"}, "does not begin with \\$"),
        ("transform_documents", ({}, len), {"projection": 5}, "projection"),
        ("rename_field", ("$a", "b"), {}, "old has '\\$a': the name of a field does not begin with \\$"),
        ("rename_field", ("a.$b", "b"), {}, "does not begin with \\$"),
        ("rename_field", ("a", "a"), {}, "is 'a' as well"),
        ("rename_field", ("a", "a.b"), {}, "lie one within the other"),
        ("rename_field", ("_id", "b"), {}, "an _id cannot be changed"),
        ("rename_field", ("a", "_id.b"), {}, "an _id cannot be changed"),
        ("rename_field", ("", "b"), {}, "old"),
        ("rename_field", ("a\0", "b"), {}, "with a NUL in it"),
        ("rename_field", ("a", "b"), {"on_conflict": "x"}, "on_conflict is one of"),
        ("remove_field", ("a",), {"keep_in": "a"}, "is 'a' as well"),
        ("convert_field", ("a",), {"to": "integer"}, "to is one of"),
        ("convert_field", ("a",), {"to": "int", "from_": "int"}, "there is nothing to convert"),
        ("convert_field", ("a",), {"to": "int", "on_error": "x"}, "or a function"),
    ],
)
async def test_refused(method: str, arguments: Any, given: Any, words: str) -> None:
    there, performed = env()
    with pytest.raises(DeclarationError, match=words):
        await getattr(there, method)("c", *arguments, **given)
    assert performed == []


async def test_what_is_meant_is_taken() -> None:
    there, performed = env()
    await there.update_in_batches(
        "c", {"x": 1}, SET, batch_size=5, max_per_second=10, max_lag=2, max_queue=0, hint="x_1"
    )
    wanted = UpdateInBatches("c", {"x": 1}, SET, {"hint": "x_1"}, pace=Pace(5, 10, 2, 0))
    assert performed == [wanted]


async def test_what_is_given_may_be_changed_afterwards() -> None:
    there, performed = env()
    filter_: dict[str, Any] = {"x": {"$in": [1]}}
    await there.update_in_batches("c", filter_, SET)
    filter_["x"]["$in"].append(2)
    assert performed[0].filter == {"x": {"$in": [1]}}
