"""Several runners at once, and one that was stopped for longer than its lease: real processes on a real server."""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from asyncmig.drivers import driver_for
from asyncmig.running.lock import Lock

from .twelve import counting, slow
from .victims import Victims, proceed, stopped

CHAOS = int(os.environ.get("ASYNCMIG_CHAOS", "0"))
PROCESSES, ROUNDS = (20, 20) if CHAOS else (6, 3)
LEASE = 1.2  # seconds
CLIENTS, TURNS = (50, 200) if CHAOS else (8, 12)


@pytest.fixture(scope="module")
def victims(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    folder = tmp_path_factory.mktemp("histories")
    with Victims(server_url, folder, {"counting": counting, "slow": slow}) as started:
        yield started


# -- many at once ---------------------------------------------------------------------------------


@pytest.mark.timeout(1800)
async def test_each_revision_exactly_once(victims: Victims, client: Any, database: Any, driver_name: str) -> None:
    for number in range(ROUNDS):
        place = client[f"{database.name}_{number}"]
        job = {"history": "counting", "database": place.name, "driver": driver_name}
        victims.send(**job, children=PROCESSES, direction="upgrade", target="head", wait=120)
        answers = await victims.answers()
        assert [one.get("error") for one in answers] == [None] * PROCESSES
        assert sorted(revision for one in answers for revision in one["went"]) == [f"c{n}" for n in range(5)]
        assert [one["n"] for one in await place["runs"].find().to_list(None)] == [1] * 5
        await client.drop_database(place.name)


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


@pytest.fixture
async def place(clients: dict[str, Any], request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, Any]]:
    """A driver and a fresh database of it: the drivers take turns."""
    driver = ("motor", "pymongo")[sum(map(ord, request.node.name)) % 2]
    database = clients[driver][f"stop_{uuid.uuid4().hex[:12]}"]
    yield driver, database
    await clients[driver].drop_database(database.name)


@pytest.mark.parametrize(
    ("moment", "reach"), [*((moment, "head") for moment in STOPS), *((moment, "s1") for moment in FIRST)]
)
async def test_stopped_for_longer_than_its_lease(
    victims: Victims, place: tuple[str, Any], moment: str, reach: str, tmp_path: Any
) -> None:
    """The next runner takes over, to the end or not as far as the stopped one wanted; then that one goes on.

    It must notice, say so, and write nothing more, neither to the ledger nor to the database. With
    ``s1`` the stopped one's next write is about a revision that the other has not come to.
    """
    driver, database = place
    job = {"history": "slow", "database": database.name, "driver": driver, "direction": "upgrade"}
    victims.send(**job, target="head", lease=LEASE, stop_at=moment)
    pid = await stopped(database)
    try:
        await slow(tmp_path / "slow").runner(database, wait=30).upgrade(reach)
        before = await everything(database)
    finally:
        proceed(pid)
    (answer,) = await victims.answers()
    assert answer.get("error") == "LockLost", answer
    assert await everything(database) == before
    states = {one["_id"]: one["state"] for one in before["asyncmig_revisions"]}
    assert states["s1"] == "applied"


async def everything(database: Any) -> dict[str, list[Any]]:
    names = sorted(await database.list_collection_names())
    return {name: await database[name].find().sort("_id").to_list(None) for name in names}


@pytest.mark.parametrize("moment", STOPS[:3])
async def test_stopped_and_nobody_came(victims: Victims, place: tuple[str, Any], moment: str) -> None:
    """A lease that ended and that nobody took is renewed, and the work goes on."""
    driver, database = place
    job = {"history": "slow", "database": database.name, "driver": driver, "direction": "upgrade"}
    victims.send(**job, target="head", lease=LEASE, stop_at=moment)
    pid = await stopped(database)
    await asyncio.sleep(LEASE * 1.3)
    proceed(pid)
    (answer,) = await victims.answers()
    assert answer["went"] == ["s1", "s2"]


async def test_killed_and_taken_over_within_one_lease(victims: Victims, place: tuple[str, Any], tmp_path: Any) -> None:
    driver, database = place
    job = {"history": "slow", "database": database.name, "driver": driver, "direction": "upgrade"}
    victims.send(**job, target="head", lease=2.0, known=["LockAcquired", "RunStarted"])
    assert (await victims.answers())[0]["killed"]
    began = asyncio.get_running_loop().time()
    went = await slow(tmp_path / "slow").runner(database, wait=30).upgrade()
    assert [one.revision for one in went] == ["s1", "s2"]
    assert asyncio.get_running_loop().time() - began < 2.0 + 3.0


# -- the lock alone -------------------------------------------------------------------------------


@pytest.fixture
async def many(make_client: Callable[..., Any], database: Any) -> list[Any]:
    """The same database by several clients of both drivers."""
    return [make_client(("motor", "pymongo")[number % 2])[database.name] for number in range(CLIENTS)]


@pytest.mark.timeout(3600)
async def test_the_lock_alone(many: list[Any], driver_name: str) -> None:
    """An unprotected read-modify-write inside the lock shows any overlap as a lost count."""
    if driver_name == "motor" and not CHAOS:
        return  # the clients are of both drivers at once already
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
