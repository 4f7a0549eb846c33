"""Faults of the server and of the network, on each command that a run sends: the run gets to its end all the same."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from asyncmig.drivers import driver_for
from asyncmig.errors import AsyncmigError, DriverError, LockLost, RevisionFailed
from asyncmig.events import Event, OperationFinished, OperationRetried, OperationStarted
from asyncmig.running.locking.lock import Lock
from asyncmig.testing.server import LocalServer

from ..clients import CLIENTS, DRIVERS, drop, taking_turns
from .database_snapshot import sync_snapshot
from .failpoints import Proxy, failing_for
from .history_files import History, states
from .sample_histories import twelve

CHAOS = bool(os.environ.get("ASYNCMIG_CHAOS"))  # `nox -s chaos` sets it

NETWORK = {"closeConnection": True}
NOT_PRIMARY = {"errorCode": 10107}
TOO_LONG = {"errorCode": 262}
NO_MAJORITY = {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}}

COMMANDS = {
    "find": (NETWORK, NOT_PRIMARY, TOO_LONG),
    "listCollections": (NETWORK, NOT_PRIMARY, TOO_LONG),
    "listIndexes": (NETWORK, NOT_PRIMARY, TOO_LONG),
    "findAndModify": (NETWORK, NOT_PRIMARY, TOO_LONG, NO_MAJORITY),
    "update": (NETWORK, NOT_PRIMARY, TOO_LONG, NO_MAJORITY),
    "insert": (NETWORK, NOT_PRIMARY, TOO_LONG, NO_MAJORITY),
    "delete": (NETWORK, NOT_PRIMARY, TOO_LONG, NO_MAJORITY),
    "create": (NETWORK, NOT_PRIMARY, TOO_LONG, NO_MAJORITY),
    "createIndexes": (NETWORK, NOT_PRIMARY, TOO_LONG, NO_MAJORITY),
    "dropIndexes": (NETWORK, NOT_PRIMARY, TOO_LONG, NO_MAJORITY),
    "collMod": (NETWORK, NOT_PRIMARY, TOO_LONG, NO_MAJORITY),
    "renameCollection": (NETWORK, NOT_PRIMARY, TOO_LONG),
    "drop": (NETWORK, NOT_PRIMARY, TOO_LONG, NO_MAJORITY),
}
NAMES = {id(NETWORK): "cut", id(NOT_PRIMARY): "no primary", id(TOO_LONG): "too long", id(NO_MAJORITY): "no majority"}
CASES = [
    pytest.param(command, fault, id=f"{command}, {NAMES[id(fault)]}")
    for command, faults in COMMANDS.items()
    for fault in faults
]

EVERYTHING = """
await env.create_collection('a')
await env.create_indexes('a', [Index('n'), Index('m', expireAfterSeconds=60)])
await env.insert_documents('a', [{'_id': 1}, {'_id': 2}])
await env.modify_index('a', 'm_1', expireAfterSeconds=600)
await env.modify_collection('a', validator={'n': {'$exists': False}})
await env.drop_index('a', 'n_1')
await env.delete_documents('a', [1])
await env.rename_collection('a', 'b')
await env.create_collection('c')
await env.drop_collection('c')
"""
NOTHING = "await env.drop_collection('b')"


@pytest.fixture
async def place(
    make_client: Callable[..., Any], clients: dict[str, Any], request: pytest.FixtureRequest
) -> AsyncIterator[tuple[Any, Any]]:
    """A fresh database, by a client that the fail points know by its name, and by another; the drivers take turns."""
    driver = taking_turns(sum(map(ord, request.node.name)))
    name = f"fault_{uuid.uuid4().hex[:12]}"
    yield make_client(driver, appname=name)[name], clients[driver][name]
    await drop(clients[driver], name)


@pytest.mark.parametrize(("command", "fault"), CASES)
async def test_a_run_survives_a_fault_of(
    place: tuple[Any, Any], tmp_path: Path, command: str, fault: dict[str, Any]
) -> None:
    """Up and down and up again, with one fault each time: nothing is noticed but the delay."""
    database, other = place
    history = History(tmp_path / "history")
    history.add("a", EVERYTHING, NOTHING)
    failed = 0
    for direction, target in (("upgrade", "head"), ("downgrade", "base"), ("upgrade", "head")):
        async with failing_for(other.client, database.name, [command], {"times": 1}, **fault) as count:
            runner = history.runner(database)
            went = await getattr(runner, direction)(target)
        assert [one.revision for one in went] == ["a"]
        failed += count[0]
    assert failed
    assert await states(other) == {"a": "applied"}
    assert sorted(await other.list_collection_names(filter={"name": {"$not": {"$regex": "^asyncmig"}}})) == ["b"]
    assert await other["b"].find().to_list(None) == [{"_id": 2}]
    assert sorted(await other["b"].index_information()) == ["_id_", "m_1"]
    assert await Lock(driver_for(other)).holder() is None


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        pytest.param(command, fault, id=f"{command}, {NAMES[id(fault)]}")
        for command in ("commitTransaction", "insert", "update")
        for fault in (NETWORK, NOT_PRIMARY, NO_MAJORITY)
        if command == "commitTransaction" or fault is not NO_MAJORITY  # which no other statement of it waits for
    ],
)
async def test_a_transactional_run_survives_a_fault_of(
    place: tuple[Any, Any], tmp_path: Path, command: str, fault: dict[str, Any]
) -> None:
    database, other = place
    await other.create_collection("x")
    history = History(tmp_path / "history")
    history.add(
        "a",
        "await env.db.x.update_one({'_id': 0}, {'$inc': {'n': 1}}, upsert=True, session=env.session)\n"
        "await env.insert_documents('x', [{'_id': 1}])",
        "await env.delete_documents('x', [0, 1])",
        transactional=True,
    )
    for direction, target in (("upgrade", "head"), ("downgrade", "base"), ("upgrade", "head")):
        events: list[Event] = []
        async with failing_for(other.client, database.name, [command], {"times": 1}, **fault):
            await getattr(history.runner(database, events=events), direction)(target)
        assert not any(isinstance(event, OperationRetried) for event in events)  # but the transaction as a whole
    assert await states(other) == {"a": "applied"}
    assert await other["x"].find().sort("_id").to_list(None) == [{"_id": 0, "n": 1}, {"_id": 1}]


NOT_ALLOWED = {"errorCode": 13}


@pytest.mark.parametrize(
    ("command", "fault", "words"),
    [
        ("find", NETWORK, "reading the ledger asyncmig_revisions .*: the connection broke"),
        ("find", NOT_ALLOWED, "reading the ledger asyncmig_revisions .*: the server does not allow it"),
        ("find", {"errorCode": 50}, r"reading the ledger .*: the server refused it \(code 50\)"),
        ("findAndModify", NOT_ALLOWED, "taking the lock in asyncmig_lock .*: the server does not allow it"),
        ("update", NOT_ALLOWED, "writing to the ledger asyncmig_revisions .*: the server does not allow it"),
        ("listCollections", NOT_ALLOWED, "listing the collections .*: the server does not allow it"),
    ],
)
async def test_what_time_does_not_heal_is_told_as_an_error_of_ours(
    place: tuple[Any, Any], tmp_path: Path, command: str, fault: dict[str, Any], words: str
) -> None:
    database, other = place
    history = History(tmp_path / "history")
    history.add("a", EVERYTHING, NOTHING)
    async with failing_for(other.client, database.name, [command], {"times": 2 if fault is NETWORK else 1}, **fault):
        with pytest.raises(DriverError, match=words) as caught:
            await history.runner(database).upgrade()
    assert isinstance(caught.value.__cause__, PyMongoError)
    assert await Lock(driver_for(other)).holder() is None
    assert await other.list_collection_names(filter={"name": "b"}) == []


async def test_a_ledger_that_cannot_be_told_of_a_failure(place: tuple[Any, Any], tmp_path: Path) -> None:
    """The server allows no more writes from the first operation on: the revision is under way, and stays so."""
    database, other = place
    history = History(tmp_path / "history")
    history.add("a", EVERYTHING, NOTHING)
    async with failing_for(other.client, database.name, ["update"], {"skip": 2}, **NOT_ALLOWED):
        with pytest.raises(RevisionFailed, match=r"failed in upgrade at its own code.*does not allow it") as caught:
            await history.runner(database, lease=2).upgrade()
    assert "The ledger could not be told; it has the revision as under way" in caught.value.__notes__[0]
    assert await states(other) == {"a": "upgrading"}
    await history.runner(database, wait=30).upgrade()
    assert await states(other) == {"a": "applied"}


STORMS = [NETWORK, NOT_PRIMARY, NO_MAJORITY] if CHAOS else [NETWORK]


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("fault", STORMS, ids=lambda fault: NAMES[id(fault)])
async def test_a_storm_of_faults(
    place: tuple[Any, Any], server_url: str, tmp_path: Path, fault: dict[str, Any]
) -> None:
    """Every command fails now and then, those of the revisions' own code too; upgrading again and again gets there."""
    database, other = place
    calm = f"{other.name}_calm"
    history = twelve(tmp_path / "twelve")
    await history.runner(other.client[calm]).upgrade()
    for _ in range(10 if CHAOS else 1):
        await drop(other.client, other.name)
        commands = [name for name, faults in COMMANDS.items() if fault in faults]
        async with failing_for(other.client, database.name, commands, {"activationProbability": 0.05}, **fault):
            for _ in range(30):
                with suppress(AsyncmigError, PyMongoError):
                    await history.runner(database, lease=5, wait=60).upgrade()
        await history.runner(other, wait=60).upgrade()
        with MongoClient(server_url) as client:
            assert sync_snapshot(client[other.name]) == sync_snapshot(client[calm])
    await drop(other.client, calm)


