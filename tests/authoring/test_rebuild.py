"""The outline of a rebuild, made code by taking the comment marks away, on a real server."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from asyncmig.authoring.diff import Difference, difference
from asyncmig.authoring.draft import draft
from asyncmig.authoring.introspect import initial_ids, introspect
from asyncmig.authoring.revision_file import revision_source
from asyncmig.drivers import driver_for
from asyncmig.files.unfinished import unfinished
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


TTL = Index("at", expireAfterSeconds=10**9)
CLUSTERED = {"clusteredIndex": {"key": {"_id": 1}, "unique": True}}
CAPPED = {"capped": True, "size": 100_000}


def made(options: dict[str, Any] = PLAIN, *indexes: Index, kind: Any = "collection", ids: int = 0) -> CollectionState:
    return CollectionState("legs", kind, options, indexes, tuple({"_id": 1000 + i} for i in range(ids)))


WHOLE = {
    "collation, with indexes and data": (made(), made({"collation": {"locale": "fr"}}, *INDEXES, ids=2)),
    "capped to a time to live": (made(CAPPED, *INDEXES), made(PLAIN, Index("n"), TTL, ids=1)),
    "to capped, and a validator": (made(PLAIN, TTL), made({**CAPPED, "validator": {"n": {"$gte": 0}}}, *INDEXES)),
    "clustered": (made(PLAIN, *INDEXES), made(CLUSTERED, TTL)),
    "to a time series": (made(PLAIN, *INDEXES), made(SERIES, *INDEXES, kind="timeseries")),
    "another field of time": (
        made({"timeseries": {"timeField": "at", "metaField": "n"}}, kind="timeseries"),
        made({"timeseries": {"timeField": "at", "granularity": "hours"}}, *INDEXES, kind="timeseries"),
    ),
    "granularity, which has only one direction": (
        made({"timeseries": {"timeField": "at", "granularity": "seconds"}}, kind="timeseries"),
        made({"timeseries": {"timeField": "at", "granularity": "hours"}}, Index("n"), kind="timeseries"),
    ),
}


@pytest.mark.parametrize(("before", "after"), WHOLE.values(), ids=WHOLE)
async def test_a_whole_file_and_its_way_back(database: Any, before: CollectionState, after: CollectionState) -> None:
    """Every line that autogenerate writes, comments included, is run as it stands, beside what is active; and back."""
    old, new = await normal(database, before), await normal(database, after)
    env = _env(database)
    await database["legs"].insert_many([{"_id": number, "n": number, "at": DAY} for number in range(50)])
    found = difference(await seen(database, new), new)
    source = draft(found, revision="1", down_revision=None, message="rebuild")
    left = {one.function for one in unfinished(source, "upgrade") + unfinished(source, "downgrade")}
    assert left == {function for function in ("upgrade", "downgrade") if "    #     " in _body(source, function)}
    functions = module(_taken_in(source))

    await functions["upgrade"](env)
    assert difference(await seen(database, new), new) == Difference()
    assert await database["legs"].count_documents({"_id": {"$lt": 1000}}) == 50

    await functions["downgrade"](env)
    assert difference(await seen(database, old), old).operations == ()
    assert await database["legs"].count_documents({"_id": {"$lt": 1000}}) == 50


async def normal(database: Any, state: CollectionState) -> DatabaseState:
    """The state as the server shows it; the collection is made, so the first one's is left in the database."""
    env = _env(database)
    there = "legs" in await database.list_collection_names()
    name = "legs__normal" if there else "legs"
    await env.create_collection(name, **state.options)
    if state.indexes:
        await env.create_indexes(name, list(state.indexes))
    listed = (await introspect(database)).collections[name]
    if there:
        await env.drop_collection(name)
    return DatabaseState({"legs": replace(listed, name="legs", documents=state.documents)})


async def seen(database: Any, wanted: DatabaseState) -> DatabaseState:
    return await introspect(database, documents=initial_ids(wanted))


def _body(source: str, function: str) -> str:
    return source.partition(f"async def {function}(")[2].partition("\nasync def")[0]


def _taken_in(source: str) -> str:
    return source.replace("    #     ", "    ")


async def test_an_outline_that_nobody_knows_how_to_write_says_so(database: Any) -> None:
    with pytest.raises(NotImplementedError, match="what legs was before is not known"):
        await module(_as_code(NeedsRebuild("legs", ("a reason",))))["upgrade"](_env(database))


async def test_two_documents_that_the_new_collation_takes_for_one_stop_the_copy(database: Any) -> None:
    await database["legs"].insert_many([{"_id": "a"}, {"_id": "A"}])
    target = CollectionState("legs", options={"collation": {"locale": "en", "strength": 2}})
    with pytest.raises(OperationFailure) as caught:
        await module(_as_code(NeedsRebuild("legs", ("the collation",), target)))["upgrade"](_env(database))
    assert caught.value.code == 11000  # DuplicateKey
    assert await database["legs"].count_documents({}) == 2


def _as_code(rebuild: NeedsRebuild) -> str:
    source = revision_source(
        revision="1", down_revision=None, message="rebuild", upgrade=[CreateCollection("other"), rebuild]
    )
    return source.replace("    #     ", "    ")


def _env(database: Any) -> Env:
    context = Context(driver_for(database))
    return Env(context.driver, lambda operation: apply(operation, context), collections=set())
