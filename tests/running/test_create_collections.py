"""``env.create_collections``: one operation, carried out several at a time, and the ledger tells the truth of it."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mongomock_motor import AsyncMongoMockClient
from pymongo import MongoClient

from asyncmig.drivers import driver_for
from asyncmig.errors import OperationRefused, RevisionFailed
from asyncmig.events import Event, OperationFinished, OperationRetried, OperationStarted
from asyncmig.running.ledger.ledger import Ledger
from asyncmig.running.ledger.provenance import created_collections
from asyncmig.running.ledger.record import Record

from ..clients import DRIVERS, taking_turns
from .database_snapshot import sync_snapshot
from .event_listener import Heard
from .failpoints import failing
from .history_files import History, states
from .runner_processes import Victims
from .sample_histories import many

KILLS = 50 if os.environ.get("ASYNCMIG_CHAOS") else 3  # `nox -s chaos` sets it
NAMES = {f"c{number:02}" for number in range(20)}


@pytest.fixture
def history(tmp_path: Path) -> History:
    return many(tmp_path / "history")


@pytest.fixture(scope="module")
def victims(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    with Victims(server_url, tmp_path_factory.mktemp("histories"), {"many": many}) as started:
        yield started


async def names(database: Any) -> set[str]:
    return {name for name in await database.list_collection_names() if not name.startswith("asyncmig_")}


async def record(database: Any) -> Record:
    found = await Ledger(driver_for(database)).record("m1")
    assert found is not None
    return found


async def test_all_are_there_by_one_entry_and_go_again(
    history: History, make_client: Callable[..., Any], database: Any, driver_name: str
) -> None:
    heard = Heard()
    client = make_client(driver_name, event_listeners=[heard])
    await database.create_collection("c02")  # is left as it is
    await history.runner(client[database.name]).upgrade()
    assert await names(database) == NAMES
    for name in NAMES:
        assert set(await database[name].index_information()) == {"_id_", "n_1"}
    found = await record(database)
    assert [(one.number, one.is_finished) for one in found.journal] == [(1, True)]
    assert found.journal[0].description == "create 20 collections with 20 indexes: c00, c01, c02 and 17 more"
    assert set(found.journal[0].subjects) == NAMES
    assert created_collections([found]) == NAMES - {"c02"}
    assert heard.names.count("create") == heard.names.count("createIndexes") == 20
    await history.runner(database).downgrade("base")
    assert (await names(database), await states(database)) == ({"c02"}, {})


async def test_the_mock_does_it_too(history: History) -> None:
    database = AsyncMongoMockClient()["x"]
    await history.runner(database).upgrade()
    assert await names(database) == NAMES
    assert len((await record(database)).journal) == 1


def meddling(url: str, database: Any) -> Callable[[Event], None]:
    """A listener that makes another ``c02`` once the operation has begun."""

    def listen(event: Event) -> None:
        if isinstance(event, OperationStarted):
            with MongoClient[dict[str, Any]](url) as client:
                client[database.name].create_collection("c02", capped=True, size=4096)

    return listen


@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
async def test_refused_in_the_middle_only_what_was_made_is_undone(
    history: History, database: Any, server_url: str, direction: str
) -> None:
    """The other ``c02`` is nobody's to drop; once it is out of the way, the operation goes on."""
    with pytest.raises(RevisionFailed, match=r"create collection c02: the server refused it \(code 48\)") as caught:
        await history.runner(database, on_event=meddling(server_url, database)).upgrade()
    assert isinstance(caught.value.__cause__, OperationRefused)
    found = await record(database)
    there = await names(database) - {"c02"}
    assert (found.unknown, found.state, set(found.journal[0].subjects)) == (None, "failed", there)
    assert there < NAMES - {"c02"}

    if direction == "downgrade":
        await history.runner(database).downgrade("base")
        assert await names(database) == {"c02"}
        return
    await database.drop_collection("c02")
    events: list[Event] = []
    await history.runner(database, events=events).upgrade()
    assert await names(database) == NAMES
    assert sum(isinstance(event, OperationFinished) for event in events) == 1


async def test_a_connection_that_breaks_is_no_harm(
    history: History, database: Any, clients: dict[str, Any], driver_name: str
) -> None:
    events: list[Event] = []
    async with failing(clients[driver_name], database, ["create"], times=1, collection="c05", closeConnection=True):
        await history.runner(database, events=events).upgrade()
    assert sum(isinstance(event, OperationRetried) for event in events) == 1
    assert await names(database) == NAMES


@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
async def test_killed_in_the_middle(
    history: History, victims: Victims, database: Any, clients: dict[str, Any], driver_name: str, direction: str
) -> None:
    """The server holds ``c05`` up for longer than the process lives."""
    job = {"history": "many", "database": database.name, "driver": driver_name, "direction": "upgrade"}
    block = {"blockConnection": True, "blockTimeMS": 2500}
    async with failing(clients[driver_name], database, ["create"], times=1, collection="c05", **block):
        victims.send({**job, "target": "head"})
        while not (await names(database) or victims.have_ended):
            await asyncio.sleep(0.01)
        holder = await database["asyncmig_lock"].find_one({"_id": "migration"})
        os.kill(holder["pid"], signal.SIGKILL)
        (answer,) = await victims.answers()
    assert answer["killed"]
    (entry,) = (await record(database)).journal
    assert (entry.is_finished, set(entry.subjects)) == (False, NAMES)
    made = await names(database)
    assert set() < made <= NAMES
    # They are begun in their order, four at a time: of those before the last that is there, at most four were under
    # way when the process died. The server may still make them after it, c05 above all: so no set of names is the
    # right one, and what is not there is no more than that.
    assert len([one for one in NAMES - made if one < max(made)]) <= 4

    target = "head" if direction == "upgrade" else "base"
    victims.send({**job, "direction": direction, "target": target, "unlock": True, "wait": 60})
    (answer,) = await victims.answers()
    assert answer.get("error") is None, answer
    assert await names(database) == (NAMES if direction == "upgrade" else set())


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_killed_at_random_moments(victims: Victims, database: Any, server_url: str) -> None:
    """Whenever it dies, the next run gets to the end."""
    job = {
        "history": "many",
        "database": database.name,
        "driver": DRIVERS[-1],
        "direction": "upgrade",
        "target": "head",
    }
    with MongoClient(server_url) as client:
        there = client[database.name]
        assert "error" not in victims.ask(**job)
        calm, killed = sync_snapshot(there), 0
        for number in range(10 * KILLS):
            client.drop_database(database.name)
            doomed = {**job, "driver": taking_turns(number), "lease": 10}
            killed += bool(victims.ask(**doomed, kill_after=random.uniform(0.02, 0.5))["killed"])
            answer = victims.ask(**job, unlock=True, wait=60)
            assert answer.get("error") is None, answer
            assert sync_snapshot(there) == calm
            if killed == KILLS:
                return
        raise AssertionError("it was not killed often enough")
