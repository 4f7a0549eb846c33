"""What is half-way, by whatever file, is settled first or refused; and the ledger that is gone, or to be changed."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from asyncmig import Migrator, startup
from asyncmig.errors import LedgerGone, RevisionError, RevisionFailed, RevisionHalfDone
from asyncmig.events import Event, OperationRetried

from .history_files import History, states

FAILS = "await env.create_collection('x')\nraise ValueError('no')"


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


async def half_way(history: History, database: Any) -> None:
    """``b`` half applied upon ``a``."""
    history.add("a", "await env.create_collection('a')", "await env.drop_collection('a')")
    history.add("b", FAILS, "await env.drop_collection('x')")
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()


async def test_by_a_file_that_is_not_here(history: History, database: Any, tmp_path: Path) -> None:
    await half_way(history, database)
    other = History(tmp_path / "other")
    other.add("a", "await env.create_collection('a')", "await env.drop_collection('a')")
    other.add("c", "await env.create_collection('c')", "await env.drop_collection('c')")
    before = await states(database)
    for run in (other.runner(database).upgrade, lambda: other.runner(database).upgrade("a")):
        with pytest.raises(RevisionHalfDone, match=r"what no file here knows is half-way.*: b"):
            await run()
    with pytest.raises((RevisionError, RevisionHalfDone)):
        await other.runner(database).downgrade("base")
    assert await states(database) == before


async def test_by_a_file_that_is_not_here_at_start_up_and_check(database: Any, tmp_path: Path) -> None:
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    migrator = Migrator(database, tmp_path / "migrations")
    first = await migrator.revision("first")
    second = await migrator.revision("second")
    assert first is not None
    assert second is not None
    assert second.path is not None
    text = second.path.read_text()
    second.path.write_text(text.replace("(env: Env) -> None:", "(env: Env) -> None:\n    raise ValueError('no')", 1))
    with pytest.raises(RevisionFailed):
        await migrator.upgrade()
    second.path.unlink()
    (tmp_path / "migrations" / "HEAD").unlink(missing_ok=True)
    for attempt in (migrator.check, migrator.upgrade, lambda: migrator.plan("head")):
        with pytest.raises(RevisionHalfDone) as error:
            await attempt()
        assert error.value.exit_code == 7
    for policy in ("check", "upgrade"):
        with pytest.raises(RevisionHalfDone):
            await startup(database, policy, directory=tmp_path / "migrations")


async def test_on_another_branch(history: History, database: Any) -> None:
    await half_way(history, database)
    history.add("c", "await env.create_collection('c')", parents=["a"])
    with pytest.raises(RevisionHalfDone, match=r"half-way.*: b.*`asyncmig upgrade b`, .* `asyncmig downgrade b-1`"):
        await history.runner(database).upgrade("c")
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade("heads")  # b comes first, though c would
    assert await states(database) == {"a": "applied", "b": "failed"}


async def test_what_the_failure_says_works_where_there_is_no_downgrade(history: History, database: Any) -> None:
    history.add("a")
    history.add("b", "raise ValueError('at its first line')\nawait env.create_collection('x')")
    with pytest.raises(RevisionFailed) as failure:
        await history.runner(database).upgrade()
    (note,) = failure.value.__notes__
    assert "It has no downgrade; to be rid of it: `asyncmig stamp b-1` says that it is not applied" in note
    await history.runner(database).stamp("b-1")
    assert await states(database) == {"a": "applied"}


async def test_killed_after_its_documents_went_in(history: History, database: Any) -> None:
    """Between the insert and the journal: what it was about to insert is known as its own, and no other goes."""
    await database["x"].insert_one({"_id": 2, "n": "another's"})
    history.add(
        "a",
        "await env.insert_documents('x', [{'_id': n, 'n': n} for n in range(4)])",
        "await env.delete_documents('x', list(range(4)), if_unchanged=True)",
    )
    await history.runner(database).upgrade()
    gone = {"journal.0.finished_at": "", "journal.0.result": ""}
    await database["asyncmig_revisions"].update_one({}, {"$set": {"state": "upgrading"}, "$unset": gone})
    await database["x"].update_one({"_id": 3}, {"$set": {"n": "changed since"}})
    await history.runner(database).downgrade("base")
    assert [one["_id"] for one in await database["x"].find().sort("_id").to_list(None)] == [2, 3]
    assert await states(database) == {}


async def test_the_transaction_of_a_killed_downgrade_keeps_nobody_waiting(
    history: History, database: Any, client: Any
) -> None:
    """It would stay open for a minute, and with it the locks: whoever goes on ends its session first."""
    await database["x"].insert_one({"_id": 1, "n": 1})
    inc, dec = (f"await env.update_in_batches('x', {{}}, {{'$inc': {{'n': {n}}}}})" for n in (1, -1))
    history.add("a", inc, dec)
    await history.runner(database).upgrade()
    session = client.start_session()
    async with await session if inspect.isawaitable(session) else session as killed:
        begun = killed.start_transaction()
        await begun if inspect.isawaitable(begun) else None
        await database["x"].update_one({"_id": 1}, {"$set": {"n": 99}}, session=killed)
        entry = {"operation": "UpdateInBatches", "collection": "x", "description": "", "fingerprint": "?"}
        entry |= {"number": 1, "session": killed.session_id}
        half = {"state": "downgrading", "direction": "downgrade", "undo": {"0": entry}}
        await database["asyncmig_revisions"].update_one({}, {"$set": half})
        events: list[Event] = []
        await history.runner(database, events=events).downgrade("base")
        assert not any(isinstance(event, OperationRetried) for event in events)  # it met nobody
        with pytest.raises(OperationFailure) as caught:
            await killed.commit_transaction()
        assert caught.value.code == 251  # NoSuchTransaction
    assert await database["x"].find_one() == {"_id": 1, "n": 1}
    assert await states(database) == {}


@pytest.mark.parametrize(
    ("stopped", "transactional", "direction", "done"),
    [
        ("upgrade", False, "upgrade", {0}),
        ("upgrade", False, "downgrade", set()),
        ("downgrade", False, "downgrade", {0}),
        ("downgrade", False, "upgrade", set()),
        ("upgrade", True, "upgrade", set()),
    ],
)
async def test_a_plan_skips_what_is_done_in_its_own_direction(
    history: History, database: Any, stopped: str, transactional: bool, direction: Any, done: set[int]
) -> None:
    """And nothing of what was rolled back, nor what the other direction has done in the same words."""
    folder = history.folder.parent
    history.folder = history.folder.rename(folder / "versions")

    def write(stop: str) -> None:
        either_way = "await env.delete_documents('y', [1])"
        body = [either_way, "await env.insert_documents('x', [{'_id': 1}])"]
        back = [either_way, "await env.delete_documents('x', [1])"]
        for lines, way in ((body, "upgrade"), (back, "downgrade")):
            lines[1:1] = ["1 / 0"] if way == stop else []
        history.add("a", "\n".join(body), "\n".join(back), transactional=transactional)

    write(stopped)
    if stopped == "downgrade":
        await Migrator(database, folder).upgrade()
    with pytest.raises(RevisionFailed):
        await getattr(Migrator(database, folder), stopped)("base" if stopped == "downgrade" else "head")
    write("")
    plan = await Migrator(database, folder).plan("head" if direction == "upgrade" else "base", direction=direction)
    (step,) = plan.steps
    assert (len(step.actions), step.done) == (2, done)


async def test_collections_of_other_names(history: History, database: Any) -> None:
    """All four are asyncmig's own by whatever name: not compared, and changed by no revision."""

    def migrator() -> Migrator:
        return Migrator(database, folder, [], revisions_collection="ledger", lock_collection="padlock")

    folder = history.folder.parent
    history.folder = history.folder.rename(folder / "versions")
    await database["x"].insert_one({"_id": 1})
    history.add(
        "a", "await env.transform_documents('x', {}, lambda one: 1 / 0, on_error='collect')", "await env.drop_view('v')"
    )
    await migrator().upgrade()
    await migrator().downgrade("base")
    own = {"ledger", "ledger_journal", "ledger_failed", "padlock"}
    assert set(await database.list_collection_names()) == own | {"x"}
    assert [one.collection for one in (await migrator().difference()).notes] == ["x"]
    for name in own:
        for spelling in (repr(name), f"{name[::-1]!r}[::-1]"):  # in the text of the revision, and as it runs
            history.add("a", f"await env.drop_collection({spelling})")
            with pytest.raises((RevisionError, RevisionFailed), match="asyncmig's own collection"):
                await migrator().upgrade()
    assert set(await database.list_collection_names()) == own | {"x"}


