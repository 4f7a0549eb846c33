"""Something happens before or after an await of a run's own, for each kind of operation: it is done once all the same.

``positions.py`` names the places. At each of them a run is killed, stopped while another takes over, or cancelled; and
each reply of the server is lost once. The default suite tries a few of them, ``nox -s chaos`` all, or every n-th.
"""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ..clients import CLIENTS, DRIVERS, taking_turns
from .database_snapshot import snapshot
from .failpoints import ReplyLoss, address, closed
from .history_files import History, states
from .kinds import KINDS, kinds
from .positions import Positions, told
from .runner_processes import Victims, proceed, stopped

CHAOS = bool(os.environ.get("ASYNCMIG_CHAOS"))  # `nox -s chaos` sets it
KILL_STEP, CANCEL_STEP, STOP_STEP = 7, 3, 37  # of the positions of a kind, one in so many, in chaos
AT_ONCE = 8  # processes
LEASE = 6.0  # seconds
FEW = (
    "insert_documents",
    "update_in_batches",
    "drop_collection",
    "create_indexes",
    "move_documents",
)  # the kinds of the default suite
TRIED = tuple(KINDS) if CHAOS else FEW


@dataclass(frozen=True, slots=True)
class Calm:
    """What an undisturbed run leaves, and how many positions it has, in all and before the lock is released."""

    left: str
    positions: int
    locked: int


class Place:
    """Databases on one server, and the undisturbed run of each kind, which is made once."""

    def __init__(self, history: History, clients: dict[str, Any]) -> None:
        self.history, self.clients = history, clients
        self._calm: dict[str, Calm] = {}

    @asynccontextmanager
    async def database(self, kind: str, driver: str = DRIVERS[-1]) -> AsyncIterator[Any]:
        """A fresh one, with what the kind needs."""
        database = self.clients[driver][f"position_{uuid.uuid4().hex[:12]}"]
        await KINDS[kind].before(database)
        yield database
        await database.client.drop_database(database.name)

    async def calm(self, kind: str) -> Calm:
        if kind not in self._calm:
            async with self.database(kind) as database:
                positions = Positions()
                with told(positions):
                    await self.history.runner(database, on_event=positions.hear).upgrade(kind)
                locked = positions.names.index("before Lock._free") + 1
                self._calm[kind] = Calm(await snapshot(database), len(positions.names), locked)
        return self._calm[kind]

    async def positions(self, kind: str, step: int, few: int, *, locked: bool = False) -> list[int]:
        """Those that are tried: from a random one on each ``step``-th; in the default suite only a ``few``."""
        calm = await self.calm(kind)
        last = calm.locked if locked else calm.positions
        if CHAOS:
            return list(range(random.randint(1, step), last + 1, step))
        return random.sample(range(1, last + 1), few)

    async def is_truthful(self, database: Any, kind: str) -> bool:
        """What the ledger has as applied, is."""
        if (await states(database)).get(kind) != "applied":
            return True
        return await snapshot(database) == (await self.calm(kind)).left

    async def ends_well(self, database: Any, kind: str) -> bool:
        """Run it again: it comes to the end of the undisturbed run."""
        runner = self.history.runner(database, wait=60)
        with suppress(Exception):
            await runner._lock.break_lock(force=True)
        await runner.upgrade(kind)
        done = await states(database) == {kind: "applied"}
        return done and await snapshot(database) == (await self.calm(kind)).left


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("histories")


@pytest.fixture(scope="module")
def victims(server_url: str, folder: Path) -> Iterator[Victims]:
    with Victims(server_url, folder, {"kinds": kinds}) as started:
        yield started


@pytest.fixture(scope="module")
def place(clients: dict[str, Any], folder: Path) -> Place:
    return Place(kinds(folder / "kinds"), clients)


def job(kind: str, database: Any, driver: str, **more: Any) -> dict[str, Any]:
    about = {"history": "kinds", "database": database.name, "driver": driver, "direction": "upgrade", "target": kind}
    return about | more


# -- killed ---------------------------------------------------------------------------------------


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", TRIED)
async def test_killed(victims: Victims, place: Place, kind: str) -> None:
    numbers = await place.positions(kind, KILL_STEP, 2)
    for first in range(0, len(numbers), AT_ONCE):
        await _killed(victims, place, kind, numbers[first : first + AT_ONCE])


async def _killed(victims: Victims, place: Place, kind: str, numbers: list[int]) -> None:
    async with _databases(place, [kind] * len(numbers)) as databases:
        doomed = [
            job(kind, database, taking_turns(number), position=number, signal="SIGKILL")
            for number, database in zip(numbers, databases, strict=True)
        ]
        victims.send(*doomed)
        answers = await victims.answers()
        for number, database, answer in zip(numbers, databases, answers, strict=True):
            assert answer["killed"] or "error" not in answer, (kind, number, answer)
            assert await place.is_truthful(database, kind), (kind, number)
            assert await place.ends_well(database, kind), (kind, number)


