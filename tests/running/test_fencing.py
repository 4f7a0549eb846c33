"""Stopped between the journal's word that an operation begins and its command, for longer than the lease.

Another takes over and ends, the application of the new release writes, and then the first goes on: it
must send nothing any more. Each operation is one that would differ if it were done once more.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncmig.errors import LockLost
from asyncmig.events import OperationStarted

from ..clients import CLIENTS, DRIVERS, drop, taking_turns
from .failpoints import Proxy, address, closed
from .history_files import History
from .kinds import KINDS, kinds
from .runner_processes import Victims, proceed, stopped

CHAOS = bool(os.environ.get("ASYNCMIG_CHAOS"))  # `nox -s chaos` sets it
LEASES = (6.0, 30.0, 120.0)  # seconds; on a busy machine a process may not be let run for as long as a short one
AT_ONCE = 6  # processes


@pytest.fixture(scope="module")
def processes(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    folder = tmp_path_factory.mktemp("histories")
    with Victims(server_url, folder, {"kinds": kinds}) as started:
        yield started


@pytest.mark.chaos
@pytest.mark.parametrize("turn", (0, 1) if CHAOS else (0,))
@pytest.mark.parametrize("group", range(0, len(KINDS), AT_ONCE) if CHAOS else (0,))
async def test_stopped_before_its_command(
    processes: Victims, clients: dict[str, Any], group: int, turn: int, tmp_path: Path
) -> None:
    names = list(KINDS)[group : group + AT_ONCE]
    drivers = {name: taking_turns(number + turn) for number, name in enumerate(names)}
    for lease in LEASES:
        names = await _not_stopped(
            processes, kinds(tmp_path / "kinds"), {name: drivers[name] for name in names}, clients, lease
        )
        if not names:
            return
    raise AssertionError(f"nobody was stopped: {names}")


async def _not_stopped(
    processes: Victims, history: History, drivers: dict[str, str], clients: dict[str, Any], lease: float
) -> list[str]:
    """Those of the operations whose run had lost its lease before it came to its command; the others were fenced."""
    databases = {name: clients[driver][f"fence_{uuid.uuid4().hex[:12]}"] for name, driver in drivers.items()}
    for name, database in databases.items():
        await KINDS[name].before(database)
    processes.send(*(_job(name, drivers[name], database, lease) for name, database in databases.items()))
    left = await asyncio.gather(*(_take_over(processes, history, *named) for named in databases.items()))
    answers = await processes.answers()
    for name, before, answer in zip(databases, left, answers, strict=True):
        assert answer.get("error") == "LockLost", (name, answer)
        assert before is None or await _seen(databases[name]) == before, name
        await drop(databases[name].client, databases[name].name)
    return [name for name, before in zip(databases, left, strict=True) if before is None]


def _job(name: str, driver: str, database: Any, lease: float) -> dict[str, Any]:
    job = {"history": "kinds", "database": database.name, "driver": driver, "direction": "upgrade", "target": name}
    return {**job, "lease": lease, "stop_at": f"OperationStarted {name} 1"}


async def _take_over(processes: Victims, history: History, name: str, database: Any) -> dict[str, Any] | None:
    """Do what the stopped one wanted to do, and after it what the application does; then let it go on.

    Returns what is there then; None where nobody was stopped.
    """
    pid = await stopped(processes, database)
    if not pid:
        return None
    try:
        await history.runner(database, wait=180).upgrade(name)
        await KINDS[name].after(database)
        return await _seen(database)
    finally:
        proceed(pid)


async def _seen(database: Any) -> dict[str, Any]:
    listed = [one async for one in await _awaited(database.list_collections())]
    found: dict[str, Any] = {}
    for one in sorted(listed, key=lambda one: str(one["name"])):
        name = one["name"]
        is_view = one["type"] == "view"
        documents = await database[name].find().sort("_id").to_list(None)
        indexes = [] if is_view else [dict(index) async for index in await _awaited(database[name].list_indexes())]
        found[name] = (one["options"], documents, sorted(map(repr, indexes)))
    return found


async def _awaited(cursor: Any) -> Any:
    return await cursor if hasattr(cursor, "__await__") else cursor


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # PyMongo leaves cancelled connects open
async def test_a_call_that_waited_for_the_network_is_not_sent_when_it_is_back(
    make_client: Callable[..., Any], server_url: str, driver_name: str, tmp_path: Path
) -> None:
    """Motor's thread goes on waiting for a server when its caller has been cancelled long ago."""
    client = make_client(DRIVERS[-1])
    name = f"fence_{uuid.uuid4().hex[:12]}"
    await client[name]["old"].insert_one({"_id": 1})
    history = kinds(tmp_path / "kinds")
    async with Proxy(*address(server_url)) as proxy:
        url = f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true"
        through = CLIENTS[driver_name](url, serverSelectionTimeoutMS=60_000)
        cut_off = through[name]

        def listen(event: Any) -> None:
            if isinstance(event, OperationStarted):
                proxy.go_down()

        with pytest.raises(LockLost):
            await history.runner(cut_off, lease=1.5, on_event=listen).upgrade("drop_collection")
        await history.runner(client[name], wait=60).upgrade("drop_collection")
        await client[name]["old"].insert_one({"_id": "of the new release"})
        proxy.come_up()
        await _connected(cut_off)
        assert await client[name]["old"].find_one() == {"_id": "of the new release"}
        await closed(through)
    await drop(client, name)


async def _connected(database: Any) -> None:
    """Wait until the client has found its server again, and whoever waited for that has had its turn."""
    for _ in range(3):
        await database.command("ping")
        await asyncio.sleep(0.6)  # seconds; the longest that a waiting thread sleeps before it looks again
