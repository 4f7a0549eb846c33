"""An error for programs: its name, the exit code, the message, and the facts that the message is made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import asyncclick as click

from asyncmig.errors import AsyncmigError

__all__ = ["error_document"]

_LEFT_OUT: Final = frozenset({"args", "details", "filename", "strerror", "errno", "name", "obj", "ctx", "param"})
"""What a server says in full may hold documents; the others are Python's and click's own."""
_REVISIONS: Final = frozenset({"ahead", "heads", "pending", "revisions", "unknown"})
"""Facts that are revisions, be they ids, a mapping of ids to messages, or revisions."""


def error_document(error: BaseException, *, code: str | None = None) -> dict[str, Any]:
    """The value of ``error`` in what ``--json`` prints: ``code``, ``exit_code``, ``message``, ``notes``, ``facts``."""
    return {
        "code": code or _code(error),
        "exit_code": int(getattr(error, "exit_code", 1)),
        "message": _message(error),
        "notes": [str(note) for note in getattr(error, "__notes__", ())],
        "facts": _facts(error),
    }


def _code(error: BaseException) -> str:
    """The name of the error's class, of its first public one; one name for all faults of usage, one for our own."""
    if isinstance(error, click.ClickException):
        return "UsageError"
    if isinstance(error, AsyncmigError) or hasattr(error, "exit_code"):
        return next(cls.__name__ for cls in type(error).__mro__ if not cls.__name__.startswith("_"))
    return "InternalError"


def _message(error: BaseException) -> str:
    if isinstance(error, click.ClickException):
        return error.format_message()
    if isinstance(error, AsyncmigError) or hasattr(error, "exit_code"):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _facts(error: BaseException) -> dict[str, Any]:
    if isinstance(error, click.ClickException):
        context = getattr(error, "ctx", None)
        return {"command": context.command_path} if context is not None else {}
    if not (isinstance(error, AsyncmigError) or hasattr(error, "exit_code")):
        return {"type": type(error).__name__}
    return {
        name: _revisions(value) if name in _REVISIONS else _fact(value)
        for name, value in vars(error).items()
        if not name.startswith("_") and name not in _LEFT_OUT and name != "exit_code"
    }


def _revisions(value: Any) -> Any:
    if isinstance(value, Mapping):
        return [{"revision": str(name), "message": str(message)} for name, message in value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return [{"revision": item} if isinstance(item, str) else _fact(item) for item in value]
    return _fact(value)


def _fact(value: Any) -> Any:
    """A fact as JSON has it."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, Mapping):
        return {str(name): _fact(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_fact(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(_fact(item) for item in value)
    return _named(value)


def _named(value: Any) -> Any:
    """An operation, a revision, something that is lost; else its own words."""
    if callable(describe := getattr(value, "describe", None)):
        collection = getattr(value, "collection", None)
        return {"operation": type(value).__name__, "collection": collection, "description": describe()}
    if hasattr(value, "down_revision"):
        return {
            "revision": value.revision,
            "message": getattr(value, "message", ""),
            "down_revision": list(value.down_revision),
        }
    return str(value)
