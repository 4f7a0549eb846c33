"""Killed by SIGKILL in the middle of the documents, and gone on with: x + 1 is done to each of them exactly once.

Real processes, on a replica set (a batch and its checkpoint are one transaction) and on a standalone
server (a document is marked in the write that changes it). After the last run every document is, byte
for byte, what an undisturbed run has made of it, and the ledger counts each of them once.
"""

from __future__ import annotations

import os
import random
import signal
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from asyncmig.testing.server import LocalServer

from ..clients import DRIVERS, taking_turns
from ..running.runner_processes import Victims
from ..running.sample_histories import sleeping, sleeping_whole, transforming, updating

DOCUMENTS = 200_000


@pytest.fixture(scope="module", params=["replica set", "standalone"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Victims]]:
    """A server, by a synchronous client, and the processes that work on it."""
    histories = {one.__name__: one for one in (updating, transforming, sleeping, sleeping_whole)}
    with (
        LocalServer(replset=request.param == "replica set") as server,
        MongoClient(server.url) as client,
        Victims(server.url, tmp_path_factory.mktemp("histories"), histories) as victims,
    ):
        yield client, victims


def fill(database: Any, count: int) -> None:
    """Documents with ``_id``s of several types, so that the walk goes through several kinds."""
    database["c"].insert_many(
        ({"_id": key_of(number), "n": number, "text": f"document {number}"} for number in range(count)), ordered=False
    )


def key_of(number: int) -> Any:
    kinds = (number, f"{number:08}", {"number": number}, number.to_bytes(8, "big"))
    return kinds[number % 4]


def stored(database: Any) -> list[bytes]:
    """Every document, byte for byte."""
    documents = database["c"].with_options(
        codec_options=database.codec_options.with_options(document_class=RawBSONDocument)
    )
    return [document.raw for document in documents.find({}).sort("_id")]


def disturbed(client: Any, victims: Victims, history: str, count: int, kills: int) -> list[int]:
    """Kill that many runs, each of the same documents; how many were done when each died."""
    calm = client[f"calm_{uuid.uuid4().hex[:8]}"]
    fill(calm, count)
    calm["c"].aggregate([{"$out": "before"}])
    began = time.monotonic()
    assert "error" not in victims.ask(history=history, database=calm.name, driver=DRIVERS[-1], **UP)
    took, expected, died_at = time.monotonic() - began, stored(calm), list[int]()
    assert len(expected) == count
    for number in range(kills):
        database = client[f"killed_{uuid.uuid4().hex[:8]}"]
        calm["before"].aggregate([{"$out": {"db": database.name, "coll": "c"}}])
        job = {"history": history, "database": database.name, "driver": taking_turns(number), **UP}
        for _ in range(2 - number % 2):  # every other one is killed twice
            victims.ask(**job, kill_after=random.uniform(0.05, took), unlock=True)
            died_at.append(done(database))
        answer = victims.ask(**job, unlock=True)
        assert "error" not in answer, answer
        assert stored(database) == expected, died_at
        matched, modified, failed = tally(database)
        assert matched == modified, died_at
        assert matched == count or (is_standalone(client) and 0 < matched < count), died_at
        assert not failed
        client.drop_database(database.name)
    client.drop_database(calm.name)
    return died_at


def is_standalone(client: Any) -> bool:
    return "setName" not in client.admin.command("hello")


UP: dict[str, Any] = {"direction": "upgrade", "target": "head"}


def entry(database: Any) -> Any:
    """What the journal says of the operation."""
    record = database["asyncmig_revisions"].find_one({"_id": "d1"})
    return (record or {}).get("journal", {}).get("0", {})


def done(database: Any) -> int:
    """How many documents the checkpoint tells of."""
    return int((entry(database).get("checkpoint") or {"tally": {"matched": 0}})["tally"]["matched"])


def tally(database: Any) -> tuple[int, int, int]:
    result = entry(database)["result"]
    return result["matched"], result["modified"], result["failed"]


@pytest.mark.parametrize("history", ["updating", "transforming"])
def test_killed_in_the_middle(place: tuple[Any, Victims], history: str) -> None:
    disturbed(*place, history, 4_000, 1)


@pytest.mark.parametrize("place", ["replica set"], indirect=True)
@pytest.mark.parametrize(("history", "driver"), [("sleeping", DRIVERS[0]), ("sleeping_whole", DRIVERS[-1])])
def test_its_transaction_keeps_nobody_waiting(place: tuple[Any, Victims], history: str, driver: str) -> None:
    """Killed while the server is at a batch: the transaction would stay open for a minute, and with it the locks."""
    client, victims = place
    client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": 3600})  # it ends by us, or never
    database = client[f"slow_{uuid.uuid4().hex[:8]}"]
    database["c"].insert_many([{"_id": number, "n": number} for number in range(1_000)])
    job = {"history": history, "database": database.name, "driver": driver, **UP}
    victims.send(job)
    until = time.monotonic() + 300
    while not open_transactions(client) and time.monotonic() < until:  # at first it looks for the batch
        time.sleep(0.05)
    os.kill(database["asyncmig_lock"].find_one({"_id": "migration"})["pid"], signal.SIGKILL)
    (answer,) = victims.receive()
    assert answer["killed"]
    assert open_transactions(client) == 1
    answer = victims.ask(**job, unlock=True)
    client.admin.command({"setParameter": 1, "transactionLifetimeLimitSeconds": 60})
    assert "error" not in answer, answer
    assert [one["n"] for one in database["c"].find().sort("_id")] == [number + 1 for number in range(1_000)]
    assert database["asyncmig_revisions"].count_documents({"state": "applied", "journal.0.session": None}) == 1
    client.drop_database(database.name)


def open_transactions(client: Any) -> int:
    stages: list[Any] = [
        {"$currentOp": {"idleSessions": True}},
        {"$match": {"transaction.parameters.autocommit": False}},
    ]
    return len(list(client.admin.aggregate(stages)))


@pytest.mark.chaos
@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("history", ["updating", "transforming"])
def test_killed_at_random_moments(place: tuple[Any, Victims], history: str) -> None:
    """Thirty times, 200,000 documents each: most of them die with a part of the documents done."""
    died_at = disturbed(*place, history, DOCUMENTS, 30)
    print(f"{history}: died with so many documents done: {sorted(died_at)}")
    assert len({count for count in died_at if 0 < count < DOCUMENTS}) > 15
