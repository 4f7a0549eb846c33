"""The shell and the Python of one page: real processes, in a fresh folder."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

__all__ = ["Session", "TookTooLong"]

_SECONDS = 180
_HERE = Path(__file__).parent


class TookTooLong(Exception):
    """A command that did not end."""


class Session:
    """One bash and one Python, which keep their variables from block to block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._environment = _environment(folder)
        self._end = uuid.uuid4().hex
        self._shell = self._start("bash", "--norc", "--noprofile")
        self._python: subprocess.Popen[bytes] | None = None
        self._send(self._shell, "exec 2>&1\n")

    def run(self, command: str) -> tuple[str, int]:
        """What the command printed, stderr in its place, and its exit code."""
        end = self._end
        script = f'(exit "${{status_of_page:-0}}")\n{{ {command}\n}} </dev/null\nstatus_of_page=$?\n'
        self._send(self._shell, f'{script}printf "%s %d\\n" {end} "$status_of_page"\n')
        printed = self._read(self._shell, lambda text: f"{end} " in text and text.endswith("\n"), command)
        output, _, status = printed.rpartition(f"{end} ")
        return output, int(status)

    def python(self, code: str) -> tuple[str, str]:
        """What the code printed, and its traceback if it raised."""
        if self._python is None:
            self._python = self._start(sys.executable, str(_HERE / "interpreter.py"))
        self._send(self._python, json.dumps(code) + "\n")
        answer = json.loads(self._read(self._python, lambda text: text.endswith("\n"), code).splitlines()[-1])
        return answer["printed"], answer["error"]

    def close(self) -> None:
        """End both, and what they have left running."""
        for process in filter(None, (self._shell, self._python)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=self._folder,
            env=self._environment,
            start_new_session=True,
        )

    def _send(self, process: subprocess.Popen[bytes], text: str) -> None:
        stdin = cast(IO[bytes], process.stdin)
        stdin.write(text.encode())
        stdin.flush()

    def _read(self, process: subprocess.Popen[bytes], complete: Callable[[str], bool], what: str) -> str:
        stdout = cast(IO[bytes], process.stdout)
        read, deadline = b"", time.monotonic() + _SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            while not complete(read.decode(errors="replace")):
                if not selector.select(max(0, deadline - time.monotonic())):
                    raise TookTooLong(f"no end after {_SECONDS} s: {what}")
                chunk = os.read(stdout.fileno(), 65536)
                if not chunk:
                    raise TookTooLong(f"the process ended: {what}\n{read.decode(errors='replace')}")
                read += chunk
        return read.decode(errors="replace")


def _environment(folder: Path) -> dict[str, str]:
    """What a reader has: the program on PATH, a name for git, no settings of asyncmig."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("ASYNCMIG_", "GIT_", "PYTHONPATH"))
    }
    kept["ASYNCMIG_MONGOD"] = os.environ.get("ASYNCMIG_MONGOD", "")
    who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in _ANN.items()}
    return {name: value for name, value in kept.items() if value} | {
        **who,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder.parent),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "init.defaultBranch",
        "GIT_CONFIG_VALUE_0": "main",
        "NO_COLOR": "1",
        "COLUMNS": "200",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",  # a page edits a module twice in one second
        "PYTHONUNBUFFERED": "1",
    }


_ANN = {"NAME": "Ann", "EMAIL": "ann@example.com"}
