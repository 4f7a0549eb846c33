"""An index build on three members: one stops, or the primary dies, in each phase of it.

The index is there once, on every member, or the step is not recorded as done; and another upgrade gets
to the end.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from asyncmig import Index, Migrator
from asyncmig.drivers import driver_for
from asyncmig.drivers.real import maybe
from asyncmig.errors import AsyncmigError, OperationRefused
from asyncmig.events import Event, IndexBuildProgress, IndexBuildStalled
from asyncmig.operations import CreateIndexes, build_progress
from asyncmig.running.applying import build_watch
from asyncmig.running.applying.apply import apply
from asyncmig.running.applying.context import Context
from asyncmig.running.applying.index_build import under_construction

from ..clients import CLIENTS
from .history_files import History, states
from .replica_set import Members

pytestmark = [pytest.mark.long, pytest.mark.chaos, pytest.mark.timeout(300)]

PHASES = (
    "hangAfterSettingUpIndexBuild",  # it scans the collection
    "hangAfterIndexBuildDumpsInsertsFromBulk",  # it inserts the keys
    "hangAfterIndexBuildSecondDrain",  # it drains the writes
    "hangIndexBuildBeforeCommit",
)
DOCUMENTS = 5_000
NAMES = ["_id_", "m_1", "n_1"]


@pytest.fixture(scope="module")
def members() -> Iterator[Members]:
    with Members(enableTestCommands="1") as three:
        yield three


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every build is looked at, at once and often."""
    monkeypatch.setattr(build_watch, "_FIRST_READ_SECONDS", 0.0)
    monkeypatch.setattr(build_watch, "_READ_INTERVAL_SECONDS", 0.05)


@pytest.fixture
async def database(members: Members, driver_name: str) -> AsyncIterator[Any]:
    """A database with a collection of some documents, by one driver after the other."""
    client = CLIENTS[driver_name](members.url)
    name = f"built_{uuid.uuid4().hex[:12]}"
    documents = [{"n": n, "m": [n, -n]} for n in range(DOCUMENTS)]
    members.patiently(lambda: members.client[name]["c"].insert_many([dict(one) for one in documents]))
    yield client[name]
    await maybe(client.close())
    members.patiently(lambda: members.client.drop_database(name))


def history(folder: Path, quorum: str = "majority") -> History:
    made = History(folder / "history")
    made.add("a", up=f"await env.create_indexes('c', ['n', 'm'], commit_quorum={quorum!r})", down="pass")
    return made


@asynccontextmanager
async def hanging(members: Members, point: str) -> AsyncIterator[None]:
    """Builds on the present primary stop at a fail point, until the block ends; one that dies has it no more."""
    members.patiently(lambda: members.client.admin.command({"configureFailPoint": point, "mode": "alwaysOn"}))
    try:
        yield
    finally:
        for server in members.servers:
            with members.direct(server) as client:
                members.patiently(lambda: client.admin.command({"configureFailPoint": point, "mode": "off"}))


async def until(found: Callable[[], Any], seconds: float = 120) -> Any:
    async with asyncio.timeout(seconds):
        while not (value := found()):
            await asyncio.sleep(0.05)
    return value


def indexes(members: Members, server: Any, name: str) -> list[str]:
    """The indexes of one member that are there, each as often as it is listed; one that is being built is marked."""
    with members.direct(server) as client:
        command = {"listIndexes": "c", "includeBuildUUIDs": True}
        listed = members.patiently(lambda: client[name].command(command))["cursor"]["firstBatch"]
    return sorted(f"{row['spec']['name']} (building)" if "buildUUID" in row else row["name"] for row in listed)


async def everywhere_once(members: Members, name: str) -> None:
    """Each member has both indexes, once, and nothing is being built."""
    for server in members.servers:
        await until(lambda: indexes(members, server, name) == NAMES)  # noqa: B023


@pytest.mark.parametrize("when", ["before", "during", "after"])
async def test_a_member_that_stops(members: Members, database: Any, tmp_path: Path, when: str) -> None:
    heard: list[Event] = []
    runner = history(tmp_path).runner(database, wait=60, on_event=heard.append)
    secondary = members.secondary
    if when == "after":
        await runner.upgrade()
        with members.stopped(secondary):
            assert await history(tmp_path).runner(database, wait=60).upgrade() == []
    elif when == "before":
        with members.stopped(secondary):
            await runner.upgrade()
            assert await states(database) == {"a": "applied"}
    else:
        async with hanging(members, PHASES[0]):
            running = asyncio.ensure_future(runner.upgrade())
            await until(lambda: any(isinstance(one, IndexBuildProgress) for one in heard) or running.done())
            assert not running.done()
            with members.stopped(secondary):
                with members.direct(members.servers[0]):
                    members.client.admin.command({"configureFailPoint": PHASES[0], "mode": "off"})
                await running
                assert await states(database) == {"a": "applied"}
    await everywhere_once(members, database.name)
    assert await states(database) == {"a": "applied"}


