"""What a live database has, read in two ways with one result."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from bson import Int64, ObjectId
from pymongo.errors import OperationFailure
from pymongo.server_api import ServerApi

from asyncmig.authoring import catalog
from asyncmig.authoring.introspect import initial_ids, introspect
from asyncmig.drivers import driver_for
from asyncmig.schema.index import Index
from asyncmig.schema.normal import definition
from asyncmig.schema.state import CollectionState, DatabaseState

pytestmark = pytest.mark.servers(since="6.0")

FR = {"locale": "fr", "strength": 2}

COLLECTIONS: dict[str, dict[str, Any]] = {
    "plain": {},
    "имя": {},
    "capped": {"capped": True, "size": 5000, "max": 7},
    "validated": {"validator": {"a": {"$gt": 1}}, "validationLevel": "moderate"},
    "collated": {"collation": FR},
    "images": {"changeStreamPreAndPostImages": {"enabled": True}},
    "clustered": {"clusteredIndex": {"key": {"_id": 1}, "unique": True, "name": "cl"}, "expireAfterSeconds": 60},
    "series": {"timeseries": {"timeField": "t", "metaField": "m"}, "expireAfterSeconds": 3600},
    "view": {"viewOn": "plain", "pipeline": [{"$match": {"a": 1}}]},
    "collated_view": {"viewOn": "collated", "pipeline": [], "collation": FR},
}
INDEXES: dict[str, list[Index]] = {
    "plain": [
        Index([("a", 1), ("b", -1)], unique=True),
        Index("ttl", expireAfterSeconds=60),
        Index([("s", "text"), ("t", "text")], weights={"u": 5}, name="words"),
        Index([("p", "2d")], bits=20, min=-10, max=10),
        Index([("g", "2dsphere"), ("a", 1)]),
        Index([("h", "hashed")]),
        Index("$**", wildcardProjection={"a": 1, "b.c": 1}),
        Index("a.$**", hidden=True),
        Index("a", sparse=True, storageEngine={"wiredTiger": {"configString": "prefix_compression=false"}}),
        Index("a", name="partial", partialFilterExpression={"b": {"$gt": 1}, "c": {"$exists": True}}),
        Index("a", name="collated", collation=FR),
        Index("a", name="prepared", prepareUnique=True, partialFilterExpression={}),
        Index([("имя", 1.0)], background=True),
    ],
    "collated": [Index("a"), Index("a", name="simple", collation={"locale": "simple"})],
    "clustered": [Index("a")],
    "series": [Index([("m", 1), ("t", -1)]), Index("v", hidden=True)],
}


async def build(database: Any) -> None:
    driver = driver_for(database)
    for name, options in COLLECTIONS.items():
        await driver.command({"create": name, **options})
    for name, indexes in INDEXES.items():
        await driver.command({"createIndexes": name, "indexes": [index.document for index in indexes]})


@pytest.fixture(params=["catalogue", "one by one"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Which of the two ways introspection takes."""
    monkeypatch.setattr(catalog, "_MIN_COLLECTIONS", 0 if request.param == "catalogue" else 10**9)
    way: str = request.param
    return way


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """What introspection logs for debugging."""
    with caplog.at_level(logging.DEBUG, "asyncmig.introspect"):
        yield caplog


def named(state: DatabaseState) -> dict[str, list[str]]:
    return {collection.name: [index.name for index in collection.indexes] for collection in state}


async def test_everything_is_seen(database: Any, way: str) -> None:
    await build(database)
    state = await introspect(database)
    assert list(state.collections) == sorted(COLLECTIONS)
    assert {c.name: c.kind for c in state if c.kind != "collection"} == {
        "series": "timeseries",
        "view": "view",
        "collated_view": "view",
    }
    assert named(state) == {name: sorted(index.name for index in INDEXES.get(name, [])) for name in sorted(COLLECTIONS)}
    assert state.collections["clustered"].options["clusteredIndex"]["name"] == "cl"
    assert state.collections["series"].options["timeseries"]["metaField"] == "m"


