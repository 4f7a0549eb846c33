"""How far an operation on data, or an index build, is: a bar on a terminal, else a line every few seconds."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import time

from asyncmig.cli.console import Console
from asyncmig.cli.fitting import fitted
from asyncmig.events import DataProgress, IndexBuildProgress
from asyncmig.operations.build_progress import BuildProgress
from asyncmig.printable import one_line

__all__ = ["AdvanceLine", "ElapsedLine", "bar", "build_line", "line"]

_LINE_INTERVAL_SECONDS = 5.0  # between two lines
_ELAPSED_INTERVAL_SECONDS = 10.0  # between two lines on what has no progress
_REDRAW_INTERVAL_SECONDS = 1.0  # between two changes of that line on a terminal
_WIDTH, _SHORTEST = 24, 8  # columns of the bar itself


_COUNTS = re.compile(r" \(.*?\)")


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
        pause = _REDRAW_INTERVAL_SECONDS if self._console.err.terminal else _ELAPSED_INTERVAL_SECONDS
        self._timer = loop.call_later(pause, self._tell, loop)

    def _tell(self, loop: asyncio.AbstractEventLoop) -> None:
        passed = _duration(time.monotonic() - self._began)
        if self._console.err.terminal:
            self._console.begin(f"  {self._what} ... {passed}")
        else:
            self._console.say(f"  {fitted('    ', one_line(self._what), f'{passed} so far')}: {passed} so far")
        self._later(loop)


class AdvanceLine:
    """Shows the progress of one operation after the other."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.began()

    def began(self) -> None:
        """Another operation begins."""
        self._told = time.monotonic()

    def show(self, event: DataProgress | IndexBuildProgress) -> None:
        """One word on how far it is."""
        if self._console.err.terminal:
            columns = shutil.get_terminal_size().columns - 1
            self._console.begin(bar(event, columns).ljust(columns))
            return
        interval = _LINE_INTERVAL_SECONDS if isinstance(event, DataProgress) else _ELAPSED_INTERVAL_SECONDS
        if time.monotonic() - self._told >= interval:
            self._told = time.monotonic()
            shown = _line(event)
            self._console.say(f"  {fitted('    ', one_line(event.operation.describe()), shown)}: {shown}")


def _line(event: DataProgress | IndexBuildProgress) -> str:
    return line(event) if isinstance(event, DataProgress) else build_line(event)


def build_line(build: IndexBuildProgress | BuildProgress) -> str:
    """The phase of a build; counts, rate and remaining time of that phase, or for how long it has gone on."""
    if build.done is None:
        who = f" ({', '.join(build.members)})" if build.members else ""
        return f"{build.phase}{who}, {_duration(build.elapsed)}"
    left = f", {_duration(build.remaining)} left" if build.remaining and build.done < (build.total or 0) else ""
    rate = f", {build.rate:,.0f}/s" if build.rate else ""
    if not build.total:
        return f"{build.phase} ({build.done:,}){rate}"
    return f"{build.phase} {min(build.done / build.total, 1.0):.0%} ({build.done:,} of {build.total:,}){rate}{left}"


def line(event: DataProgress) -> str:
    """Counts, rate and remaining time."""
    if event.total is None:
        return f"{event.done:,} documents, {event.rate:,.0f}/s"
    share = event.done / event.total if event.total else 1.0
    left = f", {_duration(event.remaining)} left" if event.remaining is not None and event.done < event.total else ""
    return f"{share:.0%} ({event.done:,} of {event.total:,} documents), {event.rate:,.0f}/s{left}"


def bar(event: DataProgress | IndexBuildProgress, columns: int) -> str:
    """The same, behind a bar and as much of what is being done as there is room for."""
    shown = _line(event)
    if len(shown) > columns - 2:
        shown = _COUNTS.sub("", shown, count=1)
    width = min(columns - len(shown) - 5, _WIDTH) if event.done is not None else 0
    drawn = f"[{_drawn(event, width)}] {shown}" if width >= _SHORTEST else shown
    what = one_line(event.operation.describe())
    room = columns - len(drawn) - 4
    cut = what if len(what) <= room else f"{what[: max(room - 3, 0)]}..."
    return f"  {cut}  {drawn}" if room > 10 else f"  {drawn}"


def _drawn(event: DataProgress | IndexBuildProgress, width: int) -> str:
    share = min((event.done or 0) / event.total, 1.0) if event.total else 0.0
    full = round(share * width)
    return f"{'#' * full}{'.' * (width - full)}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
