"""A server without transactions: each document once all the same, and what others write meanwhile is not lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from asyncmig import Delete
from asyncmig.data.source import Source
from asyncmig.errors import OperationRefused, RevisionFailed
from asyncmig.operations import Pace, Tally, TransformBatches, TransformDocuments, UpdateInBatches

from ..running.applying_helpers import run
from ..running.history_files import History
from .standalone import opened

SMALL = Pace(batch_size=7)


@pytest.fixture
async def alone(standalone: str, driver_name: str) -> AsyncIterator[Any]:
    async with opened(standalone, driver_name) as database:
        yield database
        assert await database["c"].count_documents({"_asyncmig": {"$exists": True}}) == 0


# -- with a projection the condition of a write holds what was read -----------------------------------

PROJECTIONS: list[dict[str, Any]] = [
    {"n": 1},
    {"n": True, "missing": 1, "null": 1, "_id": 1},
    {"big": 0},
    {"n": 1, "in.a": 1},
    {"n": 1, "_id": 0},
    {"in.list.b": 1, "n": 1},
    {"big": 0, "in.a": 0},
]


@pytest.fixture
def between(alone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another writer, who comes right before the first write: after the last time that documents are read."""
    writes, came = Source.write, list[bool]()

    async def write(source: Source, *arguments: Any) -> Any:
        if not came:
            came.append(True)
            await alone["c"].update_many({}, {"$inc": {"n": 10}})
        return await writes(source, *arguments)

    monkeypatch.setattr(Source, "write", write)


@pytest.mark.parametrize("projection", PROJECTIONS, ids=str)
@pytest.mark.usefixtures("between")
async def test_what_is_written_between_is_not_lost(alone: Any, projection: dict[str, Any]) -> None:
    documents = alone["c"]
    inner = {"a": 1, "list": [{"b": 1, "c": 2}, 5]}
    await documents.insert_many([{"_id": key, "n": 0, "null": None, "big": "x", "in": inner} for key in range(20)])

    def function(one: dict[str, Any]) -> Any:
        assert "big" not in one
        return {"$set": {"n": one["n"] + 1}}

    wanted = TransformDocuments("c", {}, function, projection, pace=SMALL)
    assert Tally.read((await run(alone, wanted))[0]) == Tally(20, 20)
    assert await documents.count_documents({"n": 11, "in": inner, "big": "x"}) == 20


@pytest.mark.parametrize(
    "wanted",
    [
        TransformDocuments("c", {}, lambda one: one | {"n": one["n"] + 1}, pace=SMALL),
        TransformDocuments("c", {}, lambda one: {"$inc": {"n": 1}, "$set": {"seen": one["n"]}}, pace=SMALL),
        TransformDocuments("c", {}, lambda one: one | {"n": one["n"] + 1}, version_field="n", pace=SMALL),
        TransformBatches("c", {}, lambda all: [one | {"n": one["n"] + 1} for one in all], pace=SMALL),
    ],
    ids=["whole", "an update", "by its version", "in batches"],
)
@pytest.mark.usefixtures("between")
async def test_a_writer_comes_right_before_the_write(alone: Any, wanted: Any) -> None:
    """The write that finds a document changed does nothing; it goes through the function again."""
    await alone["c"].insert_many([{"_id": key, "n": 0} for key in range(20)])
    assert Tally.read((await run(alone, wanted))[0]) == Tally(20, 20)
    assert await alone["c"].count_documents({"n": 11}) == 20
    assert await alone["c"].count_documents({"seen": {"$exists": True, "$ne": 10}}) == 0


@pytest.mark.usefixtures("between")
async def test_what_a_writer_has_changed_is_not_deleted(alone: Any) -> None:
    await alone["c"].insert_many([{"_id": key, "n": 0, "big": "x"} for key in range(5)])
    wanted = TransformDocuments("c", {}, lambda one: Delete if one["n"] == 0 else None, {"n": 1}, pace=SMALL)
    await run(alone, wanted)
    assert await alone["c"].count_documents({"n": 10}) == 5


@pytest.mark.parametrize("projection", [{"n": {"$add": ["$n", 1]}}, {"list": {"$slice": 1}}], ids=str)
async def test_a_projection_that_computes_is_refused_before(alone: Any, projection: dict[str, Any]) -> None:
    await alone["c"].insert_one({"_id": 1, "n": 1, "list": [1, 2]})
    wanted = TransformDocuments("c", {}, lambda one: {"$set": {"m": 1}}, projection)
    with pytest.raises(OperationRefused, match="can only name fields"):
        await run(alone, wanted)
    assert await alone["c"].find_one() == {"_id": 1, "n": 1, "list": [1, 2]}


# -- the mark and the validator -----------------------------------------------------------------------

CLOSED = {"$jsonSchema": {"additionalProperties": False, "properties": {"_id": {}, "n": {"bsonType": "int"}}}}


