"""What a revision has started and not awaited: seen before it is closed as applied, and refused by name.

A call of ``env`` without ``await`` does nothing, a task that nobody awaits may fail and nobody hears
of it: in either case the ledger would say "applied" of what never happened.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

from asyncmig.errors import RevisionError
from asyncmig.files.calling import call as call_of_revision
from asyncmig.running.env.env import Env

__all__ = ["LeftRunning", "StartedWork", "WatchedEnv"]

_TURNS = 3  # of the event loop, for tasks that were just created to begin
_CANCEL_SECONDS = 5.0
_FEW_CALLS = 8  # that are remembered, before it is looked which of them have ended

_Call = Coroutine[Any, Any, Any]


class LeftRunning(RevisionError):
    """Raised when a revision's function has returned, and something that it started has not."""

    def __init__(self, revision: object, what: list[str]) -> None:
        self.revision, self.what = revision, tuple(what)
        super().__init__(
            f"revision {revision} returned, and had not awaited {', '.join(what)}: await all that it starts, "
            "so that it is done when the revision is"
        )


def _noted(name: str, method: Callable[..., _Call]) -> Callable[..., _Call]:
    """A method of env as a run has it: its coroutine is noted before anybody can await it."""

    @functools.wraps(method)
    def call(env: WatchedEnv, *arguments: Any, **named: Any) -> _Call:
        coroutine = method(env, *arguments, **named)
        env.note_call(name, coroutine)
        return coroutine

    return call


def _noting_calls(watched: type[WatchedEnv]) -> type[WatchedEnv]:
    """The class whose public methods note their coroutines: once, for each attribute is looked up many times."""
    for name, method in inspect.getmembers(Env, inspect.iscoroutinefunction):
        if not name.startswith("_"):
            setattr(watched, name, _noted(name, method))
    return watched


@_noting_calls
class WatchedEnv(Env):
    """The ``env`` of a run: it knows which of its calls were never awaited."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._calls: list[tuple[str, _Call]] = []
        self._tidy_at = _FEW_CALLS

    def note_call(self, name: str, coroutine: _Call) -> None:
        """Remember a call until it has come to its end."""
        if len(self._calls) >= self._tidy_at:
            self._forget_ended()
            self._tidy_at = max(2 * len(self._calls), _FEW_CALLS)
        self._calls.append((f"env.{name}()", coroutine))

    def _forget_ended(self) -> None:
        self._calls = [call for call in self._calls if inspect.getcoroutinestate(call[1]) != inspect.CORO_CLOSED]

    @property
    def has_open_calls(self) -> bool:
        """Whether some call has not come to its end."""
        self._forget_ended()
        return bool(self._calls)

    def drop_unawaited(self) -> list[str]:
        """The calls that nobody has awaited; nobody can any more."""
        unawaited = [call for call in self._calls if inspect.getcoroutinestate(call[1]) == inspect.CORO_CREATED]
        for _, coroutine in unawaited:
            coroutine.close()
        return [name for name, _ in unawaited]


class StartedWork:
    """The tasks that come into being while a revision's function runs, in the task that makes this.

    ``others``: those that were there before, kept from one revision of a run to the next.
    """

    def __init__(self, path: Path | None, others: set[asyncio.Task[Any]]) -> None:
        self._path, self._main, self._others = str(path), asyncio.current_task(), others
        if not others:
            others |= asyncio.all_tasks()
        self._callers: set[asyncio.Task[Any]] = set()

    def note_caller(self) -> None:
        """The task that runs now works for the revision: it has called ``env``."""
        task = asyncio.current_task()
        if task is not None and task is not self._main:
            self._callers.add(task)

    async def refuse_unfinished(self, revision: object, env: WatchedEnv) -> None:
        """Raise LeftRunning for what was not awaited, and what an operation raised that nobody heard of.

        Tasks that are not done are cancelled; an operation of theirs that was sent comes to its end.
        """
        if not self._callers and not env.has_open_calls and not self._open_tasks():
            return
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        unawaited, tasks = env.drop_unawaited(), self._open_tasks()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CANCEL_SECONDS)
        if what := [*unawaited, *map(_name, tasks)]:
            raise LeftRunning(revision, what)
        for task in self._callers:
            if not task.cancelled() and getattr(task, "_log_traceback", False) and (error := task.exception()):
                raise error

    def _open_tasks(self) -> list[asyncio.Task[Any]]:
        """The tasks of the revision that are not done."""
        listed = asyncio.all_tasks()
        tasks = [task for task in listed - self._others if self._is_ours(task)]
        if not tasks:
            self._others.clear()
            self._others |= listed
        return tasks

    def _is_ours(self, task: asyncio.Task[Any]) -> bool:
        return task in self._callers or any(code.co_filename == self._path for code in _codes(task.get_coro()))


def _codes(coroutine: Any) -> Iterator[CodeType]:
    """The code of a coroutine, and of those that it awaits; of another run of ours, nothing that a revision does in it.

    It may run the same file on another database, in the same event loop.
    """
    while coroutine is not None:
        code = getattr(coroutine, "cr_code", None)
        if code is None or code is call_of_revision.__code__:
            return
        yield code
        coroutine = getattr(coroutine, "cr_await", None)


def _name(task: asyncio.Task[Any]) -> str:
    coroutine = task.get_coro()
    return f"the task {getattr(coroutine, '__qualname__', coroutine)}"
