"""The lock on a real server: who gets it, for how long, and what happens when it is lost."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import anyio
import pytest
from mongomock_motor import AsyncMongoMockClient
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from asyncmig.drivers import driver_for
from asyncmig.errors import DriverError, LockError, LockLost, LockTimeout
from asyncmig.events import Event, LockAcquired, LockReleased, LockWaiting, LoopBlocked
from asyncmig.running.locking.lock import Lock

from .event_listener import Heard
from .failpoints import failing
from .positions import Positions, told

pytestmark = pytest.mark.servers

SHORT = 1.2  # seconds: a lease to see the end of


def lock(database: Any, lease: float = 30.0, events: list[Event] | None = None) -> Lock:
    return Lock(driver_for(database), lease=lease, on_event=None if events is None else events.append)


async def document(database: Any) -> dict[str, Any]:
    return dict(await database["asyncmig_lock"].find_one({"_id": "migration"}))


async def steal(database: Any) -> None:
    """Another runner takes the lock from under a living one, as after ``unlock --force``."""
    await lock(database).break_lock(force=True)
    await lock(database).acquire(wait=0)


async def working(database: Any, work: Coroutine[Any, Any, None]) -> None:
    """Hold the lock for some work, and lose it in the middle."""
    async with lock(database, lease=SHORT).held():
        await steal(database)
        await work


# -- taking and giving back -----------------------------------------------------------------------


async def test_the_document_tells_who_holds_the_lock(database: Any) -> None:
    async with lock(database, lease=20).held(command="asyncmig upgrade") as lease:
        found = await document(database)
    assert found["owner"] == lease.owner
    assert found["pid"] == os.getpid()
    assert found["command"] == "asyncmig upgrade"
    assert {"host", "user", "version", "acquired_at", "renewed_at"} <= found.keys()
    assert (found["expires_at"] - found["acquired_at"]).total_seconds() == 20


async def test_release_keeps_the_document_and_its_token(database: Any) -> None:
    for expected in (1, 2, 3):
        async with lock(database).held() as lease:
            assert lease.token == expected
        found = await document(database)
        assert (found["owner"], found["token"]) == (None, expected)


async def test_a_body_that_raises_releases(database: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        async with lock(database).held():
            raise ZeroDivisionError
    assert await lock(database).holder() is None


async def test_a_body_that_is_cancelled_releases(database: Any) -> None:
    with anyio.CancelScope() as scope:
        async with lock(database).held():
            scope.cancel()
            await anyio.sleep(60)
    assert await lock(database).holder() is None


async def test_release_is_the_owners_alone(database: Any) -> None:
    mine = lock(database)
    lease = await mine.acquire()
    await steal(database)
    await mine.release(lease)
    assert (await document(database))["owner"] is not None


@pytest.mark.parametrize(
    ("work", "commands"),
    [
        ("acquire", ["findAndModify"]),
        ("renew", ["findAndModify"]),
        ("release", ["update"]),
        ("break", ["findAndModify"]),
        ("holder", ["find"]),
    ],
)
async def test_each_thing_takes_one_round_trip(
    make_client: Callable[..., Any], driver_name: str, database: Any, work: str, commands: list[str]
) -> None:
    heard = Heard()
    client = make_client(driver_name, event_listeners=[heard])
    other = lock(client[database.name])
    lease = await lock(database).acquire() if work != "acquire" else None
    await client.admin.command("ping")
    heard.names.clear()
    if work == "acquire":
        await other.acquire()
    elif work == "break":
        await other.break_lock(force=True)
    elif work == "holder":
        await other.holder()
    else:
        await getattr(other, work)(lease)
    assert heard.names == commands


# -- waiting --------------------------------------------------------------------------------------


async def test_no_patience_fails_at_once_and_tells_the_holder(database: Any) -> None:
    async with lock(database).held(command="asyncmig upgrade"):
        with pytest.raises(LockTimeout, match=rf"pid {os.getpid()}, asyncmig upgrade") as caught:
            await lock(database).acquire(wait=0)
    assert caught.value.holder["pid"] == os.getpid()


async def test_one_who_waits_gets_it_and_says_for_whom_it_waited(database: Any) -> None:
    events: list[Event] = []
    first = lock(database)
    lease = await first.acquire(command="the first")
    waiter = asyncio.create_task(lock(database, events=events).acquire(wait=10))
    await asyncio.sleep(0.3)
    await first.release(lease)
    assert (await waiter).token == lease.token + 1
    waiting, acquired = events[0], events[-1]
    assert isinstance(waiting, LockWaiting)
    assert waiting.holder.command == "the first"
    assert isinstance(acquired, LockAcquired)
    assert acquired.waited >= 0.3


async def test_waiting_ends_in_time(turn: Any) -> None:
    async with lock(turn).held():
        began = time.monotonic()
        with pytest.raises(LockTimeout):
            await lock(turn).acquire(wait=0.6)
        assert time.monotonic() - began > 0.5


async def test_the_lease_of_a_dead_runner_ends_by_itself(turn: Any) -> None:
    await lock(turn, lease=SHORT).acquire()  # and never renewed
    began = time.monotonic()
    await lock(turn).acquire(wait=10)
    assert time.monotonic() - began > SHORT * 0.8


async def test_an_attempt_cancelled_while_waiting_leaves_nothing_behind(database: Any) -> None:
    holder = lock(database)
    lease = await holder.acquire()
    with anyio.move_on_after(0.3):
        await lock(database).acquire(wait=10)
    assert (await document(database))["owner"] == lease.owner  # nor does it take anything from who has it
    await holder.release(lease)
    assert await lock(database).holder() is None


# -- keeping it -----------------------------------------------------------------------------------


async def test_a_lease_is_renewed_beside_the_work(turn: Any) -> None:
    async with lock(turn, lease=SHORT).held():
        before = (await document(turn))["expires_at"]
        await asyncio.sleep(SHORT * 1.5)
        holder = await lock(turn).holder()
        assert holder is not None
        assert holder.alive
        assert (await document(turn))["expires_at"] > before


async def test_a_lease_that_another_took_cancels_the_work_at_once(turn: Any) -> None:
    with pytest.raises(LockLost, match="another owner"):
        await working(turn, asyncio.sleep(3600))  # were it not cancelled, the test would not end


async def test_the_work_may_not_swallow_the_loss(turn: Any) -> None:
    async def careless() -> None:
        with suppress(BaseException):
            await asyncio.sleep(60)

    with pytest.raises(LockLost):
        await working(turn, careless())


async def test_an_error_of_the_work_after_the_loss_is_the_cause(turn: Any) -> None:
    async def failing_to_stop() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            raise ZeroDivisionError

    with pytest.raises(LockLost) as caught:
        await working(turn, failing_to_stop())
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


async def test_ensure_asks_the_server_when_the_loop_was_blocked(turn: Any) -> None:
    """Blocked for longer than the lease, and nobody came: the lease is renewed, and the work goes on."""
    events: list[Event] = []
    async with lock(turn, lease=SHORT, events=events).held() as lease:
        time.sleep(SHORT * 1.3)
        await lease.ensure()
        await asyncio.sleep(0.05)
        assert (await document(turn))["owner"] == lease.owner
    assert any(isinstance(event, LoopBlocked) for event in events) or SHORT < 2


async def test_ensure_notices_that_another_came_while_the_loop_was_blocked(turn: Any, server_url: str) -> None:
    async def blocked() -> None:
        async with lock(turn, lease=SHORT).held() as lease:
            with MongoClient(server_url) as other:
                locks = other[turn.name]["asyncmig_lock"]
                locks.update_one({}, {"$set": {"owner": "a thief"}, "$inc": {"token": 1}})
            time.sleep(SHORT * 1.3)
            await lease.ensure()
            raise AssertionError("the loss was not noticed")

    with pytest.raises(LockLost):
        await blocked()


async def test_a_long_blockage_is_told(turn: Any) -> None:
    events: list[Event] = []
    async with lock(turn, lease=SHORT, events=events).held():
        await asyncio.sleep(0)
        time.sleep(1.8)
        await asyncio.sleep(0.05)
    assert [event.seconds > 1 for event in events if isinstance(event, LoopBlocked)][:1] == [True]


async def test_when_renewing_dies_the_work_stops(turn: Any) -> None:
    broken = lock(turn, lease=SHORT)

    async def renew(lease: Any) -> Any:
        raise RuntimeError("a bug")

    broken.renew = renew  # type: ignore[method-assign]
    with pytest.raises(LockLost, match="RuntimeError: a bug"):
        async with broken.held():
            await asyncio.sleep(60)


# -- breaking it ----------------------------------------------------------------------------------


async def test_a_free_lock_has_nobody_to_be_broken_from(database: Any) -> None:
    assert await lock(database).break_lock() is None
    async with lock(database).held():
        pass
    assert await lock(database).break_lock(force=True) is None


async def test_a_living_lease_is_not_broken(database: Any) -> None:
    async with lock(database).held(command="asyncmig upgrade"):
        with pytest.raises(LockError, match=r"asyncmig upgrade.*--force"):
            await lock(database).break_lock()
        assert (await document(database))["owner"] is not None


async def test_a_dead_lease_is_broken(database: Any) -> None:
    lease = await lock(database, lease=0.1).acquire(command="dead")
    await asyncio.sleep(0.2)
    holder = await lock(database).holder()
    assert holder is not None
    assert not holder.alive
    broken = await lock(database).break_lock()
    assert broken is not None
    assert (broken.owner, broken.command) == (lease.owner, "dead")
    assert await lock(database).holder() is None


async def test_force_breaks_a_living_lease_and_its_runner_notices(turn: Any) -> None:
    async def broken_in_the_middle() -> None:
        async with lock(turn, lease=SHORT).held() as lease:
            broken = await lock(turn).break_lock(force=True)
            assert broken is not None
            assert broken.owner == lease.owner
            await asyncio.sleep(60)

    with pytest.raises(LockLost):
        await broken_in_the_middle()


# -- faults ---------------------------------------------------------------------------------------

FAULTS = [
    pytest.param({"closeConnection": True}, id="the connection is cut before the write"),
    pytest.param({"errorCode": 10107}, id="NotWritablePrimary"),
    pytest.param({"errorCode": 262}, id="ExceededTimeLimit"),
    pytest.param({"errorCode": 112}, id="WriteConflict"),
    pytest.param(
        {"errorCode": 11000, "errorExtraInfo": {"keyPattern": {"_id": 1}, "keyValue": {"_id": 1}}},
        id="DuplicateKey, of two first attempts",
    ),
    pytest.param(
        {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}},
        id="the write is done, a majority is not told",
    ),
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("times", [1, 2])
async def test_taking_survives(database: Any, client: Any, fault: dict[str, Any], times: int) -> None:
    async with (
        failing(client, database, ["findAndModify"], times=times, **fault),
        lock(database).held(wait=0) as lease,
    ):
        assert lease.token == 1
    assert await lock(database).holder() is None


@pytest.mark.parametrize("fault", [FAULTS[0], FAULTS[-1]])
async def test_renewing_survives(turn: Any, fault: dict[str, Any]) -> None:
    async with lock(turn, lease=2.4).held():
        async with failing(turn.client, turn, ["findAndModify"], times=1, **fault):
            await asyncio.sleep(2.2)
        holder = await lock(turn).holder()
        assert holder is not None
        assert holder.alive


@pytest.mark.parametrize("fault", FAULTS[:3] + FAULTS[-1:])
async def test_releasing_survives(database: Any, client: Any, fault: dict[str, Any]) -> None:
    events: list[Event] = []
    mine = lock(database, events=events)
    lease = await mine.acquire()
    async with failing(client, database, ["update"], times=1, **fault):
        await mine.release(lease)
    assert await mine.holder() is None
    assert isinstance(events[-1], LockReleased)


async def test_when_renewals_fail_the_work_stops_before_anybody_else_can_begin(turn: Any) -> None:
    async def cut_off() -> None:
        async with (
            lock(turn, SHORT).held(),
            failing(turn.client, turn, ["findAndModify"], times=10_000, errorCode=10107),
        ):
            await asyncio.sleep(3600)

    with pytest.raises(LockLost, match="could not be renewed"):
        await cut_off()


async def test_a_refusal_that_time_does_not_heal_is_an_error(database: Any, client: Any) -> None:
    async with failing(client, database, ["findAndModify"], times=1, errorCode=13):
        with pytest.raises(DriverError, match=r"taking the lock in asyncmig_lock .* does not allow it") as caught:
            await lock(database).acquire()
    assert isinstance(caught.value.__cause__, OperationFailure)


# -- the mock -------------------------------------------------------------------------------------


async def test_the_mock_can_be_locked() -> None:
    database = AsyncMongoMockClient()["mocked"]
    async with lock(database).held() as first:
        with pytest.raises(LockTimeout):
            await lock(database).acquire(wait=0)
        with pytest.raises(LockError):
            await lock(database).break_lock()
        assert (await lock(database).holder()).alive  # type: ignore[union-attr]
    async with lock(database).held() as second:
        assert second.token == first.token + 1


# -- cancelled while it is asked for --------------------------------------------------------------


@pytest.mark.parametrize("times", [1, 2])
async def test_cancelled_at_each_of_its_own_awaits(
    database: Any, clients: dict[str, Any], driver_name: str, times: int
) -> None:
    """The server is slow: it carries out what was sent when its sender is gone. Nobody holds the lock then."""

    async def held() -> None:
        async with lock(database).held(wait=0):
            pass

    def cancelled(_: str, left: int = times) -> None:
        run.cancel()
        if left > 1:
            asyncio.get_running_loop().call_soon(cancelled, "", left - 1)

    number, names = 0, list[str]()
    while len(names) >= number:
        number += 1
        positions = Positions(number, cancelled)
        async with failing(
            clients[driver_name], database, ["findAndModify"], times=1, blockConnection=True, blockTimeMS=40
        ):
            with told(positions):
                positions.begin()
                run = asyncio.ensure_future(held())
                await asyncio.wait([run])
        names = positions.names
        assert run.cancelled() or run.exception() is None, (names[-1], run)
        assert await lock(database).holder() is None, names[-1]
    assert {"before Lock._ask", "after Lock.release"} <= {*names}


async def test_a_hearer_that_fails_when_it_is_taken(database: Any) -> None:
    """The lock goes back."""

    def hear(event: Event) -> None:
        raise ZeroDivisionError

    mine = lock(database)
    mine.tell = hear
    with pytest.raises(ZeroDivisionError):
        async with mine.held():
            raise AssertionError
    assert await lock(database).holder() is None
