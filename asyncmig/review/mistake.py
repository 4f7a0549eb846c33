"""What to say of an error that a revision raises while it is only being recorded: where, and what was perhaps meant."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any

from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from asyncmig.errors import DeclarationError
from asyncmig.running.env.env import Env

__all__ = ["hint_on", "is_mistake"]

_METHOD_OF_DRIVER = re.compile(r"object is not callable\. If you meant to call the '([\w.]+)' method")
"""How both drivers answer to ``env.db.user.updat_one(...)``, which names a collection."""
_DRIVERS_METHODS = sorted(
    {name for kind in (Collection, Database, MongoClient) for name in dir(kind) if not name.startswith("_")}
)


def hint_on(error: BaseException, file: str) -> str:
    """What goes behind the text of an error: the file and the line, and the nearest name where one is unknown."""
    line = _line(error, file)
    where = f" ({file}:{line})" if line else ""
    near = _meant(error)
    return where + (f"; did you mean {near!r}?" if near else "")


def is_mistake(error: BaseException) -> bool:
    """Whether it is the call itself that is wrong, whatever the database holds."""
    return isinstance(error, DeclarationError) or bool(_signature_of(error)) or _is_unknown_method(error)


def _line(error: BaseException, file: str) -> int | None:
    line, traceback = None, error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == file:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


def _meant(error: BaseException) -> str:
    if _is_unknown_method(error):
        names = [name for name in dir(Env) if not name.startswith("_")]
        return _nearest(str(getattr(error, "name", "")), names)
    if named := _METHOD_OF_DRIVER.search(str(error)):
        return _nearest(named[1].rpartition(".")[2], _DRIVERS_METHODS)
    if method := _signature_of(error):
        parameters = inspect.signature(method).parameters
        unknown = str(error).partition("unexpected keyword argument '")[2].partition("'")[0]
        return _nearest(unknown, parameters) if unknown else ""
    return ""


def _is_unknown_method(error: BaseException) -> bool:
    return isinstance(error, AttributeError) and isinstance(getattr(error, "obj", None), Env)


def _signature_of(error: BaseException) -> Callable[..., Any] | None:
    """The method of env whose arguments a TypeError complains about."""
    if not isinstance(error, TypeError):
        return None
    name = str(error).partition("(")[0].rpartition(".")[2]
    complains = any(word in str(error) for word in ("argument", "positional"))
    return getattr(Env, name, None) if complains and name.isidentifier() and not name.startswith("_") else None


def _nearest(word: str, names: Iterable[str]) -> str:
    return next(iter(get_close_matches(word, list(names), n=1)), "")
