"""A process that runs history and can be killed at any event of it: started once, it forks one child per job.

Jobs come as lines of JSON on stdin, and an answer goes to stdout for each. Importing the drivers costs
more than a run, so the imports are done once; the parent never opens a client, as those do not
survive a fork. A job: ``database``, ``driver``, ``direction``, ``target``, ``lease``, ``wait``;
``known``, events of earlier runs: the process dies by SIGKILL at the first one that is not among them;
``kill_after``, seconds; ``unlock``, to break the lock first; ``pictures``, to take one of the database at
each event.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import motor.motor_asyncio
import pymongo

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from asyncmig.errors import AsyncmigError
from tests.running.twelve import picture, twelve

CLIENTS = {"motor": motor.motor_asyncio.AsyncIOMotorClient, "pymongo": pymongo.AsyncMongoClient}


async def run(url: str, folder: Path, job: dict[str, Any], answer: int) -> dict[str, Any]:
    known = job.get("known")
    looking = pymongo.MongoClient(url)[job["database"]] if job.get("pictures") else None

    def hear(event: Any) -> None:
        seen = {"event": name(event), "picture": picture(looking) if looking is not None else ""}
        os.write(answer, f"{json.dumps(seen)}\n".encode())
        if known is not None and seen["event"] not in known:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)

    database = CLIENTS[job["driver"]](url)[job["database"]]
    history = twelve(folder)
    runner = history.runner(database, lease=job.get("lease", 30.0), wait=job.get("wait", 10.0), on_event=hear)
    if job.get("unlock"):
        await runner._lock.break_lock(force=True)
    went = await getattr(runner, job["direction"])(job["target"])
    return {"went": [one.revision for one in went]}


def name(event: Any) -> str:
    """The same for the same boundary in every run: ``OperationStarted r03 2``."""
    parts = [type(event).__name__, getattr(getattr(event, "revision", None), "revision", "")]
    if parts[0].startswith("Operation"):
        parts.append(str(event.number))
    return " ".join(parts).strip()


def child(url: str, folder: Path, job: dict[str, Any], answer: int) -> None:
    if after := job.get("kill_after"):
        threading.Timer(after, os.kill, (os.getpid(), signal.SIGKILL)).start()
    try:
        result = asyncio.run(run(url, folder, job, answer))
    except AsyncmigError as error:
        result = {"error": type(error).__name__, "message": str(error)}
    os.write(answer, f"{json.dumps(result)}\n".encode())
    os._exit(0)


def main(url: str, folder: str) -> None:
    for line in sys.stdin:
        listening, answer = os.pipe()
        pid = os.fork()
        if not pid:
            child(url, Path(folder), json.loads(line), answer)
        os.close(answer)
        with os.fdopen(listening) as heard:
            lines = [json.loads(line) for line in heard.read().splitlines()]
        _, status = os.waitpid(pid, 0)
        events = [line for line in lines if "event" in line]
        result = lines[-1] if len(lines) > len(events) else {}
        killed = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
        print(json.dumps({"killed": killed, "events": events, **result}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
