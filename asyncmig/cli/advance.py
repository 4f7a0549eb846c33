"""How far an operation on data is: a bar on a terminal, else a line every few seconds."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import time

from asyncmig.cli.console import Console
from asyncmig.events import DataProgress
from asyncmig.printable import one_line

__all__ = ["AdvanceLine", "ElapsedLine", "bar", "line"]

_OFTEN = 5.0  # seconds between two lines
_ELAPSED = 10.0  # seconds between two lines on what has no progress
_EACH = 1.0  # seconds between two changes of that line on a terminal
_WIDTH = 24  # columns of the bar itself


class ElapsedLine:
    """How long something takes of which nothing else is known: code of a revision, an index build.

    It tells by itself, as long as the event loop runs; not at all within the first seconds.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._timer: asyncio.TimerHandle | None = None

    def start(self, what: str) -> None:
        """Something begins, and what was before is over."""
        self.stop()
        self._what, self._began = what, time.monotonic()
        with contextlib.suppress(RuntimeError):  # no loop: nobody waits for anything
            self._later(asyncio.get_running_loop())

    def stop(self) -> None:
        """It is over."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _later(self, loop: asyncio.AbstractEventLoop) -> None:
        pause = _EACH if self._console.err.terminal else _ELAPSED
        self._timer = loop.call_later(pause, self._tell, loop)

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        passed = _duration(time.monotonic() - self._began)
        if self._console.err.terminal:
            self._console.begin(f"  {self._what} ... {passed}")
        else:
            self._console.say(f"  {self._what}: {passed} so far")
        self._later(loop)


class AdvanceLine:
    """Shows the progress of one operation after the other."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.began()

    def began(self) -> None:
        """Another operation begins."""
        self._told = time.monotonic()

    def show(self, event: DataProgress) -> None:
        """One word on how far it is."""
        if self._console.err.terminal:
            columns = shutil.get_terminal_size().columns - 1
            self._console.begin(bar(event, columns).ljust(columns))
        elif time.monotonic() - self._told >= _OFTEN:
            self._told = time.monotonic()
            self._console.say(f"  {one_line(event.operation.describe())}: {line(event)}")


def line(event: DataProgress) -> str:
    """Counts, rate and remaining time."""
    if event.total is None:
        return f"{event.done:,} documents, {event.rate:,.0f}/s"
    share = event.done / event.total if event.total else 1.0
    left = f", {_duration(event.remaining)} left" if event.remaining is not None and event.done < event.total else ""
    return f"{share:.0%} ({event.done:,} of {event.total:,} documents), {event.rate:,.0f}/s{left}"


def bar(event: DataProgress, columns: int) -> str:
    """The same with a bar before it, behind as much of what is being done as there is room for."""
    share = min(event.done / event.total, 1.0) if event.total else 0.0
    full = round(share * _WIDTH)
    shown = f"[{'#' * full}{'.' * (_WIDTH - full)}] {line(event)}"
    what = one_line(event.operation.describe())
    room = columns - len(shown) - 4
    cut = what if len(what) <= room else f"{what[: max(room - 3, 0)]}..."
    return f"  {cut}  {shown}" if room > 10 else f"  {shown}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
