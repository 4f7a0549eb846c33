"""The ledger's fence: what a runner writes that was left behind, on a replica set and on a standalone server.

Each case is one write of a runner that holds token 1 and does not know that it is late. Nothing of it
may reach the ledger, neither when its lease has ended and nobody came, nor when another came.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from bson import Binary
from mongomock_motor import AsyncMongoMockClient

from asyncmig.drivers import driver_for
from asyncmig.drivers.real import maybe
from asyncmig.errors import LedgerGone, LockLost
from asyncmig.running.ledger.audit_log import AuditLog
from asyncmig.running.ledger.ledger import Ledger, RecordExists
from asyncmig.running.ledger.record import JournalEntry, Record
from asyncmig.running.ledger.write import DeleteRecord, InsertRecord, UpdateRecord, Write
from asyncmig.running.locking.lease import Lease
from asyncmig.running.locking.lock import Lock

from ..clients import CLIENTS, DRIVERS, HAS_ASYNC, drop
from .failpoints import failing

pytestmark = pytest.mark.servers

SETTLED = InsertRecord("settled", {"state": "applied", "journal": {}}, ("started_at", "finished_at"))
WORKED_ON = InsertRecord("worked on", {"state": "upgrading", "journal": {}}, ("started_at",))
NEXT = InsertRecord("next", {"state": "upgrading", "journal": {}}, ("started_at",))

LATE_WRITES = [
    pytest.param([NEXT], id="begin a revision that the other has not reached"),
    pytest.param([UpdateRecord("worked on", {"state": "applied"}, ("finished_at",))], id="finish the one it works on"),
    pytest.param(
        [UpdateRecord("worked on", {"state": "applied"}, ("finished_at",)), NEXT], id="finish it and begin the next"
    ),
    pytest.param(
        [UpdateRecord("worked on", {"journal.0.number": 1}, ("journal.0.started_at",))], id="journal an operation"
    ),
    pytest.param([UpdateRecord("worked on", {"state": "failed"})], id="say that it failed"),
    pytest.param([UpdateRecord("worked on", {}, unset=("journal.0",))], id="take away from its journal"),
    pytest.param([DeleteRecord("worked on")], id="forget the one it works on"),
    pytest.param([DeleteRecord("settled", any_token=True)], id="forget a settled one"),
    pytest.param(
        [UpdateRecord("settled", {"state": "downgrading"}, any_token=True)], id="begin to revert a settled one"
    ),
]


@pytest.fixture(params=[*(f"{driver}, replica set" for driver in DRIVERS), f"{DRIVERS[-1]}, standalone"])
async def place(request: pytest.FixtureRequest, clients: dict[str, Any]) -> AsyncIterator[Any]:
    """A fresh database on each kind of server."""
    driver, kind = request.param.split(", ")
    alone = kind == "standalone"
    client = CLIENTS[driver](request.getfixturevalue("standalone")) if alone else clients[driver]
    database = client[f"fence_{abs(hash(request.node.name)):x}"[:30]]
    await drop(client, database.name)
    yield database
    await drop(client, database.name)
    if alone:
        await maybe(client.close())


async def dump(database: Any) -> list[dict[str, Any]]:
    return list(await database["asyncmig_revisions"].find({}).sort("_id").to_list(None))


async def prepared(database: Any) -> tuple[Ledger, Lease]:
    """A runner with token 1, one settled record and one that it works on; nobody renews its lease."""
    driver = driver_for(database)
    ledger, held = Ledger(driver), await Lock(driver).acquire(wait=0)
    await ledger.send(held, SETTLED, WORKED_ON)
    return ledger, held


async def ended(database: Any, lease: Lease) -> None:
    """Let the lease have ended long ago, without waiting for it."""
    past = lease.expires_at - timedelta(days=1)
    await database["asyncmig_lock"].update_one({"_id": "migration"}, {"$set": {"expires_at": past}})
    lease.expires_at = past


def deaf(lease: Lease) -> None:
    """Let the lease believe that it is fresh, as in a process that was stopped right before a write."""

    async def ensure(*, now: bool = False) -> None:
        if now:
            lease.check()

    lease.ensure = ensure  # type: ignore[method-assign]


@pytest.mark.parametrize("writes", LATE_WRITES)
async def test_nothing_is_written_after_the_lease_has_ended(place: Any, writes: list[Write]) -> None:
    """Nobody has taken the lock, so the tokens all fit: the server refuses by its clock."""
    ledger, lease = await prepared(place)
    deaf(lease)
    await ended(place, lease)
    before = await dump(place)
    with pytest.raises(LockLost):
        await ledger.send(lease, *writes)
    assert await dump(place) == before


async def test_nothing_is_claimed_after_the_lease_has_ended(place: Any) -> None:
    ledger, lease = await prepared(place)
    await place["asyncmig_revisions"].update_many({}, {"$set": {"token": 0}})
    deaf(lease)
    await ended(place, lease)
    before = await dump(place)
    await ledger.claim(lease)
    assert await dump(place) == before


@pytest.mark.parametrize("writes", LATE_WRITES)
async def test_nothing_is_written_after_another_has_come(place: Any, writes: list[Write]) -> None:
    ledger, late = await prepared(place)
    deaf(late)
    await ended(place, late)
    lock = Lock(driver_for(place))
    await ledger.claim(await lock.acquire(wait=5))
    before = await dump(place)
    with pytest.raises(LockLost):
        await ledger.send(late, *writes)
    assert await dump(place) == before


@pytest.mark.parametrize(
    "writes", [one for one in LATE_WRITES if "settled" not in str(one.id) and "not reached" not in str(one.id)]
)
async def test_a_lock_broken_by_force_fences_off_by_the_token(place: Any, writes: list[Write]) -> None:
    """The lease of the old owner has not ended, and the server's clock would let it pass: the token does not.

    Only the empty record of a revision that it was about to begin may be left, and is adopted: see below.
    """
    ledger, late = await prepared(place)
    deaf(late)
    lock = Lock(driver_for(place))
    await lock.break_lock(force=True)
    await ledger.claim(await lock.acquire(wait=0))
    with pytest.raises(LockLost):
        await ledger.send(late, *writes)
    kept = {one["_id"]: (one["state"], one["token"]) for one in await dump(place)}
    assert (kept["settled"], kept["worked on"]) == (("applied", 1), ("upgrading", 2))


@pytest.mark.parametrize(
    "write",
    [UpdateRecord("settled", {"state": "downgrading"}, any_token=True), DeleteRecord("settled", any_token=True)],
)
async def test_what_a_newer_runner_has_settled_is_not_taken_over(place: Any, write: Write) -> None:
    """Its lock was broken by force, so the server's clock lets the old owner pass: any token is an older one."""
    ledger, late = await prepared(place)
    deaf(late)
    lock = Lock(driver_for(place))
    await lock.break_lock(force=True)
    await ledger.send(await lock.acquire(wait=0), UpdateRecord("settled", {"state": "applied"}, any_token=True))
    before = await dump(place)
    with pytest.raises(LockLost, match="another runner has written the record of settled since"):
        await ledger.send(late, write)
    assert await dump(place) == before


