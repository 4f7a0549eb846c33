"""Applying operations: from wherever an earlier attempt has left the database, to where it is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, WriteConcernError

from asyncmig.errors import OperationRefused
from asyncmig.operations import (
    CreateCollection,
    CreateIndexes,
    CreateView,
    DeleteDocuments,
    DropCollection,
    DropIndex,
    DropView,
    InsertDocuments,
    ModifyCollection,
    ModifyIndex,
    ModifyView,
    NeedsRebuild,
    Operation,
    RenameCollection,
)
from asyncmig.running.applying.apply import Context, apply, prepare
from asyncmig.schema.index import Index

from ..clients import DRIVERS
from .applying_helpers import Watched, context, run
from .database_snapshot import snapshot

pytestmark = pytest.mark.servers(since="6.0")

A, V = CreateCollection("a"), CreateView("v", "a", [{"$match": {"x": 1}}])
X = CreateIndexes("a", (Index("x"),))
FILLED = InsertDocuments("a", ({"_id": 1, "x": 1}, {"_id": 2, "x": 2}))
VALIDATOR = {"validator": {"x": {"$gte": 0}}, "validationLevel": "moderate", "validationAction": "warn"}
SERIES = {"timeseries": {"timeField": "t", "metaField": "m"}, "expireAfterSeconds": 3600}
OURS = {"a": [{"_id": 1, "digest": "4d2ed5f3d1a5cc3ce6d4d0e1fd2b7c5e"}]}

STEPS: list[tuple[Sequence[Operation], Operation]] = [
    ((), A),
    ((), CreateCollection("a", VALIDATOR)),
    ((), CreateCollection("a", {"capped": True, "size": 5000, "max": 10})),
    ((), CreateCollection("a", {"collation": {"locale": "fr_CA"}})),
    ((), CreateCollection("a", SERIES)),
    ((), CreateCollection("a", {"clusteredIndex": {"key": {"_id": 1}, "unique": True}})),
    ((), CreateCollection("a", {"changeStreamPreAndPostImages": {"enabled": True}})),
    ((A,), DropCollection("a")),
    ((), DropCollection("a")),
    ((A, FILLED, X), RenameCollection("a", "b")),
    ((A,), ModifyCollection("a", VALIDATOR)),
    ((CreateCollection("a", VALIDATOR),), ModifyCollection("a", {"validator": {}, "validationLevel": "strict"})),
    (
        (CreateCollection("a", {"capped": True, "size": 512}),),
        ModifyCollection("a", {"cappedSize": 1024, "cappedMax": 5}),
    ),
    ((CreateCollection("a", SERIES),), ModifyCollection("a", {"timeseries": {"granularity": "hours"}})),
    ((CreateCollection("a", SERIES),), ModifyCollection("a", {"expireAfterSeconds": "off"})),
    ((A,), ModifyCollection("a", {"changeStreamPreAndPostImages": {"enabled": True}})),
    ((A,), V),
    ((A,), CreateView("v", "a", [], {"collation": {"locale": "th"}})),
    ((A, V), ModifyView("v", "b", [{"$limit": 1}])),
    ((A, V), DropView("v")),
    ((A,), DropView("v")),
    ((A, FILLED), X),
    ((), X),
    ((A,), CreateIndexes("a", (Index([("t", "text"), ("u", "text")], weights={"u": 2}), Index([("g", "2dsphere")])))),
    ((A,), CreateIndexes("a", (Index("x", unique=True, partialFilterExpression={"x": {"$gt": 0}}), Index("$**")))),
    ((A,), CreateIndexes("a", (Index("x", collation={"locale": "da"}), Index([("y", -1.0)], expireAfterSeconds=60.0)))),
    ((CreateCollection("a", {"collation": {"locale": "th"}}),), X),
    ((CreateCollection("a", SERIES),), CreateIndexes("a", (Index([("m", 1), ("t", -1)]),))),
    ((A, X), DropIndex("a", "x_1")),
    ((A,), DropIndex("a", "x_1")),
    ((), DropIndex("a", "x_1")),
    ((A, X), ModifyIndex("a", "x_1", {"hidden": True})),
    ((A, X), ModifyIndex("a", "x_1", {"expireAfterSeconds": 60, "hidden": True})),
    ((A, X), ModifyIndex("a", "x_1", {"prepareUnique": True})),
    ((A, FILLED, X), ModifyIndex("a", "x_1", {"unique": True})),
    ((A, FILLED, X), ModifyIndex("a", "x_1", {"unique": True, "expireAfterSeconds": 5})),
    ((A, X, ModifyIndex("a", "x_1", {"prepareUnique": True})), ModifyIndex("a", "x_1", {"unique": True})),
    ((A,), FILLED),
    ((), FILLED),
    ((A, FILLED), DeleteDocuments("a", (1, 7))),
    ((A, FILLED), DeleteDocuments("a", (1, 7), if_unchanged=True)),
]


def _name(value: Any) -> str:
    return value.describe()[:50] if isinstance(value, Operation) else ""


@pytest.mark.parametrize(("before", "operation"), STEPS, ids=_name)
async def test_a_second_time_changes_nothing(database: Any, before: Sequence[Operation], operation: Operation) -> None:
    await run(database, *before)
    there = context(database, inserted=OURS)
    intent = await prepare(operation, there)
    await apply(operation, there, intent)
    once = await snapshot(database)
    await apply(operation, there, intent)
    assert await snapshot(database) == once
    await apply(operation, there)  # nobody remembers the intent, either
    assert await snapshot(database) == once


@pytest.mark.parametrize(("before", "operation"), STEPS, ids=_name)
async def test_a_connection_that_breaks_anywhere_is_let_through_and_the_next_attempt_gets_there(
    clients: dict[str, Any], before: Sequence[Operation], operation: Operation
) -> None:
    """Broken at each call to the server, before the server did it and after; then once more with the first intent.

    With one driver: what breaks here stands above both.
    """
    database = clients[DRIVERS[-1]]["test_broken_connections"]
    await _start_again(database, before)
    plain = context(database)
    intent = await prepare(operation, plain)
    await apply(operation, plain, intent)
    wanted = await snapshot(database)
    for done in (False, True):
        for place in range(20):
            await _start_again(database, before)
            watched = Watched(plain.driver, place, done=done)
            try:
                await apply(operation, Context(watched.driver), intent)
            except AutoReconnect:
                await apply(operation, plain, intent)
                assert await snapshot(database) == wanted
            else:
                assert watched.calls <= place
                break
    await database.client.drop_database(database.name)


async def _start_again(database: Any, before: Sequence[Operation]) -> None:
    for name in await database.list_collection_names():
        if not name.startswith("system."):
            await database.drop_collection(name)
    await run(database, *before)


REFUSALS: list[tuple[Sequence[Operation], Operation, int | None, str]] = [
    ((A,), CreateCollection("a", {"capped": True, "size": 1024}), 48, "capped: False there, True wanted"),
    (
        (CreateCollection("a", VALIDATOR),),
        CreateCollection("a", {**VALIDATOR, "validationAction": "error"}),
        48,
        "validationAction: 'warn' there, 'error' wanted",
    ),
    ((A, V), CreateCollection("v"), 48, "type: 'view' there, 'collection' wanted"),
    ((A,), CreateView("a", "b", []), 48, "type: 'collection' there, 'view' wanted"),
    ((A, V), CreateView("v", "a", []), 48, "pipeline: "),
    ((A, V), CreateView("v", "b", [{"$match": {"x": 1}}]), 48, "viewOn: 'a' there, 'b' wanted"),
    ((), CreateCollection("a", {"capt": True}), 40415, "mind the spelling"),
    ((), CreateCollection("a", {"validator": {"$jsonSchema": {"typ": "object"}}}), 9, "cannot read a part"),
    ((A,), DropView("a"), None, "a is a collection, not a view"),
    ((), RenameCollection("a", "b"), 26, "neither a nor b is there"),
    ((A, CreateCollection("b")), RenameCollection("a", "b"), 48, "both a and b are there"),
    ((A, V), RenameCollection("v", "w"), 166, "this is a view"),
    ((), ModifyCollection("a", VALIDATOR), 26, "create it first"),
    ((A,), ModifyCollection("a", {"cappedSize": 1024}), 72, "not possible on this kind"),
    ((A,), ModifyCollection("a", {"collation": {"locale": "en"}}), 40415, "it takes a rebuild"),
    ((A, X), ModifyCollection("a", {"index": {"name": "x_1", "unique": True}}), None, "use env.modify_index"),
    ((A, V), ModifyView("v", "v", []), 5, "in a circle"),
    ((A, V), ModifyView("v", "a", [{"$nonsense": 1}]), 40324, "does not know a stage"),
    ((A,), NeedsRebuild("a", ("the collation",)), None, "rebuild the collection by hand"),
]


@pytest.mark.parametrize(("before", "operation", "code", "told"), REFUSALS, ids=_name)
async def test_a_refusal_tells_what_stands_in_the_way(
    database: Any, before: Sequence[Operation], operation: Operation, code: int | None, told: str
) -> None:
    await run(database, *before)
    was = await snapshot(database)
    with pytest.raises(OperationRefused) as refused:
        await run(database, operation)
    assert refused.value.code == code
    assert refused.value.operation == operation
    assert told in str(refused.value)
    assert str(refused.value).startswith(operation.describe())
    assert await snapshot(database) == was


async def test_a_rename_without_its_source_is_done_where_the_new_name_is_there(database: Any) -> None:
    await run(database, CreateCollection("b"))
    was = await snapshot(database)
    await run(database, RenameCollection("a", "b"))
    assert await snapshot(database) == was


async def test_a_collation_is_sent_with_all_nine_fields(database: Any) -> None:
    watched = Watched(context(database).driver)
    await apply(CreateCollection("a", {"collation": {"locale": "th"}}), Context(watched.driver))
    await apply(CreateIndexes("a", (Index("x", collation={"locale": "th"}),)), Context(watched.driver))
    await apply(CreateIndexes("a", (Index("y", collation={"locale": "simple"}),)), Context(watched.driver))
    created, full, simple = watched.commands
    assert len(created["collation"]) == 9
    assert created["collation"]["alternate"] == "non-ignorable"
    assert full["indexes"][0]["collation"]["alternate"] == "shifted"
    assert simple["indexes"][0]["collation"] == {"locale": "simple"}


async def test_a_change_of_the_schema_waits_for_a_majority(database: Any) -> None:
    """``getLastError``-style statistics are gone; the profile shows what the command carried."""
    await database.command({"profile": 2})
    await run(database, A, X, DropIndex("a", "x_1"), RenameCollection("a", "b"), ModifyCollection("b", VALIDATOR))
    await run(database, DropCollection("b"))
    await database.command({"profile": 0})
    verbs = ["create", "createIndexes", "dropIndexes", "collMod", "drop"]
    seen = await database["system.profile"].find({}).to_list(None)
    commands = {verb: one["command"] for one in seen for verb in verbs if verb in one.get("command", {})}
    assert {verb: command.get("writeConcern", {}).get("w") for verb, command in commands.items()} == dict.fromkeys(
        verbs, "majority"
    )


FAULTS: list[tuple[Operation, str, dict[str, Any], type[Exception]]] = [
    (A, "create", {"closeConnection": True}, AutoReconnect),
    (X, "createIndexes", {"errorCode": 10107}, AutoReconnect),
    (X, "createIndexes", {"errorCode": 50}, OperationRefused),
    (X, "createIndexes", {"errorCode": 13}, OperationRefused),
    (DropCollection("a"), "drop", {"errorCode": 91}, AutoReconnect),
    (A, "create", {"writeConcernError": {"code": 64, "errmsg": "waiting timed out"}}, WriteConcernError),
    (
        RenameCollection("a", "b"),
        "renameCollection",
        {"writeConcernError": {"code": 64, "errmsg": ""}},
        WriteConcernError,
    ),
    (FILLED, "insert", {"errorCode": 121}, OperationRefused),
]


@pytest.mark.parametrize(("operation", "command", "fault", "raised"), FAULTS, ids=lambda value: str(value)[:40])
async def test_only_a_no_is_a_refusal(
    database: Any, operation: Operation, command: str, fault: dict[str, Any], raised: type[Exception]
) -> None:
    """A connection that breaks, a server that steps down, a majority that does not answer: the outcome is unknown."""
    if operation != A:
        await run(database, A)
    admin = database.client.admin
    data = {"failCommands": [command], "namespace": f"{database.name}.a", **fault}
    if command == "renameCollection":
        data.pop("namespace")  # it is a command of the admin database
    await admin.command({"configureFailPoint": "failCommand", "mode": {"times": 1}, "data": data})
    try:
        with pytest.raises(raised):
            await run(database, operation)
    finally:
        await admin.command({"configureFailPoint": "failCommand", "mode": "off"})


@pytest.mark.parametrize("operation", [A, X, RenameCollection("a", "b"), V, ModifyIndex("a", "x_1", {"hidden": True})])
async def test_no_schema_change_in_a_transaction(database: Any, operation: Operation) -> None:
    await run(database, CreateCollection("a"))
    there = context(database)
    async with there.driver.transaction() as session:
        with pytest.raises(OperationRefused, match="take `transactional = True` out"):
            await apply(operation, Context(there.driver, session=session))
