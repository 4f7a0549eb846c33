"""A coroutine that gets an event loop only when it asks for one.

asyncclick is async throughout, yet ``--help``, ``heads`` or ``history`` never wait for anything.
Importing asyncio and starting a loop would take longer than all that they do, so ``run`` steps
the coroutine by hand, and moves it onto a loop when it awaits ``event_loop()``.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, TypeVar

from asyncmig.errors import AsyncmigError

__all__ = ["LoopStopped", "WorkCancelled", "event_loop", "run"]

T = TypeVar("T")

_WANTED = object()


def event_loop() -> Awaitable[None]:
    """Awaited before the first asyncio call of a command; costs nothing where a loop runs already."""
    return _Request()


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run ``coroutine`` to its end and return its result, on asyncio from the moment that it asks for a loop."""
    try:
        wanted = coroutine.send(None)
    except StopIteration as finished:
        result: T = finished.value
        return result
    if wanted is not _WANTED:
        coroutine.throw(RuntimeError("something was awaited before event_loop()"))

    return _on_a_loop(coroutine)


def _on_a_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """To its end, though the code of a revision stops the loop: by ``loop.stop()``, or ``sys.exit()`` in a task.

    An exit is heard by whoever awaits that task. A loop that was stopped ends the work, as Ctrl-C does: LoopStopped.
    So does a cancellation that has not come from outside: WorkCancelled.
    """
    import asyncio

    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        interrupt: BaseException | None = None
        task = loop.create_task(_rest(coroutine))
        while True:
            try:
                return loop.run_until_complete(task)
            except KeyboardInterrupt as error:
                interrupt = error
                task.cancel()
            except asyncio.CancelledError as error:
                if interrupt is None:
                    raise WorkCancelled() from error
                raise interrupt from None
            except SystemExit:
                if task.done():
                    raise
            except RuntimeError:
                if task.done():
                    raise
                interrupt = LoopStopped()
                task.cancel()


class _EndedFromWithin(AsyncmigError):
    """Raised when a revision's own code has ended the work that it is a part of."""

    exit_code = 7
    what = ""

    def __init__(self) -> None:
        super().__init__(
            f"the code of a revision has {self.what}: it was interrupted there. `asyncmig status` shows what is "
            "half-way; take the call out, and run `asyncmig upgrade` again"
        )


class LoopStopped(_EndedFromWithin):
    """Raised when it has stopped the event loop."""

    what = "stopped the event loop (loop.stop()), on which it and everything else runs"


class WorkCancelled(_EndedFromWithin):
    """Raised when it has cancelled the task that runs it."""

    what = "cancelled the task that runs it (task.cancel())"


class _Request:
    def __await__(self) -> Generator[Any, None, None]:
        asyncio = sys.modules.get("asyncio")
        if asyncio is None or asyncio._get_running_loop() is None:
            yield _WANTED


class _Suspended:
    """A coroutine that has run up to a point, made awaitable again: a plain ``await`` refuses those."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from self._coroutine.__await__())


async def _rest(coroutine: Coroutine[Any, Any, T]) -> T:
    result: T = await _Suspended(coroutine)
    return result