async def test_a_record_left_by_another_is_adopted_not_overwritten(place: Any) -> None:
    """The rest of a runner whose lock was broken by force: it began a revision that we were about to begin."""
    ledger, late = await prepared(place)
    lock = Lock(driver_for(place))
    await lock.break_lock(force=True)
    ours = await lock.acquire(wait=0)
    await ledger.claim(ours)
    deaf(late)
    await ledger.send(late, NEXT)
    with pytest.raises(RecordExists, match="next"):
        await ledger.send(ours, NEXT)
    await ledger.claim(ours)
    with pytest.raises(LockLost):
        await ledger.send(late, UpdateRecord("next", {"state": "applied"}))
    await ledger.send(ours, UpdateRecord("next", {"state": "applied"}))


async def test_adopting_leaves_settled_records_and_newer_tokens_alone(place: Any) -> None:
    ledger, late = await prepared(place)
    lock = Lock(driver_for(place))
    await lock.break_lock(force=True)
    await ledger.claim(await lock.acquire(wait=0))
    await ledger.claim(late)  # the old one, once more
    assert {one["_id"]: one["token"] for one in await dump(place)} == {"settled": 1, "worked on": 2}


@pytest.mark.parametrize(
    "writes",
    [
        [NEXT],
        [UpdateRecord("worked on", {"journal.0.number": 1}, ("journal.0.started_at",))],
        [UpdateRecord("worked on", {"state": "applied"}, ("finished_at",)), NEXT],
        [DeleteRecord("worked on"), UpdateRecord("settled", {"state": "downgrading"}, any_token=True)],
    ],
)
async def test_every_write_may_be_sent_twice(place: Any, writes: list[Write]) -> None:
    ledger, lease = await prepared(place)
    await ledger.send(lease, *writes)
    once = await dump(place)
    await ledger.send(lease, *writes)
    assert [_timeless(one) for one in await dump(place)] == [_timeless(one) for one in once]


def _timeless(document: dict[str, Any]) -> dict[str, Any]:
    entries = document["journal"].items()
    journal = {place: {k: v for k, v in entry.items() if not k.endswith("_at")} for place, entry in entries}
    return {k: v for k, v in document.items() if not k.endswith("_at")} | {"journal": journal}


async def test_a_lease_that_is_ours_after_all_is_renewed_and_the_write_done(place: Any) -> None:
    """Our clock was slow, the server's refused, and nobody had come."""
    ledger, lease = await prepared(place)
    await ended(place, lease)
    await ledger.send(lease, NEXT)
    assert {one["_id"] for one in await dump(place)} == {"next", "settled", "worked on"}


