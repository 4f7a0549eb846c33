"""What a revision has started and not awaited: seen before it is closed as applied, and refused by name.

A call of ``env`` without ``await`` does nothing, a task that nobody awaits may fail and nobody hears
of it: in either case the ledger would say "applied" of what never happened.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Coroutine, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from asyncmig.errors import RevisionError
from asyncmig.running.env.env import Env

__all__ = ["NotAwaited", "StartedWork", "WatchedEnv"]

_TURNS = 3  # of the event loop, for tasks that were just created to begin
_CANCEL_SECONDS = 5.0


class NotAwaited(RevisionError):
    """Raised when a revision's function has returned, and something that it started has not."""

    def __init__(self, revision: object, what: list[str]) -> None:
        self.revision, self.what = revision, tuple(what)
        super().__init__(
            f"revision {revision} returned, and had not awaited {', '.join(what)}: await all that it starts, "
            "so that it is done when the revision is"
        )


class WatchedEnv(Env):
    """The ``env`` of a run: it knows which of its calls were never awaited."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._calls: list[tuple[str, Coroutine[Any, Any, Any]]] = []

    def __getattribute__(self, name: str) -> Any:
        value = super().__getattribute__(name)
        if name.startswith("_") or not inspect.iscoroutinefunction(value):
            return value

        def call(*arguments: Any, **named: Any) -> Coroutine[Any, Any, Any]:
            coroutine: Coroutine[Any, Any, Any] = value(*arguments, **named)
            self._forget_ended()
            self._calls.append((f"env.{name}()", coroutine))
            return coroutine

        return call

    def _forget_ended(self) -> None:
        self._calls = [one for one in self._calls if inspect.getcoroutinestate(one[1]) != inspect.CORO_CLOSED]

    @property
    def has_open_calls(self) -> bool:
        """Whether some call has not come to its end."""
        self._forget_ended()
        return bool(self._calls)

    def drop_unawaited(self) -> list[str]:
        """The calls that nobody has awaited; nobody can any more."""
        unawaited = [one for one in self._calls if inspect.getcoroutinestate(one[1]) == inspect.CORO_CREATED]
        for _, coroutine in unawaited:
            coroutine.close()
        return [name for name, _ in unawaited]


class StartedWork:
    """The tasks that come into being while a revision's function runs, in the task that makes this."""

    def __init__(self, path: Path | None) -> None:
        self._path, self._main = str(path), asyncio.current_task()
        self._before = asyncio.all_tasks()
        self._callers: set[asyncio.Task[Any]] = set()

    def note_caller(self) -> None:
        """The task that runs now works for the revision: it has called ``env``."""
        task = asyncio.current_task()
        if task is not None and task is not self._main:
            self._callers.add(task)

    async def refuse_unfinished(self, revision: object, env: WatchedEnv) -> None:
        """Raise NotAwaited for what was not awaited, and what an operation raised that nobody heard of.

        Tasks that are not done are cancelled; an operation of theirs that was sent comes to its end.
        """
        if not self._callers and not env.has_open_calls and not self._new():
            return
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        unawaited, tasks = env.drop_unawaited(), self._new()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CANCEL_SECONDS)
        if what := [*unawaited, *map(_name, tasks)]:
            raise NotAwaited(revision, what)
        for task in self._callers:
            if not task.cancelled() and getattr(task, "_log_traceback", False) and (error := task.exception()):
                raise error

    def _new(self) -> list[asyncio.Task[Any]]:
        """The tasks of the revision that are not done."""
        listed = asyncio.all_tasks() - self._before
        return [task for task in listed if not task.done() and (task in self._callers or self._is_of_file(task))]

    def _is_of_file(self, task: asyncio.Task[Any]) -> bool:
        return any(code.co_filename == self._path for code in _codes(task.get_coro()))


def _codes(coroutine: Any) -> Iterator[CodeType]:
    """The code of a coroutine, and of those that it awaits."""
    while coroutine is not None:
        code = getattr(coroutine, "cr_code", None)
        if code is None:
            return
        yield code
        coroutine = getattr(coroutine, "cr_await", None)


def _name(task: asyncio.Task[Any]) -> str:
    coroutine = task.get_coro()
    return f"the task {getattr(coroutine, '__qualname__', coroutine)}"