# -- the network ----------------------------------------------------------------------------------


@pytest.fixture
async def proxied(
    client: Any, database: Any, driver_name: str, make_client: Callable[..., Any]
) -> AsyncIterator[tuple[Proxy, Any]]:
    """A proxy before the server, and the database through it."""
    await client.admin.command("ping")
    host, port = client.address if driver_name == "motor" else await client.address
    async with Proxy(host, port) as proxy:
        url = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true"
        through = type(client)(url, serverSelectionTimeoutMS=2000, connectTimeoutMS=1000)
        yield proxy, through[database.name]
        proxy.flow()
        closing = await asyncio.to_thread(through.close)  # Motor's blocks, and the proxy lives in this loop
        if closing is not None:
            await closing


async def test_a_connection_that_is_cut_again_and_again(
    proxied: tuple[Proxy, Any], database: Any, tmp_path: Path
) -> None:
    proxy, through = proxied
    history = History(tmp_path / "history")
    history.add("a", EVERYTHING, NOTHING)
    events: list[Event] = []

    def hear(event: Event) -> None:
        events.append(event)
        if isinstance(event, OperationStarted) and event.number % 3 == 0:
            proxy.cut()

    await history.runner(through, on_event=hear).upgrade()
    assert any(isinstance(event, OperationRetried) for event in events)
    assert await states(database) == {"a": "applied"}
    assert await database["b"].find().to_list(None) == [{"_id": 2}]


