"""``Victims``: the processes of runner_process.py, as the tests ask for them."""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from .history_files import History

__all__ = ["Victims", "proceed", "stopped"]

Answer = dict[str, Any]


class Victims:
    """One server for runs in processes of their own, on the histories in ``folder``."""

    def __init__(self, url: str, folder: Path, histories: dict[str, Any]) -> None:
        for name, write in histories.items():
            history: History = write(folder / name)
            assert history.revisions
        self.url = url
        self._command = [sys.executable, str(Path(__file__).with_name("runner_process.py")), url, str(folder)]
        self._start()

    def _start(self) -> None:
        self._awaited = 0
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        """Kill all of them, the stopped ones, too."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def send(self, *jobs: dict[str, Any]) -> None:
        """Start runs, all at once."""
        if self._awaited:  # a test has failed before its runs had ended
            self._end()
            self._start()
        self._awaited += 1
        assert self._process.stdin is not None
        print(json.dumps(jobs), file=self._process.stdin, flush=True)

    def receive(self) -> list[Answer]:
        """Wait until all of them have ended."""
        assert self._process.stdout is not None
        self._awaited -= 1
        answers: list[Answer] = json.loads(self._process.stdout.readline())
        return answers

    @property
    def have_ended(self) -> bool:
        """Whether all of them have: their answers are there, and not yet received."""
        return bool(select.select([self._process.stdout], [], [], 0)[0])

    def ask(self, **job: Any) -> Answer:
        """One run from beginning to end."""
        return self.ask_all(job)[0]

    def ask_all(self, *jobs: dict[str, Any]) -> list[Answer]:
        """Several at once, all from beginning to end."""
        self.send(*jobs)
        return self.receive()

    async def answers(self) -> list[Answer]:
        """As :meth:`receive`, without standing in the way of the event loop."""
        return await asyncio.to_thread(self.receive)


async def stopped(victims: Victims, database: Any) -> int:
    """The process that holds the lock, as soon as it has been stopped; 0 where all runs have ended without.

    One that the machine did not let run for as long as its lease loses it, and ends before it comes to its moment.
    """
    while not victims.have_ended:
        document = await database["asyncmig_lock"].find_one({"_id": "migration", "owner": {"$ne": None}})
        if document and _state(document["pid"]) == "T":
            return int(document["pid"])
        await asyncio.sleep(0.02)
    return 0


def proceed(pid: int) -> None:
    """Let a stopped process go on."""
    os.kill(pid, signal.SIGCONT)


def _state(pid: int) -> str:
    try:
        listed = Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return ""
    return listed.rpartition(")")[2].split()[0]