async def test_both_ways_see_the_same(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    await build(database)
    states = []
    for worth_it in (0, 10**9):
        monkeypatch.setattr(catalog, "_MIN_COLLECTIONS", worth_it)
        states.append(await introspect(database))
    one, other = states
    assert one == other
    for collection in one:
        for index in collection.indexes:
            twin = other.collections[collection.name].index(index.name)
            assert twin is not None
            assert list(twin.options["name"]) == list(index.options["name"])
            assert definition(index) == definition(twin)


async def test_an_empty_database(database: Any, way: str) -> None:
    assert await introspect(database) == DatabaseState()


async def test_ours_and_the_systems_never_appear(database: Any, way: str) -> None:
    driver = driver_for(database)
    for name in ("asyncmig_revisions", "asyncmig_lock", "system.js", "enxcol_.x.esc", "seen", "mine"):
        await driver.command({"create": name})
    await driver.command({"create": "view", "viewOn": "seen", "pipeline": []})  # makes system.views
    await driver.command({"create": "series", "timeseries": {"timeField": "t"}})  # makes system.buckets.series
    assert [c.name for c in await introspect(database)] == ["mine", "seen", "series", "view"]
    assert "asyncmig_lock" in await introspect(database, own=frozenset({"mine"}))
    assert "mine" not in await introspect(database, own=frozenset({"mine"}))


async def test_include(database: Any, way: str) -> None:
    await build(database)
    asked: list[tuple[str, str]] = []

    def include(kind: str, name: str) -> bool:
        asked.append((kind, name))
        return kind != "view" and not name.startswith("c")

    state = await introspect(database, include=include)
    assert list(state.collections) == ["images", "plain", "series", "validated", "имя"]
    assert {("view", "view"), ("timeseries", "series"), ("collection", "capped")} <= set(asked)


async def test_documents_of_some_ids(database: Any, way: str) -> None:
    oid = ObjectId()
    """Of however many: some of the first, in the middle, and of the last that are asked for."""
    documents = [{"_id": 1, "a": 1}, {"_id": "x"}, {"_id": oid}, {"_id": {"a": 1, "b": 2}}]
    documents += [{"_id": number} for number in (100, 1093, 1094, 2000, 2999)]
    await database.get_collection("c").insert_many([*documents, {"_id": "not asked for"}])
    ids = [1.0, Int64(1), "x", oid, {"a": 1, "b": 2}, "missing", *range(100, 3000)]
    state = await introspect(database, documents={"c": ids, "nowhere": [1]})
    found = state.collections["c"].documents
    assert sorted(found, key=str) == sorted(documents, key=str)
    assert "nowhere" not in state


def test_ids_to_ask_for() -> None:
    wanted = DatabaseState(
        {
            "new": CollectionState("new", documents=({"_id": 1}, {"_id": 2}), renamed_from="old"),
            "plain": CollectionState("plain"),
            "old": CollectionState("old", documents=({"_id": 3},)),
        }
    )
    assert initial_ids(wanted) == {"new": [1, 2], "old": [1, 2, 3]}


class Proxy:
    """A driver that answers as the real one does, but for what a test replaces."""

    def __init__(self, driver: Any, **refused: int) -> None:
        self.driver, self.refused = driver, refused
        self.asked: list[str] = []
        self.running = self.most = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.driver, name)

    async def read(self, command: Any, **rest: Any) -> Any:
        verb = "includeBuildUUIDs" if "includeBuildUUIDs" in command else next(iter(command))
        self.asked.append(verb)
        if verb in self.refused:
            raise OperationFailure("refused", self.refused[verb])
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            return await self.driver.read(command, **rest)
        finally:
            self.running -= 1


