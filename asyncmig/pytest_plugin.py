"""The pytest plugin: MongoDB databases at any revision, and ready-made tests of a history.

Does nothing until a fixture or an option of it is used, and imports nothing before. The fixtures that
hold a client are plain ones: a test's client comes from whatever plugin runs the test's event loop
(:mod:`asyncmig.testing.loops`), and databases are prepared and dropped on a loop of the plugin's own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from asyncmig.migrator import Migrator
    from asyncmig.settings import Settings
    from asyncmig.sources import Models
    from asyncmig.testing.clients import Clients
    from asyncmig.testing.databases import Databases
    from asyncmig.testing.project import Project

Documents = Mapping[str, Sequence[Mapping[str, Any]]]

# -- options -----------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--asyncmig`` and the settings of the tests."""
    group = parser.getgroup("asyncmig", "MongoDB migrations")
    group.addoption("--asyncmig", action="store_true", help="run the ready-made tests of the migrations, too")
    group.addoption("--asyncmig-driver", choices=["motor", "pymongo"], help="the driver of the tests' databases")
    parser.addini("asyncmig_driver", "the driver of the tests' databases: motor or pymongo")
    parser.addini("asyncmig_directory", "the folder of the migrations, from the folder of the ini file on")
    parser.addini("asyncmig_models", "the models, as MODULE:NAME")


def pytest_configure(config: pytest.Config) -> None:
    """Add the fixtures for pytest-asyncio's loops, where it is there."""
    if config.pluginmanager.hasplugin("asyncio"):
        from asyncmig.testing import asyncio_fixtures

        config.pluginmanager.register(asyncio_fixtures, "asyncmig-asyncio")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the ready-made tests before the others."""
    if config.getoption("--asyncmig"):
        from asyncmig.testing.collecting import ready_made

        items[:] = [*ready_made(session, items), *items]


# -- what a project may override ----------------------------------------------------------------------


@pytest.fixture(scope="session")
def asyncmig_directory(pytestconfig: pytest.Config, _asyncmig_settings: Settings) -> Path:
    """The folder that holds ``versions/``: the ini option of this name, else the setting ``directory``."""
    given = pytestconfig.getini("asyncmig_directory")
    return _ini_folder(pytestconfig) / given if given else _asyncmig_settings.directory


@pytest.fixture(scope="session")
def asyncmig_models(pytestconfig: pytest.Config, _asyncmig_settings: Settings) -> Models | None:
    """The models, or where to import them from: the ini option of this name, else the setting ``models``."""
    return pytestconfig.getini("asyncmig_models") or _asyncmig_settings.models


@pytest.fixture(scope="session")
def asyncmig_driver(pytestconfig: pytest.Config, _asyncmig_settings: Settings) -> str:
    """``motor`` or ``pymongo``: ``--asyncmig-driver``, else the ini option, else the setting ``driver``."""
    given = pytestconfig.getoption("--asyncmig-driver") or pytestconfig.getini("asyncmig_driver")
    return str(given or _asyncmig_settings.driver)


@pytest.fixture(scope="session")
def asyncmig_documents() -> Mapping[str, Documents]:
    """What the ready-made tests insert once a revision is applied: documents by collection, by the revision's id."""
    return {}


@pytest.fixture(scope="session")
def mongo_client_options() -> Mapping[str, Any]:
    """Options of the tests' clients, as the driver's client class takes them."""
    return {}


# -- databases ----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def mongo_server() -> Iterator[str]:
    """The URL of a real server: ``$ASYNCMIG_TEST_URL``, else of a ``LocalServer`` that ends with the session."""
    from asyncmig.testing.url import ServerUrl

    if given := os.environ.get("ASYNCMIG_TEST_URL"):
        yield ServerUrl(given)
        return
    from asyncmig.testing.reporting import plainly
    from asyncmig.testing.server import LocalServer

    server = LocalServer(timeout=60)  # s; many workers may start theirs at once
    with plainly():
        server.start()
    yield ServerUrl(server.url, server)
    server.stop()


@pytest.fixture
def mongo_client(request: pytest.FixtureRequest, asyncmig_driver: str, mongo_server: str) -> Any:
    """A client of the driver on the test's event loop; closed with that loop."""
    from asyncmig.testing.loops import clients_fixture
    from asyncmig.testing.reporting import plainly
    from asyncmig.testing.url import ServerUrl

    clients: Clients = request.getfixturevalue(clients_fixture(request))
    with plainly():
        if isinstance(mongo_server, ServerUrl):
            mongo_server.require()
        return clients.of(asyncmig_driver)


@pytest.fixture
def mongo_database(mongo_client: Any, _asyncmig_databases: Databases) -> Iterator[Any]:
    """A fresh, empty database; dropped after the test."""
    name = _asyncmig_databases.name()
    yield mongo_client[name]
    _asyncmig_databases.drop(name)


