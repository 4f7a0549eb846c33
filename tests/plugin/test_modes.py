"""The fixtures under every way to run async tests, without a word of configuration for asyncmig; with both drivers.

Each way is a pytest of its own. The suite tries three, which between them have each plugin, mode and
loop; ``ASYNCMIG_LONG=1`` (``nox -s doors``) tries all.
"""

from __future__ import annotations

import os

import pytest

from ..clients import DRIVERS
from .conftest import Run

TESTS = (
    f"DRIVERS = {DRIVERS!r}\n"
    + """
import asyncio
import pytest
IMPORTS

pytestmark = [MARKS]


@pytest.fixture(scope="session", params=DRIVERS)
def asyncmig_driver(request):
    return request.param


@FIXTURE
async def seeded(mongo_database):
    await mongo_database["seed"].insert_one({"_id": 1})
    yield mongo_database
    assert await mongo_database["seed"].count_documents({}) == 1  # its client is open until the end


async def test_a_fresh_database(mongo_database, asyncmig_driver):
    assert type(mongo_database).__module__.startswith(asyncmig_driver)
    assert await mongo_database.list_collection_names() == []
    await mongo_database["left"].insert_one({})


async def test_a_fixture_of_the_users_own(seeded):
    assert await seeded.list_collection_names() == ["seed"]


@pytest.mark.parametrize("round", range(3))
async def test_a_migrated_database(migrated_database, migrator, round):
    wallet = migrated_database["wallet"]
    assert [one async for one in wallet.find()] == [{"_id": 1, "uid": "first", "coins": 12}]
    assert sorted(await wallet.index_information()) == ["_id_", "coins_1", "uid_1"]
    assert await migrator.current() == ("a002",)
    assert await migrator.diff() == []
    await wallet.insert_one({"uid": "second", "coins": 1})
    await wallet.drop_index("coins_1")
    await migrated_database.create_collection(f"left_{round}")


async def test_at_a_revision(database_at, migrator):
    database = await database_at("a001")
    assert sorted(await database["wallet"].index_information()) == ["_id_", "uid_1"]
    assert await migrator.current() == ("a001",)


async def test_documents_before_a_data_migration(populate_at, migrator):
    database = await populate_at("a001", {"wallet": [{"_id": 2, "uid": "second", "coins": "7"}]})
    assert [one.revision for one in await migrator.upgrade()] == ["a002"]
    assert [one["coins"] async for one in database["wallet"].find().sort("_id")] == [12, 7]


async def test_the_mock(mock_database):
    await mock_database["x"].insert_one({"_id": 1})
    assert await mock_database["x"].count_documents({}) == 1
"""
)

SYNC = """
import asyncio

import pytest

import asyncmig


def test_not_async(mongo_database):
    pass


def test_with_a_loop_of_its_own(migrated_database):
    asyncio.run(_count(migrated_database))


async def _count(database):
    assert await database["wallet"].count_documents({}) == 1


@pytest.mark.filterwarnings("ignore:Using .httpx. with")
@pytest.mark.parametrize("round", range(2))
def test_an_application_on_a_loop_of_its_own(migrated_database, round):
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route
    from starlette.testclient import TestClient

    async def count(request):
        return JSONResponse(await migrated_database["wallet"].count_documents({}))

    lifespan = asyncmig.fastapi.lifespan(migrated_database, policy="check")
    with TestClient(Starlette(routes=[Route("/", count)], lifespan=lifespan)) as client:
        assert [client.get("/").json() for _ in range(2)] == [1, 1]
"""

TRIO = """
import pytest

@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_it_is_left_out(mongo_database, anyio_backend):
    assert await mongo_database.list_collection_names() == []
"""

ASYNCIO, ANYIO = "pytest.mark.asyncio", "pytest.mark.anyio"
OWN = "pytest_asyncio.fixture"
SESSION = ["-o", "asyncio_default_fixture_loop_scope=session", "-o", "asyncio_default_test_loop_scope=session"]
ON_ASYNCIO = """
@pytest.fixture
def anyio_backend():
    return "asyncio"
"""

MODES = {
    "asyncio strict": (ASYNCIO, OWN, []),
    "asyncio auto, session loop": ("", "pytest.fixture", ["--asyncio-mode=auto", *SESSION]),
    "anyio beside asyncio strict": (ANYIO, "pytest.fixture", []),
}
MORE_MODES = {
    "asyncio strict, session loop": (ASYNCIO, OWN, SESSION),
    "asyncio auto": ("", "pytest.fixture", ["--asyncio-mode=auto"]),
    "asyncio, loops by mark": (
        'pytest.mark.asyncio(loop_scope="module")',
        'pytest_asyncio.fixture(loop_scope="module")',
        ["--asyncio-mode=auto"],
    ),
    "anyio alone": (ANYIO, "pytest.fixture", ["-p", "no:asyncio"]),
    "anyio auto": ("", "pytest.fixture", ["-p", "no:asyncio", "-o", "anyio_mode=auto"]),
}
MODES |= MORE_MODES if os.environ.get("ASYNCMIG_LONG") else {}


@pytest.mark.parametrize("mode", MODES)
def test_every_mode(project: pytest.Pytester, run: Run, mode: str) -> None:
    marks, fixture, arguments = MODES[mode]
    has_trio = "anyio" in mode
    imports = "import pytest_asyncio" if "pytest_asyncio" in fixture else ""
    imports += ON_ASYNCIO if has_trio else ""
    text = TESTS.replace("IMPORTS", imports).replace("MARKS", marks).replace("FIXTURE", fixture)
    project.makepyfile(test_async=text, test_sync=SYNC, **({"test_trio": TRIO} if has_trio else {}))
    result = run("-rs", *arguments)
    result.assert_outcomes(passed=7 * len(DRIVERS) + 1 + 4 + has_trio, skipped=int(has_trio))
    if has_trio:
        result.stdout.fnmatch_lines("*MongoDB's drivers need asyncio*")
