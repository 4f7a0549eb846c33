"""A coroutine that gets an event loop only when it asks for one.

asyncclick is async throughout, yet ``--help``, ``heads`` or ``history`` never wait for anything.
Importing asyncio and starting a loop would take longer than all that they do, so ``run`` steps
the coroutine by hand, and moves it onto a loop when it awaits ``event_loop()``.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any, TypeVar

__all__ = ["event_loop", "run"]

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
    """To its end, though the code of a revision stops the loop: by ``loop.stop()``, or ``sys.exit()`` in a task."""
    import asyncio

    with asyncio.Runner() as runner:
        loop, interrupt = runner.get_loop(), None
        task = loop.create_task(_rest(coroutine))
        while True:
            try:
                return loop.run_until_complete(task)
            except KeyboardInterrupt as error:
                interrupt = error
                task.cancel()
            except asyncio.CancelledError:
                if interrupt is None:
                    raise
                raise interrupt from None
            except (RuntimeError, SystemExit):
                if task.done():
                    raise


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
