"""``RevisionModule``: a revision file that was run, with its two functions checked."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from asyncmig.errors import AsyncmigError
from asyncmig.files.errors import BrokenFile, MissingFunction, NotAsync, NotAwaited, WrongSignature
from asyncmig.files.header import HEADER_NAMES, Header
from asyncmig.history.revision import Revision

__all__ = ["RevisionModule", "executed_header", "load", "run"]

Step = Callable[[Any], Awaitable[object]]

_BARE_CALL = re.compile(r"(?:^|[:;])[^\S\n]*\w+\.[\w.\[\]'\"]+\(", re.MULTILINE)
"""What may be a statement that is a call and no more."""


@dataclass(frozen=True, slots=True)
class RevisionModule:
    """The two functions of a revision file; each takes the env and is awaited. ``source``: the text that was run."""

    upgrade: Step
    downgrade: Step
    revision: Revision
    source: str | None = None
    context: tuple[str, ...] = ()
    """The names that it needs in ``env.context``."""


def run(source: str, path: Path) -> ModuleType:
    """Run a revision file, leaving no bytecode behind and nothing in ``sys.modules``.

    Raises:
        BrokenFile: when it does not compile, or raises anything; the cause is chained.
    """
    module = ModuleType(f"asyncmig_revision_{path.stem}")
    module.__file__ = str(path)
    try:
        code = compile(source, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise BrokenFile(path, f"it does not parse: {error.msg}", error.lineno) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise BrokenFile(path, f"it does not parse: {error}") from None
    try:
        exec(code, module.__dict__)  # noqa: S102 - running revision files is what this is for
    except AsyncmigError:
        raise
    except (Exception, SystemExit) as error:
        raise BrokenFile(path, f"running it fails: {type(error).__name__}: {error}", _line(error, path)) from error
    return module


def _line(error: BaseException, path: Path) -> int | None:
    """The line of the file that was running when the error came up."""
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def executed_header(source: str, path: Path) -> Header:
    """The header of a file whose values are computed, by running it."""
    module = run(source, path)
    values = {name: getattr(module, name) for name in HEADER_NAMES if hasattr(module, name)}
    for function in ("upgrade", "downgrade"):
        _step(module, function, path)
    message = next((line.strip() for line in (module.__doc__ or "").splitlines() if line.strip()), "")
    return Header(path, values, message)


def load(source: str, revision: Revision, path: Path) -> RevisionModule:
    """Run a revision file and take out its functions.

    Raises:
        BrokenFile, MissingFunction, NotAsync, WrongSignature, NotAwaited: when something is wrong with it.
    """
    module = run(source, path)
    upgrade, downgrade = (_step(module, name, path) for name in ("upgrade", "downgrade"))
    if _BARE_CALL.search(source):  # to parse each file a second time would take longer than the rest
        _all_awaited(source, path)
    return RevisionModule(upgrade, downgrade, revision, source, _context(getattr(module, "context", ()), path))


def _context(names: object, path: Path) -> tuple[str, ...]:
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name for name in names):
        raise BrokenFile(path, f"`context` is a list of names, ['HMAC_KEY'], not {names!r}")
    return tuple(names)


def _all_awaited(source: str, path: Path) -> None:
    """Refuse statements that are a call on env, its database or its client, and not awaited."""
    import ast

    for function in ast.parse(source).body:
        if not isinstance(function, ast.AsyncFunctionDef) or function.name not in ("upgrade", "downgrade"):
            continue
        given = function.args.posonlyargs + function.args.args
        env = given[0].arg if given else "env"
        for statement in ast.walk(function):
            if isinstance(statement, ast.Expr) and isinstance(call := statement.value, ast.Call):
                called = ast.unparse(call.func)
                if called.startswith(f"{env}.") and not called.startswith((f"{env}.collections.", f"{env}.session.")):
                    raise NotAwaited(path, function.name, statement.lineno, called)


def _is_as_ever(code: CodeType) -> bool:
    """Whether this is an ``async def`` of one parameter; to ask ``inspect`` takes thirty times as long."""
    kind = code.co_flags & (inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR)
    return kind == inspect.CO_COROUTINE and (code.co_argcount, code.co_kwonlyargcount) == (1, 0)


def _step(module: ModuleType, name: str, path: Path) -> Step:
    function = getattr(module, name, None)
    if function is None:
        raise MissingFunction(path, name)
    if type(function) is FunctionType and _is_as_ever(function.__code__):
        return function
    line = getattr(getattr(function, "__code__", None), "co_firstlineno", None)
    if inspect.isasyncgenfunction(function):
        raise NotAsync(path, name, line, "an async generator (it has a `yield`)")
    if not inspect.iscoroutinefunction(function):
        kind = "a plain `def`" if inspect.isfunction(function) else f"a {type(function).__name__}"
        raise NotAsync(path, name, line, kind)
    signature = inspect.signature(function)
    try:
        signature.bind(None)
    except TypeError:
        raise WrongSignature(path, name, line, str(signature)) from None
    step: Step = function
    return step
