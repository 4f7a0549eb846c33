"""Real servers with real worker processes around a small application; what they leave in their log and database."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

APP = """
import logging, os
from contextlib import asynccontextmanager

from pymongo import AsyncMongoClient
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

import asyncmig

logging.basicConfig(level="INFO", format="%(process)d %(name)s %(levelname)s %(message)s")


@asynccontextmanager
async def get_database(app):
    async with AsyncMongoClient(os.environ["APP_URL"]) as client:
        yield client[os.environ["APP_DATABASE"]]


async def root(request):
    return PlainTextResponse(str(os.getpid()))


app = Starlette(
    routes=[Route("/", root)],
    lifespan=asyncmig.fastapi.lifespan(get_database, policy="upgrade", lock_lease=2.0, timeout=60.0),
)
"""

_GUNICORN = ["gunicorn", "served:app", "-k", "asgi", "-b", "127.0.0.1:PORT", "--no-control-socket"]

SERVERS = {
    "uvicorn": ["uvicorn", "served:app", "--port", "PORT"],
    "uvicorn-4": ["uvicorn", "served:app", "--port", "PORT", "--workers", "4", "--timeout-worker-healthcheck", "60"],
    "gunicorn": [*_GUNICORN, "-w", "1", "-t", "3"],  # kills a worker that gives no sign of life for 3 s
    "gunicorn-4": [*_GUNICORN, "-w", "4", "--graceful-timeout", "60"],
}

RUN = """
await env.db["runs"].insert_one({"revision": "%s", "pid": os.getpid(), "at": time.time()})
await asyncio.sleep(%s)
"""


def run(revision: str, seconds: float) -> str:
    """The body of a revision that leaves word of each run, and takes its time."""
    return "import os, time\n" + RUN % (revision, seconds)


class Served:
    """One server process with its workers, in a session of its own."""

    def __init__(self, name: str, folder: Path, url: str, database: Any) -> None:
        (folder / "served.py").write_text(APP)
        self.database, self.port, self.log = database, free_port(), folder / f"{name}.log"
        arguments = [part.replace("PORT", str(self.port)) for part in SERVERS[name]]
        settings = {"APP_URL": url, "APP_DATABASE": database.name, "PYTHONUNBUFFERED": "1"}
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=folder,
                env=os.environ | settings | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def end(self) -> None:
        """Let nothing of it survive the test."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def lines(self, pattern: str) -> list[str]:
        """The lines of asyncmig's log that match."""
        return [line for line in self.log.read_text().splitlines() if re.search(rf"^\d+ asyncmig .*{pattern}", line)]

    async def until(self, what: Callable[[], Any], seconds: float = 300.0) -> Any:
        """What ``what`` gives, or awaits to, once it is true."""
        deadline = time.monotonic() + seconds
        while True:
            found = what()
            found = await found if asyncio.iscoroutine(found) else found
            if found:
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"nothing came of it in {seconds:g} s:\n{self.log.read_text()[-4000:]}")
            await asyncio.sleep(0.05)

    async def exit_code(self, seconds: float = 300.0) -> int:
        """The exit code of the server."""
        await self.until(lambda: self.process.poll() is not None, seconds)
        return int(self.process.returncode)

    async def ran(self, revision: str) -> Any:
        """Who ran a revision first, if anybody has begun."""
        return await self.database["runs"].find_one({"revision": revision}, sort=[("at", 1)])

    async def runs(self) -> list[tuple[str, int]]:
        """Every run of a revision with the process that ran it, in order."""
        return [(one["revision"], one["pid"]) for one in await self.database["runs"].find().sort("at").to_list(None)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
