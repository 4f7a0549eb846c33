"""Ctrl-C and SIGTERM while a command works on the database.

The first one lets the operation that is running come to its end and stops after it; one that works
through documents in batches stops after the batch that is under way, and goes on from there later.
The second cancels it; a third ends the process at once, and leaves the lock to its lease. Whichever
it is, the ledger tells the truth: cancelled work is journalled as started, and settled by the next run.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio

from asyncmig.cli.console import Console
from asyncmig.cli.failures import Interrupted

__all__ = ["Interrupts", "interruptible"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Counts the signals, and stops the work when its time has come."""

    def __init__(self, console: Console, scope: anyio.CancelScope) -> None:
        self._console, self._scope = console, scope
        self._running = ""
        self._divisible = False
        self._count = 0
        self.number = 0
        """The signal that came first; 0 while there was none."""

    def started(self, what: str, *, divisible: bool = False) -> None:
        """Something began that should not be cut in the middle; if ``divisible``, it knows where to stop by itself."""
        self._running, self._divisible = what, divisible

    def finished(self) -> None:
        """It has come to its end; if somebody asked to stop, this is the moment."""
        self._running = ""
        if self.number:
            self._scope.cancel()

    def receive(self, number: int) -> None:
        """Take one signal."""
        self._count += 1
        self.number = self.number or number
        if self._count > 2:
            os._exit(128 + number)
        if self._count == 1 and self._running and self._divisible:
            self._console.warn(f"stopping after the batch that is under way: {self._running}; it can go on from there")
            self._scope.cancel()
        elif self._count == 1 and self._running:
            self._console.warn(f"stopping after this: {self._running}; once more to stop it now")
        else:
            self._console.warn("stopping" if self._count == 1 else "stopping now; what was sent may have been done")
            self._scope.cancel()


@asynccontextmanager
async def interruptible(console: Console) -> AsyncIterator[Interrupts]:
    """A block that SIGINT and SIGTERM stop in an orderly way; raises Interrupted at its end if one came."""
    scope = anyio.CancelScope()
    interrupts = Interrupts(console, scope)
    try:
        with scope, _listening(interrupts):
            yield interrupts
    except Exception as error:
        if scope.cancel_called:
            raise Interrupted(interrupts.number) from error
        raise
    if interrupts.number:
        raise Interrupted(interrupts.number)


@contextmanager
def _listening(interrupts: Interrupts) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    try:
        for number in _SIGNALS:
            loop.add_signal_handler(number, interrupts.receive, number)
    except (NotImplementedError, RuntimeError):  # Windows, or another thread than the main one
        yield
        return
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)