@pytest.mark.parametrize("point", PHASES)
async def test_the_primary_dies(members: Members, database: Any, tmp_path: Path, point: str) -> None:
    heard: list[Event] = []
    made = history(tmp_path)
    runner = made.runner(database, wait=60, on_event=heard.append)
    async with hanging(members, point):
        running = asyncio.ensure_future(runner.upgrade())
        await until(lambda: any(isinstance(one, IndexBuildProgress) for one in heard) or running.done())
        assert not running.done()
        await asyncio.to_thread(members.depose, "die")
        await asyncio.wait([running])
    state = (await _patiently(members, database))["a"]
    listed = [indexes(members, server, database.name) for server in members.servers]
    if running.exception() is None:
        assert state == "applied"
    else:
        assert isinstance(running.exception(), AsyncmigError), running.exception()
        assert state != "applied", listed
    await made.runner(database, wait=60).upgrade()
    await everywhere_once(members, database.name)
    assert (await _patiently(members, database)) == {"a": "applied"}
    print(f"{point}: {'went on' if running.exception() is None else repr(running.exception())[:80]}, {state}")


@pytest.mark.parametrize("point", PHASES[:3])
async def test_process_and_primary_die(
    members: Members,
    database: Any,
    driver_name: str,
    tmp_path: Path,
    start_cli: Callable[..., Any],
    point: str,
) -> None:
    history(tmp_path).folder.rename(tmp_path / "versions")
    where = {"ASYNCMIG_URL": members.url, "ASYNCMIG_DATABASE": database.name, "ASYNCMIG_LOCK_LEASE": "4"}
    where |= {"ASYNCMIG_DIRECTORY": str(tmp_path), "ASYNCMIG_DRIVER": driver_name}
    async with hanging(members, point):
        process = start_cli("upgrade", env=where)
        await until(lambda: _is_building(members, database.name) or process.poll() is not None)
        assert process.poll() is None
        process.kill()
        await asyncio.to_thread(members.depose, "die")
    assert (await _patiently(members, database))["a"] == "upgrading"
    again = start_cli("upgrade", env=where)
    await asyncio.to_thread(again.communicate, timeout=120)
    assert again.returncode == 0
    await everywhere_once(members, database.name)
    assert (await _patiently(members, database)) == {"a": "applied"}


def _is_building(members: Members, name: str) -> bool:
    return any("n_1 (building)" in indexes(members, server, name) for server in members.servers)


async def _patiently(members: Members, database: Any) -> Any:
    members.patiently(lambda: members.client.admin.command("ping"))
    return await states(database)


async def test_who_is_waited_for_is_told_by_name(
    members: Members, database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_progress, "DOWN_SECONDS", 0.5)
    heard: list[Event] = []
    runner = history(tmp_path, "votingMembers").runner(database, wait=60, on_event=heard.append)
    secondary = members.secondary
    name = f"127.0.0.1:{secondary.port}"

    def told() -> list[IndexBuildStalled]:
        stalled = [one for one in heard if isinstance(one, IndexBuildStalled)]
        return [one for one in stalled if one.build.phase == "waiting for members"]

    with members.stopped(secondary):
        running = asyncio.ensure_future(runner.upgrade())
        await until(lambda: told() or running.done())
        assert not running.done()
        build = told()[0].build
        assert [one.partition(" ")[0] for one in build.members] == [name]
        assert build.quorum == "votingMembers"
        await until(
            lambda: any(isinstance(one, IndexBuildProgress) and "not reachable" in str(one.members) for one in heard)
        )
        command = build.commands[0].split()
        assert command[:3] == ["asyncmig", "index", "quorum"]
        await Migrator(database, tmp_path).set_index_quorum(command[3], command[4], command[5])
        await running
    await everywhere_once(members, database.name)


async def test_the_step_ends_when_a_majority_has_the_index(members: Members, database: Any) -> None:
    driver = driver_for(database)
    primary = members.patiently(lambda: members.client.admin.command("hello"))["primary"]
    others = [one for one in members.servers if f"127.0.0.1:{one.port}" != primary]
    phases: list[str] = []

    class Hooks:
        def progressed(self, progress: Any) -> None:
            phases.append(progress.phase)

        stalled = progressed

        async def save(self, progress: Any) -> None: ...

    async with hanging(members, "rsSyncApplyStop"), hanging(members, PHASES[0]):
        operation = CreateIndexes("c", (Index("n"),), commit_quorum=1)
        running = asyncio.ensure_future(apply(operation, Context(driver, build=Hooks())))
        await until(lambda: phases)
        for server in others:
            with members.direct(server) as client:
                client.admin.command({"configureFailPoint": "rsSyncApplyStop", "mode": "alwaysOn"})
        members.client.admin.command({"configureFailPoint": PHASES[0], "mode": "off"})
        await until(lambda: "waiting for the majority" in phases or running.done())
        assert not running.done()
    await running
    assert phases[-1] == "waiting for the majority"


async def test_a_quorum_that_cannot_be_met_is_given_up_in_time(members: Members, database: Any, tmp_path: Path) -> None:
    driver = driver_for(database)
    with members.stopped(members.secondary):
        with pytest.raises(OperationRefused, match="code 50"):
            await apply(CreateIndexes("c", (Index("m"),), commit_quorum="votingMembers", max_time=2), Context(driver))
        assert "m_1" not in await database["c"].index_information()
        waiting = CreateIndexes("c", (Index("m"),), commit_quorum="votingMembers")
        building = asyncio.ensure_future(apply(waiting, Context(driver)))
        async with asyncio.timeout(300):
            while "m_1" not in await under_construction(driver, "c"):
                await asyncio.sleep(0.1)
        assert not building.done()
        await Migrator(database, tmp_path).abort_index("c", "m_1")
        with pytest.raises(OperationRefused, match="code 276"):
            await building
    assert "m_1" not in await database["c"].index_information()
