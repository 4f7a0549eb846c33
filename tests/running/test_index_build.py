"""An index build: for whom it waits, what ends it, and how a run attaches to one that goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from asyncmig import Index, Migrator
from asyncmig.drivers import driver_for
from asyncmig.errors import ConfigurationError, DeclarationError, OperationRefused
from asyncmig.operations import CreateIndexes
from asyncmig.running.applying.apply import apply
from asyncmig.running.applying.context import Context
from asyncmig.running.applying.index_build import under_construction

HANG = "hangAfterStartingIndexBuild"


@asynccontextmanager
async def hanging(database: Any) -> AsyncIterator[None]:
    """Builds stop right after their start, until the block ends."""
    admin = database.client.admin
    await admin.command({"configureFailPoint": HANG, "mode": "alwaysOn"})
    try:
        yield
    finally:
        await admin.command({"configureFailPoint": HANG, "mode": "off"})


async def until(found: Callable[[], Any]) -> None:
    async with asyncio.timeout(300):
        while not await found():
            await asyncio.sleep(0.02)


class Sent:
    """Notes the commands that go through a driver."""

    def __init__(self, driver: Any) -> None:
        self._driver, self.commands = driver, []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._driver, name)

    async def command(self, command: Any, **more: Any) -> Any:
        self.commands.append(command)
        return await self._driver.command(command, **more)


@pytest.mark.servers
@pytest.mark.parametrize(
    ("asked", "setting", "sent"),
    [(None, None, "majority"), (None, 1, 1), (1, "majority", 1), ("votingMembers", 1, "votingMembers")],
)
async def test_whom_a_build_waits_for(turn: Any, asked: Any, setting: Any, sent: Any) -> None:
    driver = Sent(driver_for(turn))
    operation = CreateIndexes("c", (Index("n"),), commit_quorum=asked, max_time=2.5)
    await apply(operation, Context(driver, commit_quorum=setting))
    (command,) = [one for one in driver.commands if "createIndexes" in one]
    assert (command["commitQuorum"], command["maxTimeMS"]) == (sent, 2500)


async def test_a_build_that_takes_too_long_is_given_up_and_leaves_nothing(turn: Any) -> None:
    await turn["c"].insert_many([{"n": n} for n in range(100)])
    async with hanging(turn):
        operation = CreateIndexes("c", (Index("n"),), max_time=0.2)
        running = asyncio.ensure_future(apply(operation, Context(driver_for(turn))))
        await asyncio.wait([running], timeout=5)
    with pytest.raises(OperationRefused, match="code 50"):
        await running
    await until(lambda: _is_over(turn))
    assert [*await turn["c"].index_information()] == ["_id_"]


async def _is_over(database: Any) -> bool:
    return not await under_construction(driver_for(database), "c")


async def _is_going_on(database: Any) -> bool:
    return await under_construction(driver_for(database), "c") == ["n_1", "m_1"]


@pytest.mark.parametrize("keep", [False, True])
async def test_who_cancels_takes_the_build_along_unless_told_to_leave_it(turn: Any, keep: bool) -> None:
    await turn["c"].insert_many([{"n": n} for n in range(100)])
    operation = CreateIndexes("c", (Index("n"), Index("m")))
    async with hanging(turn):
        running = asyncio.ensure_future(apply(operation, Context(driver_for(turn), keep_building=keep)))
        await until(lambda: _is_going_on(turn))
        running.cancel()
        if keep:
            await asyncio.wait([running])
            assert await _is_going_on(turn)
        else:
            await asyncio.wait([running], timeout=0.5)
    await asyncio.wait([running])
    assert running.cancelled()
    await until(lambda: _is_over(turn))
    assert len(await turn["c"].index_information()) == (3 if keep else 1)


async def test_the_same_step_again_attaches_to_the_build_that_goes_on(turn: Any) -> None:
    await turn["c"].insert_many([{"n": n} for n in range(100)])
    operation = CreateIndexes("c", (Index("n"), Index("m")))
    async with hanging(turn):
        first = asyncio.ensure_future(apply(operation, Context(driver_for(turn), keep_building=True)))
        await until(lambda: _is_going_on(turn))
        first.cancel()
        second = asyncio.ensure_future(apply(operation, Context(driver_for(turn))))
        await asyncio.wait([first, second], timeout=0.3)
        assert not second.done()
    await second
    assert [*await turn["c"].index_information()] == ["_id_", "n_1", "m_1"]


async def test_a_running_build_is_ended_or_told_whom_to_wait_for(turn: Any, tmp_path: Path) -> None:
    await turn["c"].insert_many([{"n": n} for n in range(100)])
    migrator = Migrator(turn, tmp_path)
    with pytest.raises(ConfigurationError, match="index n_1 of c is not being built"):
        await migrator.abort_index("c", "n_1")
    async with hanging(turn):
        building = asyncio.ensure_future(apply(CreateIndexes("c", (Index("n"), Index("b"))), Context(driver_for(turn))))
        await until(lambda: _builds(turn, ["n_1", "b_1"]))
        with pytest.raises(ConfigurationError, match="m_1 of c is not being built; n_1, b_1 is"):
            await migrator.set_index_quorum("c", "m_1", "majority")
        await migrator.set_index_quorum("c", "b_1", 1)
        ending = asyncio.ensure_future(migrator.abort_index("c", "b_1"))
        await asyncio.wait([ending], timeout=0.5)
    assert await ending == ["n_1", "b_1"]
    with pytest.raises(OperationRefused, match="code 276"):
        await building
    assert [*await turn["c"].index_information()] == ["_id_"]


async def _builds(database: Any, names: list[str]) -> bool:
    return await under_construction(driver_for(database), "c") == names


@pytest.mark.parametrize(
    "wrong", [{"commit_quorum": -1}, {"commit_quorum": True}, {"commit_quorum": ""}, {"max_time": 0}, {"max_time": "1"}]
)
async def test_what_makes_no_sense_is_refused(turn: Any, wrong: dict[str, Any]) -> None:
    from asyncmig.running.env.env import Env

    async def nobody(operation: Any) -> None:
        raise AssertionError

    env = Env(driver_for(turn), nobody, collections=set())
    with pytest.raises(DeclarationError, match=next(iter(wrong))):
        await env.create_index("c", "n", **wrong)
