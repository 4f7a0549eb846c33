"""How far an index build is: by phase, for the listener and in the journal, also where the server may not be asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from asyncmig.drivers import driver_for
from asyncmig.errors import RevisionFailed
from asyncmig.events import Event, IndexBuildProgress, IndexBuildStalled, OperationFinished
from asyncmig.operations import build_progress
from asyncmig.operations.build_progress import BuildProgress
from asyncmig.running import journaled_hooks
from asyncmig.running.applying import build_watch
from asyncmig.running.ledger.ledger import Ledger
from asyncmig.testing.server import LocalServer

from ..clients import CLIENTS
from .failpoints import closed
from .history_files import History

DOCUMENTS = 1_000
PHASES = {
    "hangAfterSettingUpIndexBuild": ("scanning documents", "documents", DOCUMENTS),
    "hangAfterIndexBuildDumpsInsertsFromBulk": ("inserting keys", "", None),
    "hangAfterIndexBuildSecondDrain": ("draining writes", "", None),
}
"""By fail point of the server: the phase, what it counts, and up to which number."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every build is looked at, at once and often."""
    monkeypatch.setattr(build_watch, "_FIRST_READ_SECONDS", 0.0)
    monkeypatch.setattr(build_watch, "_READ_INTERVAL_SECONDS", 0.02)
    monkeypatch.setattr(journaled_hooks, "_PHASE_INTERVAL_SECONDS", 0.05)


@asynccontextmanager
async def hanging(database: Any, point: str) -> AsyncIterator[None]:
    """Builds stop at a fail point, until the block ends."""
    try:
        await database.client.admin.command({"configureFailPoint": point, "mode": "alwaysOn"})
    except OperationFailure:
        pytest.skip(f"this server has no fail point {point}")
    try:
        yield
    finally:
        await database.client.admin.command({"configureFailPoint": point, "mode": "off"})


async def until(found: Callable[[], Any]) -> Any:
    async with asyncio.timeout(300):
        while not (value := found()):
            await asyncio.sleep(0.02)
    return value


def history(folder: Path) -> History:
    made = History(folder)
    made.add("a", up="await env.create_indexes('c', ['n', 'm'], commit_quorum='votingMembers')")
    return made


async def filled(database: Any) -> None:
    await database["c"].insert_many([{"n": n, "m": -n} for n in range(DOCUMENTS)])


@pytest.mark.servers
@pytest.mark.parametrize("point", PHASES)
async def test_each_phase_is_told_and_stands_in_the_journal(database: Any, tmp_path: Path, point: str) -> None:
    await filled(database)
    heard: list[Event] = []
    phase, unit, total = PHASES[point]
    runner = history(tmp_path).runner(database, on_event=heard.append)

    def told() -> list[IndexBuildProgress]:
        """Once the build hangs; a moment before, it may be counting."""
        seen = [one for one in heard if isinstance(one, IndexBuildProgress) and one.phase == phase]
        return [one for one in seen if (one.unit, one.total) == (unit, total)]

    async with hanging(database, point):
        running = asyncio.ensure_future(runner.upgrade())
        await until(lambda: running.done() or told())
        assert not running.done()
        stored = await _stored(database, phase)
    await running
    event = told()[0]
    assert (event.number, event.collection, event.indexes) == (1, "c", ("n_1", "m_1"))
    assert (stored.phase, stored.indexes, stored.note) == (phase, ("n_1", "m_1"), "")
    assert any(isinstance(one, OperationFinished) for one in heard)
    record = await Ledger(driver_for(database)).record("a")
    assert record is not None
    assert record.is_applied


async def _stored(database: Any, phase: str) -> BuildProgress:
    """What another process reads of a revision that is under way."""
    ledger = Ledger(driver_for(database))
    async with asyncio.timeout(300):
        while True:
            record = await ledger.record("a")
            entry = record.unknown if record else None
            if entry is not None and entry.progress and entry.progress["phase"] == phase:
                assert entry.progress_at is not None
                return BuildProgress.read(entry.progress)
            await asyncio.sleep(0.05)


