"""What tests do to a migrated database, and that the next one finds nothing of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from pymongo.errors import OperationFailure
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from asyncmig.testing.snapshot import differences, take
from asyncmig.testing.template import Template

from ..clients import DRIVERS

NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def migrate(database: Any) -> None:
    """A database with a bit of everything."""
    await database.create_collection("plain", validator={"n": {"$type": "int"}}, validationLevel="moderate")
    await database["plain"].create_index("a", unique=True, name="a_idx")
    await database["plain"].insert_many([{"_id": 1, "a": 1, "n": 1}, {"_id": 2, "a": 2, "n": 2}])
    await database.create_collection("empty", collation={"locale": "en", "strength": 2})
    await database["empty"].create_index([("text", "text")], collation={"locale": "simple"})
    await database.create_collection("capped", capped=True, size=4096)
    await database["capped"].insert_one({"_id": 1})
    await database.create_collection("series", timeseries={"timeField": "at", "metaField": "of"})
    await database["series"].insert_one({"_id": 1, "at": NOW, "of": "x"})
    await database.create_collection("view", viewOn="plain", pipeline=[{"$match": {"a": 1}}])
    await database["asyncmig_revisions"].insert_one({"_id": "a001", "state": "applied"})


Mischief = Callable[[Any], Awaitable[Any]]

MISCHIEF: dict[str, Mischief] = {
    "nothing": lambda db: asyncio.sleep(0),
    "insert": lambda db: db["empty"].insert_one({"text": "x"}),
    "update": lambda db: db["plain"].update_one({"_id": 1}, {"$set": {"n": 7}}),
    "delete": lambda db: db["plain"].delete_one({"_id": 1}),
    "insert into capped": lambda db: db["capped"].insert_one({"_id": 2}),
    "insert into series": lambda db: db["series"].insert_one({"at": NOW, "of": "y"}),
    "forget a revision": lambda db: db["asyncmig_revisions"].delete_many({}),
    "new collection": lambda db: db["new"].insert_one({}),
    "new view": lambda db: db.create_collection("other", viewOn="plain", pipeline=[]),
    "drop collection": lambda db: db.drop_collection("plain"),
    "drop series": lambda db: db.drop_collection("series"),
    "drop view": lambda db: db.drop_collection("view"),
    "rename": lambda db: db["plain"].rename("renamed"),
    "new index": lambda db: db["plain"].create_index("z"),
    "drop index": lambda db: db["plain"].drop_index("a_idx"),
    "hide index": lambda db: db.command("collMod", "plain", index={"name": "a_idx", "hidden": True}),
    "change validator": lambda db: db.command("collMod", "plain", validator={}),
    "change view": lambda db: db.command("collMod", "view", viewOn="plain", pipeline=[]),
    "drop all": lambda db: db.client.drop_database(db.name),
}


class Writes(CommandListener):
    names = ("insert", "update", "delete", "create", "createIndexes", "drop", "dropIndexes", "collMod")

    def __init__(self) -> None:
        self.seen: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in self.names:
            self.seen.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None: ...

    def failed(self, event: CommandFailedEvent) -> None: ...


@pytest.fixture(scope="module")
async def template(make_client: Any) -> AsyncIterator[tuple[Template, Any, Writes]]:
    writes = Writes()
    client = make_client(DRIVERS[-1], event_listeners=[writes])
    database = client[f"template_{uuid4().hex[:8]}"]
    template = Template(lambda: database, migrate)
    await template.ready()
    yield template, database, writes
    await client.drop_database(database.name)


@pytest.mark.parametrize("name", MISCHIEF)
async def test_it_is_put_back(template: tuple[Template, Any, Writes], name: str) -> None:
    made, database, writes = template
    await made.ready()
    before = await take(database)
    await MISCHIEF[name](database)
    if name != "nothing":
        assert differences(before, await take(database))
    writes.seen.clear()
    assert await made.ready() == database.name
    assert (writes.seen == []) == (name == "nothing")
    assert differences(before, await take(database)) == []


async def test_without_the_right_to_ask_for_hashes(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Template(lambda: database, migrate)
    asked = type(database).command

    async def refusing(self: Any, command: Any, *rest: Any, **options: Any) -> Any:
        if command == "dbHash":
            raise OperationFailure("not authorized", 13)
        return await asked(self, command, *rest, **options)

    monkeypatch.setattr(type(database), "command", refusing)
    await made.ready()
    before = await take(database)
    await database["plain"].update_one({"_id": 1}, {"$set": {"n": 7}})
    await database["capped"].insert_one({"_id": 2})
    await made.ready()
    assert differences(before, await take(database)) == []


async def test_a_migration_that_fails_is_not_tried_for_every_test(database: Any) -> None:
    runs: list[Any] = []

    async def failing(target: Any) -> None:
        runs.append(target)
        raise ValueError("not today")

    made = Template(lambda: database, failing)
    for _ in range(3):
        with pytest.raises(ValueError, match="not today"):
            await made.ready()
    assert len(runs) == 1


@pytest.mark.pymongo_async
async def test_a_database_that_cannot_be_put_back_is_left(
    clients: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that a test left open stands in the way of the hash."""
    client = clients[DRIVERS[-1]]
    names = [f"left_{uuid4().hex[:8]}" for _ in range(2)]
    fresh = iter(names)
    made = Template(lambda: client[next(fresh)], migrate)
    monkeypatch.setattr("asyncmig.testing.template._RESTORE_SECONDS", 0.5)
    async with client.start_session() as session:
        await made.ready()
        await session.start_transaction()
        await client[names[0]]["empty"].insert_one({"text": "x"}, session=session)
        assert await made.ready() == names[1]
        await session.abort_transaction()
    for name in names:
        await client.drop_database(name)
