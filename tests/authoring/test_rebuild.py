"""The outline of a rebuild, made code by taking the comment marks away, on a real server."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from asyncmig.authoring.diff import difference
from asyncmig.authoring.revision_file import revision_source
from asyncmig.drivers import driver_for
from asyncmig.operations import CreateCollection, NeedsRebuild
from asyncmig.running.applying.apply import Context, apply
from asyncmig.running.env.env import Env
from asyncmig.schema.index import Index
from asyncmig.schema.state import CollectionState, DatabaseState

from .run_source import module

PLAIN: dict[str, Any] = {}
SERIES: dict[str, Any] = {"timeseries": {"timeField": "at"}}
INDEXES = Index("n"), Index([("at", -1), ("n", 1)], name="latest")
DAY = datetime(2024, 1, 1)


@pytest.mark.parametrize(
    ("before", "kind", "wanted", "listed"),
    [
        (PLAIN, "collection", {"collation": {"locale": "fr"}}, "collation"),
        ({"collation": {"locale": "fr"}}, "collection", PLAIN, ""),
        (PLAIN, "collection", {"clusteredIndex": {"key": {"_id": 1}, "unique": True}}, "clusteredIndex"),
        (PLAIN, "collection", {"capped": True, "size": 100_000}, "capped"),
        ({"capped": True, "size": 100_000}, "collection", PLAIN, ""),
        (PLAIN, "timeseries", SERIES, "timeseries"),
        (SERIES, "timeseries", {"timeseries": {"timeField": "at", "metaField": "place"}}, "timeseries"),
    ],
)
async def test_the_outline_works_once_it_is_code(
    database: Any, before: dict[str, Any], kind: Any, wanted: dict[str, Any], listed: str
) -> None:
    env = _env(database)
    await env.create_collection("legs", **before)
    await database["legs"].insert_many([{"_id": number, "n": number, "at": DAY} for number in range(50)])

    rebuild = NeedsRebuild("legs", ("it cannot be changed in place",), CollectionState("legs", kind, wanted, INDEXES))
    await module(_as_code(rebuild))["upgrade"](env)

    assert await database["legs"].count_documents({}) == 50
    assert {"latest", "n_1"} <= set(await database["legs"].index_information())
    options = await database["legs"].options()
    assert options.keys() >= wanted.keys()
    assert not before.keys() - wanted.keys() & options.keys()
    assert await database.list_collection_names(filter={"name": {"$regex": "__"}}) == []


VIEW: dict[str, Any] = {"viewOn": "source", "pipeline": [{"$match": {"n": {"$lt": 5}}}]}


@pytest.mark.parametrize(
    ("before", "after", "documents"),
    [
        (CollectionState("legs", "view", VIEW), CollectionState("legs", "collection", PLAIN, INDEXES), 0),
        (CollectionState("legs", "view", VIEW), CollectionState("legs", "timeseries", SERIES), 0),
        (CollectionState("legs", "collection", PLAIN), CollectionState("legs", "view", VIEW), 5),
        (CollectionState("legs", "timeseries", SERIES), CollectionState("legs", "view", VIEW), 5),
        (CollectionState("legs", "timeseries", SERIES), CollectionState("legs", "collection", PLAIN, INDEXES), 50),
    ],
)
async def test_the_outline_for_another_kind(
    database: Any, before: CollectionState, after: CollectionState, documents: int
) -> None:
    env = _env(database)
    await database.create_collection("legs", **before.options)
    for name in ["source", *(["legs"] if before.kind != "view" else [])]:
        await database[name].insert_many([{"_id": number, "n": number, "at": DAY} for number in range(50)])

    found = difference(DatabaseState({"legs": before}), DatabaseState({"legs": after}))
    (rebuild,) = [one for one in found.operations if isinstance(one, NeedsRebuild)]
    await module(_as_code(rebuild))["upgrade"](env)

    listed = await database.command("listCollections", filter={"name": "legs"})
    assert [one["type"] for one in listed["cursor"]["firstBatch"]] == [after.kind]
    assert await database["legs"].count_documents({}) == documents
    if before.kind != "view":
        kept = "legs__copy" if after.kind == "view" else "legs"
        assert await database[kept].count_documents({}) == 50


async def test_two_documents_that_the_new_collation_takes_for_one_stop_the_copy(database: Any) -> None:
    await database["legs"].insert_many([{"_id": "a"}, {"_id": "A"}])
    target = CollectionState("legs", options={"collation": {"locale": "en", "strength": 2}})
    with pytest.raises(Exception, match="duplicate key"):
        await module(_as_code(NeedsRebuild("legs", ("the collation",), target)))["upgrade"](_env(database))
    assert await database["legs"].count_documents({}) == 2


def _as_code(rebuild: NeedsRebuild) -> str:
    source = revision_source(
        revision="1", down_revision=None, message="rebuild", upgrade=[CreateCollection("other"), rebuild]
    )
    return source.replace("    #     ", "    ")


def _env(database: Any) -> Env:
    context = Context(driver_for(database))
    return Env(context.driver, lambda operation: apply(operation, context), collections=set())
