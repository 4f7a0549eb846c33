"""Operations of a revision that run at once, killed at a random moment: whatever was written down, the rest follows."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

from ..clients import taking_turns
from .at_once import COLLECTIONS, NAMES, at_once
from .database_snapshot import sync_snapshot
from .runner_processes import Victims

CHAOS = bool(os.environ.get("ASYNCMIG_CHAOS"))  # `nox -s chaos` sets it
AT_ONCE = 6  # processes
CHOSEN = NAMES if CHAOS else NAMES[::14]


@pytest.fixture(scope="module")
def processes(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victims]:
    with Victims(server_url, tmp_path_factory.mktemp("histories"), {"at_once": at_once}) as started:
        yield started


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, len(CHOSEN), AT_ONCE))
async def test_killed_among_operations_at_once(processes: Victims, server_url: str, first: int, tmp_path: Path) -> None:
    names = CHOSEN[first : first + AT_ONCE]
    with MongoClient(server_url) as client:
        doomed, calm = ({name: _prepared(client) for name in names} for _ in range(2))
        jobs = [_job(name, database) for name, database in doomed.items()]
        processes.send(*({**job, "kill_after": random.uniform(0.1, 2.0)} for job in jobs))
        await processes.answers()
        again = [{**job, "unlock": True} for job in jobs]  # those that are dead have left it taken
        processes.send(*again, *(_job(name, database) for name, database in calm.items()))
        answers = await processes.answers()
        assert [one.get("error") for one in answers] == [None] * len(answers), answers
        for name in names:
            assert sync_snapshot(client[doomed[name]]) == sync_snapshot(client[calm[name]]), name
            for database in (doomed[name], calm[name]):
                client.drop_database(database)


def _prepared(client: MongoClient[dict[str, object]]) -> str:
    name = f"at_once_{uuid.uuid4().hex[:12]}"
    for collection in COLLECTIONS:
        client[name][collection].insert_many([{"_id": n, "n": 0} for n in range(6)])
    return name


def _job(name: str, database: str) -> dict[str, object]:
    job = {"history": "at_once", "database": database, "driver": taking_turns(NAMES.index(name))}
    return {**job, "direction": "upgrade", "target": name, "lease": 120.0, "wait": 60}
