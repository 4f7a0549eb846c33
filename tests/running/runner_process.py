"""A process that runs history and can be killed or stopped at any event of it.

It is started once and forks a child per run, for importing the drivers costs more than a run does. The
parent never opens a client: those do not survive a fork. Jobs come as lines of JSON on stdin, and the
answers go to stdout: what every child heard, how it ended, or the signal that killed it.

A line is a list of jobs, to be run at once. A job: ``history`` (a function of sample_histories.py), ``database``,
``driver``, ``direction``, ``target``, ``lease`` and ``wait`` in seconds; ``unlock``, to break the lock
first; ``snapshots``, to take one of the database at each event. ``known`` are events of earlier runs: the
child dies by SIGKILL at the first that is not among them. ``kill_after``: seconds. ``stop_at``: the event
at which it stops itself by SIGSTOP. ``position``: the number of the position (positions.py), counted from
the lock on, at which it sends itself the signal ``signal``; 0 for a run that only tells how many there are.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import anyio
import pymongo

from asyncmig.errors import AsyncmigError  # the installed one: imported before the path leads to the source tree

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.clients import CLIENTS
from tests.running import at_once, kinds, positions, sample_histories
from tests.running.database_snapshot import sync_snapshot


class Listener:
    """Hears every event of a run, says so to the parent, and dies or stops when its time has come."""

    def __init__(self, url: str, job: dict[str, Any], answer: int) -> None:
        self._known, self._stop_at, self._answer = job.get("known"), job.get("stop_at"), answer
        self.positions: positions.Positions | None = None
        self._looking = pymongo.MongoClient(url)[job["database"]] if job.get("snapshots") else None

    def __call__(self, event: Any) -> None:
        seen = name(event)
        if self.positions is not None:
            self.positions.hear(event)
        snapshot = sync_snapshot(self._looking) if self._looking is not None else ""
        about = getattr(getattr(event, "operation", None), "collection", "")
        say(self._answer, {"event": seen, "about": about, "snapshot": snapshot})
        if self._known is not None and seen not in self._known:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)
        if seen == self._stop_at:
            self._stop_at = None
            os.kill(os.getpid(), signal.SIGSTOP)


async def run(url: str, folder: Path, job: dict[str, Any], answer: int) -> dict[str, Any]:
    database = CLIENTS[job["driver"]](url)[job["database"]]
    name = job.get("history", "twelve")
    histories = {"at_once": at_once.at_once, "kinds": kinds.kinds}
    history = (histories.get(name) or getattr(sample_histories, name))(folder)
    listener = Listener(url, job, answer)
    if "position" in job:
        in_positions(listener, job)
    runner = history.runner(database, lease=job.get("lease", 30.0), wait=job.get("wait", 10.0), on_event=listener)
    if job.get("unlock"):
        await runner._lock.break_lock(force=True)
    went = await getattr(runner, job["direction"])(job["target"])
    names = listener.positions.names if listener.positions is not None else []
    return {"went": [one.revision for one in went], "positions": names}


def in_positions(listener: Listener, job: dict[str, Any]) -> None:
    """For the rest of this process."""

    def act(name: str) -> None:
        os.kill(os.getpid(), getattr(signal, job["signal"]))
        time.sleep(0.05)

    listener.positions = positions.Positions(job["position"], act)
    contextlib.ExitStack().enter_context(positions.told(listener.positions))


def name(event: Any) -> str:
    """The same for the same boundary in every run: ``OperationStarted r03 2``."""
    parts = [type(event).__name__, getattr(getattr(event, "revision", None), "revision", "")]
    if parts[0].startswith("Operation"):
        parts.append(str(event.number))
    return " ".join(parts).strip()


def say(answer: int, what: dict[str, Any]) -> None:
    os.write(answer, f"{json.dumps(what)}\n".encode())


def child(url: str, folder: Path, job: dict[str, Any], answer: int) -> None:
    if after := job.get("kill_after"):
        threading.Timer(after, os.kill, (os.getpid(), signal.SIGKILL)).start()
    try:
        result = asyncio.run(run(url, folder, job, answer))
    except AsyncmigError as error:
        result = {"error": type(error).__name__, "message": str(error)}
    say(answer, result)
    os._exit(0)


def begin(url: str, folder: Path, job: dict[str, Any]) -> tuple[int, int]:
    listening, answer = os.pipe()
    pid = os.fork()
    if not pid:
        child(url, folder, job, answer)
    os.close(answer)
    return pid, listening


def end(pid: int, listening: int) -> dict[str, Any]:
    with os.fdopen(listening) as heard:
        lines = [json.loads(line) for line in heard.read().splitlines()]
    _, status = os.waitpid(pid, 0)
    events = [line for line in lines if "event" in line]
    result = lines[-1] if len(lines) > len(events) else {}
    return {"killed": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0, "events": events, **result}


def prepare() -> None:
    """Import here what every run would import for itself, and keep its memory shared."""
    for name in ("asyncmig.drivers.real", "asyncmig.drivers.own_connection", "typing_extensions"):
        importlib.import_module(name)
    anyio.run(anyio.to_thread.run_sync, os.getpid)
    gc.collect()
    gc.freeze()


def main(url: str, folder: str) -> None:
    prepare()
    for line in sys.stdin:
        jobs = json.loads(line)
        running = [begin(url, Path(folder) / job.get("history", "twelve"), job) for job in jobs]
        print(json.dumps([end(*one) for one in running]), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
