"""Documents that the server, or the function, refuses: stopped at, gone on from, or collected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncmig.errors import OperationRefused, RevisionFailed
from asyncmig.events import Event, OperationFinished
from asyncmig.operations import Pace, Tally, TransformDocuments, UpdateInBatches

from ..running.applying_helpers import run
from ..running.history_files import History, states
from .test_update import filled

FAILED = "asyncmig_revisions_failed"
BAD = {37, 38, 71}


async def guarded(database: Any, count: int = 100) -> Any:
    """Documents of which three cannot become n = 1 under the validator."""
    await database.create_collection("c", validator={"$nor": [{"bad": True, "n": {"$gte": 1}}]})
    await database["c"].insert_many([{"_id": key, "n": 0, "bad": key in BAD} for key in range(count)])
    return database["c"]


def operation(kind: str, **given: Any) -> Any:
    pace = Pace(batch_size=given.pop("size", 10))
    if kind == "update":
        return UpdateInBatches("c", {}, {"$inc": {"n": 1}}, pace=pace, **given)
    return TransformDocuments("c", {}, lambda document: document | {"n": document["n"] + 1}, pace=pace, **given)


@pytest.mark.parametrize("kind", ["update", "transform"])
async def test_the_server_refuses_one(database: Any, kind: str) -> None:
    documents = await guarded(database)
    with pytest.raises(OperationRefused, match="the document with _id 37: ") as caught:
        await run(database, operation(kind))
    assert caught.value.code == 121
    assert caught.value.details["_id"] == 37
    assert "37 documents before it are done, and stay so" in str(caught.value)
    assert await documents.count_documents({"n": 1}) == 37


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("kind", ["update", "transform"])
async def test_those_that_are_refused_are_collected(turn: Any, kind: str, size: int) -> None:
    documents = await guarded(turn)
    (result,) = await run(turn, operation(kind, on_error="collect", size=size))
    tally = Tally.read(result)
    assert (tally.matched, tally.modified, tally.failed) == (100, 97, 3)
    assert set(tally.failed_ids) == BAD
    assert str(tally) == f"100 matched, 97 modified, 3 failed, named in {FAILED}"
    assert await documents.count_documents({"n": 1}) == 97
    noted = await turn[FAILED].find({}).to_list(None)
    assert {one["_id"]["document"] for one in noted} == BAD
    assert {(one["collection"], one["code"]) for one in noted} == {("c", 121)}
    assert all(one["message"] for one in noted)


@pytest.mark.parametrize("kind", ["update", "transform"])
async def test_a_unique_index(turn: Any, kind: str) -> None:
    await turn["c"].insert_many([{"_id": key, "n": key} for key in (*range(0, 10, 2), 9)])
    await turn["c"].create_index("n", unique=True)
    with pytest.raises(OperationRefused, match="the document with _id 8: ") as caught:
        await run(turn, operation(kind))
    assert caught.value.code == 11000


@pytest.mark.parametrize("on_error", ["fail", "collect"])
async def test_a_function_that_raises(database: Any, on_error: str) -> None:
    documents = await filled(database, range(30))

    def function(document: Any) -> Any:
        if document["_id"] == 17:
            raise ZeroDivisionError("seventeen")
        return {"$set": {"n": 1}}

    wanted = TransformDocuments("c", {}, function, pace=Pace(batch_size=5), on_error=on_error)
    if on_error == "fail":
        with pytest.raises(OperationRefused, match="_id 17: ZeroDivisionError: seventeen") as caught:
            await run(database, wanted)
        assert 'raise ZeroDivisionError("seventeen")' in str(caught.value)
        assert await documents.count_documents({"n": 1}) == 17
        return
    (result,) = await run(database, wanted)
    assert Tally.read(result) == Tally(30, 29, failed=1, failed_ids=(17,), failed_in=FAILED)
    assert 'raise ZeroDivisionError("seventeen")' in (await database[FAILED].find_one())["traceback"]


async def test_it_stops_is_corrected_and_goes_on(database: Any, tmp_path: Path) -> None:
    """Everything before the document is kept and checkpointed; the next run does the others, once."""
    documents = await guarded(database)
    history = History(tmp_path)
    history.add("a", "await env.update_in_batches('c', {}, {'$inc': {'n': 1}}, batch_size=10)")
    for key in (37, 38, 71):
        with pytest.raises(RevisionFailed, match=f"the document with _id {key}: "):
            await history.runner(database).upgrade("head")
        assert await states(database) == {"a": "failed"}
        assert await documents.count_documents({"n": 1}) == key
        await documents.update_one({"_id": key}, {"$set": {"bad": False}})
    events: list[Event] = []
    await history.runner(database, events=events).upgrade("head")
    assert await documents.count_documents({"n": 1}) == 100
    (finished,) = [one for one in events if isinstance(one, OperationFinished)]
    assert Tally.read(finished.result) == Tally(100, 100)


async def test_collected_again_after_a_downgrade(database: Any, tmp_path: Path) -> None:
    """What was written down in the first run does not hide what the second one finds."""
    await guarded(database)
    history = History(tmp_path)
    back = "await env.update_in_batches('c', {'n': 1}, {'$inc': {'n': -1}})"
    history.add("a", "await env.update_in_batches('c', {'n': 0}, {'$inc': {'n': 1}}, on_error='collect')", back)
    for _ in range(2):
        events: list[Event] = []
        await history.runner(database, events=events).upgrade("head")
        (finished,) = [one for one in events if isinstance(one, OperationFinished)]
        assert finished.result["failed"] == 3
        await history.runner(database).downgrade("base")
    assert await database[FAILED].count_documents({}) == 3


@pytest.mark.parametrize(
    ("make", "words"),
    [
        ({"viewOn": "other", "pipeline": []}, "view"),
        ({"timeseries": {"timeField": "t"}}, "."),
    ],
)
async def test_views_and_time_series_are_refused_before_anything_runs(turn: Any, make: Any, words: str) -> None:
    await turn.create_collection("c", **make)
    with pytest.raises(OperationRefused, match=words):
        await run(turn, operation("update"))
    with pytest.raises(OperationRefused, match=words):
        await run(turn, operation("transform"))


@pytest.mark.parametrize(
    ("filter_", "update"),
    [
        ({"$foo": 1}, {"$set": {"a": 1}}),
        ({"a": {"$foo": 1}}, {"$set": {"a": 1}}),
        ({}, {"$foo": {"a": 1}}),
        ({}, {"$set": {"a": 1, "a.b": 1}}),
        ({}, {"$inc": {"a": "x"}}),
        ({}, [{"$set": {"a": {"$foo": 1}}}]),
        ({}, {"$set": {"list.$[x]": 1}}),
    ],
)
async def test_what_the_server_cannot_read_is_refused_before_anything_runs(
    turn: Any, filter_: Any, update: Any
) -> None:
    documents = await filled(turn, range(10))
    with pytest.raises(OperationRefused) as caught:
        await run(turn, UpdateInBatches("c", filter_, update))
    assert "_id" not in caught.value.details  # it was not one document's fault
    assert await documents.count_documents({"n": 0}) == 10


@pytest.mark.parametrize("kind", ["update", "transform"])
async def test_documents_of_nearly_16_megabytes(turn: Any, kind: str) -> None:
    """A batch is read and written in messages that are not larger than the server takes."""
    size = 16 * 2**20 - 1000
    for key in range(3):
        await turn["c"].insert_one({"_id": key, "n": 0, "text": "x" * size})
    assert Tally.read((await run(turn, operation(kind, size=100)))[0]) == Tally(3, 3)
    replaced = TransformDocuments("c", {}, lambda document: {"text": document["text"], "n": 2})
    assert Tally.read((await run(turn, replaced))[0]) == Tally(3, 3)
    grown = TransformDocuments("c", {}, lambda document: document | {"more": "x" * 2000})
    with pytest.raises(OperationRefused, match="the document with _id 0"):
        await run(turn, grown)
    assert await turn["c"].count_documents({"n": 2}) == 3


async def test_a_filter_by_what_each_document_holds(database: Any) -> None:
    documents = await filled(database, range(50), word="x")
    filter_ = {"$expr": {"$lt": ["$_id", 20]}, "$or": [{"word": {"$regex": "^X$", "$options": "i"}}, {"n": 5}]}
    assert Tally.read((await run(database, UpdateInBatches("c", filter_, {"$set": {"n": 1}})))[0]) == Tally(20, 20)
    assert await documents.count_documents({"n": 1}) == 20