@asynccontextmanager
async def _databases(place: Place, chosen: list[str]) -> AsyncIterator[list[Any]]:
    """One for each of these kinds."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(place.database(kind)) for kind in chosen]


# -- stopped, and another takes over ----------------------------------------------------------------


@pytest.mark.chaos
@pytest.mark.timeout(3600)
async def test_stopped_while_another_takes_over(victims: Victims, place: Place) -> None:
    """By SIGSTOP, for longer than the lease; the other ends, the new release writes; the first changes nothing more."""
    chosen = [(kind, number) for kind in TRIED for number in await place.positions(kind, STOP_STEP, 1, locked=True)]
    random.shuffle(chosen)
    for first in range(0, len(chosen), AT_ONCE):
        await _stopped(victims, place, chosen[first : first + AT_ONCE])


async def _stopped(victims: Victims, place: Place, chosen: list[tuple[str, int]]) -> None:
    async with _databases(place, [kind for kind, _ in chosen]) as databases:
        victims.send(
            *(
                job(kind, database, taking_turns(number), position=number, signal="SIGSTOP", lease=LEASE)
                for (kind, number), database in zip(chosen, databases, strict=True)
            )
        )
        pairs = zip(chosen, databases, strict=True)
        left = await asyncio.gather(*(_take_over(victims, place, kind, database) for (kind, _), database in pairs))
        answers = await victims.answers()
        for (kind, number), database, before, answer in zip(chosen, databases, left, answers, strict=True):
            assert answer.get("error", "LockLost") == "LockLost", (kind, number, answer)
            assert await snapshot(database) == before, (kind, number)
            assert await states(database) == {kind: "applied"}, (kind, number)


async def _take_over(victims: Victims, place: Place, kind: str, database: Any) -> str:
    pid = await _stopped_or_done(victims, database, kind)
    try:
        await place.history.runner(database, wait=60).upgrade(kind)
        await KINDS[kind].after(database)
        return await snapshot(database)
    finally:
        if pid:
            proceed(pid)


async def _stopped_or_done(victims: Victims, database: Any, kind: str) -> int:
    """The process that was stopped; 0 where it had ended before it came to that position."""
    waiting = asyncio.ensure_future(stopped(victims, database))
    while not waiting.done():
        await asyncio.wait([waiting], timeout=0.2)
        lock = await database["asyncmig_lock"].find_one({"_id": "migration"})
        if lock and lock["owner"] is None and (await states(database)).get(kind) == "applied":
            waiting.cancel()
            return 0
    return waiting.result()


# -- cancelled --------------------------------------------------------------------------------------


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", TRIED)
@pytest.mark.parametrize("times", [1, 2])
async def test_cancelled(place: Place, kind: str, times: int) -> None:
    """By asyncio, once or twice: the lock is released, and the next run goes on."""
    for number in await place.positions(kind, CANCEL_STEP, 2):
        async with place.database(kind, taking_turns(number)) as database:
            await _cancelled(place, kind, database, number, times)
            lock = await database["asyncmig_lock"].find_one({"_id": "migration"})
            assert lock["owner"] is None, (kind, number)
            assert await place.is_truthful(database, kind), (kind, number)
            assert await place.ends_well(database, kind), (kind, number)


async def _cancelled(place: Place, kind: str, database: Any, number: int, times: int) -> None:
    positions = Positions(number, lambda _: _cancel(run, times))
    with told(positions):
        run = asyncio.ensure_future(place.history.runner(database, on_event=positions.hear).upgrade(kind))
        await asyncio.wait([run])
    assert run.cancelled() or run.exception() is None, (kind, number, run)


def _cancel(run: asyncio.Future[Any], times: int) -> None:
    run.cancel()
    if times > 1:
        asyncio.get_running_loop().call_soon(_cancel, run, times - 1)


# -- a reply is lost --------------------------------------------------------------------------------


TRANSACTIONAL = """
await env.update_in_batches('old', {}, {'$inc': {'n': 1}}, batch_size=2)
await env.insert_documents('old', [{'_id': 10}, {'_id': 11}])
if 'old' in env.collections:
    await env.transform_documents('old', {'n': {'$exists': True}}, lambda one: one | {'n': one['n'] + 1})
await env.db['old'].update_one({'_id': 2}, {'$inc': {'n': 1}}, session=env.session)
await env.delete_documents('old', [0])
"""


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", [*TRIED, "transactional"])
async def test_a_reply_is_lost(
    place: Place, clients: dict[str, Any], server_url: str, kind: str, tmp_path: Path
) -> None:
    """Each in turn, the server's answer to a command that it has carried out: nothing is noticed but the delay."""
    chosen = place
    if kind == "transactional":
        chosen = Place(History(tmp_path / "transactional"), clients)
        chosen.history.add(kind, TRANSACTIONAL, transactional=True)
    last = await _lose(chosen, server_url, kind, 0, DRIVERS[-1])
    numbers = range(1, last + 1) if CHAOS else random.sample(range(1, last + 1), 3)
    for number in numbers:
        for driver in DRIVERS if CHAOS else (taking_turns(number),):
            await _lose(chosen, server_url, kind, number, driver)


async def _lose(place: Place, server_url: str, kind: str, number: int, driver: str) -> int:
    """Run with the ``number``-th reply lost; how many there were."""
    name = "update_in_batches" if kind == "transactional" else kind
    async with place.database(name, driver) as database, ReplyLoss(*address(server_url), number) as proxy:
        client: Any = CLIENTS[driver](f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true")
        try:
            await place.history.runner(client[database.name], wait=60).upgrade(kind)
        except Exception as error:
            error.add_note(f"{kind}, {driver}: reply {number} was lost, to {proxy.lost}")
            raise
        finally:
            await closed(client)
        assert await states(database) == {kind: "applied"}, (kind, number, proxy.lost)
        if kind == "transactional":
            left = {one["_id"]: one.get("n") async for one in database["old"].find()}
            assert left == {1: 2, 2: 3, 10: None, 11: None}, (number, proxy.lost)
        else:
            assert await snapshot(database) == (await place.calm(kind)).left, (kind, number, proxy.lost)
        return proxy.count