async def test_a_connection_that_is_cut_when_a_session_is_asked_for(
    proxied: tuple[Proxy, Any], database: Any, tmp_path: Path
) -> None:
    """Whether the server has transactions is asked before the first operation on data."""
    proxy, through = proxied
    await database["a"].insert_one({"_id": 1, "n": 1})
    history = History(tmp_path / "history")
    history.add("a", "await env.create_collection('b')\nawait env.update_in_batches('a', {}, {'$inc': {'n': 1}})")

    def hear(event: Event) -> None:
        if isinstance(event, OperationFinished) and event.number == 1:
            proxy.cut()

    await history.runner(through, on_event=hear).upgrade()
    assert await database["a"].find().to_list(None) == [{"_id": 1, "n": 2}]


async def test_a_connection_that_stalls_longer_than_the_lease(
    proxied: tuple[Proxy, Any], database: Any, tmp_path: Path
) -> None:
    """The lease cannot be renewed: the work is cancelled before another could begin, which then goes on with it."""
    proxy, through = proxied
    history = History(tmp_path / "history")
    history.add("a", "await env.create_collection('a')\nawait asyncio.sleep(3600)\nawait env.create_collection('b')")

    def stall(event: Event) -> None:
        if isinstance(event, OperationFinished):
            asyncio.get_running_loop().call_later(0.3, proxy.stall)

    with pytest.raises(LockLost, match="could not be renewed"):
        await history.runner(through, lease=2.0, on_event=stall).upgrade()
    history.add("a", "await env.create_collection('a')\nawait env.create_collection('b')")
    await history.runner(database, wait=30).upgrade()
    assert await states(database) == {"a": "applied"}
    token = (await database["asyncmig_revisions"].find_one())["token"]
    proxy.flow()
    await asyncio.sleep(0.3)
    assert token == (await database["asyncmig_revisions"].find_one())["token"] == 2


