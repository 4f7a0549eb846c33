"""``Victims``: the processes of victim.py, as the tests ask for them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .histories import History

__all__ = ["Victims", "proceed", "stopped"]

Answer = dict[str, Any]


class Victims:
    """One server for runs in processes of their own, on the histories in ``folder``."""

    def __init__(self, url: str, folder: Path, histories: dict[str, Any]) -> None:
        for name, write in histories.items():
            history: History = write(folder / name)
            assert history.revisions
        self._awaited = 0
        script = Path(__file__).with_name("victim.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), url, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def send(self, **job: Any) -> None:
        """Start runs."""
        assert self._process.stdin is not None
        while self._awaited:  # left over from a test that failed
            self.receive()
        self._awaited += 1
        print(json.dumps(job), file=self._process.stdin, flush=True)

    def receive(self) -> list[Answer]:
        """Wait until all of them have ended."""
        assert self._process.stdout is not None
        self._awaited -= 1
        answers: list[Answer] = json.loads(self._process.stdout.readline())
        return answers

    def ask(self, **job: Any) -> Answer:
        """One run from beginning to end."""
        self.send(**job)
        return self.receive()[0]

    async def answers(self) -> list[Answer]:
        """As :meth:`receive`, without standing in the way of the event loop."""
        return await asyncio.to_thread(self.receive)


async def stopped(database: Any) -> int:
    """The process that holds the lock, as soon as it has been stopped."""
    for _ in range(500):
        document = await database["asyncmig_lock"].find_one({"_id": "migration", "owner": {"$ne": None}})
        if document and _state(document["pid"]) == "T":
            return int(document["pid"])
        await asyncio.sleep(0.02)
    raise TimeoutError("nobody was stopped")


def proceed(pid: int) -> None:
    """Let a stopped process go on."""
    os.kill(pid, signal.SIGCONT)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