FAULTS = [
    pytest.param({"closeConnection": True}, id="the connection is cut before the write"),
    pytest.param({"errorCode": 10107}, id="NotWritablePrimary"),
    pytest.param({"errorCode": 262}, id="ExceededTimeLimit"),
    pytest.param(
        {"writeConcernError": {"code": 64, "errmsg": "timed out"}}, id="the write is done, a majority is not told"
    ),
    pytest.param({"writeConcernError": {"code": 91, "errmsg": "stopping"}}, id="the write is done, the server stops"),
]
WRITES = [
    pytest.param([NEXT], "update", id="begin"),
    pytest.param(
        [UpdateRecord("worked on", {"state": "applied"}, ("finished_at",)), NEXT], "update", id="finish and begin"
    ),
    pytest.param(
        [UpdateRecord("worked on", {"journal.0.number": 1}, ("journal.0.started_at",))], "update", id="journal"
    ),
    pytest.param([DeleteRecord("worked on")], "delete", id="forget"),
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("writes", "command"), WRITES)
async def test_a_write_survives(
    database: Any, client: Any, writes: list[Write], command: str, fault: dict[str, Any]
) -> None:
    ledger, lease = await prepared(database)
    async with failing(client, database, [command], collection="asyncmig_revisions", times=1, **fault):
        await ledger.send(lease, *writes)
    after = {one["_id"]: one["state"] for one in await dump(database)}
    await ledger.send(lease, UpdateRecord("settled", {"stamped": True}))
    assert ("next" in after) == (NEXT in writes)
    assert ("worked on" in after) == (command != "delete")


async def test_a_record_that_is_gone_is_named(database: Any) -> None:
    ledger, lease = await prepared(database)
    with pytest.raises(LedgerGone, match="the record of revision nowhere is gone"):
        await ledger.send(lease, UpdateRecord("nowhere", {"state": "applied"}))


async def test_summaries_leave_journal_and_source_out(database: Any) -> None:
    ledger, lease = await prepared(database)
    await ledger.send(lease, InsertRecord("big", {"state": "applied", "source": "x", "journal": [{}]}, ()))
    summary = (await ledger.summaries())["big"]
    assert (summary.state, summary.source, summary.journal) == ("applied", None, ())


async def test_values_that_look_like_expressions_are_kept_as_they_are(database: Any) -> None:
    ledger, lease = await prepared(database)
    await ledger.send(lease, InsertRecord("odd", {"state": "applied", "message": "$token", "source": "$$NOW"}, ()))
    record = await ledger.record("odd")
    assert record is not None
    assert (record.message, record.source) == ("$token", "$$NOW")


async def test_the_trail_keeps_what_leaves_no_record(database: Any) -> None:
    driver = driver_for(database)
    trail, lease = AuditLog(driver), await Lock(driver).acquire()
    await trail.add(lease, "downgrade", ["a"], note="$token")
    await trail.add(lease, "stamp", ["b"])
    events = await trail.read()
    assert [(one["what"], one["revisions"]) for one in events] == [("downgrade", ["a"]), ("stamp", ["b"])]
    assert events[0]["note"] == "$token"
    assert events[0]["at"] <= events[1]["at"]


async def test_the_mock_keeps_a_ledger() -> None:
    database = AsyncMongoMockClient()["mocked"]
    ledger, lease = await prepared(database)
    await ledger.send(lease, UpdateRecord("worked on", {"state": "applied"}, ("finished_at",)), NEXT)
    await ledger.send(lease, DeleteRecord("settled", any_token=True))
    assert {one: record.state for one, record in (await ledger.summaries()).items()} == {
        "worked on": "applied",
        "next": "upgrading",
    }


def test_fields_of_a_newer_version_are_left_alone() -> None:
    record = Record.read({"_id": "a", "state": "applied", "token": 1, "future": 1, "journal": [entry(future=2)]})
    assert record.journal == (JournalEntry(1, "CreateCollection", "x", "create collection x", "f"),)


def entry(**more: Any) -> dict[str, Any]:
    known = {"number": 1, "operation": "CreateCollection", "collection": "x"}
    return {**known, "description": "create collection x", "fingerprint": "f", **more}


async def test_only_what_can_be_a_session_is_taken_for_one(place: Any) -> None:
    """A record may be edited by hand; the server would end none of several sessions where one is odd."""
    ledger, held = await prepared(place)
    good = {"id": Binary(b"0123456789abcdef", 4)}
    odd = ["a", 5, {}, {"id": 5}, {"id": b"0123456789abcdef"}, {"id": {"id": 1}}, None]
    if HAS_ASYNC:  # an older PyMongo could not read it
        odd.append({"id": Binary(b"short", 4)})
    journal = {str(place): {"session": one} for place, one in enumerate((*odd, good))}
    await place["asyncmig_revisions"].update_one({"_id": "worked on"}, {"$set": {"journal": journal, "undo": "odd"}})
    await place["asyncmig_revisions"].update_one({"_id": "settled"}, {"$set": {"session": good}})
    assert await ledger.sessions(held) == [good]


async def test_the_sessions_of_what_is_under_way(place: Any) -> None:
    """That of a revision that is one transaction, of an operation of an upgrade, and of one of a downgrade."""
    ledger, held = await prepared(place)
    one, two, three = ({"id": Binary(bytes([n]) * 16, 4)} for n in range(3))
    fields = {"session": one, "journal.0.session": two, "undo.0.session": three}
    await place["asyncmig_revisions"].update_one({"_id": "worked on"}, {"$set": fields})
    assert await ledger.sessions(held) == [one, two, three]