@pytest.fixture
def proxied(database: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``proxied(verb=code)``: introspection of the database sees a server that refuses these."""

    def make(**refused: int) -> Proxy:
        proxy = Proxy(driver_for(database), **refused)
        monkeypatch.setattr("asyncmig.authoring.introspect.driver_for", lambda _: proxy)
        return proxy

    return make


@pytest.mark.parametrize("code", [13, 73, 224, 263, 323, 40324, 8000])
async def test_a_server_that_refuses_the_catalogue(
    database: Any, proxied: Any, code: int, told: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    await driver_for(database).command({"createIndexes": "c", "indexes": [Index("a").document]})
    monkeypatch.setattr(catalog, "_MIN_COLLECTIONS", 0)
    straight = await introspect(database)
    proxy = proxied(aggregate=code)
    assert await introspect(database) == straight
    assert proxy.asked.count("aggregate") == 1
    assert any("no $listCatalog here" in line for line in told.messages)


async def test_the_stable_api(
    make_client: Any, database: Any, driver_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither $listCatalog nor includeBuildUUIDs is part of it: asked once each, and done without."""
    await build(database)
    straight = await introspect(database)
    strict = make_client(driver_name, server_api=ServerApi("1", strict=True))[database.name]
    monkeypatch.setattr(catalog, "_MIN_COLLECTIONS", 0)
    assert await introspect(strict) == straight


async def test_a_refusal_is_not_met_twice(database: Any, proxied: Any) -> None:
    await build(database)
    proxy = proxied(includeBuildUUIDs=323)
    await introspect(database, limit=1)
    assert proxy.asked.count("includeBuildUUIDs") == 1
    assert proxy.asked.count("listIndexes") == len([name for name in COLLECTIONS if "view" not in name])


async def test_few_collections_are_asked_for_one_by_one(database: Any, proxied: Any) -> None:
    await build(database)
    proxy = proxied()
    await introspect(database)
    assert "aggregate" not in proxy.asked


async def test_many_collections_are_read_at_once(database: Any, proxied: Any) -> None:
    for number in range(40):
        await driver_for(database).command({"create": f"c{number}"})
    proxy = proxied()
    assert len((await introspect(database)).collections) == 40
    assert proxy.asked == ["listCollections", "aggregate"]


async def test_no_more_at_once_than_allowed(database: Any, proxied: Any) -> None:
    for number in range(12):
        await driver_for(database).command({"create": f"c{number}"})
    proxy = proxied()
    await introspect(database, limit=3)
    assert 1 < proxy.most <= 3


async def test_an_error_comes_bare(database: Any, proxied: Any) -> None:
    await build(database)
    proxied(includeBuildUUIDs=13, listIndexes=13)
    with pytest.raises(OperationFailure, match="refused") as caught:
        await introspect(database)
    assert caught.value.code == 13


async def test_a_collection_that_vanishes_meanwhile(database: Any, proxied: Any, way: str) -> None:
    await build(database)
    proxy = proxied()
    listing = await proxy.driver.read({"listCollections": 1})
    await driver_for(database).command({"drop": "capped"})

    async def read(command: Any, **rest: Any) -> Any:
        return listing if "listCollections" in command else await proxy.driver.read(command, **rest)

    proxy.read = read
    assert sorted((await introspect(database)).collections) == sorted(COLLECTIONS.keys() - {"capped"})


async def test_an_index_being_built_is_not_there_yet(database: Any, way: str) -> None:
    driver = driver_for(database)
    await driver.command({"createIndexes": "c", "indexes": [Index("done").document]})
    await driver.command({"configureFailPoint": "hangAfterStartingIndexBuild", "mode": "alwaysOn"}, admin=True)
    async with anyio.create_task_group() as tasks:
        await database.get_collection("c").insert_one({"a": 1})
        tasks.start_soon(driver.command, {"createIndexes": "c", "indexes": [Index("a").document]})
        try:
            with anyio.fail_after(60):
                while not (state := (await introspect(database)).collections["c"]).building:
                    await anyio.sleep(0.01)
        finally:
            await driver.command({"configureFailPoint": "hangAfterStartingIndexBuild", "mode": "off"}, admin=True)
    assert state.building == ("a_1",)
    assert [index.name for index in state.indexes] == ["done_1"]
    state = (await introspect(database)).collections["c"]
    assert (state.building, len(state.indexes)) == ((), 2)


async def test_the_index_that_a_newer_server_makes(database: Any, proxied: Any) -> None:
    await build(database)
    proxy = proxied()
    await driver_for(database).command({"createIndexes": "series", "indexes": [Index([("m", 1), ("t", 1)]).document]})
    assert (await introspect(database)).collections["series"].automatic == ()

    async def command(command: Any, **rest: Any) -> Any:
        assert command == {"hello": 1}
        return {"maxWireVersion": 21}

    proxy.command = command
    assert (await introspect(database)).collections["series"].automatic == ("m_1_t_1",)


async def test_the_mock() -> None:
    from mongomock_motor import AsyncMongoMockClient

    database: Any = AsyncMongoMockClient()["x"]
    await database["c"].create_index([("a", 1), ("b", -1)], unique=True)
    await database["c"].create_index([("s", "text")], name="words")
    await database["c"].insert_one({"_id": 1})
    await database["asyncmig_lock"].insert_one({"_id": 1})
    state = await introspect(database, documents={"c": [1, 2]})
    assert named(state) == {"c": ["a_1_b_-1", "words"]}
    assert state.collections["c"].documents == ({"_id": 1},)
    assert state.collections["c"].indexes[1].keys == (("s", "text"),)
