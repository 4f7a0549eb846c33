"""Running history: what is applied, in which order, what the ledger says of it, and what is refused beforehand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import anyio
import pytest
from mongomock_motor import AsyncMongoMockClient

from asyncmig.drivers import driver_for
from asyncmig.errors import DriverError, LockLost, LockTimeout, RevisionError, RevisionFailed, UnsupportedByDriver
from asyncmig.events import (
    ChecksumChanged,
    Event,
    JournalDiverged,
    OperationFinished,
    OperationSkipped,
    OperationStarted,
    RevisionFinished,
    RevisionResumed,
    RevisionStarted,
    RunStarted,
)
from asyncmig.files.errors import RevisionFileError
from asyncmig.files.static import IrreversibleRevision, SchemaChangeInTransaction
from asyncmig.history.errors import OutOfOrder, UnknownApplied
from asyncmig.history.revision import Revision
from asyncmig.migrator import Migrator
from asyncmig.running.ledger.audit_log import AuditLog
from asyncmig.running.ledger.ledger import Ledger
from asyncmig.running.ledger.record import Record
from asyncmig.running.locking.lock import Lock

from ..clients import DRIVERS
from ..data.standalone import opened
from .event_listener import Heard
from .history_files import History, states

pytestmark = pytest.mark.servers

MAKE = "await env.create_collection('{0}')"
DROP = "await env.drop_collection('{0}')"


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


@pytest.fixture
def three(history: History) -> History:
    """a → b → c, each making a collection of its name."""
    for name in "abc":
        history.add(name, MAKE.format(name), DROP.format(name))
    return history


async def names(database: Any) -> set[str]:
    return {name for name in await database.list_collection_names() if not name.startswith("asyncmig_")}


async def record(database: Any, revision: str) -> Record:
    found = await Ledger(driver_for(database)).record(revision)
    assert found is not None
    return found


def told(events: list[Event], *kinds: type[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kinds)]


# -- up and down ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "steps", "left"),
    [
        (["up head"], ["abc"], "abc"),
        (["up b"], ["ab"], "ab"),
        (["up +1", "up +1"], ["a", "b"], "ab"),
        (["up head", "up head"], ["abc", ""], "abc"),
        (["up head", "down -1"], ["abc", "c"], "ab"),
        (["up head", "down base"], ["abc", "cba"], ""),
        (["up head", "down a", "up head"], ["abc", "cb", "bc"], "abc"),
        (["down base"], [""], ""),
    ],
)
async def test_up_and_down(three: History, database: Any, way: list[str], steps: list[str], left: str) -> None:
    runner = three.runner(database)
    for leg, expected in zip(way, steps, strict=True):
        direction, target = leg.split()
        went = await (runner.upgrade(target) if direction == "up" else runner.downgrade(target))
        assert "".join(one.revision for one in went) == expected
    assert await names(database) == set(left)
    assert await states(database) == dict.fromkeys(left, "applied")


async def test_the_record_tells_everything(history: History, database: Any) -> None:
    history.add("a")
    history.add("b", MAKE.format("x") + "\nawait env.insert_documents('x', [{'_id': 1}])")
    await history.runner(database).upgrade()
    found = await record(database, "b")
    assert (found.state, found.parents, found.message, found.direction) == ("applied", ("a",), "about b", "upgrade")
    assert found.checksum == history.revisions["b"].checksum
    assert found.source is not None
    assert "insert_documents" in found.source
    assert found.started_at is not None
    assert found.finished_at is not None
    assert found.started_at <= found.finished_at
    assert found.milliseconds is not None
    assert found.token == 1
    assert found.host
    assert found.pid
    assert found.user
    assert [(one.number, one.operation, one.collection, one.is_finished) for one in found.journal] == [
        (1, "CreateCollection", "x", True),
        (2, "InsertDocuments", "x", True),
    ]
    assert found.journal[0].description == "create collection x"
    assert found.journal[1].result is not None
    assert found.journal[1].intent is not None


async def test_events_in_order(three: History, database: Any) -> None:
    events: list[Event] = []
    await three.runner(database, events=events).upgrade("b")
    assert [type(event).__name__ for event in events] == [
        "LockAcquired",
        "RunStarted",
        *("RevisionStarted", "OperationStarted", "OperationFinished", "RevisionFinished") * 2,
        "LockReleased",
    ]
    (run,) = told(events, RunStarted)
    assert [one.revision for one in run.revisions] == ["a", "b"]
    assert [(one.number, one.total) for one in told(events, RevisionStarted)] == [(1, 2), (2, 2)]


async def test_the_record_is_there_before_the_first_line_of_the_revision(history: History, database: Any) -> None:
    history.add(
        "a", "found = await env.db.asyncmig_revisions.find_one({'_id': 'a'})\nassert found['state'] == 'upgrading'"
    )
    await history.runner(database).upgrade()


async def test_env_collections_follows(history: History, database: Any) -> None:
    history.add("a", f"assert env.collections == set()\n{MAKE.format('x')}\nassert env.collections == {{'x'}}")
    history.add("b", "assert env.collections == {'x'}\nawait env.db.create_collection('y')")
    history.add("c", "assert env.collections == {'x', 'y'}")
    await history.runner(database).upgrade()


async def test_operations_at_once(history: History, database: Any) -> None:
    history.add("a", "await asyncio.gather(*(env.create_collection(f'c{n}') for n in range(5)))")
    await history.runner(database).upgrade()
    found = await record(database, "a")
    assert [one.collection for one in found.journal] == [f"c{n}" for n in range(5)]
    assert all(one.is_finished for one in found.journal)


async def test_an_operation_that_nobody_awaits_in_time_is_refused(history: History, database: Any) -> None:
    history.add("a", "env.left = asyncio.ensure_future(late(env))", "pass")
    path = history.revisions["a"].path
    assert path is not None
    body = (
        path.read_text()
        + "\n\nasync def late(env):\n    await asyncio.sleep(0.3)\n    await env.create_collection('late')\n"
    )
    path.write_text(body)
    with pytest.raises(RevisionFailed, match="had not awaited the task late"):
        await history.runner(database).upgrade()
    await asyncio.sleep(0.5)
    assert await names(database) == set()


# -- round trips ----------------------------------------------------------------------------------


async def test_a_database_at_its_target_costs_one_read_and_no_lock(
    three: History, database: Any, make_client: Callable[..., Any], driver_name: str
) -> None:
    await three.runner(database).upgrade()
    heard = Heard()
    client = make_client(driver_name, event_listeners=[heard])
    await client.admin.command("ping")
    heard.names.clear()
    assert await three.runner(client[database.name]).upgrade() == []
    assert heard.names == ["find"]


async def test_so_does_an_upgrade_by_the_facade(
    three: History, database: Any, make_client: Callable[..., Any], driver_name: str, tmp_path: Path
) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.parent.mkdir()
    three.folder.rename(versions)
    await Migrator(database, versions.parent).upgrade()
    heard = Heard()
    client = make_client(driver_name, event_listeners=[heard])
    await client.admin.command("ping")
    heard.names.clear()
    assert await Migrator(client[database.name], versions.parent).upgrade() == []
    assert heard.names == ["find"]


@pytest.mark.parametrize(
    ("body", "writes"),
    [("pass", 1), ("await env.drop_index('x', 'y')", 2), ("\n".join(["await env.drop_index('x', 'y')"] * 5), 6)],
)
async def test_a_revision_costs_one_ledger_write_and_one_per_operation(
    history: History, database: Any, make_client: Callable[..., Any], driver_name: str, body: str, writes: int
) -> None:
    for number in range(10):
        history.add(f"r{number}", body)
    heard = Heard()
    client = make_client(driver_name, event_listeners=[heard])
    await client.admin.command("ping")
    await history.runner(client[database.name]).upgrade()
    adopting, closing, releasing = 1, 1, 1
    assert heard.names.count("update") == 10 * writes + adopting + closing + releasing


# -- failing, and going on ------------------------------------------------------------------------


async def test_a_failing_revision_is_recorded_and_the_ones_before_it_stay(history: History, database: Any) -> None:
    history.add("a", MAKE.format("a"))
    history.add("b", MAKE.format("b") + "\n1 / 0")
    history.add("c", MAKE.format("c"))
    with pytest.raises(
        RevisionFailed, match=r"revision b failed in upgrade at its own code after operation 1, line \d+"
    ) as caught:
        await history.runner(database).upgrade()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    assert caught.value.exit_code == 7
    assert await states(database) == {"a": "applied", "b": "failed"}
    found = await record(database, "b")
    assert found.error is not None
    assert (found.error["type"], found.error["message"]) == ("ZeroDivisionError", "division by zero")
    assert found.finished == 1
    assert await Lock(driver_for(database)).holder() is None


async def test_a_refused_operation_is_where_it_stopped(history: History, database: Any) -> None:
    await database["x"].insert_many([{"n": 1}, {"n": 1}])
    history.add("a", "await env.create_indexes('x', [Index('n', unique=True)])")
    with pytest.raises(RevisionFailed, match=r"at operation 1 \(create 1 index on x: n_1\)"):
        await history.runner(database).upgrade()
    entry = (await record(database, "a")).journal[0]
    assert entry.error is not None
    assert "OperationRefused" in entry.error
    await database["x"].delete_many({})
    await history.runner(database).upgrade()
    assert (await record(database, "a")).journal[0].is_finished


async def test_going_on_skips_what_is_done_and_tells_why_it_had_stopped(history: History, database: Any) -> None:
    broken = MAKE.format("x") + "\nawait env.db.log.insert_one({})\n1 / 0\n" + MAKE.format("y")
    history.add("a", broken)
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    history.add("a", broken.replace("1 / 0", "pass"))
    events: list[Event] = []
    await history.runner(database, events=events).upgrade()
    (resumed,) = told(events, RevisionResumed)
    assert (resumed.finished, resumed.unknown, resumed.error) == (1, "", "ZeroDivisionError: division by zero")
    assert [(one.number, one.reason) for one in told(events, OperationSkipped)] == [(1, "it was done before")]
    assert [one.number for one in told(events, OperationStarted)] == [2]
    assert await database["log"].count_documents({}) == 2  # raw calls are the user's own, and run again
    assert await states(database) == {"a": "applied"}


async def test_skipped_operations_return_what_they_returned(history: History, database: Any) -> None:
    body = "await env.insert_documents('x', [{'_id': 1}])\n"
    history.add("a", body + "1 / 0")
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    history.add("a", body)
    await history.runner(database).upgrade()
    assert [one["_id"] for one in await database["x"].find().to_list(None)] == [1]


async def test_an_edited_file_is_held_against_its_journal(history: History, database: Any) -> None:
    """a, b, c were done; the file now says a, B, c: a is skipped, B and c are applied, and c knows its first intent."""
    insert = "await env.insert_documents('{0}', [{{'_id': 1}}])\n"
    history.add(
        "a",
        "".join(insert.format(name) for name in ("x", "y", "z")) + "1 / 0",
        "await env.delete_documents('z', [1], if_unchanged=True)",
    )
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    history.add(
        "a",
        "".join(insert.format(name) for name in ("x", "new", "z")),
        "await env.delete_documents('z', [1], if_unchanged=True)",
    )
    events: list[Event] = []
    await history.runner(database, events=events).upgrade()
    (diverged,) = told(events, JournalDiverged)
    assert (diverged.number, diverged.journalled) == (2, "insert 1 document into y where missing")
    assert [one.number for one in told(events, OperationSkipped)] == [1]
    found = await record(database, "a")
    assert [one.collection for one in found.journal] == ["x", "new", "z"]
    assert [one.collection for one in found.superseded] == ["y", "z"]
    await history.runner(database).downgrade("base")
    assert await database["z"].count_documents({}) == 0


@pytest.mark.parametrize("left", ["w", "x", ""], ids=["another", "its beginning", "nothing"])
async def test_a_shorter_file_leaves_no_old_entries_in_the_journal(history: History, database: Any, left: str) -> None:
    history.add("a", "\n".join(MAKE.format(name) for name in "xyz") + "\n1 / 0")
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    history.add("a", "".join(map(MAKE.format, left)))
    await history.runner(database).upgrade()
    found = await record(database, "a")
    assert [one.collection for one in found.journal] == [*left]
    assert [one.collection for one in found.superseded] == [one for one in "xyz" if one != left]


async def test_an_edited_file_whose_operations_run_at_once(history: History, database: Any) -> None:
    """What differs is put aside before any of them is written down."""
    at_once = "await asyncio.gather(*(env.create_collection(name) for name in {!r}))"
    history.add("a", "\n".join(MAKE.format(name) for name in "wxyz") + "\n1 / 0")
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    history.add("a", at_once.format("vxyzuts"))
    await history.runner(database).upgrade()
    found = await record(database, "a")
    assert [one.collection for one in found.journal] == [*"vxyzuts"]
    assert [one.collection for one in found.superseded] == [*"wxyz"]
    assert all(one.is_finished for one in found.journal)


async def test_files_that_cannot_be_loaded_stop_a_run_before_its_first_step(history: History, database: Any) -> None:
    history.add("a", MAKE.format("a"))
    history.add("b")
    path = history.revisions["b"].path
    assert path is not None
    path.write_text(path.read_text().replace("async def upgrade", "def upgrade"))
    with pytest.raises(RevisionFileError):
        await history.runner(database).upgrade()
    assert await names(database) == set()


async def test_revisions_without_a_file_are_named(three: History, database: Any) -> None:
    await three.runner(database).upgrade()
    del three.revisions["c"]
    with pytest.raises(UnknownApplied, match="c"):
        await three.runner(database).upgrade()


async def test_strict_order_refuses_what_came_in_late(three: History, database: Any) -> None:
    await three.runner(database).upgrade()
    three.add("a1", parents=["a"])
    with pytest.raises(OutOfOrder):
        await three.runner(database).upgrade("heads", strict_order=True)
    assert [one.revision for one in await three.runner(database).upgrade("heads")] == ["a1"]


# -- downgrading what stopped half-way ------------------------------------------------------------


async def test_a_half_applied_revision_is_undone_as_far_as_it_had_come(history: History, database: Any) -> None:
    """The index ``old`` of ``kept`` was there before; the upgrade never got to it, so the downgrade leaves it."""
    await database["kept"].create_index("n", name="old")
    history.add(
        "a",
        f"{MAKE.format('x')}\n1 / 0\nawait env.create_index('kept', 'n', name='old')\n{MAKE.format('kept2')}",
        f"{DROP.format('kept2')}\nawait env.drop_index('kept', 'old')\n{DROP.format('x')}",
    )
    await database.create_collection("kept2")
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    events: list[Event] = []
    await history.runner(database, events=events).downgrade("base")
    assert await names(database) == {"kept", "kept2"}
    assert "old" in await database["kept"].index_information()
    assert len(told(events, OperationSkipped)) == 2
    assert [one.operation.collection for one in told(events, OperationFinished)] == ["x"]
    assert await states(database) == {}


async def test_a_downgrade_that_stopped_of_an_upgrade_that_stopped_goes_on_with_its_part(
    history: History, database: Any
) -> None:
    """The upgrade never came to ``theirs``; neither does its downgrade, however often that stops."""
    await database.create_collection("theirs")
    up = "\n".join([*map(MAKE.format, "xyz"), "1 / 0", MAKE.format("theirs")])
    first, second, third = f"{DROP.format('z')}\n", f"{DROP.format('theirs')}\n{DROP.format('y')}\n", DROP.format("x")
    history.add("a", up, first + "1 / 0\n" + second + third)
    with pytest.raises(RevisionFailed, match="failed in upgrade"):
        await history.runner(database).upgrade()
    for down, left in (
        (first + "1 / 0\n" + second + third, {"theirs", "x", "y"}),
        (first + second + "1 / 0\n" + third, {"theirs", "x"}),
        (first + second + third, {"theirs"}),
    ):
        history.add("a", up, down)
        with pytest.raises(RevisionFailed, match="failed in downgrade") if "1 / 0" in down else nullcontext():
            await history.runner(database).downgrade("base")
        assert await names(database) == left
    assert await states(database) == {}


async def test_a_refused_operation_is_not_undone(history: History, database: Any) -> None:
    await database.create_collection("x", capped=True, size=4096)
    history.add("a", f"{MAKE.format('y')}\n{MAKE.format('x')}", f"{DROP.format('x')}\n{DROP.format('y')}")
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    await history.runner(database).downgrade("base")
    assert await names(database) == {"x"}


async def test_a_downgrade_that_stopped_goes_on_downwards(history: History, database: Any) -> None:
    up = "\n".join(MAKE.format(name) for name in "xyz")
    down = f"{DROP.format('z')}\n1 / 0\n{DROP.format('y')}\n{DROP.format('x')}"
    history.add("a", up, down)
    await history.runner(database).upgrade()
    with pytest.raises(RevisionFailed, match="failed in downgrade"):
        await history.runner(database).downgrade("base")
    assert await states(database) == {"a": "failed"}
    history.add("a", up, down.replace("1 / 0", "pass"))
    events: list[Event] = []
    await history.runner(database, events=events).downgrade("base")
    assert [one.operation.collection for one in told(events, OperationSkipped)] == ["z"]
    assert [one.operation.collection for one in told(events, OperationFinished)] == ["y", "x"]
    assert (await names(database), await states(database)) == (set(), {})


async def test_a_downgrade_that_stopped_is_put_back_by_upgrade(history: History, database: Any) -> None:
    insert = "await env.insert_documents('x', [{'_id': 1}, {'_id': 2}])"
    delete = "await env.delete_documents('x', [1], if_unchanged=True)"
    history.add("a", insert, f"{delete}\n1 / 0")
    await history.runner(database).upgrade()
    with pytest.raises(RevisionFailed):
        await history.runner(database).downgrade("base")
    assert await database["x"].count_documents({}) == 1
    assert [one.revision for one in await history.runner(database).upgrade()] == ["a"]
    assert await database["x"].count_documents({}) == 2
    history.add("a", insert, "await env.delete_documents('x', [1, 2], if_unchanged=True)")
    await history.runner(database).downgrade("base")
    assert await database["x"].count_documents({}) == 0  # both are still known as ours


async def test_what_is_reverted_stays_in_the_trail(three: History, database: Any) -> None:
    await three.runner(database).upgrade()
    await three.runner(database).downgrade("a")
    trail = await AuditLog(driver_for(database)).read()
    assert [(one["what"], one["revisions"]) for one in trail] == [("downgrade", ["c"]), ("downgrade", ["b"])]


# -- refused before the first step ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("down", "flags", "reason"),
    [
        (DROP.format("b"), {"irreversible": True}, "irreversible = True"),
        ("pass", {}, "its downgrade is empty"),
        ('"""Nothing to do."""', {}, "its downgrade is empty"),
        ("...", {}, "its downgrade is empty"),
        ("return None", {}, "its downgrade is empty"),
        ("raise NotImplementedError('no way back')", {}, "nothing but raise"),
    ],
)
async def test_no_step_of_a_downgrade_that_cannot_get_through(
    history: History, database: Any, down: str, flags: dict[str, bool], reason: str
) -> None:
    history.add("a", MAKE.format("a"), DROP.format("a"))
    history.add("b", MAKE.format("b"), down, **flags)
    history.add("c", MAKE.format("c"), DROP.format("c"))
    await history.runner(database).upgrade()
    with pytest.raises(IrreversibleRevision, match=f"revision b .*{reason}"):
        await history.runner(database).downgrade("base")
    assert await names(database) == {"a", "b", "c"}
    assert [one.revision for one in await history.runner(database).downgrade("b")] == ["c"]


async def test_an_empty_revision_has_a_way_back(history: History, database: Any) -> None:
    history.add("a")
    await history.runner(database).upgrade()
    assert [one.revision for one in await history.runner(database).downgrade("base")] == ["a"]


# -- transactions ---------------------------------------------------------------------------------

MOVE = """
await env.db.x.update_one({'_id': 1}, {'$inc': {'n': 1}}, session=env.session)
await env.insert_documents('x', [{'_id': 2}])
"""


async def test_a_transactional_revision_is_all_or_nothing(history: History, database: Any) -> None:
    await database["x"].insert_one({"_id": 1, "n": 0})
    history.add("a", MOVE + "1 / 0", "await env.delete_documents('x', [2])", transactional=True)
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    assert await database["x"].find().to_list(None) == [{"_id": 1, "n": 0}]
    assert await states(database) == {"a": "failed"}
    history.add("a", MOVE, "await env.delete_documents('x', [2])", transactional=True)
    await history.runner(database).upgrade()
    assert await database["x"].find().sort("_id").to_list(None) == [{"_id": 1, "n": 1}, {"_id": 2}]
    found = await record(database, "a")
    assert (found.state, [one.is_finished for one in found.journal]) == ("applied", [True])
    await history.runner(database).downgrade("base")
    assert await database["x"].count_documents({}) == 1
    assert await states(database) == {}


async def test_a_transaction_that_was_rolled_back_is_not_made_up_for(history: History, database: Any) -> None:
    """Nothing has happened, so the way back from it has nothing to do."""
    add = "await env.db.x.update_one({{'_id': 1}}, {{'$inc': {{'n': {}}}}}, session=env.session)"
    bad = "\n1 / 0"

    async def run(direction: str, target: str, n: int, state: dict[str, str]) -> None:
        history.add("a", add.format(1) + bad * (n < 0), add.format(-1) + bad * (n < 0), transactional=True)
        with pytest.raises(RevisionFailed, match="ZeroDivision") if n < 0 else nullcontext():
            await getattr(history.runner(database), direction)(target)
        assert await states(database) == state
        assert await database["x"].find_one() == {"_id": 1, "n": abs(n)}

    await database["x"].insert_one({"_id": 1, "n": 10})
    await run("upgrade", "head", -10, {"a": "failed"})
    await run("downgrade", "base", 10, {})
    await run("upgrade", "head", 11, {"a": "applied"})
    for _ in range(2):
        await run("downgrade", "base", -11, {"a": "failed"})
    await run("upgrade", "head", 11, {"a": "applied"})
    assert (await record(database, "a")).milliseconds == 0
    await run("downgrade", "base", -11, {"a": "failed"})
    await run("downgrade", "base", 10, {})


async def test_a_revision_that_is_made_transactional_after_it_has_stopped(history: History, database: Any) -> None:
    """Refused where it has done something, for a transaction begins anew; what it has done stays known."""
    insert, down = "await env.insert_documents('x', [{'_id': 1}])\n", "await env.delete_documents('x', [1, 2])"
    history.add("a", "1 / 0\n" + insert, down)
    history.add("b", insert + "1 / 0", down)
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade("a")
    history.add("a", "pass", "pass", transactional=True)
    await history.runner(database).upgrade("a")
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade("b")
    more = insert + "await env.insert_documents('x', [{'_id': 2}])\n"
    history.add("b", more, down, transactional=True)
    with pytest.raises(RevisionError, match="revision b has stopped when it was no transaction, and has done `insert "):
        await history.runner(database).upgrade()
    assert await database["x"].find().to_list(None) == [{"_id": 1}]
    history.add("b", more, down)
    await history.runner(database).downgrade("a")
    assert (await database["x"].count_documents({}), await states(database)) == (0, {"a": "applied"})
    history.add("b", more, down, transactional=True)
    await history.runner(database).upgrade()
    assert await database["x"].count_documents({}) == 2


ONE_MORE, ONE_LESS = (f"await env.update_in_batches('x', {{}}, {{'$inc': {{'n': {n}}}}})\n" for n in (1, -1))


@pytest.mark.parametrize("stopped", ["upgrade", "downgrade"])
@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
async def test_a_transaction_does_nothing_again_that_was_done_outside_it(
    history: History, database: Any, stopped: str, direction: str
) -> None:
    """Neither where it was made one after it had stopped."""
    await database["x"].insert_one({"_id": 1, "n": 0})
    bad = {"upgrade": (ONE_MORE + "1 / 0", ONE_LESS), "downgrade": (ONE_MORE, ONE_LESS + "1 / 0")}[stopped]
    target = {"upgrade": "head", "downgrade": "base"}
    history.add("a", *bad)
    if stopped == "downgrade":
        await history.runner(database).upgrade()
    with pytest.raises(RevisionFailed):
        await getattr(history.runner(database), stopped)(target[stopped])
    before = await database["x"].find_one()
    history.add("a", ONE_MORE, ONE_LESS, transactional=True)
    with pytest.raises(RevisionError, match=r"revision a has stopped when it was no transaction.* `update .*x"):
        await getattr(history.runner(database), direction)(target[direction])
    assert (await database["x"].find_one(), await states(database)) == (before, {"a": "failed"})
    history.add("a", ONE_MORE, ONE_LESS)
    await getattr(history.runner(database), direction)(target[direction])
    assert await database["x"].find_one() == {"_id": 1, "n": 1 if direction == "upgrade" else 0}


async def test_a_transaction_that_meets_another_writer_runs_again(history: History, database: Any) -> None:
    """The first attempt reads, and somebody else writes the document before it does: a write conflict."""
    await database["x"].insert_one({"_id": 1, "n": 0})
    await database.create_collection("attempts")
    history.add(
        "a",
        """
        await env.db.attempts.insert_one({})
        await env.db.x.find_one({'_id': 1}, session=env.session)
        if await env.db.attempts.count_documents({}) == 1:
            await env.db.x.update_one({'_id': 1}, {'$inc': {'n': 100}})
        await env.db.x.update_one({'_id': 1}, {'$inc': {'n': 1}}, session=env.session)
        """,
        "await env.db.x.delete_many({})",
        transactional=True,
    )
    await history.runner(database).upgrade()
    assert await database["x"].find_one() == {"_id": 1, "n": 101}
    assert await database["attempts"].count_documents({}) == 2


@pytest.mark.parametrize(
    "change",
    [
        "await env.create_collection('y')",
        "await env.create_index('x', 'n')",
        "await env.modify_collection('x', validator={})",
    ],
)
async def test_schema_changes_in_a_transaction_are_refused_before_the_first_step(
    history: History, database: Any, change: str
) -> None:
    history.add("a", MAKE.format("a"))
    history.add("b", f"await env.db.x.insert_one({{}}, session=env.session)\n{change}", transactional=True)
    with pytest.raises(SchemaChangeInTransaction, match=r"revision b .* is transactional"):
        await history.runner(database).upgrade()
    assert await names(database) == set()


async def test_schema_changes_that_no_reading_finds_are_refused_too(history: History, database: Any) -> None:
    history.add(
        "a",
        "await env.db.x.insert_one({}, session=env.session)\nawait getattr(env, 'create_' + 'collection')('y')",
        transactional=True,
    )
    await database.create_collection("x")
    with pytest.raises(RevisionFailed, match="is transactional and would create collection y"):
        await history.runner(database).upgrade()
    assert await database["x"].count_documents({}) == 0


async def test_a_standalone_server_does_everything_but_transactions(history: History, standalone: str) -> None:
    history.add(
        "a", "await env.create_collection('x')\nawait env.insert_documents('x', [{'_id': 1}])", DROP.format("x")
    )
    history.add(
        "b", "await env.insert_documents('x', [{'_id': 2}])", "await env.delete_documents('x', [2])", transactional=True
    )
    async with opened(standalone, DRIVERS[-1]) as database:
        with pytest.raises(DriverError, match="standalone") as caught:
            await history.runner(database).upgrade()
        assert "Revision b" in caught.value.__notes__[0]
        assert await states(database) == {}  # not one step, for it was known beforehand
        await history.runner(database).upgrade("a")
        assert await states(database) == {"a": "applied"}
        await history.runner(database).downgrade("base")
        assert (await states(database), await names(database)) == ({}, set())


async def test_a_transactional_downgrade_leaves_its_trail(history: History, database: Any) -> None:
    history.add(
        "a", "await env.insert_documents('x', [{'_id': 1}])", "await env.delete_documents('x', [1])", transactional=True
    )
    await history.runner(database).upgrade()
    await history.runner(database).downgrade("base")
    assert [(one["what"], one["revisions"]) for one in await AuditLog(driver_for(database)).read()] == [
        ("downgrade", ["a"])
    ]


async def test_a_squashed_range_is_folded_before_it_is_reverted(three: History, database: Any) -> None:
    await three.runner(database).upgrade("b")
    three.add("s", f"{MAKE.format('a')}\n{MAKE.format('b')}", f"{DROP.format('b')}\n{DROP.format('a')}", parents=[])
    three.revisions = {"s": replace(three.revisions["s"], ("a", "b")), "c": three.revisions["c"]}
    assert [one.revision for one in await three.runner(database).upgrade()] == ["c"]
    assert [one.revision for one in await three.runner(database).downgrade("base")] == ["c", "s"]
    assert await states(database) == {}
    assert await names(database) == set()


def replace(revision: Revision, replaces: tuple[str, ...]) -> Revision:
    return Revision(revision.revision, revision.down_revision, replaces=replaces, path=revision.path)


# -- stamping, repairing, looking -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "target", "purge", "after"),
    [
        ("", "head", False, "abc"),
        ("", "b", False, "ab"),
        ("abc", "a", False, "a"),
        ("abc", "base", False, ""),
        ("ab", "+1", False, "abc"),
        ("ab", "-1", False, "a"),
        ("abc", "b", True, "ab"),
    ],
)
async def test_stamping(three: History, database: Any, before: str, target: str, purge: bool, after: str) -> None:
    runner = three.runner(database)
    if before:
        await runner.upgrade(before[-1])
    made = await names(database)
    await runner.stamp(target, purge=purge)
    assert await states(database) == dict.fromkeys(after, "applied")
    assert await names(database) == made


async def test_purging_forgets_what_no_file_has(three: History, database: Any) -> None:
    await three.runner(database).upgrade()
    del three.revisions["c"]
    with pytest.raises(RevisionError):
        await three.runner(database).stamp("b")
    await three.runner(database).stamp("b", purge=True)
    assert set(await states(database)) == {"a", "b"}


async def test_more_records_than_go_into_one_write(history: History, database: Any) -> None:
    """Stamped, taken back and forgotten: each of two hundred and fifty, no more and no less."""
    ids = [f"r{number:03}" for number in range(251)]
    for parents, name in zip([(), *((one,) for one in ids)], ids, strict=False):
        history.revisions[name] = Revision(name, parents)
    await history.runner(database).stamp(ids[249])
    assert await states(database) == dict.fromkeys(ids[:250], "applied")
    await history.runner(database).stamp("base")
    assert await states(database) == {}
    await history.runner(database).stamp(ids[250])
    history.revisions = {name: history.revisions[name] for name in ids[:2]}
    await history.runner(database).stamp(ids[0], purge=True)
    assert await states(database) == {ids[0]: "applied"}
    trail = await AuditLog(driver_for(database)).read()
    assert [(len(one["revisions"]), len(one["forgotten"])) for one in trail] == [(250, 0), (0, 250), (251, 0), (0, 250)]


async def test_stamping_settles_a_failed_revision(history: History, database: Any) -> None:
    history.add("a", "1 / 0")
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    await history.runner(database).stamp("a")
    found = await record(database, "a")
    assert (found.state, found.stamped, found.error) == ("applied", True, None)


async def test_an_edited_file_is_a_warning_until_it_is_repaired(three: History, database: Any) -> None:
    await three.runner(database).upgrade()
    three.add("b", "pass  # edited")
    events: list[Event] = []
    assert await three.runner(database, events=events).upgrade() == []
    assert [one.revision.revision for one in told(events, ChecksumChanged)] == ["b"]
    assert [one.revision for one in await three.runner(database).repair()] == ["b"]
    events.clear()
    await three.runner(database, events=events).upgrade()
    assert told(events, ChecksumChanged) == []
    found = await record(database, "b")
    assert [one["now"] for one in found.repaired] == [three.revisions["b"].checksum]


async def test_the_status_tells_what_is_half_way(three: History, database: Any) -> None:
    await three.runner(database).upgrade("b")
    three.add("c", MAKE.format("c") + "\n1 / 0")
    with pytest.raises(RevisionFailed):
        await three.runner(database).upgrade()
    status = await three.runner(database).full_status()
    assert status.applied == {"a", "b"}
    assert [(one.revision, one.finished) for one in status.half_way] == [("c", 1)]
    assert status.holder is None


# -- interrupts and the lock ----------------------------------------------------------------------

SLOW = f"{MAKE.format('x')}\nawait asyncio.sleep(30)\n{MAKE.format('y')}"


async def test_a_cancelled_run_stops_after_its_operation_and_says_so(history: History, database: Any) -> None:
    history.add("a", SLOW)
    with anyio.CancelScope() as scope:
        await history.runner(database, on_event=lambda event: _cancel_at(event, OperationFinished, scope)).upgrade()
    assert scope.cancelled_caught
    found = await record(database, "a")
    assert (found.state, found.finished) == ("upgrading", 1)
    assert found.error is not None
    assert found.error["type"] == "Interrupted"
    assert await Lock(driver_for(database)).holder() is None


@pytest.mark.parametrize("how", ["a cancel scope", "asyncio's own cancellation"])
async def test_an_operation_under_way_is_brought_to_its_end(history: History, database: Any, how: str) -> None:
    await database["x"].insert_many([{"n": n} for n in range(2000)])
    history.add("a", "await env.create_index('x', 'n')\nawait env.create_collection('y')")
    scope = anyio.CancelScope()

    async def run() -> None:
        with scope:
            await history.runner(database, on_event=cancel).upgrade()

    def cancel(event: Event) -> None:
        if isinstance(event, OperationStarted):
            loop.call_soon(scope.cancel if how == "a cancel scope" else task.cancel)

    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(run())
    await asyncio.wait([task])
    found = await record(database, "a")
    assert (found.state, found.finished) == ("upgrading", 1)
    assert "n_1" in await database["x"].index_information()
    assert await names(database) == {"x"}
    await history.runner(database).upgrade()
    assert await states(database) == {"a": "applied"}


async def test_cancelled_between_two_revisions_the_first_is_applied(history: History, database: Any) -> None:
    history.add("a", MAKE.format("a"))
    history.add("b", MAKE.format("b"))
    with anyio.CancelScope() as scope:
        await history.runner(database, on_event=lambda event: _cancel_at(event, RevisionFinished, scope)).upgrade()
    found = await states(database)
    assert found["a"] == "applied"
    assert found.get("b") in (None, "upgrading")


async def test_a_ledger_write_that_asyncio_cuts_is_sent_again_for_what_was_done(
    history: History, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write that closes a and opens b is cancelled under way; a is done, and the ledger says so."""
    history.add("a", MAKE.format("a"))
    history.add("b", MAKE.format("b"))
    send, cut = Ledger.send, []

    async def cutting(self: Ledger, lease: Any, *writes: Any, session: Any = None) -> None:
        if len(writes) == 2 and not cut:
            cut.append(asyncio.get_running_loop().call_soon(task.cancel))
        await send(self, lease, *writes, session=session)

    monkeypatch.setattr(Ledger, "send", cutting)
    task = asyncio.ensure_future(history.runner(database).upgrade())
    await asyncio.wait([task])
    assert (task.cancelled(), len(cut)) == (True, 1)
    found = await states(database)
    assert found["a"] == "applied"
    assert found.get("b") in (None, "upgrading")
    assert (await record(database, "a")).finished == 1
    assert await Lock(driver_for(database)).holder() is None
    assert [one.revision for one in await history.runner(database).upgrade()] == ["b"]


