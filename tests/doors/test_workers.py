"""Real uvicorn and gunicorn with four workers on a real server: who ran what, and what becomes of a death.

Starting these servers takes seconds, so that not every server meets every fate in the suite:
``ASYNCMIG_LONG=1`` (``nox -s doors``) tries all of them, and an upgrade of 12 s.
"""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ..clients import DRIVERS, drop
from .history_files import History
from .web_servers import Served, run

pytestmark = pytest.mark.pymongo_async  # so is the application that runs here

WORKERS = ["uvicorn-4", "gunicorn-4"]
LONG = os.environ.get("ASYNCMIG_LONG")

Serve = Callable[[str], Served]


@pytest.fixture
async def place(clients: dict[str, Any], tmp_path: Path) -> AsyncIterator[Any]:
    """A database that the workers share; the driver is theirs, so one suffices."""
    database = clients[DRIVERS[-1]][f"workers_{tmp_path.name[-40:]}"]
    yield database
    await drop(database.client, database.name)


@pytest.fixture
def serve(tmp_path: Path, server_url: str, place: Any) -> Iterator[Serve]:
    started: list[Served] = []

    def start(name: str) -> Served:
        started.append(Served(name, tmp_path, server_url, place))
        return started[-1]

    yield start
    for one in started:
        one.end()


def slow(history: History, *seconds: float) -> None:
    for name, pause in zip(("a001", "a002", "a003"), seconds, strict=False):
        history.add(name, run(name, pause))


async def states(database: Any) -> dict[str, str]:
    found = await database["asyncmig_revisions"].find({}, {"state": 1}).to_list(None)
    return {one["_id"]: one["state"] for one in found}


@pytest.mark.parametrize("name", WORKERS)
async def test_each_revision_runs_once(serve: Serve, history: History, name: str) -> None:
    slow(history, 0.3, 0.1, 0.1)
    server = serve(name)
    await server.until(lambda: len(server.lines("the database is at head|upgraded: ")) == 4)
    runs = await server.runs()
    assert [revision for revision, _ in runs] == ["a001", "a002", "a003"]
    assert len({pid for _, pid in runs}) == 1
    assert [line.split(" ", 1)[1] for line in server.lines("upgraded: ")] == [
        "asyncmig INFO upgraded: a001, a002, a003"
    ]
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://127.0.0.1:{server.port}/")).status_code == 200
    server.process.terminate()
    assert await server.exit_code() == 0


@pytest.mark.parametrize("name", ["gunicorn", "uvicorn-4"] if LONG else ["gunicorn"])
async def test_a_long_upgrade_is_left_in_peace(serve: Serve, history: History, name: str) -> None:
    """gunicorn is told to bear a worker without a sign of life for 3 s; the event loop of this one stays free."""
    slow(history, 12.0 if LONG else 4.5)
    server = serve(name)
    await server.until(lambda: len(server.lines("the database is at head|upgraded: ")) == (4 if "4" in name else 1))
    assert len(await server.runs()) == 1
    assert await states(server.database) == {"a001": "applied", "a002": "applied"}


@pytest.mark.chaos
@pytest.mark.parametrize("name", WORKERS if LONG else ["gunicorn-4"])
async def test_a_worker_killed_delays_the_others_by_one_lease(serve: Serve, history: History, name: str) -> None:
    slow(history, 0.1, 1.0, 0.1)
    server = serve(name)
    victim = (await server.until(lambda: server.ran("a002")))["pid"]
    await server.until(lambda: len(server.lines("waiting for .* to upgrade")) >= 1)
    os.kill(victim, signal.SIGKILL)
    last = await server.until(lambda: server.ran("a003"))
    (first, *_, again) = await server.database["runs"].find({"revision": "a002"}).sort("at").to_list(None)
    assert [first["pid"] == victim, again["pid"] == victim, last["pid"] == victim] == [True, False, False]
    assert again["at"] - first["at"] < 2.0 + 3.0  # the lease; the longest pause of one that waits, and a busy machine
    await server.until(lambda: len(server.lines("the database is at head|upgraded: ")) >= 4)
    assert await server.runs() == [
        ("a001", victim),
        ("a002", victim),
        ("a002", again["pid"]),
        ("a003", again["pid"]),
    ]
    assert set((await states(server.database)).values()) == {"applied"}


@pytest.mark.chaos
@pytest.mark.parametrize("name", ["uvicorn", *WORKERS] if LONG else ["uvicorn", "gunicorn-4"])
async def test_terminated_while_it_starts_it_comes_to_its_end_first(serve: Serve, history: History, name: str) -> None:
    slow(history, 0.1, 0.7, 0.1)
    server = serve(name)
    await server.until(lambda: server.ran("a002"))
    server.process.terminate()
    assert await server.exit_code() in (0, -signal.SIGTERM)
    assert await states(server.database) == {"a001": "applied", "a002": "applied", "a003": "applied"}
    assert (await server.database["asyncmig_lock"].find_one({"_id": "migration"}))["owner"] is None
    assert len(await server.runs()) == 3


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("uvicorn", {3}),
        ("gunicorn-4", {1, 3}),  # 1 where a second worker fails while the master is giving up
        *([("uvicorn-4", {0})] if LONG else []),  # it keeps the failure to itself: the log is what tells
    ],
)
async def test_a_failing_revision(serve: Serve, history: History, name: str, codes: set[int]) -> None:
    slow(history, 0.0)
    history.add("a002", 'raise ValueError("not today")')
    server = serve(name)
    assert await server.exit_code() in codes
    refused = server.lines("ERROR")
    assert refused
    assert all("start-up refused: revision a002 failed in " in line for line in refused)
    assert all("ValueError: not today" in line for line in refused)
    assert await states(server.database) == {"a001": "applied", "a002": "failed"}
    assert [revision for revision, _ in await server.runs()] == ["a001"]
