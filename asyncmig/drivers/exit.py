"""Leaving without the half second that PyMongo's monitor threads sleep away at the end of a process."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["leave_quickly"]


def leave_quickly() -> None:
    """Let the process end without waiting for monitor threads that a closed client has already stopped.

    A synchronous PyMongo client, and so Motor, which wraps one, watches its servers from daemon
    threads that sleep 0.5 s between two looks at their stop flag. ``close()`` sets that flag, yet
    PyMongo's exit hook still joins each of them: 0.7 s for a process that did 0.2 s of work.

    Why nothing is lost. Only executors whose stop flag is set are let go, that is, those of clients
    that were closed; those of any other client are stopped and joined as ever. ``close()`` has by
    then ended the sessions, sent the pending killCursors and closed the sockets, all of it in the
    calling thread; a write never runs in these threads, they send ``hello`` alone. They are daemon
    threads, which CPython ends when they wake during its finalisation. The exit code, exit hooks and
    the flushing of streams stay as they are: nothing here ends the process.

    Where PyMongo's inside looks different, nothing happens but the wait.
    """
    try:
        for executor in [ref() for module in _modules() for ref in module._EXECUTORS]:
            if executor is not None and executor._stopped is True:
                executor.join = _joined
    except (AttributeError, TypeError):
        return


def _modules() -> list[Any]:
    """Where PyMongo keeps its executors: up to 4.10 one place for each kind of client, later one for both."""
    names = (f"pymongo.{part}periodic_executor" for part in ("", "synchronous.", "asynchronous."))
    return [module for name in names if (module := sys.modules.get(name)) is not None]


def _joined(timeout: float | None = None) -> None:
    """Stands for the join of a thread that has nothing left to do but to wake up."""