def _cancel_at(event: Event, kind: type[Event], scope: anyio.CancelScope) -> None:
    if isinstance(event, kind):
        scope.cancel()


async def test_a_lost_lock_stops_the_run_and_writes_nothing_more(history: History, database: Any) -> None:
    history.add("a", SLOW)
    taken: list[asyncio.Task[Any]] = []

    def take(event: Event) -> None:
        if isinstance(event, OperationFinished):
            taken.append(asyncio.ensure_future(steal()))

    async def steal() -> None:
        lock = Lock(driver_for(database))
        await lock.break_lock(force=True)
        await Ledger(driver_for(database)).claim(await lock.acquire(wait=0))

    with pytest.raises(LockLost):
        await history.runner(database, lease=1.0, on_event=take).upgrade()
    await taken[0]
    found = await record(database, "a")
    assert (found.state, found.token, found.error) == ("upgrading", 2, None)
    assert await names(database) == {"x"}


async def test_one_that_waits_finds_nothing_left_to_do(three: History, database: Any) -> None:
    went = await asyncio.gather(*(three.runner(database).upgrade() for _ in range(4)))
    assert sorted(len(one) for one in went) == [0, 0, 0, 3]


async def test_no_patience(three: History, database: Any) -> None:
    async with Lock(driver_for(database)).held():
        with pytest.raises(LockTimeout):
            await three.runner(database, wait=0).upgrade()


