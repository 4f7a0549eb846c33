"""``transform_documents``: what a function returns is what is stored; what others change meanwhile is not lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import bson
import pytest
from bson import Decimal128, Int64, ObjectId
from bson.raw_bson import RawBSONDocument
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncmig import Delete
from asyncmig.drivers import driver_for
from asyncmig.errors import OperationRefused
from asyncmig.operations import Pace, Tally, TransformDocuments
from asyncmig.running.applying.apply import Context, apply

from ..running.applying_helpers import run
from ..servers import SERVER
from .keys import KEYS
from .test_update import Meanwhile, filled

pytestmark = pytest.mark.servers


async def do(database: Any, function: Any, filter_: Any = None, size: int = 7, **given: Any) -> Tally:
    operation = TransformDocuments("c", filter_ or {}, function, pace=Pace(batch_size=size), **given)
    return Tally.read((await run(database, operation))[0])


def plus_one(document: Any) -> Any:
    document["n"] += 1
    return document


async def plus_one_later(document: Any) -> Any:
    await asyncio.sleep(0)
    return {**document, "n": document["n"] + 1}


@pytest.mark.parametrize("function", [plus_one, plus_one_later, lambda document: {"$inc": {"n": 1}}])
@pytest.mark.parametrize("size", [1, 10, 1000])
async def test_ids_of_every_type_in_one_collection(turn: Any, function: Any, size: int) -> None:
    keys = [key for key in KEYS if not isinstance(key, bson.DatetimeMS)]
    documents = await filled(turn, keys)
    assert await do(turn, function, size=size) == Tally(len(keys), len(keys))
    assert await documents.count_documents({"n": 1}) == len(keys)


async def test_a_date_that_the_users_client_cannot_read_stops_there(database: Any) -> None:
    await filled(database, KEYS)
    with pytest.raises(
        OperationRefused, match=r"the document with _id DatetimeMS\(-1152921504606846976\).*out of range"
    ):
        await do(database, plus_one)


@pytest.mark.parametrize(
    ("result", "expected", "tally"),
    [
        (None, {"_id": 1, "n": 0, "sub": {"a": [1]}}, Tally(1, skipped=1)),
        (Delete, None, Tally(1, deleted=1)),
        (Delete(), None, Tally(1, deleted=1)),
        ({"_id": 1, "n": 0, "sub": {"a": [1]}}, {"_id": 1, "n": 0, "sub": {"a": [1]}}, Tally(1, skipped=1)),
        ({"n": 5}, {"_id": 1, "n": 5}, Tally(1, 1)),
        ({}, {"_id": 1}, Tally(1, 1)),
        ({"sub": {"a": [1]}, "n": 0}, {"_id": 1, "sub": {"a": [1]}, "n": 0}, Tally(1, 1)),
        ({"$set": {"sub.a": 2}}, {"_id": 1, "n": 0, "sub": {"a": 2}}, Tally(1, 1)),
        ({"$unset": {"x": ""}}, {"_id": 1, "n": 0, "sub": {"a": [1]}}, Tally(1, skipped=1)),
        ([{"$set": {"n": {"$size": "$sub.a"}}}], {"_id": 1, "n": 1, "sub": {"a": [1]}}, Tally(1, 1)),
    ],
)
async def test_what_a_function_may_return(turn: Any, result: Any, expected: Any, tally: Tally) -> None:
    await turn["c"].insert_one({"_id": 1, "n": 0, "sub": {"a": [1]}})
    assert await do(turn, lambda document: result) == tally
    found = await turn["c"].find_one({})
    assert (found and list(found.items())) == (expected and list(expected.items()))


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (5, "the function returned 5: return a document, an update, None or Delete"),
        ("x", "return a document"),
        ({"_id": 2, "n": 1}, "the function changed the _id to 2"),
        ({"_id": Int64(1)}, "changed the _id"),
        ({"n": {1, 2}}, "cannot encode object"),
        ({"$foo": {"n": 1}}, "Unknown modifier"),
        ([{"$match": {}}], r"\$match is not allowed"),
    ],
)
async def test_what_it_may_not(turn: Any, result: Any, message: str) -> None:
    await filled(turn, range(5))
    with pytest.raises(OperationRefused, match=message) as caught:
        await do(turn, lambda document: result if document["_id"] == 1 else None)
    assert caught.value.details["_id"] == 1


async def test_only_what_matches_is_given_to_the_function(database: Any) -> None:
    documents = await filled(database, range(20))
    seen = []
    await do(database, lambda document: seen.append(document["_id"]), {"_id": {"$gte": 15}})
    assert sorted(set(seen)) == [15, 16, 17, 18, 19]
    assert await documents.count_documents({"n": 0}) == 20


async def test_with_a_projection_the_function_sees_a_part_and_returns_an_update(database: Any) -> None:
    documents = await filled(database, range(10), big="x" * 1000)
    seen = []
    assert await do(
        database, lambda document: seen.append(set(document)) or {"$inc": {"n": 1}}, projection={"n": 1}
    ) == Tally(10, 10)
    assert all(names == {"_id", "n"} for names in seen)
    assert await documents.count_documents({"n": 1, "big": {"$exists": True}}) == 10
    with pytest.raises(OperationRefused, match="was given a part of the document"):
        await do(database, plus_one, projection={"n": 1})


async def test_memory_and_calls_are_bounded_by_concurrency(database: Any) -> None:
    await filled(database, range(60))
    running = most = 0

    async def function(document: Any) -> Any:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001)
        running -= 1
        return {"$inc": {"n": 1}}

    assert await do(database, function, size=5, concurrency=3) == Tally(60, 60)
    assert 1 < most <= 3


# -- what others change meanwhile ---------------------------------------------------------------


async def with_a_writer(database: Any, write: Callable[[Any], Any], **given: Any) -> tuple[Tally, list[int]]:
    """Somebody changes document 3 after the function has seen it for the first time; how often it saw each."""
    documents = await filled(database, range(10), other=0, version=0)
    seen: list[int] = []

    async def function(document: Any) -> Any:
        seen.append(document["_id"])
        if document["_id"] == 3 and seen.count(3) == 1:
            await write(documents)
        return {**document, "n": document["n"] + 1}

    return await do(database, function, **given), seen


async def test_a_document_that_was_changed_is_read_again(database: Any) -> None:
    async def write(documents: Any) -> None:
        await documents.update_one({"_id": 3}, {"$set": {"other": 7}, "$inc": {"n": 10}})

    tally, seen = await with_a_writer(database, write)
    assert tally == Tally(10, 10)
    assert await database["c"].find_one({"_id": 3}) == {"_id": 3, "n": 11, "other": 7, "version": 0}
    assert sorted(seen) == sorted([*range(10), 3])


async def test_changes_of_type_alone_are_changes(database: Any) -> None:
    async def write(documents: Any) -> None:
        await documents.update_one({"_id": 3}, {"$set": {"other": 0.0}})

    _, seen = await with_a_writer(database, write)
    assert seen.count(3) == 2


async def test_a_document_that_was_deleted_stays_so(database: Any) -> None:
    async def write(documents: Any) -> None:
        await documents.delete_one({"_id": 3})

    tally, _ = await with_a_writer(database, write)
    assert tally == Tally(9, 9)
    assert await database["c"].count_documents({}) == 9


async def test_a_document_that_came_in_between_is_met(database: Any) -> None:
    async def write(documents: Any) -> None:
        await documents.insert_one({"_id": 3.5, "n": 0})

    assert (await with_a_writer(database, write))[0] == Tally(11, 11)
    assert await database["c"].count_documents({"n": 1}) == 11


async def test_by_a_version_field_only_its_change_counts(database: Any) -> None:
    async def bump(documents: Any) -> None:
        await documents.update_one({"_id": 3}, {"$inc": {"version": 1}, "$set": {"other": 7}})

    async def keep(documents: Any) -> None:
        await documents.update_one({"_id": 3}, {"$set": {"other": 8}})

    assert (await with_a_writer(database, bump, version_field="version"))[1].count(3) == 2
    await database["c"].drop()
    assert (await with_a_writer(database, keep, version_field="version"))[1].count(3) == 1
    assert await database["c"].find_one({"_id": 3}) == {"_id": 3, "n": 1, "other": 8, "version": 0}


async def test_writers_at_work_all_the_time_lose_nothing(database: Any) -> None:
    documents = await filled(database, range(300), theirs=0)
    done = asyncio.Event()

    async def others(number: int) -> int:
        written = 0
        while not done.is_set():
            number = (number * 7 + 3) % 300
            written += (await documents.update_one({"_id": number}, {"$inc": {"theirs": 1}})).modified_count
        return written

    writers = [asyncio.create_task(others(first)) for first in (1, 50, 151)]
    try:
        tally = await do(database, plus_one, size=40)
    finally:
        done.set()
        written = sum(await asyncio.gather(*writers))
    assert tally == Tally(300, 300)
    assert await documents.count_documents({"n": 1}) == 300
    assert sum([one["theirs"] async for one in documents.find()]) == written > 0


async def test_documents_that_come_later(database: Any) -> None:
    """By a filter that the function makes false all are covered; without one, those above the highest ``_id``."""
    for filter_, covered in (({"done": {"$exists": False}}, 23), ({}, 22)):
        documents = await filled(database, range(0, 40, 2))

        async def insert(into: Any = documents) -> None:
            await into.insert_many([{"_id": key, "n": 0} for key in (1, 37, 99)])

        operation = TransformDocuments(
            "c",
            filter_,
            lambda document: {"$set": {"done": 1}, "$inc": {"n": 1}},
            pace=Pace(batch_size=5),
            concurrency=1,
        )
        await apply(operation, Context(driver_for(database), progress=Meanwhile(database, insert)))
        assert await documents.count_documents({"n": 1}) == covered
        assert await documents.count_documents({"n": {"$gt": 1}}) == 0
        await documents.drop()


# -- what is stored is what was returned, byte for byte -----------------------------------------

INNER_NAMES = "ab$." if SERVER.supports("5.0") else "ab"  # a server before 5.0 stores no such names
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**31), 2**31 - 1),
        st.integers(-(2**63), 2**63 - 1).map(Int64),
        st.floats(),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
        st.binary(max_size=3),
        st.sampled_from([ObjectId("0" * 24), Decimal128("1.10"), Decimal128("1.1")]),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(INNER_NAMES), inner, max_size=2),
    max_leaves=3,
)
names = st.sampled_from(["a", "b", "B", "c", "1", "10", "ä", "a b"])
contents = st.dictionaries(names, values, max_size=4)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(pairs=st.lists(st.tuples(contents, contents), min_size=1, max_size=20))
async def test_the_stored_document_is_the_returned_one(turn: Any, pairs: list[tuple[Any, Any]]) -> None:
    documents = turn["c"]
    await documents.delete_many({})
    await documents.insert_many([{"_id": number, **old} for number, (old, _) in enumerate(pairs)])
    await do(turn, lambda document: {"_id": document["_id"], **pairs[document["_id"]][1]}, size=100)
    raw = documents.with_options(codec_options=bson.CodecOptions(document_class=RawBSONDocument))
    found = [bytes(one.raw) for one in await raw.find({}).sort("_id").to_list(None)]
    assert found == [bson.encode({"_id": number, **new}) for number, (_, new) in enumerate(pairs)]
