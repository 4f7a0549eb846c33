"""Killed by SIGKILL at every boundary of a history of twelve revisions, up and down, and gone on with.

Real processes on a real server. After each kill the database is what the undisturbed run had made of
it up to that boundary, the ledger claims nothing that is not so, and the next run gets to the end.
"""

from __future__ import annotations

import json
import os
import random
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymongo import MongoClient

from ..clients import DRIVERS, taking_turns
from .database_snapshot import sync_snapshot
from .runner_processes import Victims
from .sample_histories import twelve

Answer = dict[str, Any]
Ask = Callable[..., Answer]

PARTS, KILLS = (10, 20) if os.environ.get("ASYNCMIG_CHAOS") else (1, 2)  # `nox -s chaos` sets it


@pytest.fixture(scope="module")
def victims(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    with Victims(server_url, tmp_path_factory.mktemp("histories"), {"twelve": twelve}) as started:
        yield started


@pytest.fixture
def ask(victims: Victims) -> Ask:
    """``ask(database=…, …)``: a run in a process of its own; see runner_process.py."""
    return victims.ask


@pytest.fixture(scope="module")
def server(server_url: str) -> Iterator[Any]:
    with MongoClient(server_url) as client:
        yield client


@pytest.fixture
def fresh(server: Any) -> Iterator[Callable[[], Any]]:
    made: list[str] = []

    def make() -> Any:
        made.append(f"crash_{uuid.uuid4().hex[:12]}")
        return server[made[-1]]

    yield make
    for name in made:
        server.drop_database(name)


def begin(ask: Ask, database: Any, direction: str) -> dict[str, str]:
    """The job that runs the whole history in a direction; where that is down, it is brought up first."""
    job = {"database": database.name, "driver": DRIVERS[-1]}
    if direction == "downgrade":
        assert "error" not in ask(**job, direction="upgrade", target="head")
    return {**job, "direction": direction, "target": "head" if direction == "upgrade" else "base"}


@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
def test_killed_at_every_boundary(ask: Ask, fresh: Callable[[], Any], direction: str) -> None:
    """One database, and a process after the other: each goes on and dies at the first event that no other has come to.

    So every boundary is died at once, and what was left there is gone on from.
    """
    calm = ask(**begin(ask, fresh(), direction), snapshots=True)
    snapshots = {seen["event"]: seen["snapshot"] for seen in calm["events"]}
    database = fresh()
    job, known, heard = begin(ask, database, direction), [""], list[Answer]()
    for number in range(1000):
        answer = ask(**job | {"driver": taking_turns(number)}, known=known, unlock=True)
        if not answer["killed"]:
            break
        last = answer["events"][-1]["event"]
        known.append(last)
        heard += answer["events"]
        assert last in snapshots or "Resumed" in last or "Skipped" in last
        if " r11" in last:
            parts_are_as_heard(database, heard, direction)
            neighbour = snapshots[f"RevisionFinished r{10 if direction == 'upgrade' else 12}"]
            assert without_parts(sync_snapshot(database)) == without_parts(neighbour), last
        elif last in snapshots:
            assert sync_snapshot(database) == snapshots[last], last
        truthful(database, heard)
    assert answer.get("error") is None, answer
    assert set(snapshots) - set(known) <= {"LockReleased"}
    assert sync_snapshot(database) == calm["events"][-1]["snapshot"]
    expected = {} if direction == "downgrade" else dict.fromkeys(NAMES, "applied")
    assert {one["_id"]: one["state"] for one in records(database)} == expected


NAMES = [f"r{number:02}" for number in range(1, 13)]


def records(database: Any) -> list[dict[str, Any]]:
    return list(database["asyncmig_revisions"].find().sort("_id"))


def parts_are_as_heard(database: Any, heard: list[Answer], direction: str) -> None:
    """What r11 does at once, in any order: what was heard as finished is done, what was not heard to begin is not."""
    finished, started = (about(heard, f"Operation{what} r11 ") for what in ("Finished", "Started"))
    there = {name for name in database.list_collection_names() if name.startswith("part")}
    done = there if direction == "upgrade" else {"part0", "part1", "part2"} - there
    assert finished <= done <= started


def about(heard: list[Answer], event: str) -> set[str]:
    return {one["about"] for one in heard if one["event"].startswith(event)}


def without_parts(snapshot: str) -> dict[str, Any]:
    return {name: value for name, value in json.loads(snapshot).items() if not name.startswith("part")}


def truthful(database: Any, heard: list[Answer]) -> None:
    """The ledger claims nothing that has not happened, and leaves at most one operation open.

    By their numbers, but of operations at once by the collection that each is about: which of them has which place
    in the journal differs from run to run.
    """
    known = [one["event"] for one in heard]
    for record in records(database):
        state, name = record["state"], record["_id"]
        journal = list((record["undo"] if state == "downgrading" else record["journal"]).values())
        by = "number" if name != "r11" else "collection"
        done = {entry[by] for entry in journal if entry["finished_at"] is not None}
        finished = {number for number in range(1, 10) if f"OperationFinished {name} {number}" in known}
        is_known = done <= (finished if name != "r11" else about(heard, "OperationFinished r11 "))
        assert state in ("applied", "upgrading", "downgrading")
        assert is_known or f"RevisionFinished {name}" in known or state == "applied"
        assert len(journal) - len(done) <= (3 if name == "r11" else 1)
        if state == "applied":
            assert not len(journal) - len(done)


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
def test_killed_at_random_moments(
    victims: Victims, ask: Ask, fresh: Callable[[], Any], direction: str, part: int
) -> None:
    """Runs by both drivers at once, each from the start, killed once, looked at, gone on with, and looked at again."""
    calm = ask(**begin(ask, fresh(), direction), snapshots=True)["events"]
    job = begin(ask, fresh(), direction)
    began = time.monotonic()
    assert "error" not in ask(**job)
    took, killed = 2 * (time.monotonic() - began), 0
    while killed < KILLS:
        databases = [fresh() for _ in DRIVERS]
        jobs = [
            begin(ask, database, direction) | {"driver": driver}
            for database, driver in zip(databases, DRIVERS, strict=True)
        ]
        doomed = [{**job, "lease": 10, "kill_after": random.uniform(0.02, took)} for job in jobs]
        dead = victims.ask_all(*doomed)
        for database, one in zip(databases, dead, strict=True):
            killed += bool(one["killed"])
            truthful(database, one["events"])
            as_far_as(database, one["events"], calm)
        # What a dead process has sent may take the lock after it was broken: its lease is waited for then.
        again = victims.ask_all(*({**job, "unlock": True, "wait": 60} for job in jobs))
        for database, one, answer in zip(databases, dead, again, strict=True):
            assert answer.get("error") is None, (one, answer)
            assert sync_snapshot(database) == calm[-1]["snapshot"], one["events"][-1:]
            database.client.drop_database(database.name)


def as_far_as(database: Any, heard: list[Answer], calm: list[Answer]) -> None:
    """The database is what the undisturbed run had made of it at the last event, or is one step further."""
    last = heard[-1]["event"] if heard else calm[0]["event"]
    if last.endswith(SEVERAL_STEPS):
        return
    at = [one["event"] for one in calm].index(last)
    found = sync_snapshot(database)
    while (seen := sync_snapshot(database)) != found:  # what was sent before the end is done by the server after it
        found = seen
    assert found in [one["snapshot"] for one in calm[at : at + 2]], last


SEVERAL_STEPS = (" r02 1", " r11", " r11 1", " r11 2", " r11 3", " r12 2")