async def test_a_lost_lock_document_does_not_lock_out_of_the_ledger(history: History, database: Any) -> None:
    """Tokens start again at 1 where the lock's collection was dropped; the ledger knows of newer ones."""
    for name in "abc":
        history.add(name, MAKE.format(name))
        await history.runner(database).upgrade()
    history.add("d", MAKE.format("d") + "\n1 / 0")
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    await database["asyncmig_lock"].drop()
    history.add("d", MAKE.format("d"))
    await history.runner(database).upgrade()
    assert (await record(database, "d")).token > 4


async def test_blocking_code_is_survived_when_nobody_came(history: History, database: Any) -> None:
    history.add("a", f"time.sleep(1.5)\n{MAKE.format('x')}")
    await history.runner(database, lease=1.0).upgrade()
    assert await states(database) == {"a": "applied"}


# -- the mock -------------------------------------------------------------------------------------


async def test_the_mock_runs_history(three: History) -> None:
    database = AsyncMongoMockClient()["mocked"]
    events: list[Event] = []
    assert len(await three.runner(database, events=events).upgrade()) == 3
    assert await states(database) == dict.fromkeys("abc", "applied")
    three.add("d", MAKE.format("d") + "\n1 / 0", DROP.format("d"))
    with pytest.raises(RevisionFailed):
        await three.runner(database).upgrade()
    three.add("d", MAKE.format("d") + "\nawait env.insert_documents('e', [{'_id': 1}])", DROP.format("d"))
    await three.runner(database).upgrade()
    await three.runner(database).downgrade("base")
    assert await states(database) == {}
    three.add("a", MOVE, transactional=True)
    with pytest.raises(UnsupportedByDriver):
        await three.runner(database).upgrade()