async def test_a_build_that_does_not_move_is_told_once_with_what_to_do(
    turn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_progress, "STALLED_SECONDS", 0.2)
    await filled(turn)
    heard: list[Event] = []
    runner = history(tmp_path).runner(turn, on_event=heard.append)

    def moved_on() -> bool:
        """Looked at several times since it was told."""
        at = next((place for place, one in enumerate(heard) if isinstance(one, IndexBuildStalled)), None)
        return at is not None and len(heard) > at + 5

    async with hanging(turn, "hangAfterSettingUpIndexBuild"):
        running = asyncio.ensure_future(runner.upgrade())
        await until(lambda: running.done() or moved_on())
    await running
    (stalled,) = [one for one in heard if isinstance(one, IndexBuildStalled)]
    assert stalled.build.commands == ("asyncmig index quorum c n_1 majority", "asyncmig index abort c n_1")
    assert "no member is known to be down" in stalled.build.trouble


async def test_a_listener_that_raises_counts_as_the_revision_s(turn: Any, tmp_path: Path) -> None:
    await filled(turn)

    def listen(event: Event) -> None:
        if isinstance(event, IndexBuildProgress):
            raise ZeroDivisionError("in the listener")

    made = history(tmp_path)
    failing = made.runner(turn, on_event=listen)
    async with hanging(turn, "hangAfterStartingIndexBuild"):
        running = asyncio.ensure_future(failing.upgrade())
        await asyncio.wait([running], timeout=0.5)
    with pytest.raises(RevisionFailed, match="in the listener"):
        await running
    assert [one.revision for one in await made.runner(turn).upgrade()] == ["a"]


async def test_looking_that_fails_is_none_of_the_build_s_business(
    turn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def refuse(*arguments: Any) -> Any:
        asked.append("look")
        raise OperationFailure("no such stage", 40324)

    monkeypatch.setattr(build_watch, "read_build", refuse)
    await filled(turn)
    heard: list[Event] = []
    runner = history(tmp_path).runner(turn, on_event=heard.append)
    async with hanging(turn, "hangAfterStartingIndexBuild"):
        running = asyncio.ensure_future(runner.upgrade())
        await until(lambda: len(asked) > 2)
    await running
    assert not [one for one in heard if isinstance(one, IndexBuildProgress)]


async def test_who_may_not_ask_is_told_the_role_and_the_build_goes_on(
    guarded: LocalServer, tmp_path: Path, driver_name: str
) -> None:
    client = CLIENTS[driver_name](guarded.url, username="app", password="p", authSource="shop")
    root = CLIENTS[driver_name](guarded.url, username="root", password="p")
    await root.drop_database("shop")
    database = client["shop"]
    await filled(database)
    heard: list[Event] = []
    runner = history(tmp_path).runner(database, on_event=heard.append)

    def told() -> list[IndexBuildProgress]:
        return [one for one in heard if isinstance(one, IndexBuildProgress)]

    try:
        async with hanging(root["shop"], "hangAfterSettingUpIndexBuild"):
            running = asyncio.ensure_future(runner.upgrade())
            await until(lambda: running.done() or told())
            stored = await _stored(database, "building")
        await running
        assert "clusterMonitor" in told()[0].note
        assert (told()[0].phase, told()[0].done) == ("building", None)
        assert stored.note == told()[0].note
        assert "n_1" in await database["c"].index_information()
    finally:
        await root.drop_database("shop")
        await closed(client)
        await closed(root)


async def test_status_shows_it_from_another_process(
    turn: Any, tmp_path: Path, run_cli: Callable[..., Any], server_url: str
) -> None:
    await filled(turn)
    runner = history(tmp_path / "versions").runner(turn)
    where = {"ASYNCMIG_URL": server_url, "ASYNCMIG_DATABASE": turn.name, "ASYNCMIG_DIRECTORY": str(tmp_path)}
    async with hanging(turn, "hangAfterSettingUpIndexBuild"):
        running = asyncio.ensure_future(runner.upgrade())
        await _stored(turn, "scanning documents")
        text = await asyncio.to_thread(run_cli, "status", env=where)
        document = await asyncio.to_thread(run_cli, "--json", "status", env=where)
    await running
    assert "Building  n_1, m_1 on c: scanning documents 0% (0 of 1,000)" in text.stdout
    told = json.loads(document.stdout)["failed"][0]["index_build"]
    assert (told["phase"], told["done"], told["total"], told["unit"]) == ("scanning documents", 0, 1000, "documents")
    assert told["commands"][0] == "asyncmig index quorum c n_1 majority"
