"""What a revision does, told without a database: by running it against an ``env`` that only records, or by its text.

It is run where it asks the database nothing; what it does is then known whatever it computes. A
revision that reads the database, blocks, or cannot be imported here is read call by call.
"""

from __future__ import annotations

import ast
import asyncio
import inspect
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from asyncmig.errors import DeclarationError
from asyncmig.files.module import RevisionModule
from asyncmig.lint.blocking import blocking_calls
from asyncmig.lint.source import EnvCall, Source
from asyncmig.lint.subject import UNKNOWN, Place, RawCall, Recorded, Step
from asyncmig.operations import Operation
from asyncmig.operations.several import spread
from asyncmig.review.unconnected import NeedsDatabase, unconnected_env
from asyncmig.running.env.env import Env

__all__ = ["record"]

_LIMIT_SECONDS = 10.0  # for a function that only makes operations


async def record(source: Source, module: RevisionModule | None, name: str, path: Path, reason: str = "") -> Recorded:
    """What ``upgrade`` or ``downgrade`` (``name``) does; ``module``: None where it cannot be run, for ``reason``."""
    calls = source.calls(name)
    raw = tuple(call for call in calls if isinstance(call, RawCall))
    function = source.functions.get(name)
    shape = Recorded(raw=raw, is_empty=_is_empty(function), only_raises=_only_raises(function))
    if shape.is_empty or shape.only_raises:
        return shape
    faults: dict[Place, str] = {}
    if module is not None and not reason and not (reason := _obstacle(source, name)):
        run = _Run(source, path)
        reason = await run.run(module.upgrade if name == "upgrade" else module.downgrade)
        faults |= run.faults
        if not reason:
            return replace(shape, steps=tuple(run.steps))
    steps, refused = await _read(calls)
    return replace(shape, steps=steps, faults=tuple({**refused, **faults}.items()), reason=reason)


def _obstacle(source: Source, name: str) -> str:
    """Why a function is not run, where its text tells."""
    for function in source.reached(name):
        for call, blocked in blocking_calls(function, source.names):
            return f"it calls {blocked} (line {call.lineno})"
    return ""


class _Run:
    """Runs a function, and writes down each operation with the line that asks for it."""

    def __init__(self, source: Source, path: Path) -> None:
        self._source, self._file = source, str(path)
        self.steps: list[Step] = []
        self.faults: dict[Place, str] = {}

    async def run(self, function: Callable[[Any], Any]) -> str:
        """Run it; why it could not be run to its end, empty where it was."""
        try:
            async with asyncio.timeout(_LIMIT_SECONDS):
                await function(unconnected_env(self._perform))
        except NeedsDatabase:
            return "it reads the database"
        except TimeoutError:
            return f"it takes longer than {_LIMIT_SECONDS:g} s"
        except DeclarationError as error:
            self.faults[self._source.place(self._raised(error))] = str(error)
            return f"line {self._raised(error)} is refused"
        except Exception as error:  # noqa: BLE001  # a revision is the user's code and may raise anything
            return f"it raises {type(error).__name__}: {error} (line {self._raised(error)})"
        return ""

    async def _perform(self, operation: Operation) -> None:
        place = self._source.place(self._line())
        self.steps += (Step(part, place) for part in spread([operation]))

    def _line(self) -> int:
        frame = sys._getframe()
        while frame is not None:
            if frame.f_code.co_filename == self._file:
                return frame.f_lineno
            frame = cast("Any", frame.f_back)
        return 1

    def _raised(self, error: BaseException) -> int:
        """The line of the file at which an error came up."""
        line, traceback = 1, error.__traceback__
        while traceback is not None:
            if traceback.tb_frame.f_code.co_filename == self._file:
                line = traceback.tb_lineno
            traceback = traceback.tb_next
        return line


async def _read(calls: list[EnvCall | RawCall]) -> tuple[tuple[Step, ...], dict[Place, str]]:
    """The operations that the calls of ``env`` ask for, one by one, where their arguments can be read off."""
    steps: list[Step] = []
    faults: dict[Place, str] = {}
    for call in calls:
        if not isinstance(call, EnvCall) or not _is_operation(call) or _is_computed(call):
            continue

        async def note(operation: Operation, place: Place = call.place) -> None:
            steps.extend(Step(part, place) for part in spread([operation]))

        env = unconnected_env(note, collections=set())
        try:
            await cast("Coroutine[Any, Any, Any]", getattr(env, call.method)(*call.arguments, **dict(call.named)))
        except DeclarationError as error:
            if not _mentions_unknown(error):
                faults[call.place] = str(error)
        except Exception:  # noqa: BLE001, S112  # arguments that were read off need not fit
            continue
    return tuple(steps), faults


def _is_operation(call: EnvCall) -> bool:
    return inspect.iscoroutinefunction(getattr(Env, call.method, None))


def _is_computed(call: EnvCall) -> bool:
    """Whether the very first argument, what the operation is about, is not known."""
    first = call.arguments[0] if call.arguments else call.named.get("name", UNKNOWN)
    return not isinstance(first, str)


def _mentions_unknown(error: DeclarationError) -> bool:
    return "..." in error.fault


def _is_empty(function: ast.AsyncFunctionDef | ast.FunctionDef | None) -> bool:
    return function is not None and all(map(_does_nothing, function.body))


def _only_raises(function: ast.AsyncFunctionDef | ast.FunctionDef | None) -> bool:
    body = [statement for statement in function.body if not _does_nothing(statement)] if function else []
    return bool(body) and isinstance(body[0], ast.Raise)


def _does_nothing(statement: ast.stmt) -> bool:
    """``pass``, a docstring, ``...``."""
    is_constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return is_constant or isinstance(statement, ast.Pass)
