"""What tests leave behind, and worse: the next test finds nothing of it, and does not wait for it long."""

from __future__ import annotations

import pytest

from .conftest import Run

ROUGH = """
import pytest

pytestmark = pytest.mark.asyncio
LEFT = []


async def leave(database):
    session = database.client.start_session()
    await session.start_transaction()
    await database["wallet"].insert_one({"uid": "left"}, session=session)
    cursor = database["wallet"].find(batch_size=1)
    await anext(cursor)
    LEFT.extend([session, cursor])


async def test_a_transaction_and_a_cursor_are_left_open(migrated_database):
    await migrated_database["wallet"].insert_many([{"uid": n} for n in range(5)])
    await leave(migrated_database)


async def test_also_in_a_fresh_database(mongo_database):
    await mongo_database["wallet"].insert_many([{"uid": n} for n in range(5)])
    await leave(mongo_database)


async def test_the_database_is_dropped(migrated_database):
    assert await migrated_database["wallet"].count_documents({}) == 1
    await migrated_database.client.drop_database(migrated_database.name)


async def test_views_and_indexes(migrated_database, migrator):
    assert await migrator.diff() == []
    await migrated_database.create_collection("seen", viewOn="wallet", pipeline=[])
    await migrated_database["wallet"].drop_indexes()
    await migrated_database["wallet"].create_index("z")


async def test_nothing_of_it_is_left(migrated_database, migrator):
    assert await migrator.diff() == []
    names = await migrated_database.list_collection_names()
    assert [name for name in names if not name.startswith(("asyncmig_", "system."))] == ["wallet"]
"""


@pytest.mark.pymongo_async
def test_rough_tests(project: pytest.Pytester, run: Run) -> None:
    project.makepyfile(ROUGH)
    result = run("-W", "ignore::ResourceWarning", "--durations=3", "--asyncmig-driver=pymongo")
    result.assert_outcomes(passed=5)
    assert result.duration < 35  # else twenty seconds for each of the two transactions, on top


@pytest.mark.long
def test_a_server_that_is_killed(project: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests after it fail at once, and say why."""
    monkeypatch.delenv("ASYNCMIG_TEST_URL")
    project.makepyfile(
        """
        import os, signal, pytest

        async def test_it(migrated_database):
            pid = (await migrated_database.client.admin.command("serverStatus"))["pid"]
            os.kill(pid, signal.SIGKILL)

        @pytest.mark.parametrize("number", range(3))
        async def test_after_it(migrated_database, mongo_database, number): ...
        """
    )
    result = run("--asyncio-mode=auto")
    result.assert_outcomes(passed=1, errors=3)
    result.stdout.fnmatch_lines("mongod has ended without an error: was it killed?")
    result.stdout.no_fnmatch_line("*Traceback*")
    assert result.duration < 35  # else ten seconds for whatever any client is asked for


def test_a_server_that_is_not_there(project: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked for once, not for every test; and what is said of it has no traceback."""
    monkeypatch.setenv("ASYNCMIG_TEST_URL", "mongodb://user:secret@127.0.0.1:9/?serverSelectionTimeoutMS=300")
    project.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("number", range(50))
        async def test_it(mongo_database, number): ...
        """
    )
    result = run("--asyncio-mode=auto")
    result.assert_outcomes(errors=50)  # within the limit of one test
    result.stdout.fnmatch_lines("no MongoDB server answered at 127.0.0.1:9 within 0.3 s *is the address right?")
    for noise in ("*Traceback*", "*secret*", "*pymongo/*"):
        result.stdout.no_fnmatch_line(noise)
