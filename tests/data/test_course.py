"""The course of an operation within a run: its pace, its being watched and stopped, and its way back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from asyncmig.data import throttle
from asyncmig.data.progress import ProgressHooks
from asyncmig.drivers import driver_for
from asyncmig.errors import IrreversibleOperation, OperationRefused, RevisionFailed
from asyncmig.events import DataProgress, Event, OperationFinished, RevisionResumed
from asyncmig.operations import Pace, RemoveField, RenameField, Tally, TransformDocuments, UpdateInBatches

from ..clients import DRIVERS
from ..running.applying_helpers import run
from ..running.history_files import History, states
from .test_update import PLUS_ONE, filled

# -- pace ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["update", "transform"])
async def test_not_faster_than_asked_for(turn: Any, kind: str) -> None:
    await filled(turn, range(200))
    pace = Pace(max_per_second=250)
    wanted = UpdateInBatches("c", {}, PLUS_ONE, pace=pace)
    if kind == "transform":
        wanted = TransformDocuments("c", {}, lambda document: {"$inc": {"n": 1}}, pace=Pace(20, 250))  # type: ignore[assignment]
    began = time.monotonic()
    (result,) = await run(turn, wanted)
    assert Tally.read(result) == Tally(200, 200)
    assert time.monotonic() - began > 0.6


async def test_the_pauses_of_a_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """By a clock of its own: so many a second, and what was slower by itself is not made up for."""
    now, pauses = [100.0], list[float]()

    class Hooks(ProgressHooks):
        async def pause(self, seconds: float) -> None:
            pauses.append(round(seconds, 3))
            now[0] += seconds

    monkeypatch.setattr(throttle, "perf_counter", lambda: now[0])
    pace: Any = throttle.Throttle(Pace(max_per_second=250), Hooks(None))  # type: ignore[arg-type]
    for documents, seconds in ((100, 0.0), (50, 0.0), (100, 0.1), (25, 5.0), (100, 0.0), (0, 0.0)):
        await pace.wait()
        now[0] += seconds
        pace.took(documents)
    assert pauses == [0.4, 0.2, 0.4, 0.1, 0.4]


@pytest.mark.parametrize(("bound", "measured"), [("max_lag", "replication_lag"), ("max_queue", "queue")])
async def test_it_waits_while_the_servers_have_trouble(
    database: Any, monkeypatch: pytest.MonkeyPatch, bound: str, measured: str
) -> None:
    await filled(database, range(20))
    answers: Iterator[int] = iter([0, 9, 9, 0])
    asked: list[float] = []

    async def answer(driver: Any) -> int:
        asked.append(time.monotonic())
        return next(answers, 0)

    monkeypatch.setattr(throttle, measured, answer)
    monkeypatch.setattr(throttle, "_RECHECK_SECONDS", 0.05)
    await run(database, UpdateInBatches("c", {}, PLUS_ONE, pace=Pace(batch_size=10, **{bound: 5})))
    assert len(asked) == 4  # once before anything; then until the bound is kept
    assert asked[3] - asked[1] > 0.09
    assert await database["c"].count_documents({"n": 1}) == 20


async def test_the_bounds_are_measured_on_a_real_server(turn: Any) -> None:
    driver = driver_for(turn)
    assert await throttle.replication_lag(driver) == 0
    assert await throttle.queue(driver) >= 0


def test_the_lag_is_that_of_the_slowest_secondary() -> None:
    from datetime import datetime, timedelta

    now = datetime(2024, 1, 1)
    members = [
        {"state": 1, "optimeDate": now},
        {"state": 2, "optimeDate": now - timedelta(seconds=2)},
        {"state": 2, "optimeDate": now - timedelta(seconds=7)},
        {"state": 7, "optimeDate": now - timedelta(days=1)},  # an arbiter
    ]
    assert throttle.lag_of(members) == 7
    assert throttle.lag_of(members[:1]) == 0


# -- watched and stopped ------------------------------------------------------------------------

SLOWLY = "await env.update_in_batches('c', {}, {'$inc': {'n': 1}}, batch_size=20, max_per_second=400)"


async def test_events_tell_how_far_it_is(database: Any, tmp_path: Path) -> None:
    await filled(database, range(300))
    history, events = History(tmp_path), list[Event]()
    history.add("a", SLOWLY)
    await history.runner(database, events=events).upgrade("head")
    told = [event for event in events if isinstance(event, DataProgress)]
    assert len(told) > 2
    assert [event.done for event in told] == sorted(event.done for event in told)
    assert (told[-1].done, told[-1].total, told[-1].tally) == (300, 300, Tally(300, 300))
    assert 100 < told[-1].rate < 800
    (finished,) = [event for event in events if isinstance(event, OperationFinished)]
    assert Tally.read(finished.result) == Tally(300, 300)


async def test_stopped_after_a_batch_and_gone_on_with(database: Any, tmp_path: Path) -> None:
    documents = await filled(database, range(300))
    history, events = History(tmp_path), list[Event]()
    history.add("a", SLOWLY)
    first = asyncio.create_task(history.runner(database, events=events).upgrade("head"))
    while not any(isinstance(event, DataProgress) for event in events):
        await asyncio.sleep(0.01)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await states(database) == {"a": "upgrading"}
    stopped_at = await documents.count_documents({"n": 1})
    record = await database["asyncmig_revisions"].find_one({"_id": "a"})
    assert 0 < stopped_at < 300
    assert record["journal"]["0"]["checkpoint"]["tally"]["matched"] == stopped_at
    await history.runner(database, events=events).upgrade("head")
    assert any(isinstance(event, RevisionResumed) for event in events)
    assert await documents.count_documents({"n": 1}) == 300
    assert Tally.read(next(one for one in events if isinstance(one, OperationFinished)).result) == Tally(300, 300)


async def test_downgraded_where_it_stopped(database: Any, tmp_path: Path) -> None:
    """A rename that was done half-way is put back: its reverse touches only what has the new name."""
    documents = await filled(database, range(300))
    history, events = History(tmp_path), list[Event]()
    history.add(
        "a",
        "await env.rename_field('c', 'n', 'm', batch_size=20, max_per_second=400)",
        "await env.rename_field('c', 'm', 'n')",
    )
    first = asyncio.create_task(history.runner(database, events=events).upgrade("head"))
    while not any(isinstance(event, DataProgress) for event in events):
        await asyncio.sleep(0.01)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert 0 < await documents.count_documents({"m": 0}) < 300
    await history.runner(database).downgrade("base")
    assert await documents.count_documents({"n": 0, "m": {"$exists": False}}) == 300


# -- around it ----------------------------------------------------------------------------------


async def test_in_the_transaction_of_a_whole_revision(database: Any, tmp_path: Path) -> None:
    """All or nothing: what was done before the document that is refused is undone with the rest."""
    await database.create_collection("c", validator={"n": {"$lt": 2}})
    documents = await filled(database, range(50))
    history = History(tmp_path)
    calls = "await env.update_in_batches('c', {}, {'$inc': {'n': 1}}, batch_size=7)\n"
    calls += "await env.transform_documents('c', {}, lambda document: document | {'m': 1})\n"
    history.add("a", calls, transactional=True)
    history.add("b", "await env.update_in_batches('c', {}, {'$inc': {'n': 1}})", transactional=True)
    await history.runner(database).upgrade("a")
    assert await documents.count_documents({"n": 1, "m": 1}) == 50
    with pytest.raises(RevisionFailed) as caught:
        await history.runner(database).upgrade("head")
    assert isinstance(caught.value.__cause__, OperationRefused)
    assert caught.value.__cause__.code == 121  # DocumentValidationFailure
    assert await documents.count_documents({"n": 1, "m": 1}) == 50


@pytest.mark.parametrize("operation", [RenameField("c", "n", "m"), RemoveField("c", "n", keep_in="kept.n")])
async def test_the_reverse_restores(turn: Any, operation: Any) -> None:
    documents = await filled(turn, range(30), x=1)
    before = await documents.find({}).to_list(None)
    await run(turn, operation)
    assert await documents.count_documents({"n": {"$exists": True}}) == 0
    await run(turn, *operation.reverse())
    assert [dict(sorted(one.items())) for one in await documents.find({}, {"kept": 0}).to_list(None)] == [
        dict(sorted(one.items())) for one in before
    ]


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (UpdateInBatches("c", {}, PLUS_ONE), "write the update that undoes it"),
        (TransformDocuments("c", {}, len), "no function is known that undoes it"),
        (RemoveField("c", "n"), "keep_in=... would keep them"),
        (RenameField("c", "n", "m", on_conflict="overwrite"), "of documents that had both fields one was lost"),
    ],
)
def test_where_there_is_no_way_back_it_says_so(operation: Any, words: str) -> None:
    with pytest.raises(IrreversibleOperation, match=words):
        operation.reverse()


async def test_writers_at_work_all_the_time_lose_nothing(database: Any) -> None:
    documents = await filled(database, range(300), theirs=0)
    done = asyncio.Event()

    async def others(number: int) -> int:
        written = 0
        while not done.is_set():
            number = (number * 7 + 3) % 300
            written += (await documents.update_one({"_id": number}, {"$inc": {"theirs": 1}})).modified_count
        return written

    writers = [asyncio.create_task(others(first)) for first in (1, 50, 151)]
    try:
        (result,) = await run(database, UpdateInBatches("c", {}, PLUS_ONE, pace=Pace(batch_size=40)))
    finally:
        done.set()
        written = sum(await asyncio.gather(*writers))
    assert Tally.read(result) == Tally(300, 300)
    assert await documents.count_documents({"n": 1}) == 300
    assert sum([one["theirs"] async for one in documents.find()]) == written > 0


# -- a standalone server ------------------------------------------------------------------------


@pytest.mark.parametrize("driver", DRIVERS)
async def test_on_a_standalone_server_documents_are_marked_meanwhile(standalone: str, driver: str) -> None:
    from .standalone import opened

    async with opened(standalone, driver) as database:
        documents = await filled(database, range(500))
        (result,) = await run(database, UpdateInBatches("c", {}, PLUS_ONE, pace=Pace(batch_size=60)))
        assert Tally.read(result) == Tally(500, 500)
        plus_one = TransformDocuments("c", {}, lambda one: one | {"n": one["n"] + 1}, pace=Pace(batch_size=60))
        assert Tally.read((await run(database, plus_one))[0]) == Tally(500, 500)
        assert await documents.find({}, {"_id": 0}).to_list(None) == [{"n": 2}] * 500
        deleting = TransformDocuments("c", {"n": 2}, lambda one: {"$set": {"n": 3}} if one["_id"] % 2 else None)
        assert Tally.read((await run(database, deleting))[0]) == Tally(500, 250, skipped=250)
        assert await documents.count_documents({"_asyncmig": {"$exists": True}}) == 0
        with pytest.raises(OperationRefused, match="tells nothing of its secondaries"):
            await run(database, UpdateInBatches("c", {}, PLUS_ONE, pace=Pace(max_lag=5)))
