"""The recipes for applications in ``docs/how-to``, taken from the pages and run: real processes, real requests.

Of Kubernetes and Compose it is their commands, variables, order and probes that are run, as plain processes.
They take long: ``ASYNCMIG_LONG=1`` (``nox -s doors``) runs them. What only looks at the page is in every run.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml
from pymongo import MongoClient

from ..conftest import cli_command
from .history_files import History
from .web_servers import free_port

pytestmark = pytest.mark.pymongo_async  # so is the application that runs here

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
PAGE = "".join((HOW_TO / f"{name}.md").read_text() for name in ("fastapi", "frameworks", "kubernetes", "compose"))
AT_HEAD = {"status": "at head", "pending": [], "ahead": []}
BEHIND = {"status": "behind", "pending": ["a001", "a002"], "ahead": []}

Start = Callable[..., "subprocess.Popen[str]"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


COMPOSE, JOB, WAITING, CHECKING = (
    next(one for one in map(yaml.safe_load, blocks("yaml")) if has(one))
    for has in (
        lambda one: "services" in one,
        lambda one: one.get("kind") == "Job",
        lambda one: one.get("kind") == "Deployment" and "initContainers" not in one["spec"]["template"]["spec"],
        lambda one: one.get("kind") == "Deployment" and "initContainers" in one["spec"]["template"]["spec"],
    )
)


def pod(manifest: Any) -> Any:
    return manifest["spec"]["template"]["spec"]


@pytest.fixture
def url(server_url: str, tmp_path: Path) -> Iterator[str]:
    """The database of the shop, as MONGO_URL names it."""
    name = f"shop_{abs(hash(tmp_path)):x}"
    yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    with MongoClient(server_url) as client:
        client.drop_database(name)


@pytest.fixture
def shop(tmp_path: Path, history: History) -> Path:
    """A folder with the files of the page, and two revisions."""
    for text in blocks("python"):
        if named := re.match(r"# (\w+\.py)\n", text):
            (tmp_path / named[1]).write_text(text)
    return tmp_path


@pytest.fixture
def start(shop: Path, url: str) -> Iterator[Start]:
    """``start(command, variable=value)``: a process in the shop, by a command of the page; its port in PORT."""
    started: list[subprocess.Popen[str]] = []

    def begin(command: str | list[str], **variables: str) -> subprocess.Popen[str]:
        words = shlex.split(command) if isinstance(command, str) else command
        program = cli_command() if words[0] == "asyncmig" else [sys.executable, "-m", words[0]]
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ASYNCMIG_")}
        process = subprocess.Popen(
            [*program, *words[1:]],
            cwd=shop,
            env=kept | variables | {"PYTHONPATH": os.pathsep.join([str(shop), *sys.path])},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield begin
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def probe(process: subprocess.Popen[str], port: int, path: str = "/health/migrations") -> tuple[int, Any]:
    """What a probe is answered, once somebody listens."""
    deadline = time.monotonic() + 300  # four workers on a busy machine
    while True:
        try:
            answer = httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10)
        except httpx.TransportError:
            if process.poll() is not None or time.monotonic() > deadline:
                process.kill()
                raise AssertionError(process.communicate()[0]) from None
            time.sleep(0.05)
        else:
            return answer.status_code, answer.json()


def on(port: int, command: str | list[str]) -> list[str]:
    """A server's command of the page, on a port that is free here."""
    words = shlex.split(command) if isinstance(command, str) else list(command)
    for name in ("--port", "--host"):
        if name in words:
            del words[words.index(name) : words.index(name) + 2]
    return [
        *words,
        *(["-b", f"127.0.0.1:{port}", "--no-control-socket"] if "gunicorn" in words else ["--port", str(port)]),
    ]


def variables(container: Mapping[str, Any], url: str) -> dict[str, str]:
    """The environment of a container, secrets filled in."""
    given = container.get("env") or container["environment"]
    listed = given.items() if isinstance(given, dict) else [(one["name"], one.get("value", url)) for one in given]
    return {name: url if "mongodb://" in value else value for name, value in listed}


SERVERS = [
    "uvicorn main:app",
    "uvicorn main:app --workers 4",
    "gunicorn main:app -k asgi -w 4",
    "uvicorn starlette_app:app",
    "uvicorn litestar_app:app",
]


@pytest.mark.long
@pytest.mark.parametrize("command", SERVERS)
def test_upgrade_on_start(start: Start, url: str, command: str) -> None:
    assert command in PAGE or command.partition(":")[0].split()[1] + ".py" in PAGE
    port = free_port()
    process = start(on(port, command), MONGO_URL=url)
    assert probe(process, port) == (200, AT_HEAD)
    process.terminate()
    assert process.wait(60) in (0, -signal.SIGTERM)


@pytest.mark.long
def test_a_job_beside_pods_that_wait(start: Start, url: str) -> None:
    port, (app,) = free_port(), pod(WAITING)["containers"]
    process = start(on(port, app["command"]), **variables(app, url))
    time.sleep(1.5)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{port}/")
    (migrate,) = pod(JOB)["containers"]
    assert start(migrate["command"], **variables(migrate, url)).wait(60) == 0
    for kind in ("startupProbe", "readinessProbe"):
        assert probe(process, port, app[kind]["httpGet"]["path"]) == (200, AT_HEAD)


@pytest.mark.long
def test_an_init_container_before_each_pod(start: Start, url: str) -> None:
    (migrate,), (app,) = pod(CHECKING)["initContainers"], pod(CHECKING)["containers"]
    jobs = [start(migrate["command"], **variables(migrate, url)) for _ in range(pod_count(CHECKING))]
    assert [job.wait(60) for job in jobs] == [0] * 3
    port = free_port()
    process = start(on(port, app["command"]), **variables(app, url))
    assert probe(process, port, app["readinessProbe"]["httpGet"]["path"]) == (200, AT_HEAD)


def pod_count(manifest: Any) -> int:
    count: int = manifest["spec"]["replicas"]
    return count


@pytest.mark.long
def test_compose(start: Start, url: str) -> None:
    services, port = COMPOSE["services"], free_port()
    migrate, app = services["migrate"], services["app"]
    refused = start(["uvicorn", "main:app", "--port", str(port)], **variables(app, url))
    assert refused.wait(60) == 3  # what `depends_on` keeps from happening
    assert start(migrate["command"], **variables(migrate, url)).wait(60) == 0
    process = start(on(port, app["command"]), **variables(app, url))
    assert probe(process, port) == (200, AT_HEAD)


def test_the_files_of_kubernetes_and_compose_fit_together() -> None:
    for manifest in (WAITING, CHECKING):
        (app,) = pod(manifest)["containers"]
        ports = [one["containerPort"] for one in app["ports"]]
        assert [app["command"][app["command"].index("--port") + 1]] == [str(one) for one in ports]
        for kind in ("startupProbe", "readinessProbe"):
            if kind in app:
                assert app[kind]["httpGet"] == {"path": "/health/migrations", "port": ports[0]}
        assert manifest["spec"]["selector"]["matchLabels"] == manifest["spec"]["template"]["metadata"]["labels"]
    services = COMPOSE["services"]
    for service in services.values():
        for name in service.get("depends_on", ()):
            assert name in services
    assert services["app"]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_every_example_of_the_page_is_python() -> None:
    for text in blocks("python"):
        compile(text, "docs/how-to", "exec")