@pytest.mark.parametrize(
    "wanted",
    [
        UpdateInBatches("c", {}, {"$inc": {"n": 1}}, pace=SMALL),
        TransformDocuments("c", {}, lambda one: one | {"n": 5}, pace=SMALL),
    ],
    ids=lambda one: type(one).__name__,
)
async def test_a_validator_that_allows_no_mark_is_told_before_the_first_document(alone: Any, wanted: Any) -> None:
    await alone.create_collection("c", validator=CLOSED)
    await alone["c"].insert_many([{"_id": key, "n": 0} for key in range(20)])
    with pytest.raises(OperationRefused, match="the validator of the collection does not allow that field") as caught:
        await run(alone, wanted)
    assert "among its `properties`" in str(caught.value)
    assert await alone["c"].count_documents({"n": 0}) == 20
    open_ = {"$jsonSchema": CLOSED["$jsonSchema"] | {"patternProperties": {"^_asyncmig$": {}}}}
    await alone.command({"collMod": "c", "validator": open_})
    assert Tally.read((await run(alone, wanted))[0]) == Tally(20, 20)


async def test_what_needs_no_mark_is_done_under_any_validator(alone: Any) -> None:
    await alone.create_collection("c", validator=CLOSED)
    await alone["c"].insert_many([{"_id": key, "n": 0} for key in range(20)])
    await run(alone, UpdateInBatches("c", {}, {"$set": {"n": 1}}, pace=SMALL))
    assert await alone["c"].count_documents({"n": 1}) == 20


# -- the mark belongs to the operation ----------------------------------------------------------------


@pytest.mark.parametrize("more", ["create_collection('x')", "update_in_batches('d', {}, {'$inc': {'m': 1}})"])
async def test_an_operation_more_in_front_shifts_nothing(alone: Any, tmp_path: Path, more: str) -> None:
    documents = alone["c"]
    await documents.insert_many([{"_id": key, "n": 0} for key in range(40)])
    await documents.update_one({"_id": 25}, {"$set": {"n": "text"}})
    history = History(tmp_path / "history")
    history.add(
        "r",
        f"if await env.db.flags.find_one(): await env.{more}\n"
        "await env.update_in_batches('c', {}, {'$inc': {'n': 1}}, batch_size=7)",
    )
    with pytest.raises(RevisionFailed, match="_id 25"):
        await history.runner(alone).upgrade()
    assert 0 < await documents.count_documents({"n": 1}) < 40
    await documents.update_one({"_id": 25}, {"$set": {"n": 0}})
    await alone["flags"].insert_one({})
    await history.runner(alone).upgrade()
    assert await documents.count_documents({"n": 1}) == 40


# -- names that begin with a dollar -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda one: one | {"$new": 1}, {"_id": 1, "a": 1, "$p": 2, "$new": 1}),
        (lambda one: {"$p": 3, "_id": one["_id"]}, {"_id": 1, "$p": 3}),
        (lambda one: {"_id": one["_id"], "$p": {"$q": [1]}, "b.c": 2}, {"_id": 1, "$p": {"$q": [1]}, "b.c": 2}),
        (lambda one: one | {"a": 9}, {"_id": 1, "a": 9, "$p": 2}),
        (lambda one: {name: one[name] for name in ("_id", "a")}, {"_id": 1, "a": 1}),
    ],
    ids=["a new one", "first", "nested", "beside it", "it goes"],
)
async def test_fields_that_begin_with_a_dollar(alone: Any, turn: Any, function: Any, expected: Any) -> None:
    for database in (alone, turn):
        await database["c"].insert_one({"_id": 1, "a": 1, "$p": 2})
        assert Tally.read((await run(database, TransformDocuments("c", {}, function)))[0]) == Tally(1, 1)
        found = await database["c"].find_one()
        assert (found, list(found)) == (expected, list(expected))


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda one: {"$set": {"a": 2}, "b": 1}, r"returned \$set beside fields"),
        (lambda one: {"_id": 1, "$inc": {"a": 2}}, r"returned \$inc beside fields"),
        (lambda one: one | {"$unset": {"a": ""}}, r"returned \$unset beside fields"),
        (lambda one: one | {7: 1}, "a field 7: the name of a field is a string"),
        (lambda one: {7: 1}, "a field 7: the name of a field is a string"),
    ],
    ids=["first", "behind the _id", "behind a document", "a number", "a number alone"],
)
async def test_names_that_are_a_mistake(alone: Any, function: Any, why: str) -> None:
    await alone["c"].insert_one({"_id": 1, "a": 1})
    with pytest.raises(OperationRefused, match=why):
        await run(alone, TransformDocuments("c", {}, function))
    assert await alone["c"].find_one() == {"_id": 1, "a": 1}
