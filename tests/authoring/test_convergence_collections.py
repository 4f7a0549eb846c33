"""Collections, views and documents declared, made, changed into each other and taken back, on a real server."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId

from asyncmig.authoring.diff import difference
from asyncmig.authoring.policy import Policy
from asyncmig.operations import CreateView, InsertDocuments, ModifyCollection, ModifyView, NeedsRebuild
from asyncmig.operations.reversal import reverse
from asyncmig.schema.index import Index
from asyncmig.sources import load_models

from .convergence import Step, facts, see
from .models import collection, documents, fill, routes, view

pytestmark = pytest.mark.servers(since="6.0")

EN, FR = {"locale": "en", "strength": 2}, {"locale": "fr"}
ENGINE = {"wiredTiger": {"configString": "prefix_compression=false"}}
CLUSTERED = {"key": {"_id": 1}, "unique": True}

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


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
async def test_options(database: Any, options: dict[str, Any]) -> None:
    step = Step(database, load_models([collection(["a", "m.k"], **options)]).state)
    await step.up()
    await fill(database, step.wanted)
    assert not isinstance(step.found.operations[0], NeedsRebuild)
    await step.down()


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
    await Step(database, load_models([collection(**variants[0])]).state).up()
    await database.get_collection("c").insert_many(documents())
    for old, others in routes(variants, driver_name):
        await Step(database, load_models([collection(**old)]).state).up()
        for new in others:
            step = Step(database, load_models([collection(**new)]).state)
            await step.there_and_back()
            assert [type(operation) for operation in step.found.operations] == [ModifyCollection]
    assert await database.get_collection("c").count_documents({}) == 20


@pytest.mark.parametrize("old", ["seconds", "minutes", "hours"])
@pytest.mark.parametrize("new", ["seconds", "minutes", "hours"])
async def test_granularity(database: Any, old: str, new: str) -> None:
    await Step(database, load_models([collection(timeseries={"timeField": "t", "granularity": old})]).state).up()
    step = Step(database, load_models([collection(timeseries={"timeField": "t", "granularity": new})]).state)
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
    await Step(database, load_models([collection(["a"], **old)]).state).up()
    await database.get_collection("c").insert_many(documents())
    step = Step(database, load_models([collection(["a", "b"], **new)]).state)
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
    "three, one on the other": [
        [view("m", "z", collation=FR), view("z", "a", collation=FR), view("a", "c", collation=FR)],
        [view("m", "z", collation=EN), view("z", "a", collation=EN), view("a", "c", collation=EN)],
        [view("a", "m"), view("m", "z"), view("z", "c")],
        [view("z", "c", {"$match": {"a": 1}}, collation=FR)],
        [],
    ],
}


@pytest.mark.parametrize("kept", [True, False])
def test_a_chain_of_views_is_made_from_its_sources_on_both_ways(kept: bool) -> None:
    """c <- a <- z <- m, with another collation, or taken away: no view is made before the one that it reads."""

    def chain(collation: Any) -> list[Any]:
        views = [view("m", "z", collation=collation), view("z", "a", collation=collation)]
        return [collection(), *views, view("a", "c", collation=collation)]

    before, after = load_models(chain(FR)).state, load_models(chain(EN) if kept else [collection()]).state
    policy = Policy(drop_collections=True, owned=frozenset("amz"))
    there = difference(before, after, policy).operations
    for steps in (there, reverse(there)):
        made = [step.collection for step in steps if isinstance(step, CreateView)]
        assert made in (["a", "z", "m"], [])
    assert [step.collection for step in reverse(there) if isinstance(step, CreateView)] == ["a", "z", "m"]


@pytest.mark.parametrize("variants", VIEWS.values(), ids=VIEWS)
async def test_views_from_each_to_each_other(database: Any, driver_name: str, variants: list[list[type[Any]]]) -> None:
    policy = Policy(drop_collections=True, owned=frozenset({"a", "b", "m", "v", "z"}))
    await database.get_collection("c").insert_many(documents())
    for old, others in routes(variants, driver_name):
        await Step(database, load_models([collection(), *old]).state, policy).up()
        for new in others:
            await Step(database, load_models([collection(), *new]).state, policy).there_and_back()


async def test_a_pipeline_changes_in_place(database: Any) -> None:
    await Step(database, load_models([collection(), view("v", "c")]).state).up()
    step = Step(database, load_models([collection(), view("v", "c", {"$limit": 3})]).state)
    await step.there_and_back()
    assert step.found.operations == (ModifyView("v", "c", [{"$limit": 3}]),)


class TestRename:
    async def test_documents_indexes_and_views_go_along(self, database: Any) -> None:
        old = [
            collection(["a", Index("b", unique=True)], name="purse", validator={"a": {"$gte": 0}}),
            view("v", "purse"),
        ]
        await Step(database, load_models(old).state).up()
        await database.get_collection("purse").insert_many(documents())
        new = collection([Index("b", unique=True), "c"], name="wallet", old="purse", data=[{"_id": 1, "a": 1}])
        step = Step(database, load_models([new, view("v", "wallet")]).state)
        await step.up()
        assert await database.get_collection("v").count_documents({}) == 21
        await step.down()
        assert await database.get_collection("v").count_documents({}) == 20

    async def test_in_a_chain(self, database: Any) -> None:
        await Step(database, load_models([collection(name="a"), collection(name="b")]).state).up()
        await database.get_collection("a").insert_one({"_id": "a"})
        step = Step(database, load_models([collection(name="c", old="b"), collection(name="d", old="a")]).state)
        await step.up()
        assert await database.get_collection("d").find_one() == {"_id": "a"}
        await step.down()


class TestDocuments:
    DATA = ({"_id": 1, "v": "one"}, {"_id": ObjectId(), "v": Int64(2)}, {"_id": {"a": 1}, "v": Decimal128("3.0")})

    async def test_inserted_and_taken_out(self, database: Any) -> None:
        await database.get_collection("c").insert_one({"_id": 1, "v": "a user's"})
        step = Step(database, load_models([collection(data=self.DATA)]).state)
        await step.up()
        assert step.found.operations == (InsertDocuments("c", self.DATA[1:]),)
        await step.down()
        assert await database.get_collection("c").find_one() == {"_id": 1, "v": "a user's"}

    async def test_what_users_have_changed_stays(self, database: Any) -> None:
        await database.get_collection("c").insert_one({"_id": 0})
        step = Step(database, load_models([collection(data=self.DATA)]).state)
        await step.up()
        await database.get_collection("c").update_one({"_id": 1}, {"$set": {"v": "changed"}})
        after = await see(database, step.wanted)
        await Step(database, step.wanted).up()
        assert facts(await see(database, step.wanted)) == facts(after)
        with pytest.raises(AssertionError):
            await step.down()
        assert await database.get_collection("c").distinct("v") == ["changed"]