async def test_an_operation_that_stalls_longer_than_the_lease(
    proxied: tuple[Proxy, Any], database: Any, tmp_path: Path
) -> None:
    """It is shielded from interrupts, not from the loss of the lock."""
    proxy, through = proxied
    history = History(tmp_path / "history")
    history.add("a", "await env.create_collection('a')\nawait env.create_collection('b')")
    with pytest.raises(LockLost):
        await history.runner(through, lease=1.5, on_event=lambda event: _stall(event, proxy)).upgrade()
    record = await database["asyncmig_revisions"].find_one()
    assert (record["state"], len(record["journal"])) == ("upgrading", 2)
    await history.runner(database, wait=30).upgrade()
    assert await states(database) == {"a": "applied"}


def _stall(event: Event, proxy: Proxy) -> None:
    if isinstance(event, OperationStarted) and event.number == 2:
        proxy.stall()


# -- the server -----------------------------------------------------------------------------------


SERVER_KILLS = [
    pytest.param(driver, moment, number, id=f"{driver}, {moment} {number}")
    for driver, moment in ((DRIVERS[0], "in operation"), (DRIVERS[-1], "after operation"))
    for number in (range(1, 11) if CHAOS else [8])
]


@pytest.mark.chaos
@pytest.mark.parametrize(("driver_name", "moment", "number"), SERVER_KILLS)
async def test_the_server_is_killed_and_started_again(
    driver_name: str, tmp_path: Path, moment: str, number: int
) -> None:
    """SIGKILL to mongod in the middle of a run, and a new one on the same data: the run goes on."""
    history = History(tmp_path / "history")
    history.add(
        "a", EVERYTHING.replace("\n", "\nawait asyncio.sleep(0.2)\n") if moment[0] == "a" else EVERYTHING, NOTHING
    )
    with LocalServer(tmp_path / "data") as server:
        client: Any = CLIENTS[driver_name](server.url)
        restarts: list[asyncio.Task[Any]] = []

        def hear(event: Event) -> None:
            kind = OperationStarted if moment == "in operation" else OperationFinished
            if isinstance(event, kind) and event.number == number and not restarts:
                server.kill()
                restarts.append(asyncio.ensure_future(asyncio.to_thread(server.start)))

        went = await history.runner(client["killed"], on_event=hear).upgrade()
        assert [one.revision for one in went] == ["a"]
        await restarts[0]
        assert await states(client["killed"]) == {"a": "applied"}
        assert await client["killed"]["b"].find().to_list(None) == [{"_id": 2}]
        closing = client.close()
        if closing is not None:
            await closing
