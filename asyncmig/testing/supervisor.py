"""The child that starts a ``mongod`` and ends it when the process that asked for it is gone.

Run as a script, never imported: ``python -I -S supervisor.py FOLDER REMOVE LOG MONGOD ARGUMENT...``.
It prints the pid of the server, and ends when the server has ended. A line on stdin, ``term`` or
``kill``, stops the server. The end of stdin without it means that the parent is gone, in whatever way,
a SIGKILL too: the kernel closes the pipe. The server is then stopped, and its folder deleted if
REMOVE is ``1``.

Why a process and a pipe: it works on every system, it needs no thread of the parent to live, and it
sends signals to a child of its own, so never to a stranger that got the pid. (Linux's
PR_SET_PDEATHSIG alone would not do: it fires when the *thread* that forked ends.) Here, in a process
of one thread, that option is sound: it covers the case that this process itself is killed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

CLOSE_SECONDS = 10.0
"""Seconds that a server whose data are kept has to close its files before it is killed."""

OPEN_FILES = 64_000
"""Open files that MongoDB asks for. It needs one for each collection and each index, and ends itself when
there are no more; systems allow a process 256 or 1,024 unless it asks for the rest of its share."""

Server = subprocess.Popen[bytes]


def main(folder: str, remove: str, log: str, *command: str) -> int:
    """Run the command to its end, or to the end of the parent."""
    with open(log, "ab") as output:
        os.dup2(output.fileno(), sys.stderr.fileno())  # whatever goes wrong here is told there
        _allow_files()
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=_dying_with_us()
        )
    print(server.pid, flush=True)
    orphaned = threading.Event()
    for watch in (_obey, _watch_parent, _end_orphan):
        threading.Thread(target=watch, args=(server, orphaned, remove == "1"), daemon=True).start()
    server.wait()
    if orphaned.is_set() and remove == "1":
        shutil.rmtree(folder, ignore_errors=True)
    return 0


def _allow_files() -> None:
    """Let the server open as many files as we may let it."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (OPEN_FILES, 10_240):  # the second is what macOS allows where it calls its limit infinite
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft == resource.RLIM_INFINITY or soft >= most:
            return
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
            return


def _dying_with_us() -> Callable[[], object] | None:
    if sys.platform != "linux":
        return None
    import ctypes

    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    return None if prctl is None else lambda: prctl(1, signal.SIGKILL)


def _obey(server: Server, orphaned: threading.Event, remove: bool) -> None:
    line = sys.stdin.readline()
    if line:
        _stop(server, seconds=CLOSE_SECONDS if line == "term\n" else 0.0)
    else:
        orphaned.set()


def _watch_parent(server: Server, orphaned: threading.Event, remove: bool) -> None:
    """Notice a dead parent whose end of the pipe lives on in a process that it forked."""
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1.0)
    orphaned.set()


def _end_orphan(server: Server, orphaned: threading.Event, remove: bool) -> None:
    orphaned.wait()
    _stop(server, seconds=0.0 if remove else CLOSE_SECONDS)


def _stop(server: Server, seconds: float) -> None:
    if seconds:
        server.terminate()
        time.sleep(seconds)
    server.kill()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
