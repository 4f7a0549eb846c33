"""``startup``: each policy on a database that is at head, behind, ahead, half-way, edited."""

from __future__ import annotations

import asyncio
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

import asyncmig
from asyncmig import Collection, Migrator
from asyncmig.errors import (
    ConfigurationError,
    DatabaseAhead,
    LockTimeout,
    PendingRevisions,
    RevisionFailed,
    SchemaDiffers,
    StillPending,
)
from asyncmig.history.errors import UnknownApplied

from .history_files import History


class Two(Collection):
    __collection_name__ = "two"
    __indexes__ = ["x"]


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "asyncmig")
    return caplog


def lines(log: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelno == level and record.name == "asyncmig"]


async def applied(database: Any) -> list[str]:
    return [
        one["_id"] for one in await database["asyncmig_revisions"].find({"state": "applied"}).sort("_id").to_list(None)
    ]


async def test_upgrade_runs_what_is_pending(database: Any, history: History, log: pytest.LogCaptureFixture) -> None:
    assert [one.revision for one in await asyncmig.startup(database, policy="upgrade")] == ["a001", "a002"]
    assert await applied(database) == ["a001", "a002"]
    assert lines(log, logging.INFO)[-1] == "upgraded: a001, a002"
    assert await asyncmig.startup(database, policy="upgrade") == []
    assert lines(log, logging.INFO)[-1] == "the database is at head"
    await database.command("ping")


@pytest.mark.parametrize("policy", ["upgrade", "check", "wait", "warn", "off"])
async def test_at_head_every_policy_is_content(
    database: Any, history: History, policy: Any, log: pytest.LogCaptureFixture
) -> None:
    await Migrator(database).upgrade()
    assert await asyncmig.startup(database, policy) == []
    assert lines(log, logging.WARNING) == lines(log, logging.ERROR) == []


async def test_check_is_the_default_and_refuses(database: Any, history: History, log: pytest.LogCaptureFixture) -> None:
    await Migrator(database).upgrade("a001")
    with pytest.raises(PendingRevisions) as caught:
        await asyncmig.startup(database)
    assert caught.value.pending == ("a002",)
    assert lines(log, logging.ERROR) == ["start-up refused: 1 revision is pending: a002; run `asyncmig upgrade`"]
    assert await applied(database) == ["a001"]


async def test_warn_starts_all_the_same(database: Any, history: History, log: pytest.LogCaptureFixture) -> None:
    assert await asyncmig.startup(database, "warn") == []
    assert lines(log, logging.WARNING) == ["2 revisions are pending: a001, a002; run `asyncmig upgrade`"]
    assert await database.list_collection_names() == []


