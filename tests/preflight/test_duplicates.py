"""The duplicates that are counted are those that the server's own dry run names: on random documents and indexes."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from bson import Decimal128, Int64
from pymongo.errors import OperationFailure

from asyncmig.drivers import driver_for
from asyncmig.drivers.capability import server_of
from asyncmig.errors import OperationRefused
from asyncmig.operations import CreateIndexes, ModifyIndex
from asyncmig.operations.known import KnownState
from asyncmig.preflight.asking import Asker
from asyncmig.preflight.duplicates import duplicate_groups, duplicates
from asyncmig.running.applying.apply import apply
from asyncmig.running.applying.context import Context
from asyncmig.schema.collation import SIMPLE, expand
from asyncmig.schema.index import Index
from asyncmig.schema.state import DatabaseState

VALUES: list[Any] = [
    *(None, 1, 1.0, Int64(1), 2, "a", "A", "b", {"k": 1}, {"k": 1.0}, [], [1], [1, 1], [1, 2], ["a", "A"], [None]),
    *([[1]], [[]], True, Decimal128("1"), {"k": [1]}, float("nan"), -0.0, 0, {}, ""),
]
INNER: list[Any] = [
    None,
    1,
    "a",
    {"b": 1},
    {"b": 1.0},
    {"b": None},
    {"b": [1, 2]},
    {"b": []},
    {"c": 1},
    {"b": {"c": 2}},
    {"b": [{"c": 1}, {"c": 2}]},
    {"b": [{"c": 2}, {"c": 2}, 7]},
    [{"b": 1}, {"b": 2}],
    [{"b": 1}, {"b": 1}],
    [{"b": [1, 3]}, {"c": 1}],
    [],
]
FIELDS = [
    *(["x"], ["x"], ["x", "y"], ["y", "x"], ["a.b"], ["a.b", "x"], ["a.b.c"], ["x", "p"], ["x", "y", "p"]),
]
PARTIAL: list[Any] = [None, None, {"p": {"$gt": 0}}, {"x": {"$exists": True}}, {"x": {"$type": "string"}}]
ROUNDS = int(os.environ.get("ASYNCMIG_EXAMPLES", "25"))


def _documents(chance: random.Random, fields: list[str]) -> list[dict[str, Any]]:
    documents = []
    for number in range(chance.choice((5, 12, 30))):
        document: dict[str, Any] = {"_id": number}
        for field in ("x", "y"):
            if chance.random() < 0.85:
                document[field] = chance.choice(VALUES)
        if chance.random() < 0.8:
            document["a"] = chance.choice(INNER)
        if chance.random() < 0.5:
            document["p"] = chance.randrange(3)
        documents.append(document)
    if len(fields) > 1:  # parallel arrays are another probe's
        documents = [one for one in documents if sum(map(_has_array, (one.get("x"), one.get("y"), one.get("a")))) < 2]
    return documents


def _has_array(value: Any) -> bool:
    return isinstance(value, list) or (isinstance(value, dict) and any(map(_has_array, value.values())))


def _index(chance: random.Random) -> Index:
    fields = chance.choice(FIELDS)
    options: dict[str, Any] = {}
    if chance.random() < 0.3:
        options["sparse"] = True
    elif partial := chance.choice(PARTIAL):
        options["partialFilterExpression"] = partial
    if collation := chance.choice([None, None, {"locale": "en", "strength": 2}]):
        options["collation"] = dict(expand(collation, "index") or {})
    return Index([(field, chance.choice((1, -1))) for field in fields], name="i", **options)


async def _of_server(database: Any, index: Index) -> list[list[Any]]:
    await database.command({"collMod": "c", "index": {"name": "i", "prepareUnique": True}})
    try:
        await database.command({"collMod": "c", "index": {"name": "i", "unique": True}, "dryRun": True})
    except OperationFailure as error:
        if error.code != 359:
            raise
        return sorted(sorted(group["ids"]) for group in (error.details or {})["violations"])
    return []


async def _counted(database: Any, index: Index) -> list[list[Any]]:
    keys = {f"k{place}": f"$k{place}" for place in range(len(index.keys))}
    stages = [
        *duplicate_groups(index),
        {"$group": {"_id": keys, "ids": {"$addToSet": "$_id"}}},
        {"$match": {"ids.1": {"$exists": True}}},
    ]
    collation = dict(index.options.get("collation") or SIMPLE)
    cursor = database["c"].aggregate(stages, collation=collation)
    rows = await ((await cursor) if hasattr(cursor, "__await__") else cursor).to_list(None)
    return sorted(sorted(row["ids"]) for row in rows)


async def _asker(database: Any, *costs: Any, budget: float = 30.0) -> Asker:
    driver = driver_for(database)
    rows = await driver.read({"listIndexes": "c"})
    from asyncmig.schema.server import collection_from_server

    state = collection_from_server({"name": "c", "type": "collection", "options": {}}, rows)
    live = DatabaseState({"c": state})
    return Asker(driver, live, KnownState.of(live), await server_of(driver), budget, frozenset(costs or "ABC"))


@pytest.mark.servers(since="6.0")
@pytest.mark.parametrize("seed", range(4))
async def test_random_documents_and_indexes(turn: Any, seed: int) -> None:
    chance = random.Random(seed)
    compared = 0
    for _ in range(ROUNDS):
        index = _index(chance)
        documents = _documents(chance, [field for field, _ in index.keys])
        await turn.drop_collection("c")
        await turn["c"].insert_many(documents)
        await turn.command({"createIndexes": "c", "indexes": [index.document]})
        asked = index.replace(name="j", unique=True)
        counted = await duplicates(await _asker(turn), "c", asked)
        said = await _of_server(turn, index)
        figures = len(said), len(set().union(*said))
        assert counted is not None
        if counted.level == "unknown":
            assert "leads through arrays" in counted.text
        else:
            assert await _counted(turn, index) == said, (index, documents)
            assert (counted.figures["groups"], counted.figures["documents"]) == figures
            compared += 1
        exact = await duplicates(await _asker(turn, "A", "B", "C", "D"), "c", asked)
        assert exact is not None
        assert (exact.figures["groups"], exact.figures["documents"]) == figures
    assert compared > ROUNDS // 2


async def test_arrays_on_the_way_are_left_to_the_server(database: Any) -> None:
    await database["c"].insert_many([{"a": [{"b": 1}, {"b": 2}]}, {"a": {"b": 2}}, {"a": {"b": 3}}])
    await database.command({"createIndexes": "c", "indexes": [{"key": {"a.b": 1}, "name": "i"}]})
    index = Index("a.b", unique=True, name="j")
    counted = await duplicates(await _asker(database), "c", index)
    assert counted is not None
    assert (counted.level, "leads through arrays" in counted.text) == ("unknown", True)
    exact = await duplicates(await _asker(database, "A", "B", "C", "D"), "c", index)
    assert exact is not None
    assert (exact.level, exact.figures["groups"], exact.figures["documents"]) == ("problem", 1, 2)
    (listed,) = [one for one in await driver_for(database).read({"listIndexes": "c"}) if one["name"] == "i"]
    assert "prepareUnique" not in listed


async def test_what_takes_too_long_is_said_to_be_unfinished(database: Any) -> None:
    await database["c"].insert_many([{"x": number % 40_000, "s": "x" * 20} for number in range(60_000)])
    probe = await duplicates(await _asker(database, budget=0.001), "c", Index("x", unique=True))
    assert probe is not None
    assert (probe.level, "not finished within 0.001 s" in probe.text) == ("unknown", True)


async def _refusal(operation: Any, database: Any) -> int | None:
    """The code with which the operation is refused; None where it is done."""
    try:
        await apply(operation, Context(driver_for(database)))
    except OperationRefused as error:
        return error.code
    return None


@pytest.mark.servers(since="6.0")
@pytest.mark.parametrize("two_steps", [True, False])
async def test_what_is_foreseen_of_a_unique_index_happens(turn: Any, two_steps: bool) -> None:
    """Random documents and indexes: problems fail, none passes; what only the server can tell, ``exact`` tells."""
    chance = random.Random(int(two_steps) + 100)
    failed, passed = 0, 0
    for _ in range(ROUNDS):
        index = _index(chance)
        documents = _documents(chance, [field for field, _ in index.keys])[: chance.choice((2, 4, 30))]
        await turn.drop_collection("c")
        if documents:
            await turn["c"].insert_many(documents)
        await turn.command({"createIndexes": "c", "indexes": [index.document]})
        asked = index.replace(name="i" if two_steps else "j", unique=True)
        found = await duplicates(await _asker(turn, "A", "B", "C", "D"), "c", asked)
        assert found is not None
        operation: Any = ModifyIndex("c", "i", {"unique": True})
        if not two_steps:
            await turn.command({"dropIndexes": "c", "index": "i"})
            operation = CreateIndexes("c", (asked,))
        code = await _refusal(operation, turn)
        assert (found.level, code) in (("note", None), ("problem", 359), ("problem", 11000)), (index, documents, found)
        failed, passed = failed + (code is not None), passed + (code is None)
    assert min(failed, passed) > 1