OWN = [
    "env.drop_collection('asyncmig_revisions')",
    "env.rename_collection('asyncmig_lock', 'old')",
    "env.rename_collection('old', 'asyncmig_revisions_journal')",
    "env.update_in_batches('asyncmig_revisions', {}, {'$set': {'state': 'applied'}})",
    "env.create_index('asyncmig_revisions', 'state')",
    "env.insert_documents('asyncmig_revisions_journal', [{'_id': 1}])",
    "env.create_collections([('a', {}, []), ('asyncmig_lock', {}, [])])",
    "env.db.asyncmig_revisions.drop()",
    "env.db['asyncmig_lock'].delete_many({})",
]


@pytest.mark.parametrize("call", OWN)
async def test_own_collections_are_not_changed_inside_a_revision(history: History, database: Any, call: str) -> None:
    """Refused before the first step where the code names them."""
    history.add("a", f"await {call}")
    with pytest.raises(RevisionError, match="asyncmig's own collection"):
        await history.runner(database).upgrade()
    assert await states(database) == {}


@pytest.mark.parametrize("call", OWN[:-2])
async def test_nor_where_their_names_are_computed(history: History, database: Any, call: str) -> None:
    computed = call.replace("'asyncmig_", "own + '_")
    history.add("a", f"own = 'async' + str('mig')\nawait {computed}")
    with pytest.raises(RevisionFailed, match="asyncmig's own collection"):
        await history.runner(database).upgrade()
    assert await states(database) == {"a": "failed"}


async def test_a_ledger_that_is_gone_in_the_middle(history: History, database: Any) -> None:
    """Dropped by somebody: one message, and the way out that it names works."""
    dropped = "await env.db['asyncmig_' + str('revisions')].drop()"
    history.add("a", f"await env.create_collection('x')\n{dropped}\nawait env.create_collection('y')")
    with pytest.raises(LedgerGone, match="`asyncmig stamp a` where all of it is done") as error:
        await history.runner(database).upgrade()
    assert error.value.exit_code == 7
    await history.runner(database).stamp("a")
    assert await states(database) == {"a": "applied"}
