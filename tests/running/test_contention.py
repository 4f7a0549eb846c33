"""Several runners at once, and one that was stopped for longer than its lease: real processes on a real server."""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from asyncmig.drivers import driver_for
from asyncmig.running.locking.lock import Lock

from ..clients import DRIVERS, drop, taking_turns
from .database_snapshot import sync_snapshot
from .runner_processes import Victims, proceed, stopped
from .sample_histories import counting, slow, twelve

CHAOS = bool(os.environ.get("ASYNCMIG_CHAOS"))  # `nox -s chaos` sets it
PROCESSES, PARTS, ROUNDS = (20, 4, 5) if CHAOS else (6, 1, 3)
LEASE = 4.0  # seconds
CLIENTS, TURNS = (50, 200) if CHAOS else (8, 12)


@pytest.fixture(scope="module")
def victims(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    folder = tmp_path_factory.mktemp("histories")
    with Victims(server_url, folder, {"counting": counting, "slow": slow, "twelve": twelve}) as started:
        yield started


# -- many at once ---------------------------------------------------------------------------------


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
async def test_each_revision_exactly_once(
    victims: Victims, client: Any, database: Any, driver_name: str, part: int
) -> None:
    for number in range(ROUNDS):
        place = client[f"{database.name}_{number}"]
        job = {"history": "counting", "database": place.name, "driver": driver_name}
        victims.send(*[{**job, "direction": "upgrade", "target": "head", "wait": 120}] * PROCESSES)
        answers = await victims.answers()
        assert [one.get("error") for one in answers] == [None] * PROCESSES
        assert sorted(revision for one in answers for revision in one["went"]) == [f"c{n}" for n in range(5)]
        assert [one["n"] for one in await place["runs"].find().to_list(None)] == [1] * 5
        await drop(client, place.name)


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
async def test_up_and_down_at_once_and_killed(victims: Victims, server_url: str, part: int) -> None:
    """Runs in both directions by both drivers, some of them killed: one after the other, and the end is as ever."""
    name = f"updown_{uuid.uuid4().hex[:12]}"
    with MongoClient(server_url) as client:
        victims.send(_job(name, "upgrade"))
        assert "error" not in (await victims.answers())[0]
        calm = sync_snapshot(client[name])
        for _ in range(ROUNDS if CHAOS else 1):
            victims.send(*(_job(name, random.choice(("upgrade", "downgrade")), kills=True) for _ in range(PROCESSES)))
            answers = await victims.answers()
            # The lease is short enough to end while a process waits for its turn on a busy machine.
            assert {one.get("error") for one in answers} <= {None, "LockLost"}, answers
            held = [one for one in client[name]["asyncmig_revisions"].find() if one["state"] != "applied"]
            assert len(held) <= 1  # whatever was killed, one revision at most is half-way
        for direction, expected in (("upgrade", calm), ("downgrade", "{}"), ("upgrade", calm)):
            victims.send(_job(name, direction))
            assert (await victims.answers())[0].get("error") is None
            assert sync_snapshot(client[name]) == expected
        client.drop_database(name)


def _job(name: str, direction: str, *, kills: bool = False) -> dict[str, Any]:
    job = {"history": "twelve", "database": name, "driver": random.choice(DRIVERS)}
    target = "head" if direction == "upgrade" else "base"
    doom = {"kill_after": random.uniform(0.1, 4.0)} if kills and random.random() < 0.4 else {}
    lease = 2.0 if kills else 30.0
    return {**job, "direction": direction, "target": target, "lease": lease, "wait": 300, **doom}


# -- stopped, overtaken, and continued ------------------------------------------------------------

STOPS = [
    "LockAcquired",
    "RunStarted",
    "RevisionStarted s1",
    "OperationStarted s1 1",
    "OperationFinished s1 1",
    "OperationStarted s1 2",
    "OperationFinished s1 2",
    "RevisionFinished s1",
    "RevisionStarted s2",
    "OperationFinished s2 2",
]
FIRST = STOPS[:7]  # before s1 is applied


class Duel:
    """A run that is stopped at some moment, and the database that it runs on."""

    def __init__(
        self, victims: Victims, client: tuple[str, Any], moment: str, reach: str = "head", lease: float = LEASE
    ) -> None:
        self.victims, self.client, self.moment, self.reach, self.lease = victims, client, moment, reach, lease
        self.driver, client_of_driver = client
        self.database = client_of_driver[f"stop_{uuid.uuid4().hex[:12]}"]
        self.before: dict[str, list[Any]] = {}
        self.was_stopped = False

    def again(self) -> Duel:
        """The same anew, for a machine that is so busy that the lease ended before the moment came."""
        return Duel(self.victims, self.client, self.moment, self.reach, self.lease * 2)

    @property
    def job(self) -> dict[str, Any]:
        job = {"history": "slow", "database": self.database.name, "driver": self.driver, "direction": "upgrade"}
        return {**job, "target": "head", "lease": self.lease, "stop_at": self.moment}

    async def take_over(self, folder: Path) -> None:
        """Wait until the other has been stopped, take its place when its lease has ended, and let it go on."""
        async with self._while_stopped():
            if self.was_stopped:
                await slow(folder).runner(self.database, wait=60).upgrade(self.reach)
                self.before = await everything(self.database)

    async def wait(self, folder: Path) -> None:
        """Let the other go on when its lease has ended, having done nothing meanwhile."""
        async with self._while_stopped():
            while self.was_stopped and not await lease_has_ended(self.database):
                await asyncio.sleep(0.1)

    @asynccontextmanager
    async def _while_stopped(self) -> AsyncIterator[None]:
        pid = await stopped(self.victims, self.database)
        self.was_stopped = bool(pid)
        try:
            yield
        finally:
            if pid:
                proceed(pid)


async def lease_has_ended(database: Any) -> bool:
    """By the server's clock."""
    ended = {"_id": "migration", "$expr": {"$lte": ["$expires_at", "$$NOW"]}}
    return await database["asyncmig_lock"].find_one(ended) is not None


async def fought(victims: Victims, duels: list[Duel], what: Any, folder: Path) -> list[tuple[Duel, dict[str, Any]]]:
    """All at once, for most of their time goes by with waiting; those that were starved, anew."""
    slow(folder)
    done: list[tuple[Duel, dict[str, Any]]] = []
    for _ in range(4):
        victims.send(*[duel.job for duel in duels])
        async with asyncio.TaskGroup() as group:
            for duel in duels:
                group.create_task(what(duel, folder))
        answers = list(zip(duels, await victims.answers(), strict=True))
        done += [(duel, answer) for duel, answer in answers if not starved(duel, answer)]
        if not (duels := [duel.again() for duel, answer in answers if starved(duel, answer)]):
            return done
    raise AssertionError(answers)


def starved(duel: Duel, answer: dict[str, Any]) -> bool:
    """Whether the machine let a run wait for so long that its lease ended, though nobody stopped it or took over."""
    return not duel.before and "could not be renewed" in answer.get("message", "")


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("reach", ["head", "s1"])
async def test_stopped_for_longer_than_its_lease(
    victims: Victims, clients: dict[str, Any], reach: str, tmp_path: Path
) -> None:
    """The next runner takes over, to the end or not as far as the stopped one wanted; then that one goes on.

    It must notice, say so, and write nothing more, neither to the ledger nor to the database. With
    ``s1`` the stopped one's next write is about a revision that the other has not come to.
    """
    for duel, answer in await fought(
        victims, duels(victims, clients, STOPS if reach == "head" else FIRST, reach), Duel.take_over, tmp_path / "slow"
    ):
        assert duel.was_stopped, (duel.moment, answer)
        assert answer.get("error") == "LockLost", (duel.moment, answer)
        assert await everything(duel.database) == duel.before, duel.moment
        states = {one["_id"]: one["state"] for one in duel.before["asyncmig_revisions"]}
        assert states["s1"] == "applied", duel.moment
        await drop(duel.database.client, duel.database.name)


def duels(victims: Victims, clients: dict[str, Any], moments: list[str], reach: str = "head") -> list[Duel]:
    """One for each moment; the drivers take turns."""
    drivers = [taking_turns(number) for number in range(len(moments))]
    return [
        Duel(victims, (driver, clients[driver]), moment, reach) for driver, moment in zip(drivers, moments, strict=True)
    ]


async def everything(database: Any) -> dict[str, list[Any]]:
    names = sorted(await database.list_collection_names())
    return {name: await database[name].find().sort("_id").to_list(None) for name in names}


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_stopped_and_nobody_came(victims: Victims, clients: dict[str, Any], tmp_path: Path) -> None:
    """A lease that ended and that nobody took is renewed, and the work goes on."""
    for duel, answer in await fought(victims, duels(victims, clients, STOPS), Duel.wait, tmp_path / "slow"):
        assert duel.was_stopped, (duel.moment, answer)
        assert answer.get("went") == ["s1", "s2"], (duel.moment, answer)
        await drop(duel.database.client, duel.database.name)


@pytest.mark.chaos
async def test_killed_and_taken_over_when_its_lease_has_ended(victims: Victims, database: Any, tmp_path: Path) -> None:
    job = {"history": "slow", "database": database.name, "driver": "motor", "direction": "upgrade", "target": "head"}
    victims.send({**job, "lease": 2.0, "known": ["LockAcquired", "RunStarted"]})
    assert (await victims.answers())[0]["killed"]
    went = await slow(tmp_path / "slow").runner(database, wait=30).upgrade()
    assert [one.revision for one in went] == ["s1", "s2"]


# -- the lock alone -------------------------------------------------------------------------------


@pytest.fixture
async def many(make_client: Callable[..., Any], clients: dict[str, Any]) -> AsyncIterator[list[Any]]:
    """The same database by several clients of both drivers."""
    name = f"lock_{uuid.uuid4().hex[:12]}"
    yield [make_client(taking_turns(number))[name] for number in range(CLIENTS)]
    await drop(clients[DRIVERS[-1]], name)


@pytest.mark.chaos
@pytest.mark.timeout(3600)
async def test_the_lock_alone(many: list[Any]) -> None:
    """An unprotected read-modify-write inside the lock shows any overlap as a lost count."""
    tokens: list[int] = []
    counter = many[0]["counter"]
    await counter.insert_one({"_id": 1, "n": 0})
    await asyncio.gather(*(client_at_work(database, tokens) for database in many))
    assert (await counter.find_one())["n"] == CLIENTS * TURNS
    assert tokens == list(range(1, CLIENTS * TURNS + 1))


async def client_at_work(database: Any, tokens: list[int]) -> None:
    lock = Lock(driver_for(database))
    for _ in range(TURNS):
        async with lock.held(wait=3600) as lease:
            tokens.append(int(lease.token))
            found = await database["counter"].find_one()
            await asyncio.sleep(random.uniform(0, 0.004))
            await database["counter"].replace_one({"_id": 1}, {"n": found["n"] + 1})
