"""What every test can ask for: a real server, a client of each driver, a fresh database, the command line."""

from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pymongo
import pytest

import asyncmig
from asyncmig.testing.server import LocalServer

from . import servers
from .clients import CLIENTS, DRIVERS, HAS_ASYNC, drop, taking_turns
from .longest_first import keep_order, put_longest_first

ROOT = Path(__file__).resolve().parent.parent

if not any(point.name == "asyncmig" for point in metadata.entry_points(group="pytest11")):
    pytest_plugins = ["asyncmig.pytest_plugin"]  # the source tree, and nothing installed: no entry point


def pytest_configure(config: pytest.Config) -> None:
    """Where the installed wheel is to be tested, refuse to test the source tree by accident."""
    home = Path(asyncmig.__file__).resolve()
    if os.environ.get("ASYNCMIG_EXPECT_INSTALLED") and home.is_relative_to(ROOT / "asyncmig"):
        raise pytest.UsageError(f"the installed asyncmig was to be tested, but {home} was imported")
    keep_order(config)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes long, unless it is asked for, and what needs a newer PyMongo; the longest files first."""
    left_out = set() if os.environ.get("ASYNCMIG_LONG") or os.environ.get("ASYNCMIG_CHAOS") else {"long"}
    left_out |= set() if HAS_ASYNC else {"pymongo_async"}
    leaving = {item for item in items if any(item.get_closest_marker(name) for name in left_out)}
    leaving |= {item for item in items if servers.is_for_another(item)}
    config.hook.pytest_deselected(items=list(leaving))
    items[:] = [item for item in items if item not in leaving]
    put_longest_first(items)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A real server: ``$ASYNCMIG_TEST_URL``, else one of our own. No mongod is a failure, not a skip."""
    if given := os.environ.get("ASYNCMIG_TEST_URL"):
        yield given
        return
    with servers.started() as url:
        yield url


@pytest.fixture(scope="session")
def standalone() -> Iterator[str]:
    """The URL of a server without transactions, for whoever needs one."""
    with LocalServer(replset=False, parameters={"enableTestCommands": "1"}) as server:
        yield server.url


@pytest.fixture(params=DRIVERS)
def driver_name(request: pytest.FixtureRequest) -> str:
    """``motor`` or ``pymongo``: a test that asks for it, or for a database, runs once with each."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
async def make_client(server_url: str) -> AsyncIterator[Callable[..., Any]]:
    """``make_client(driver, **options)``: a client of that driver, closed at the end of the session."""
    clients: list[Any] = []

    def make(driver: str, **options: Any) -> Any:
        clients.append(CLIENTS[driver](server_url, **options))
        return clients[-1]

    yield make
    for client in clients:
        closing = client.close()
        if inspect.isawaitable(closing):
            await closing


@pytest.fixture(scope="session")
async def clients(make_client: Callable[..., Any]) -> dict[str, Any]:
    """One client of each driver for the whole session, on its one event loop."""
    return {driver: make_client(driver) for driver in DRIVERS}


@pytest.fixture
async def client(clients: dict[str, Any], driver_name: str) -> Any:
    """A client of the driver in turn."""
    return clients[driver_name]


@pytest.fixture
async def database(client: Any) -> AsyncIterator[Any]:
    """A fresh, empty database on the real server, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield client[name]
    await drop(client, name)


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalServer]:
    """A server with authentication: ``root`` may all, ``app`` is readWrite and dbAdmin of ``shop``; password ``p``."""
    key = tmp_path_factory.mktemp("key") / "key"
    key.write_text("a" * 64)
    key.chmod(0o600)
    with LocalServer(args=[f"--keyFile={key}"], parameters={"enableTestCommands": "1"}) as server:
        with pymongo.MongoClient[Any](server.url) as client:
            client["admin"].command("createUser", "root", pwd="p", roles=["root"])
        with pymongo.MongoClient[Any](server.url, username="root", password="p") as client:
            client["shop"].command("createUser", "app", pwd="p", roles=["readWrite", "dbAdmin"])
        yield server


@pytest.fixture
def start_cli(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """``start_cli("upgrade", cwd=…, env={…})``: the command line as a process, not waited for."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*cli_command(), *arguments],
            cwd=cwd or tmp_path,
            env=cli_environment() | (env or {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def run_cli(start_cli: Callable[..., subprocess.Popen[str]]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """``run_cli("upgrade", cwd=…, env={…}, input=…, timeout=…)``: run to the end; never raises for an exit code.

    ``cwd`` is the test's ``tmp_path`` unless given. Nobody sits at the terminal: the streams are pipes.
    """

    def run(
        *arguments: str, input: str = "", timeout: float = 300.0, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        process = start_cli(*arguments, **options)
        out, err = process.communicate(input, timeout=timeout)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    return run


@pytest.fixture
async def turn(clients: dict[str, Any], request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A fresh database by one of the drivers: always the same one for a test, the other for its neighbour.

    For tests that take long because of what they wait for: they run once.
    """
    client = clients[taking_turns(sum(map(ord, request.node.name)))]
    name = f"turn_{uuid.uuid4().hex[:12]}"
    yield client[name]
    await drop(client, name)


def cli_command() -> list[str]:
    """The installed ``asyncmig`` of this environment, else the same from the source tree."""
    script = shutil.which("asyncmig", path=str(Path(sys.executable).parent))
    code = "import sys; from asyncmig.cli.main import main; sys.argv[0] = 'asyncmig'; sys.exit(main())"
    return [script] if script else [sys.executable, "-c", code]


def cli_environment() -> dict[str, str]:
    """This environment without the settings that a developer may have in it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ASYNCMIG_")}
    mongod = {key: value for key, value in os.environ.items() if key == "ASYNCMIG_MONGOD"}
    return kept | mongod | {"PYTHONWARNINGS": "default", "COLUMNS": "120"}
