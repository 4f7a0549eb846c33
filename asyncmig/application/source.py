"""Where a door gets its database: the object itself, or a function that makes or finds it."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from asyncmig.drivers import driver_for
from asyncmig.errors import ConfigurationError

__all__ = ["Source", "is_database", "opened"]

Source = Any
"""A database of Motor, PyMongo Async or mongomock-motor; or a function that takes the application, or
nothing, and gives one: at once, awaited, or as an async context manager that is left at shutdown."""

_DRIVERS = frozenset({"motor", "pymongo", "mongomock", "mongomock_motor"})


def is_database(source: Source) -> bool:
    """Whether it is an object of a driver rather than a function (Motor's databases can be called, too).

    Raises DriverError when it is one that cannot be used: a client, a synchronous database.
    """
    if not any(cls.__module__.partition(".")[0] in _DRIVERS for cls in type(source).__mro__):
        return False
    driver_for(source)
    return True


@asynccontextmanager
async def opened(source: Source, app: Any) -> AsyncIterator[Any]:
    """The database, as long as the block lasts; never closed, unless ``source`` is a context manager and does so.

    Raises ConfigurationError when ``source``, or what it gives, is none of what it may be.
    """
    result = source if is_database(source) else _called(source, app)
    if inspect.isawaitable(result):
        result = await result
    if hasattr(type(result), "__aenter__") and not is_database(result):
        async with result as database:
            yield _database(database, source)
    else:
        yield _database(result, source)


def _called(source: Source, app: Any) -> Any:
    if not callable(source):
        raise ConfigurationError(f"a database, or a function that gives one, is needed, not {source!r:.200}")
    return source(app) if _takes_one(source) else source()


def _takes_one(source: Callable[..., Any]) -> bool:
    try:
        inspect.signature(source).bind(None)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True


def _database(result: Any, source: Source) -> Any:
    if inspect.isasyncgen(result) or inspect.isgenerator(result):
        raise ConfigurationError(f"{_name(source)} is a generator; put @contextlib.asynccontextmanager above it")
    if not is_database(result):
        raise ConfigurationError(f"{_name(source)} gave {result!r:.200}, which is no database")
    return result


def _name(source: Source) -> str:
    return getattr(source, "__qualname__", None) or repr(source)[:200]
