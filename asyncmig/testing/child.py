"""``Child``: the process that watches over a ``mongod``, and through it the server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

__all__ = ["Child", "Signal"]

Signal = Literal["term", "kill"]

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_ANSWER_SECONDS = 30.0
"""Seconds to wait for the supervisor, which kills a server that does not close its files in 10."""


class Child:
    """A server that was started, and cannot outlive this process.

    ``remove``: whether the folder goes when this process dies without having stopped the server.
    """

    def __init__(self, folder: Path, remove: bool, log: Path, command: Sequence[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_SUPERVISOR), str(folder), str(int(remove)), str(log), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is ours: the server must live until we have said our last word to it
            text=True,
        )
        self.pid = self._read_pid()

    @property
    def ended(self) -> bool:
        """Whether the server has ended; its supervisor ends right after it."""
        return self._process.poll() is not None

    def end(self, signal: Signal) -> None:
        """Stop the server and wait until it is gone; one that does not close its files in time is killed."""
        try:
            self._process.communicate(f"{signal}\n", timeout=_ANSWER_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def _read_pid(self) -> int:
        pipe = self._process.stdout
        return int(pipe.readline() or 0) if pipe is not None else 0
