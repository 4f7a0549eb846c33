"""Declare, upgrade, no difference; downgrade, as before: every kind of thing, on a real server, with documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest
from bson import Decimal128, Int64, ObjectId

from asyncmig.authoring.policy import Policy
from asyncmig.drivers import driver_for
from asyncmig.operations import CreateIndexes, InsertDocuments, ModifyCollection, ModifyIndex, ModifyView, NeedsRebuild
from asyncmig.schema.declaration import Collection, View, declared_state
from asyncmig.schema.index import Index
from asyncmig.schema.state import DatabaseState

from .road import Step, facts, see

T = TypeVar("T")

EN, FR, SIMPLE = {"locale": "en", "strength": 2}, {"locale": "fr"}, {"locale": "simple"}
ENGINE = {"wiredTiger": {"configString": "prefix_compression=false"}}
SOME, OTHER = {"b": {"$gt": 1}}, {"b": {"$gt": 2}}
CLUSTERED = {"key": {"_id": 1}, "unique": True}
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def documents(count: int = 20) -> list[dict[str, Any]]:
    """Documents that every index and every validator of these tests takes, each value different."""
    return [
        {
            "_id": number + 1_000_000,
            "a": number,
            "b": number + 100,
            "c": {"d": number},
            "ü": f"ü{number}",
            "h": f"h{number}",
            "s": f"word{number}",
            "t": NOW + timedelta(days=4000, minutes=number),
            "g": {"type": "Point", "coordinates": [number, number]},
            "p": [number, -number],
            "m": {"k": number},
        }
        for number in range(count)
    ]


def collection(
    indexes: Sequence[Any] = (),
    /,
    name: str = "c",
    data: Sequence[Mapping[str, Any]] = (),
    old: str | None = None,
    **options: Any,
) -> type[Collection]:
    attributes = {
        "__collection_name__": name,
        "__indexes__": list(indexes),
        "__options__": options,
        "__initial_data__": list(data),
        "__renamed_from__": old,
    }
    return type("Model", (Collection,), attributes)


def view(name: str, on: str, *pipeline: Mapping[str, Any], **options: Any) -> type[View]:
    attributes = {
        "__collection_name__": name,
        "__view_on__": on,
        "__pipeline__": list(pipeline),
        "__options__": options,
    }
    return type("Model", (View,), attributes)


async def fill(database: Any, state: DatabaseState) -> None:
    for one in state:
        if one.kind != "view":
            await database.get_collection(one.name).insert_many(documents())


INDEXES: dict[str, list[Any]] = {
    "single": ["a"],
    "descending": [[("a", -1)]],
    "other numbers": [
        Index([("a", 2)]),
        Index([("a", -1.5)]),
        Index([("b", Int64(1))]),
        Index([("c", Decimal128("1"))]),
    ],
    "compound": [[("a", 1), ("b", -1), ("c.d", 1)]],
    "unique": [Index("a", unique=True)],
    "sparse": [Index("x", sparse=True, unique=True)],
    "TTL": [Index("t", expireAfterSeconds=3600.0), Index("a", expireAfterSeconds=0)],
    "partial": [
        Index("a", partialFilterExpression={"c": {"$exists": True}, "b": {"$gt": 1, "$lt": Int64(9)}}),
        Index("b", partialFilterExpression={"$or": [{"a": 1}, {"b": {"$in": [2, 1, "x"]}}]}),
        Index("b", name="empty", partialFilterExpression={}),
        Index("c", partialFilterExpression={"c": {"$type": ["string", 2, 16]}}),
    ],
    "collation": [Index("a", collation=EN), Index("b", collation={"locale": "th"}), Index("c", collation=SIMPLE)],
    "hidden": [Index("a", hidden=True)],
    "text": [Index([("s", "text")])],
    "text of several fields": [
        Index(
            [("a", 1), ("u", "text"), ("s", "text"), ("b", -1)],
            weights={"s": 5, "elsewhere": 2},
            default_language="french",
            language_override="tongue",
        )
    ],
    "text of everything": [Index([("$**", "text")], name="all")],
    "text with a version": [Index([("s", "text")], textIndexVersion=2)],
    "2d": [Index([("p", "2d")]), Index([("p", "2d"), ("a", 1)], bits=20, min=-100, max=100)],
    "2d with the defaults": [Index([("p", "2d")], bits=26, min=-180, max=180)],
    "2dsphere": [
        Index([("g", "2dsphere")]),
        Index([("a", 1), ("g", "2dsphere"), ("b", -1)]),
        Index([("g", "2dsphere")], name="sparse", sparse=True),
    ],
    "2dsphere with a version": [Index([("g", "2dsphere")], **{"2dsphereIndexVersion": 2})],
    "hashed": [Index([("h", "hashed")]), Index([("a", 1), ("h", "hashed")])],
    "wildcard": [
        Index("$**"),
        Index("c.$**"),
        Index("$**", name="some", wildcardProjection={"a": 1, "c": {"d": True}, "_id": 1}),
        Index("$**", name="others", wildcardProjection={"a": 0}, partialFilterExpression=SOME),
    ],
    "unicode": [Index("ü"), Index("имя.поле"), Index("a", name="名前")],
    "prepareUnique": [Index("a", prepareUnique=True), Index("c.$**", prepareUnique=True)],
    "storageEngine": [Index("a", storageEngine=ENGINE)],
    "a long name": [Index("a", name="n" * 1000), Index([("x" * 200, 1), ("y" * 200, 1)])],
    "a strange name": [Index("a", name="$x.y z"), Index("b", name="a_1")],
    "what the server leaves out or keeps": [
        Index("a", background=True, sparse=False, unique=False),
        Index("b", background=False, v=2),
        Index("c", hidden=False, prepareUnique=False),
    ],
    "the same key many times": [
        Index("a"),
        Index("a", name="unique", unique=True),
        Index("a", name="sparse", sparse=True),
        Index("a", name="en", collation=EN),
        Index("a", name="fr", collation=FR),
        Index("a", name="some", partialFilterExpression=SOME),
        Index("a", name="others", partialFilterExpression=OTHER),
        Index("a", name="empty", partialFilterExpression={}),
        Index([("a", -1)]),
        Index([("a", "hashed")]),
    ],
    "on _id": [Index("_id"), Index([("_id", "hashed")])],
}

OPTIONS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "validator": {"validator": {"$jsonSchema": {"bsonType": "object", "properties": {"zz": {"bsonType": "int"}}}}},
    "validation": {"validator": {"a": {"$gte": 0.0}}, "validationLevel": "moderate", "validationAction": "warn"},
    "level alone": {"validationLevel": "off"},
    "defaults": {"validator": {}, "validationLevel": "strict", "validationAction": "error", "capped": False},
    "capped": {"capped": True, "size": 100_000.5},
    "capped with a maximum": {"capped": True, "size": Int64(100_000), "max": 50.0},
    "collation": {"collation": EN},
    "collation of a locale with defaults of its own": {"collation": {"locale": "fr_CA"}},
    "time series": {"timeseries": {"timeField": "t"}},
    "time series in full": {
        "timeseries": {"timeField": "t", "metaField": "m", "granularity": "hours"},
        "expireAfterSeconds": 10**8,
        "collation": FR,
    },
    "span of buckets": {"timeseries": {"timeField": "t", "bucketMaxSpanSeconds": 3600}},
    "clustered": {"clusteredIndex": CLUSTERED},
    "clustered in full": {"clusteredIndex": {**CLUSTERED, "name": "cl"}, "expireAfterSeconds": 5, "collation": FR},
    "images": {"changeStreamPreAndPostImages": {"enabled": True}},
    "no images": {"changeStreamPreAndPostImages": {"enabled": False}},
    "storage": {"storageEngine": {"wiredTiger": {"configString": "block_compressor=zlib"}}},
    "defaults of indexes": {"indexOptionDefaults": {"storageEngine": ENGINE}},
}


@pytest.mark.parametrize("indexes", INDEXES.values(), ids=INDEXES)
class TestIndexes:
    async def test_with_a_new_collection(self, database: Any, indexes: list[Any]) -> None:
        await Step(database, declared_state([collection(indexes)])).there_and_back()

    async def test_in_a_collection_that_is_there(self, database: Any, indexes: list[Any]) -> None:
        await database.get_collection("c").insert_many(documents())
        await Step(database, declared_state([collection(indexes)])).there_and_back()

    async def test_where_a_collation_is_inherited(self, database: Any, indexes: list[Any]) -> None:
        de = {"locale": "de"}
        step = Step(database, declared_state([collection(indexes, collation=de)]))
        await step.up()
        await fill(database, step.wanted)
        await Step(database, declared_state([collection(collation=de)])).there_and_back()
        await step.down()

    async def test_under_another_name(self, database: Any, indexes: list[Any]) -> None:
        """Every index renamed, and all of them still there for the documents."""
        first = Step(database, declared_state([collection(indexes)]))
        await first.up()
        await fill(database, first.wanted)
        renamed = [Index.of(entry).replace(name=f"new{place}") for place, entry in enumerate(indexes)]
        await Step(database, declared_state([collection(renamed)])).there_and_back()


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
async def test_options(database: Any, options: dict[str, Any]) -> None:
    step = Step(database, declared_state([collection(["a", "m.k"], **options)]))
    await step.up()
    await fill(database, step.wanted)
    assert not isinstance(step.found.operations[0], NeedsRebuild)
    await step.down()


def x(*keys: Any, **options: Any) -> Index:
    return Index(list(keys) or ["a"], **{"name": "x", **options})


TEXT: list[Any] = [("s", "text")]

CHANGES: dict[str, list[list[Index]]] = {
    "plain, TTL, hidden, unique": [
        [],
        [x()],
        [x(hidden=True)],
        [x(expireAfterSeconds=5)],
        [x(expireAfterSeconds=9, hidden=True)],
        [x(unique=True)],
        [x(unique=True, expireAfterSeconds=9)],
        [x(prepareUnique=True)],
    ],
    "definitions": [
        [x()],
        [x(("a", -1))],
        [x("b")],
        [x("a", "b")],
        [x(sparse=True, unique=True)],
        [x(partialFilterExpression=SOME)],
        [x(collation=EN)],
        [x(storageEngine=ENGINE)],
        [x(("a", "hashed"))],
        [x("$**")],
    ],
    "names": [
        [x(name="p"), x("b", name="q"), x("c", name="r")],
        [x(name="q"), x("b", name="p"), x("c", name="r")],
        [x(name="q"), x("b", name="r"), x("c", name="p")],
        [x(name="s"), x("b", name="p")],
        [x(name="p"), x(name="q", unique=True), x(("a", -1), name="r")],
        [x(name="q"), x(name="r", unique=True), x(("a", -1), name="p")],
    ],
    "text": [
        [x(*TEXT)],
        [x(*TEXT, name="y")],
        [x(*TEXT, weights={"s": 5})],
        [x(*TEXT, weights={"r": 1})],
        [x(*TEXT, default_language="fr")],
        [x(*TEXT, language_override="tongue")],
        [x(("$**", "text"))],
        [x("a", ("s", "text"), hidden=True)],
        [x(*TEXT, unique=True)],
    ],
    "places": [
        [x(("p", "2d"))],
        [x(("p", "2d"), bits=20)],
        [x(("p", "2d"), name="y")],
        [x(("g", "2dsphere"))],
        [x(("g", "2dsphere"), sparse=True)],
        [x(("g", "2dsphere"), name="y")],
        [x(("g", "2dsphere"), unique=True)],
        [x(("g", "2dsphere"), **{"2dsphereIndexVersion": 2})],
    ],
    "wildcards": [
        [x("$**")],
        [x("$**", hidden=True)],
        [x("$**", name="y")],
        [x("$**", wildcardProjection={"a": 1})],
        [x("$**", wildcardProjection={"a": 0})],
        [x("$**", prepareUnique=True)],
        [x("$**", partialFilterExpression=SOME, name="y")],
        [x("$**", partialFilterExpression=SOME)],
    ],
}


def routes(variants: Sequence[T], driver: str) -> Iterator[tuple[T, Sequence[T]]]:
    """From each variant to each other: Motor goes forward through the list, PyMongo backward; both come back again."""
    road = variants if driver == "motor" else variants[::-1]
    return ((old, road[place + 1 :]) for place, old in enumerate(road[:-1]))


@pytest.mark.parametrize("variants", CHANGES.values(), ids=CHANGES)
async def test_indexes_from_each_to_each_other(database: Any, driver_name: str, variants: list[list[Index]]) -> None:
    await database.get_collection("c").insert_many(documents())
    for old, others in routes(variants, driver_name):
        await Step(database, declared_state([collection(old)])).up()
        for new in others:
            await Step(database, declared_state([collection(new)])).there_and_back()


VALIDATORS = [{}, {"validator": {"a": {"$gte": 0}}}, {"validator": {"$jsonSchema": {"required": ["a"]}}}]
VALUES: dict[str, list[dict[str, Any]]] = {
    "validator": VALIDATORS,
    "level": [{}, {"validationLevel": "off"}, {"validationLevel": "moderate", **VALIDATORS[1]}, VALIDATORS[1]],
    "action": [{}, {"validationAction": "warn"}, {"validationAction": "error", **VALIDATORS[1]}],
    "capped": [
        {"capped": True, "size": size, **most} for size in (2**20, 2**21) for most in ({}, {"max": 99}, {"max": 98})
    ],
    "images": [{}, {"changeStreamPreAndPostImages": {"enabled": True}}],
    "life": [
        {"clusteredIndex": CLUSTERED, **life} for life in ({}, {"expireAfterSeconds": 0}, {"expireAfterSeconds": 9})
    ],
    "series": [
        {"timeseries": {"timeField": "t"}, **life}
        for life in ({}, {"expireAfterSeconds": 10**8}, {"expireAfterSeconds": 10**9})
    ],
    "all at once": [
        {"capped": True, "size": 2**20},
        {
            "capped": True,
            "size": 2**21,
            "max": 99,
            "validator": {"a": {"$gte": 0}},
            "validationLevel": "moderate",
            "validationAction": "warn",
            "changeStreamPreAndPostImages": {"enabled": True},
        },
    ],
}


@pytest.mark.parametrize("variants", VALUES.values(), ids=VALUES)
async def test_options_from_each_to_each_other(database: Any, driver_name: str, variants: list[dict[str, Any]]) -> None:
    await Step(database, declared_state([collection(**variants[0])])).up()
    await database.get_collection("c").insert_many(documents())
    for old, others in routes(variants, driver_name):
        await Step(database, declared_state([collection(**old)])).up()
        for new in others:
            step = Step(database, declared_state([collection(**new)]))
            await step.there_and_back()
            assert [type(operation) for operation in step.found.operations] == [ModifyCollection]
    assert await database.get_collection("c").count_documents({}) == 20


@pytest.mark.parametrize("old", ["seconds", "minutes", "hours"])
@pytest.mark.parametrize("new", ["seconds", "minutes", "hours"])
async def test_granularity(database: Any, old: str, new: str) -> None:
    await Step(database, declared_state([collection(timeseries={"timeField": "t", "granularity": old})])).up()
    step = Step(database, declared_state([collection(timeseries={"timeField": "t", "granularity": new})]))
    await step.up()
    if old < new:  # by chance also the order from coarse to fine: hours, minutes, seconds
        assert [type(operation) for operation in step.found.operations] == [NeedsRebuild]


REBUILT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "collation": ({}, {"collation": EN}),
    "no collation": ({"collation": EN}, {}),
    "another collation": ({"collation": EN}, {"collation": FR}),
    "capped": ({}, {"capped": True, "size": 5000}),
    "not capped": ({"capped": True, "size": 5000}, {}),
    "clustered": ({}, {"clusteredIndex": CLUSTERED, "expireAfterSeconds": 5}),
    "not clustered": ({"clusteredIndex": CLUSTERED, "expireAfterSeconds": 5}, {}),
    "storage": ({}, {"storageEngine": {"wiredTiger": {"configString": "block_compressor=zlib"}}}),
    "time field": ({"timeseries": {"timeField": "t"}}, {"timeseries": {"timeField": "u"}}),
    "meta field": ({"timeseries": {"timeField": "t"}}, {"timeseries": {"timeField": "t", "metaField": "m"}}),
    "time series": ({}, {"timeseries": {"timeField": "t"}}),
    "no time series": ({"timeseries": {"timeField": "t"}}, {}),
}


@pytest.mark.parametrize(("old", "new"), REBUILT.values(), ids=REBUILT)
async def test_what_needs_a_rebuild_is_said_again_until_it_is_done(
    database: Any, old: dict[str, Any], new: dict[str, Any]
) -> None:
    await Step(database, declared_state([collection(["a"], **old)])).up()
    await database.get_collection("c").insert_many(documents())
    step = Step(database, declared_state([collection(["a", "b"], **new)]))
    await step.there_and_back()
    assert isinstance(step.found.operations[0], NeedsRebuild)
    assert await database.get_collection("c").count_documents({}) == 20


VIEWS: dict[str, list[list[type[Any]]]] = {
    "one": [
        [],
        [view("v", "c")],
        [view("v", "d")],
        [view("v", "c", {"$match": {"a": 1}})],
        [view("v", "c", {"$match": {"a": 1.0}})],
        [view("v", "c", {"$match": {"a": 1}}, collation=FR)],
        [view("v", "c", {"$match": {"a": 1}}, collation=EN)],
    ],
    "several": [
        [view("a", "b"), view("b", "c")],
        [view("b", "a"), view("a", "c")],
        [view("a", "b", collation=FR), view("b", "c", collation=FR)],
        [view("b", "c", {"$unionWith": "a"}, collation=EN), view("a", "c", collation=EN)],
        [view("a", "c", {"$lookup": {"from": "b", "localField": "a", "foreignField": "a", "as": "x"}}), view("b", "c")],
        [view("a", "c", collation=FR), view("b", "c")],
        [view("b", "c")],
    ],
}


@pytest.mark.parametrize("variants", VIEWS.values(), ids=VIEWS)
async def test_views_from_each_to_each_other(database: Any, driver_name: str, variants: list[list[type[Any]]]) -> None:
    policy = Policy(drop_collections=True, owned=frozenset({"a", "b", "v"}))
    await database.get_collection("c").insert_many(documents())
    for old, others in routes(variants, driver_name):
        await Step(database, declared_state([collection(), *old]), policy).up()
        for new in others:
            await Step(database, declared_state([collection(), *new]), policy).there_and_back()


async def test_a_pipeline_changes_in_place(database: Any) -> None:
    await Step(database, declared_state([collection(), view("v", "c")])).up()
    step = Step(database, declared_state([collection(), view("v", "c", {"$limit": 3})]))
    await step.there_and_back()
    assert step.found.operations == (ModifyView("v", "c", [{"$limit": 3}]),)


class TestRename:
    async def test_documents_indexes_and_views_go_along(self, database: Any) -> None:
        old = [
            collection(["a", Index("b", unique=True)], name="purse", validator={"a": {"$gte": 0}}),
            view("v", "purse"),
        ]
        await Step(database, declared_state(old)).up()
        await database.get_collection("purse").insert_many(documents())
        new = collection([Index("b", unique=True), "c"], name="wallet", old="purse", data=[{"_id": 1, "a": 1}])
        step = Step(database, declared_state([new, view("v", "wallet")]))
        await step.up()
        assert await database.get_collection("v").count_documents({}) == 21
        await step.down()
        assert await database.get_collection("v").count_documents({}) == 20

    async def test_in_a_chain(self, database: Any) -> None:
        await Step(database, declared_state([collection(name="a"), collection(name="b")])).up()
        await database.get_collection("a").insert_one({"_id": "a"})
        step = Step(database, declared_state([collection(name="c", old="b"), collection(name="d", old="a")]))
        await step.up()
        assert await database.get_collection("d").find_one() == {"_id": "a"}
        await step.down()


class TestDocuments:
    DATA = ({"_id": 1, "v": "one"}, {"_id": ObjectId(), "v": Int64(2)}, {"_id": {"a": 1}, "v": Decimal128("3.0")})

    async def test_inserted_and_taken_out(self, database: Any) -> None:
        await database.get_collection("c").insert_one({"_id": 1, "v": "a user's"})
        step = Step(database, declared_state([collection(data=self.DATA)]))
        await step.up()
        assert step.found.operations == (InsertDocuments("c", self.DATA[1:]),)
        await step.down()
        assert await database.get_collection("c").find_one() == {"_id": 1, "v": "a user's"}

    async def test_what_users_have_changed_stays(self, database: Any) -> None:
        await database.get_collection("c").insert_one({"_id": 0})
        step = Step(database, declared_state([collection(data=self.DATA)]))
        await step.up()
        await database.get_collection("c").update_one({"_id": 1}, {"$set": {"v": "changed"}})
        after = await see(database, step.wanted)
        await Step(database, step.wanted).up()
        assert facts(await see(database, step.wanted)) == facts(after)
        with pytest.raises(AssertionError):
            await step.down()
        assert await database.get_collection("c").distinct("v") == ["changed"]


class TestUndeclaredIndexes:
    async def test_hidden_first_dropped_later(self, database: Any) -> None:
        policy = Policy(undeclared_indexes="hide")
        await Step(database, declared_state([collection(["a", Index("$**")])])).up()
        wanted = declared_state([collection()])
        before = await see(database, wanted)
        hiding = Step(database, wanted, policy)
        hiding.before = before
        await driver_for(database).command({"collMod": "c", "index": {"name": "a_1", "hidden": True}})
        dropping = Step(database, wanted, policy)
        with pytest.raises(AssertionError):  # what it hides, the next one drops
            await dropping.up()
        assert sorted(operation.describe() for operation in dropping.found.operations) == [
            "drop index a_1 of c",
            "modify index $**_1 of c (hidden=True)",
        ]
        await Step(database, wanted, policy).up()
        assert (await see(database, wanted)).collections["c"].indexes == ()

    async def test_ignored(self, database: Any) -> None:
        await Step(database, declared_state([collection(["a"])])).up()
        step = Step(database, declared_state([collection()]), Policy(undeclared_indexes="ignore"))
        await step.there_and_back()
        assert step.found.operations == ()
        assert len(step.found.notes) == 1


async def test_one_command_for_new_indexes_of_a_collection(database: Any) -> None:
    step = Step(database, declared_state([collection(["a", "b", Index("a", name="u", unique=True)])]))
    await step.up()
    assert [len(op.indexes) for op in step.found.operations if isinstance(op, CreateIndexes)] == [3]


async def test_in_place_where_the_server_can(database: Any) -> None:
    await database.get_collection("c").insert_many(documents())
    await Step(database, declared_state([collection([x()])])).up()
    step = Step(database, declared_state([collection([x(unique=True, hidden=True, expireAfterSeconds=5)])]))
    await step.there_and_back()
    assert [type(operation) for operation in step.found.operations] == [ModifyIndex, ModifyIndex]