@pytest.fixture
def migrated_database(mongo_client: Any, _asyncmig_databases: Databases, _asyncmig_project: Project) -> Any:
    """A database at head, as if its revisions had just run. They run once in a session; it is put back after that."""
    from asyncmig.testing.reporting import plainly

    with plainly():
        return mongo_client[_asyncmig_databases.migrated(_asyncmig_project)]


@pytest.fixture
def migrator(request: pytest.FixtureRequest, _asyncmig_project: Project) -> Migrator:
    """The project's Migrator of ``migrated_database`` where the test has that, else of ``mongo_database``."""
    which = "migrated_database" if "migrated_database" in request.fixturenames else "mongo_database"
    return _asyncmig_project.migrator(request.getfixturevalue(which))


@pytest.fixture
def database_at(mongo_database: Any, _asyncmig_project: Project) -> Callable[[str], Awaitable[Any]]:
    """``await database_at("rev")``: ``mongo_database``, upgraded to any target."""

    async def at(target: str) -> Any:
        if target != "base":
            await _asyncmig_project.migrator(mongo_database).upgrade(target)
        return mongo_database

    return at


@pytest.fixture
def populate_at(database_at: Callable[[str], Awaitable[Any]]) -> Callable[[str, Documents], Awaitable[Any]]:
    """``await populate_at("rev", {"wallet": [{...}]})``: ``mongo_database`` at a target, with these documents in it."""

    async def populate(target: str, documents: Documents) -> Any:
        database = await database_at(target)
        for name, listed in documents.items():
            if listed:
                await database[name].insert_many([dict(document) for document in listed])
        return database

    return populate


@pytest.fixture
def mock_database() -> Any:
    """An empty database of mongomock-motor: collections, plain indexes, documents; no server."""
    try:
        from mongomock_motor import AsyncMongoMockClient
    except ImportError:
        pytest.fail("the fixture mock_database needs mongomock-motor: pip install mongomock-motor", pytrace=False)
    return AsyncMongoMockClient()["test"]


# -- the ready-made tests -----------------------------------------------------------------------------


@pytest.fixture
def asyncmig_history_checks(
    request: pytest.FixtureRequest,
    _asyncmig_project: Project,
    asyncmig_documents: Mapping[str, Documents],
) -> Callable[[str], None]:
    """Runs a check of :class:`asyncmig.testing.history_checks.HistoryChecks` by its name, for the ready-made tests."""
    from asyncmig.testing.reporting import run_check

    return lambda check: run_check(check, request, _asyncmig_project, asyncmig_documents)


# -- within -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _asyncmig_settings(pytestconfig: pytest.Config) -> Settings:
    from asyncmig.application.options import project_settings
    from asyncmig.testing.reporting import plainly

    with plainly():
        settings = project_settings(_ini_folder(pytestconfig))
    if str(settings.root) not in sys.path:  # models, and what revisions import, may live there
        sys.path.append(str(settings.root))
    return settings


@pytest.fixture(scope="session")
def _asyncmig_client_options(mongo_client_options: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options of all clients: the server knows by the name which transactions are those of this session."""
    from uuid import uuid4

    from asyncmig.testing.leftovers import OURS

    return {"appname": f"{OURS}{uuid4().hex}", **mongo_client_options}


@pytest.fixture(scope="session")
def _asyncmig_databases(mongo_server: str, _asyncmig_client_options: Mapping[str, Any]) -> Iterator[Databases]:
    from asyncmig.testing.databases import Databases
    from asyncmig.testing.reporting import plainly

    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    with Databases(mongo_server, _asyncmig_client_options, worker) as databases:
        with plainly():
            databases.open()
        yield databases


@pytest.fixture
def _asyncmig_project(
    _asyncmig_settings: Settings,
    asyncmig_directory: str | Path,
    asyncmig_models: Models | None,
    asyncmig_driver: str,
) -> Project:
    from asyncmig.testing.project import Project

    return Project(_asyncmig_settings, Path(asyncmig_directory), asyncmig_models, asyncmig_driver)


@pytest.fixture
def _asyncmig_clients_of_no_loop(mongo_server: str, _asyncmig_client_options: Mapping[str, Any]) -> Iterator[Clients]:
    from asyncmig.testing.clients import Clients

    clients = Clients(mongo_server, _asyncmig_client_options)
    yield clients
    clients.leave()


@pytest.fixture
async def _asyncmig_clients_of_anyio(
    anyio_backend: Any, mongo_server: str, _asyncmig_client_options: Mapping[str, Any]
) -> AsyncIterator[Clients]:
    from asyncmig.testing.clients import Clients

    clients = Clients(mongo_server, _asyncmig_client_options)
    yield clients
    await clients.close()


def _ini_folder(config: pytest.Config) -> Path:
    return config.inipath.parent if config.inipath else config.rootpath
