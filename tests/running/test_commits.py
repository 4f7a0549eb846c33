"""Commits whose outcome is not what their answer says: done all the same, not done, aborted, or never answered."""

from __future__ import annotations

from collections.abc import Callable, Container
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, OperationFailure, PyMongoError

from asyncmig.drivers import real
from asyncmig.errors import RevisionFailed
from asyncmig.events import OperationFinished, RevisionFinished, RevisionRetried
from asyncmig.operations import Tally

from .failpoints import failing_for
from .history_files import History, states

UNKNOWN, TRANSIENT = ["UnknownTransactionCommitResult"], ["TransientTransactionError"]
ERRORS: dict[str, Callable[[list[str]], PyMongoError]] = {
    "an error": lambda labels: OperationFailure("a majority was not told", 64, {"errorLabels": labels}),
    "no answer": lambda labels: AutoReconnect("the connection broke", {"errorLabels": labels}),
}
NAMES = [*ERRORS]


_COMMIT = real._commit


class Commits:
    """Stands in for what commits: those commits whose number is in ``which`` (from 1) are answered by ``error``.

    ``done``: whether the server has committed; where not, it has aborted.
    """

    def __init__(self, which: Container[int], error: PyMongoError, *, done: bool) -> None:
        self.which, self.error, self.done, self.count = which, error, done, 0

    async def __call__(self, session: Any) -> None:
        self.count += 1
        if self.count not in self.which:
            await _COMMIT(session)
            return
        await (_COMMIT(session) if self.done else session.abort_transaction())
        raise self.error


@pytest.fixture
def commits(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Commits]:
    def stand_in(*arguments: Any, **named: Any) -> Commits:
        made = Commits(*arguments, **named)
        monkeypatch.setattr(real, "_commit", made)
        return made

    return stand_in


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


# -- a revision as one transaction ----------------------------------------------------------------

EVERY, FIRST = range(2, 100), [2]
"""Of a run's commits; the one before them is that of an empty transaction, by which a server is asked for them."""

UP = "await env.db.c.update_one({'_id': 1}, {'$inc': {'n': 1}}, session=env.session)"
DOWN = "await env.db.c.update_one({'_id': 1}, {'$inc': {'n': -1}}, session=env.session)"


async def number(database: Any) -> int:
    found = await database["c"].find_one({"_id": 1})
    return int(found["n"])


@pytest.mark.parametrize("how", NAMES)
async def test_a_revision_that_was_committed_all_the_same(
    history: History, database: Any, commits: Callable[..., Commits], how: str
) -> None:
    """The record is a part of the transaction: where it says so, the revision is done, and not done again."""
    await database["c"].insert_one({"_id": 1, "n": 0})
    history.add("a", UP, DOWN, transactional=True)
    events: list[Any] = []
    for direction, target, expected in (("upgrade", "head", 1), ("downgrade", "base", 0), ("upgrade", "head", 1)):
        commits(EVERY, ERRORS[how](UNKNOWN), done=True)
        went = await getattr(history.runner(database, events=events), direction)(target)
        assert [one.revision for one in went] == ["a"]
        assert await number(database) == expected
        assert await states(database) == ({"a": "applied"} if expected else {})
    assert sum(isinstance(one, RevisionFinished) for one in events) == 3


@pytest.mark.parametrize("how", NAMES)
async def test_a_revision_that_was_not_committed_and_nobody_could_tell(
    history: History, database: Any, commits: Callable[..., Commits], how: str
) -> None:
    await database["c"].insert_one({"_id": 1, "n": 0})
    history.add("a", UP, DOWN, transactional=True)
    for direction, target, before, after in (("upgrade", "head", 0, 1), ("downgrade", "base", 1, 0)):
        commits(EVERY, ERRORS[how](UNKNOWN), done=False)
        with pytest.raises(RevisionFailed):
            await getattr(history.runner(database), direction)(target)
        assert (await number(database), await states(database)) == (before, {"a": "failed"})
        commits(FIRST, ERRORS[how](TRANSIENT), done=False)
        await getattr(history.runner(database), direction)(target)
        assert (await number(database), await states(database)) == (after, {"a": "applied"} if after else {})


@pytest.mark.parametrize("how", NAMES)
async def test_a_revision_whose_commit_is_aborted_runs_again(
    history: History, database: Any, commits: Callable[..., Commits], how: str
) -> None:
    await database["c"].insert_one({"_id": 1, "n": 0})
    history.add("a", UP + "\nawait env.insert_documents('c', [{'_id': 2}])", transactional=True)
    events: list[Any] = []
    made = commits(FIRST, ERRORS[how](TRANSIENT), done=False)
    await history.runner(database, events=events).upgrade()
    assert made.count == 3
    assert sum(isinstance(one, RevisionRetried) for one in events) == 1
    assert await number(database) == 1
    record = await database["asyncmig_revisions"].find_one({"_id": "a"})
    assert (record["state"], [*record["journal"]]) == ("applied", ["0"])


async def test_the_servers_own_word_that_nobody_knows(
    history: History, driver_name: str, database: Any, make_client: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Committed, and a majority is not told, however often we ask; we do not ask for two minutes here."""
    monkeypatch.setattr(real, "TRANSACTION_SECONDS", 0.0)
    there = make_client(driver_name, appname=database.name)[database.name]
    await database["c"].insert_one({"_id": 1, "n": 0})
    history.add("a", UP, DOWN, transactional=True)
    fault = {"writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}}
    for direction, target, expected in (("upgrade", "head", 1), ("downgrade", "base", 0)):
        runner = history.runner(there)
        async with failing_for(
            database.client, database.name, ["commitTransaction"], {"times": 1000}, **fault
        ) as count:
            await getattr(runner, direction)(target)
        assert count[0]
        assert (await number(database), len(await states(database))) == (expected, expected)


# -- a batch and its checkpoint -------------------------------------------------------------------

DATA = {
    "update": "await env.update_in_batches('c', {}, {'$inc': {'n': 1}}, batch_size=4)",
    "function": "await env.transform_documents('c', {}, lambda one: one | {'n': one['n'] + 1}, batch_size=4)",
}


@pytest.mark.parametrize("which", [1, 2, 3], ids=["the first", "one in the middle", "the last"])
@pytest.mark.parametrize(
    ("labels", "done"),
    [(UNKNOWN, True), (UNKNOWN, False), (TRANSIENT, False)],
    ids=["done", "not done", "aborted"],
)
async def test_a_batch(
    history: History, turn: Any, commits: Callable[..., Commits], which: int, labels: list[str], done: bool
) -> None:
    """Each document once, whatever is said of whichever batch."""
    for kind, call in DATA.items():
        for how in NAMES:
            await turn["c"].insert_many([{"_id": key, "n": 0} for key in range(12)])
            history.add("a", call, "await env.drop_collection('c')")
            made, events = commits([which], ERRORS[how](labels), done=done), list[Any]()
            await history.runner(turn, events=events).upgrade()
            assert made.count >= 3, (kind, how)
            assert await turn["c"].count_documents({"n": 1}) == 12, (kind, how)
            (finished,) = [one for one in events if isinstance(one, OperationFinished)]
            assert Tally.read(finished.result) == Tally(12, 12), (kind, how)
            await history.runner(turn).downgrade("base")