async def test_off_asks_nothing(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNCMIG_ON_STARTUP", "off")
    assert await asyncmig.startup(None, "upgrade") == []


async def test_the_environment_overrides(database: Any, history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASYNCMIG_ON_STARTUP", "upgrade")
    assert len(await asyncmig.startup(database, "check")) == 2
    monkeypatch.setenv("ASYNCMIG_ON_STARTUP", "always")
    with pytest.raises(ConfigurationError, match="ASYNCMIG_ON_STARTUP must be one of"):
        await asyncmig.startup(database, "check")


async def test_wait_sees_another_process_upgrade(
    database: Any, history: History, log: pytest.LogCaptureFixture
) -> None:
    waiting = asyncio.create_task(asyncmig.startup(database, "wait", timeout=120))
    await asyncio.sleep(0.3)
    assert not waiting.done()
    await Migrator(database).upgrade()
    assert await waiting == []
    assert lines(log, logging.INFO)[0] == "waiting for another process to upgrade: a001, a002 (0 s)"
    assert lines(log, logging.INFO)[-1] == "the database is at head"


async def test_wait_ends(database: Any, history: History, log: pytest.LogCaptureFixture) -> None:
    history.add("a002", 'raise ValueError("not today")')
    with pytest.raises(RevisionFailed):
        await Migrator(database).upgrade()
    with pytest.raises(StillPending) as caught:
        await asyncmig.startup(database, "wait", timeout=0.3)
    assert isinstance(caught.value, TimeoutError)
    assert (caught.value.pending, caught.value.stopped) == (("a002",), ("a002",))
    assert lines(log, logging.ERROR) == [
        "start-up refused: after 0.3 s of waiting for another process, 1 revision is pending: a002; "
        "run `asyncmig upgrade`; an error has stopped a002, see `asyncmig status`"
    ]


async def test_wait_bears_a_server_that_is_away_for_a_moment(
    database: Any, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Migrator.status
    answers = iter([None, AutoReconnect("away"), AutoReconnect("away")])

    async def shaky(self: Migrator, *files: Any) -> Any:
        if error := next(answers, None):
            raise error
        return await asked(self, *files)

    monkeypatch.setattr(Migrator, "status", shaky)
    waiting = asyncio.create_task(asyncmig.startup(database, "wait", timeout=120))
    await Migrator(database).upgrade()
    assert await waiting == []


async def test_a_failing_revision_is_one_line(database: Any, history: History, log: pytest.LogCaptureFixture) -> None:
    history.add("a002", 'raise ValueError("not\\ntoday")')
    with pytest.raises(RevisionFailed):
        await asyncmig.startup(database, "upgrade")
    (line,) = lines(log, logging.ERROR)
    assert line.startswith("start-up refused: revision a002 failed in upgrade at its own code, line ")
    assert line.endswith("ValueError: not today")
    history.add("a002", 'await env.create_collection("two")')
    assert [one.revision for one in await asyncmig.startup(database, "upgrade")] == ["a002"]


async def test_a_database_ahead(database: Any, history: History, log: pytest.LogCaptureFixture) -> None:
    """An older release meets a database that a newer one has upgraded."""
    await Migrator(database).upgrade()
    history.forget("a002")
    for policy in ("upgrade", "check", "wait", "warn"):
        assert await asyncmig.startup(database, policy) == []  # type: ignore[arg-type]
    assert lines(log, logging.WARNING) == ["the database is ahead of this release: no file knows a002"] * 4
    with pytest.raises(DatabaseAhead, match="ahead of the files by 1 revision"):
        await asyncmig.startup(database, "upgrade", allow_ahead=False)
    assert await asyncmig.startup(database, "warn", allow_ahead=False) == []


async def test_a_database_ahead_is_compared_with_nothing(
    database: Any, history: History, log: pytest.LogCaptureFixture
) -> None:
    await Migrator(database).upgrade()
    history.forget("a002")
    assert await asyncmig.startup(database, "check", collections=[Two]) == []
    assert lines(log, logging.WARNING) == [
        "the database is ahead of this release: no file knows a002; the models are not compared with it"
    ]


async def test_ahead_and_behind_at_once_is_not_run(database: Any, history: History) -> None:
    await Migrator(database).upgrade()
    history.forget("a002")
    history.add("b002", 'await env.create_collection("three")')
    with pytest.raises(PendingRevisions):
        await asyncmig.startup(database, "check")
    with pytest.raises(UnknownApplied):
        await asyncmig.startup(database, "upgrade")


async def test_an_edited_file_is_a_warning(database: Any, history: History, log: pytest.LogCaptureFixture) -> None:
    await Migrator(database).upgrade()
    history.add("a001", 'await env.create_collection("uno")')
    assert await asyncmig.startup(database) == []
    assert lines(log, logging.WARNING) == ["edited since they were applied: a001"]


async def test_models_are_compared_where_they_are_given(
    database: Any, history: History, log: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(SchemaDiffers):
        await asyncmig.startup(database, "upgrade", collections=[Two])
    assert await asyncmig.startup(database, "warn", collections=[Two]) == []
    assert lines(log, logging.WARNING)[-1].startswith("models and database differ in 1 operation")
    await database["two"].create_index("x")
    assert await asyncmig.startup(database, collections=[Two]) == []


async def test_options_win_over_settings(
    database: Any, tmp_path: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    history.folder.rename(tmp_path / "elsewhere")
    (tmp_path / "asyncmig.toml").write_text('directory = "nowhere"\nrevisions_collection = "ledger"\n')
    await asyncmig.startup(database, "upgrade", directory="elsewhere", lock_collection="padlock", lock_lease=None)
    assert {"ledger", "padlock"} <= set(await database.list_collection_names())
    monkeypatch.setenv("ASYNCMIG_DIRECTORY", "elsewhere")
    await asyncmig.startup(database)


async def test_an_option_that_there_is_not(database: Any, history: History) -> None:
    with pytest.raises(TypeError, match="unknown option dir; there are directory, collections"):
        await asyncmig.startup(database, dir="x")  # type: ignore[call-arg]


async def test_a_lock_that_nobody_gives_back(database: Any, history: History, log: pytest.LogCaptureFixture) -> None:
    async with Migrator(database)._lock().held(command="something long"):
        with pytest.raises(LockTimeout):
            await asyncmig.startup(database, "upgrade", timeout=0.2)
    assert "something long" in lines(log, logging.ERROR)[0]


async def test_many_at_once_run_each_revision_once(database: Any, history: History) -> None:
    done = await asyncio.gather(*[asyncmig.startup(database, "upgrade") for _ in range(8)])
    assert sorted(len(one) for one in done) == [0] * 7 + [2]


async def test_what_has_failed_for_one_is_not_tried_by_all(
    database: Any, history: History, log: pytest.LogCaptureFixture
) -> None:
    fails = 'await env.db["runs"].insert_one({})\nawait asyncio.sleep(0.3)\nraise ValueError("not today")'
    history.add("a002", fails)
    for runs in (1, 2):  # each start of the whole flock tries once
        done = await asyncio.gather(*[asyncmig.startup(database, "upgrade") for _ in range(4)], return_exceptions=True)
        assert sorted(type(error).__name__ for error in done) == ["FailedElsewhere"] * 3 + ["RevisionFailed"]
        assert await database["runs"].count_documents({}) == runs
    assert re.search(r"revision a002 failed in .*\(pid \d+\): ValueError: not today; the next", log.messages[-1])
    history.add("a002", "pass")
    await asyncmig.startup(database, "upgrade")


async def test_a_client_is_no_database(client: Any, history: History, log: pytest.LogCaptureFixture) -> None:
    with pytest.raises(asyncmig.errors.DriverError, match="not a client"):
        await asyncmig.startup(client)
    assert len(lines(log, logging.ERROR)) == 1
