"""What is half-way, by whatever file, is settled first or refused; and the ledger that is gone, or to be changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncmig import Migrator, startup
from asyncmig.errors import LedgerGone, RevisionError, RevisionFailed, RevisionHalfDone

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
