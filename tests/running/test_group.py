"""Many new collections are made several at once, and the ledger tells the truth of them all the same."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mongomock_motor import AsyncMongoMockClient
from pymongo import MongoClient

from asyncmig.drivers import driver_for
from asyncmig.errors import OperationRefused, RevisionFailed
from asyncmig.events import (
    Event,
    JournalDiverged,
    OperationFinished,
    OperationRetried,
    OperationSkipped,
    OperationStarted,
)
from asyncmig.running.ledger.ledger import Ledger
from asyncmig.running.ledger.record import Record

from .faults import failing
from .histories import History, states
from .listening import Heard
from .twelve import many, picture
from .victims import Victims

KILLS = 50 if os.environ.get("ASYNCMIG_CHAOS") else 3  # `nox -s chaos` sets it
NAMES = {f"c{number:02}" for number in range(20)}


@pytest.fixture
def history(tmp_path: Path) -> History:
    return many(tmp_path / "history")


@pytest.fixture(scope="module")
def victims(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    with Victims(server_url, tmp_path_factory.mktemp("histories"), {"many": many}) as started:
        yield started


@pytest.fixture
def looked_at(server_url: str, database: Any) -> Iterator[Callable[[], str]]:
    """A picture of the database as it is."""
    with MongoClient(server_url) as client:
        yield lambda: picture(client[database.name])


async def names(database: Any) -> set[str]:
    return {name for name in await database.list_collection_names() if not name.startswith("asyncmig_")}


async def record(database: Any) -> Record:
    found = await Ledger(driver_for(database)).record("m1")
    assert found is not None
    return found


def numbers(events: list[Event], kind: type[Event]) -> list[int]:
    return [event.number for event in events if isinstance(event, kind)]  # type: ignore[attr-defined]


# -- what comes of it -----------------------------------------------------------------------------


async def test_each_operation_has_an_entry_of_its_own_in_the_end(history: History, database: Any) -> None:
    events: list[Event] = []
    await history.runner(database, events=events).upgrade()
    assert await names(database) == NAMES
    for name in NAMES:
        assert set(await database[name].index_information()) == {"_id_", "n_1"}
    found = (await record(database)).journal
    assert [entry.number for entry in found] == list(range(1, 41))
    assert [entry.description for entry in found[:2]] == ["create collection c00", "create 1 index(es) on c00: n_1"]
    assert all(entry.is_finished and entry.started_at and not entry.together for entry in found)
    assert [entry.subjects for entry in found[:2]] == [("c00",), ("c00/i/n_1",)]
    assert numbers(events, OperationStarted) == numbers(events, OperationFinished) == list(range(1, 41))
    await history.runner(database).downgrade("base")
    assert (await names(database), await states(database)) == (set(), {})


async def test_a_group_is_written_down_once(
    history: History, make_client: Callable[..., Any], database: Any, driver_name: str
) -> None:
    """One write begins the group, as one begins each of the eight operations after it."""
    heard = Heard()
    client = make_client(driver_name, event_listeners=[heard])
    await history.runner(client[database.name]).upgrade()
    assert heard.names.count("create") == heard.names.count("createIndexes") == 20
    around = 4  # what a runner before us has left is adopted, the record opened and closed, the lock released
    assert heard.names.count("update") == around + 1 + 8


async def test_what_is_there_is_done_by_itself(history: History, database: Any) -> None:
    await database.create_collection("c02")
    await history.runner(database).upgrade()
    assert await names(database) == NAMES
    assert [entry.number for entry in (await record(database)).journal] == list(range(1, 41))


async def test_all_indexes_after_all_collections(history: History, database: Any) -> None:
    """As autogenerate writes them; a collection that something was put into is no new one any more."""
    lines = [f"await env.create_collection('c{number:02}')" for number in range(20)]
    lines += ["await env.insert_documents('c01', [{'_id': 1}])"]
    lines += [f"await env.create_indexes('c{number:02}', [Index('n')])" for number in (0, 1, *range(2, 20))]
    history.add("m1", "\n".join(lines))
    events: list[Event] = []
    await history.runner(database, events=events).upgrade()
    assert numbers(events, OperationFinished) == list(range(1, 42))
    for name in NAMES:
        assert set(await database[name].index_information()) == {"_id_", "n_1"}


async def test_the_mock_does_it_too(history: History) -> None:
    database = AsyncMongoMockClient()["x"]
    await history.runner(database).upgrade()
    assert await names(database) == NAMES
    assert [entry.number for entry in (await record(database)).journal] == list(range(1, 41))


# -- what stands in the way -----------------------------------------------------------------------


def meddling(url: str, database: Any, events: list[Event]) -> Callable[[Event], None]:
    """A listener that makes another ``c02`` once the group has begun."""

    def listen(event: Event) -> None:
        events.append(event)
        if isinstance(event, OperationStarted) and event.number == 1:
            with MongoClient[dict[str, Any]](url) as client:
                client[database.name].create_collection("c02", capped=True, size=4096)

    return listen


async def test_a_refused_one_stops_there_and_what_was_done_is_known(
    history: History, database: Any, server_url: str
) -> None:
    events: list[Event] = []
    with pytest.raises(RevisionFailed, match=r"at operation 5 \(create collection c02\)") as caught:
        await history.runner(database, on_event=meddling(server_url, database, events)).upgrade()
    assert isinstance(caught.value.__cause__, OperationRefused)
    assert numbers(events, OperationFinished) == [1, 2, 3, 4]
    found = await record(database)
    assert [entry.number for entry in found.journal] == list(range(1, 33))
    assert [entry.is_finished for entry in found.journal[:4]] == [True] * 4
    assert (found.unknown, found.state) == (None, "failed")
    there = await names(database) - {"c02"}
    assert {entry.collection for entry in found.journal if entry.is_finished} == there
    assert found.journal[4].error is not None
    assert found.journal[5].error == "not begun, as operation 5 was refused"

    await database.drop_collection("c02")
    events.clear()
    await history.runner(database, events=events).upgrade()
    assert await names(database) == NAMES
    assert numbers(events, OperationSkipped) == [entry.number for entry in found.journal if entry.is_finished]
    assert all(entry.is_finished for entry in (await record(database)).journal)


async def test_a_refused_group_is_undone_as_far_as_it_had_come(
    history: History, database: Any, server_url: str
) -> None:
    with pytest.raises(RevisionFailed):
        await history.runner(database, on_event=meddling(server_url, database, [])).upgrade()
    await history.runner(database).downgrade("base")
    assert await names(database) == {"c02"}


async def test_what_was_refused_is_not_undone_after_half_a_downgrade(
    history: History, database: Any, server_url: str
) -> None:
    """An upgrade in between opens again what had been done, and not what never was."""
    with pytest.raises(RevisionFailed):
        await history.runner(database, on_event=meddling(server_url, database, [])).upgrade()
    for direction, target in (("downgrade", "base"), ("upgrade", "head")):
        with pytest.raises(RevisionFailed, match="enough"):
            await getattr(history.runner(database, on_event=stopping), direction)(target)
    await history.runner(database).downgrade("base")
    assert await names(database) == {"c02"}


def stopping(event: Event) -> None:
    """A listener that has had enough of the first operation."""
    if type(event) is OperationStarted:
        raise RuntimeError("enough")


async def test_a_connection_that_breaks_is_no_harm(
    history: History, database: Any, clients: dict[str, Any], driver_name: str
) -> None:
    events: list[Event] = []
    async with failing(clients[driver_name], database, ["create"], times=1, collection="c05", closeConnection=True):
        await history.runner(database, events=events).upgrade()
    assert numbers(events, OperationRetried) == [11]
    assert await names(database) == NAMES


async def test_a_connection_that_stays_broken_is_told_with_its_operation_and_its_line(
    history: History, database: Any, clients: dict[str, Any], driver_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asyncmig.running.executor._PAUSES", (0.01,))
    file = history.revisions["m1"].path
    assert file is not None
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if "create_collection('c05')" in text)
    where = rf"operation 11 \(create collection c05\), line {line}: AutoReconnect"
    async with failing(clients[driver_name], database, ["create"], times=2, collection="c05", closeConnection=True):
        with pytest.raises(RevisionFailed, match=where):
            await history.runner(database).upgrade()
    found = await record(database)
    assert [len(entry.together) for entry in found.journal] == [31]
    assert found.unknown is not None
    await history.runner(database).upgrade()
    assert await names(database) == NAMES


# -- killed in the middle -------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
async def test_killed_in_a_group_one_entry_is_open(
    history: History, victims: Victims, database: Any, clients: dict[str, Any], driver_name: str, direction: str
) -> None:
    """The server holds ``c05`` up for longer than the process lives."""
    job = {"history": "many", "database": database.name, "driver": driver_name, "direction": "upgrade"}
    block = {"blockConnection": True, "blockTimeMS": 2500}
    async with failing(clients[driver_name], database, ["create"], times=1, collection="c05", **block):
        victims.send({**job, "target": "head", "kill_after": 1.5})
        (answer,) = await victims.answers()
    assert answer["killed"]
    found = await record(database)
    (entry,) = found.journal
    assert found.unknown == entry
    assert entry.description == "create c00, c01, c02 and 13 more, with what belongs to them (operations 1 to 32)"
    assert set(entry.subjects) >= {name for name in NAMES if name < "c16"}
    assert len(entry.together) == 31
    assert "c04" in await names(database)

    target = "head" if direction == "upgrade" else "base"
    victims.send({**job, "direction": direction, "target": target, "unlock": True, "wait": 60})
    (answer,) = await victims.answers()
    assert answer.get("error") is None, answer
    assert await names(database) == (NAMES if direction == "upgrade" else set())
    if direction == "upgrade":
        journal = (await record(database)).journal
        assert [entry.number for entry in journal if entry.is_finished] == list(range(1, 41))


async def test_edited_after_it_was_killed(
    history: History, victims: Victims, database: Any, clients: dict[str, Any], driver_name: str
) -> None:
    """What the group may have made is put aside, so that a downgrade still knows of it."""
    job = {"history": "many", "database": database.name, "driver": driver_name, "direction": "upgrade"}
    block = {"blockConnection": True, "blockTimeMS": 1500}
    async with failing(clients[driver_name], database, ["create"], times=1, collection="c05", **block):
        victims.send({**job, "target": "head", "kill_after": 1.0})
        (answer,) = await victims.answers()
    assert answer["killed"]
    file = history.revisions["m1"].path
    assert file is not None
    before = file.read_text()
    body = before.partition("async def upgrade(env):\n")[2].partition("\n\n\n")[0]
    history.add("m1", body.replace("c03", "other"), "\n".join(f"await env.drop_collection('{n}')" for n in NAMES))
    events: list[Event] = []
    await _unlocked(history, database, events)
    assert [(one.number, one.journalled[:6]) for one in events if isinstance(one, JournalDiverged)] == [(1, "create")]
    found = await record(database)
    assert [len(entry.together) for entry in found.superseded] == [31]
    assert [entry.number for entry in found.journal if entry.is_finished] == list(range(1, 41))
    assert await names(database) >= NAMES - {"c03"} | {"other"}


async def _unlocked(history: History, database: Any, events: list[Event]) -> None:
    runner = history.runner(database, events=events, wait=60)
    await runner._lock.break_lock(force=True)
    await runner.upgrade()


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_killed_at_random_moments(victims: Victims, database: Any, looked_at: Callable[[], str]) -> None:
    """Whenever it dies, one entry at most is open, what has an end is there, and the next run gets to the end."""
    job = {"history": "many", "database": database.name, "driver": "pymongo", "direction": "upgrade", "target": "head"}
    with MongoClient(victims.url) as client:
        there = client[database.name]
        assert "error" not in victims.ask(**job)
        calm, killed = looked_at(), 0
        for number in range(10 * KILLS):
            client.drop_database(database.name)
            doomed = {**job, "driver": ("motor", "pymongo")[number % 2], "lease": 10}
            killed += bool(victims.ask(**doomed, kill_after=random.uniform(0.02, 0.5))["killed"])
            for found in there["asyncmig_revisions"].find():
                opened = [entry for entry in found["journal"] if entry["finished_at"] is None]
                done = {entry["collection"] for entry in found["journal"] if entry["finished_at"] is not None}
                assert len(opened) <= 1
                assert done <= set(there.list_collection_names())
            answer = victims.ask(**job, unlock=True, wait=60)
            assert answer.get("error") is None, answer
            assert looked_at() == calm
            if killed == KILLS:
                return
        raise AssertionError("it was not killed often enough")
