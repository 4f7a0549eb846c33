"""The plugin is in every pytest of an environment, so that it has to be next to nothing until it is used."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pymongo
import pytest

from .conftest import Run

HEAVY = ("pymongo", "motor", "bson", "anyio.from_thread", "asyncclick", "rich", "hypothesis", "fastapi", "mongomock")


def test_it_imports_nothing_heavy(pytester: pytest.Pytester) -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import asyncmig.pytest_plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["asyncmig", "asyncmig.pytest_plugin", "asyncmig.version"]


def test_unused_it_stays_so(project: pytest.Pytester, run: Run) -> None:
    """Also with pytest-asyncio there, for whose loops it has fixtures; none of the ready-made tests runs unasked."""
    project.makepyfile(
        f"""
        import sys

        async def test_async(): pass

        def test_what_is_loaded():
            assert [name for name in {HEAVY!r} if name in sys.modules] == []
        """
    )
    plugins = ["-p", "no:hypothesispytest", "-p", "no:anyio", "-p", "no:faker", "-p", "no:xdist"]
    run(*plugins, "--asyncio-mode=auto").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("arguments", "settings", "driver"),
    [
        pytest.param([], 'asyncmig_driver = "pymongo"', "pymongo", marks=pytest.mark.pymongo_async),
        (["--asyncmig-driver=motor"], 'asyncmig_driver = "pymongo"', "motor"),
    ],
)
def test_options(project: pytest.Pytester, run: Run, arguments: list[str], settings: str, driver: str) -> None:
    (project.path / "migrations").rename(project.path / "elsewhere")
    ini = f'[tool.pytest.ini_options]\nasyncmig_directory = "elsewhere"\nasyncmig_models = "models"\n{settings}\n'
    (project.path / "pyproject.toml").write_text(ini)
    project.makepyfile(
        f"""
        async def test_it(migrated_database, migrator, mongo_server, mongo_client):
            assert type(migrated_database).__module__.startswith({driver!r})
            assert await migrator.diff() == []
            assert mongo_server == mongo_server.url
            assert mongo_server.startswith("mongodb://127.0.0.1:")
            assert migrated_database.client is mongo_client
        """
    )
    run("--asyncio-mode=auto", *arguments).assert_outcomes(passed=1)


def test_workers_do_not_meet(project: pytest.Pytester, run: Run, server_url: str) -> None:
    """Under pytest-xdist each worker has databases of its own; none is left at the end."""
    project.makepyfile(
        """
        import os, pytest

        @pytest.mark.parametrize("number", range(6))
        async def test_it(migrated_database, mongo_database, number):
            assert os.environ["PYTEST_XDIST_WORKER"] in migrated_database.name
            assert await migrated_database["wallet"].count_documents({}) == 1
            await migrated_database["wallet"].insert_one({"uid": number})
            await mongo_database["x"].insert_one({})
        """
    )
    with pymongo.MongoClient[dict[str, Any]](server_url) as client:
        before = client.list_database_names()  # this very session may have one, for tests of another room
        run("--asyncio-mode=auto", "-n", "2").assert_outcomes(passed=6)
        left = [name for name in client.list_database_names() if name.startswith("test_") and name not in before]
        assert left == []


def test_without_the_mock(project: pytest.Pytester, run: Run) -> None:
    project.makepyfile("def test_it(mock_database): pass")
    project.mkpydir("mongomock_motor")
    result = run("-o", "pythonpath=.")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines("*pip install mongomock-motor*")


def test_a_server_of_its_own(project: pytest.Pytester, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ASYNCMIG_TEST_URL")
    project.makepyfile("async def test_it(mongo_database): await mongo_database.command('ping')")
    run("--asyncio-mode=auto").assert_outcomes(passed=1)
