"""The wallet service of ``examples/``, copied as a user would: its own tests, and real requests to a real server."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from pymongo import MongoClient

from ..conftest import cli_command

pytestmark = pytest.mark.pymongo_async  # so is the application that runs here

ROOT = Path(__file__).resolve().parent.parent.parent
ANN = "/acme/wallets/ann"

Start = Callable[..., "tuple[subprocess.Popen[str], httpx.Client]"]


@pytest.fixture
def service(tmp_path: Path) -> Path:
    kept = shutil.ignore_patterns("__pycache__", ".*")
    return Path(shutil.copytree(ROOT / "examples/wallet_api", tmp_path / "wallet_api", ignore=kept))


@pytest.fixture
def environment(server_url: str) -> Iterator[dict[str, str]]:
    """What a developer has set, and the URL of a database of our own."""
    name = f"wallets_{uuid.uuid4().hex[:12]}"
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ASYNCMIG_", "PYTEST_"))}
    url = urlsplit(server_url)._replace(path=f"/{name}").geturl()
    yield kept | {"MONGO_URL": url, "PYTHONPATH": os.pathsep.join(sys.path), "ASYNCMIG_TEST_URL": server_url}
    with MongoClient(server_url) as client:
        client.drop_database(name)


@pytest.fixture
def start(service: Path, environment: dict[str, str]) -> Iterator[Start]:
    """``start(ASYNCMIG_ON_STARTUP="upgrade")``: uvicorn on a free port, and an HTTP client of it."""
    running: list[tuple[subprocess.Popen[str], httpx.Client]] = []

    def begin(**settings: str) -> tuple[subprocess.Popen[str], httpx.Client]:
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "wallet_api.app:app", "--port", str(port)],
            cwd=service,
            env=environment | settings,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append((process, httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)))
        return running[-1]

    yield begin
    for process, client in running:
        client.close()
        process.kill()
        process.communicate()


def test_its_own_tests_pass(service: Path, environment: dict[str, str]) -> None:
    """With the ready-made ones, which its settings turn on; and without a URL in the environment."""
    registered = {point.name for point in metadata.entry_points(group="pytest11")}
    plugin = [] if "asyncmig" in registered else ["-p", "asyncmig.pytest_plugin"]
    warnings = ["-W", "error", "-W", "default:unclosed <socket:ResourceWarning"]  # PyMongo leaves some that broke
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *warnings, "-p", "no:cacheprovider", *plugin],
        cwd=service,
        env={key: value for key, value in environment.items() if key != "MONGO_URL"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "18 passed" in done.stdout


def test_it_refuses_to_start_on_a_database_that_is_behind(start: Start) -> None:
    process, _ = start()
    _, said = process.communicate(timeout=300)
    assert process.returncode == 3
    refused = "start-up refused: 2 revisions are pending: 20260115120000, 20260302090000; run `asyncmig upgrade`"
    assert refused in said.splitlines()  # the log is not set up, and the line is there all the same


def test_upgraded_by_hand_it_serves(service: Path, environment: dict[str, str], start: Start) -> None:
    done = subprocess.run([*cli_command(), "upgrade"], cwd=service, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    process, http = start()
    assert answer(process, http, "/health/migrations").json() == {"status": "at head", "pending": [], "ahead": []}
    assert http.put(ANN).json() == {"uid": "ann", "org_id": "acme", "coins": 0}
    assert http.post(f"{ANN}/top-ups", json={"amount": 3}).json()["coins"] == 300
    assert http.get(f"{ANN}/movements").json() == [{"coins": 300, "ctype": "top_up"}]
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=300)


def test_upgraded_at_start_it_serves(start: Start) -> None:
    process, http = start(ASYNCMIG_ON_STARTUP="upgrade")
    assert answer(process, http, "/health/migrations").status_code == 200
    assert http.put(ANN).status_code == 200


def answer(process: subprocess.Popen[str], http: httpx.Client, path: str) -> httpx.Response:
    """The answer of a server that is starting."""
    deadline = time.monotonic() + 300
    while True:
        try:
            return http.get(path)
        except httpx.ConnectError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
