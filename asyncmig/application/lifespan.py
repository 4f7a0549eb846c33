"""``lifespan``: a start-up for any framework whose lifespan is a function that returns an async context manager."""

from __future__ import annotations

import inspect
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any, Unpack

from asyncmig.application.log import logger, reason
from asyncmig.application.options import Options
from asyncmig.application.policy import StartupPolicy, checked, chosen
from asyncmig.application.source import Source, is_database, opened
from asyncmig.application.startup import startup
from asyncmig.drivers.usable import UnusableClient
from asyncmig.errors import ConfigurationError

__all__ = ["Lifespan", "lifespan"]

State = Mapping[str, Any] | None
Lifespan = Callable[[Any], AbstractAsyncContextManager[State]]

_NOT_THERE_YET = (
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ConfigurationError,
    UnusableClient,  # of the start before this one, which has left it in the application
)


def lifespan(
    database: Source,
    policy: StartupPolicy = "check",
    *,
    wrap: Lifespan | None = None,
    timeout: float | None = None,
    allow_ahead: bool = True,
    **options: Unpack[Options],
) -> Lifespan:
    """A lifespan that brings the database where this release expects it before the application serves.

    ``database``: a database, or a function of the application (or of nothing) that gives one: at
    once, awaited, or as an async context manager that stays open until shutdown. The other arguments
    are those of :func:`asyncmig.startup`.

    ``wrap``: the application's own lifespan. It begins *after* the start-up, so that what it does
    (``init_beanie``, filling caches) finds the schema; what it yields is passed on. Where the
    database only exists inside it, so that ``database`` fails or gives None before, it begins first
    and ``database`` is asked again.

    Needs no FastAPI: Starlette and Litestar take the same. Raises ConfigurationError for a policy
    that there is not, DriverError for a client in place of a database.
    """
    checked(policy)
    if callable(database) or is_database(database):
        begin = _decorated(wrap)
    else:
        raise ConfigurationError(f"lifespan takes a database, or a function that gives one, not {database!r:.200}")

    @asynccontextmanager
    async def run(app: Any) -> AsyncIterator[State]:
        with _told():
            chosen(policy, os.environ)
        async with AsyncExitStack() as stack:
            ready = await _early(stack, database, app) if begin else await _opened(stack, database, app)
            state: State = None
            if begin and ready is None:
                state = await stack.enter_async_context(begin(app))
                ready = await _opened(stack, database, app)
                await startup(ready, policy, timeout=timeout, allow_ahead=allow_ahead, **options)
            else:
                await startup(ready, policy, timeout=timeout, allow_ahead=allow_ahead, **options)
                state = await stack.enter_async_context(begin(app)) if begin else None
            yield state

    return run


def _decorated(wrap: Any) -> Lifespan | None:
    """The wrapped lifespan; a bare async generator function, as older Starlette took it, is dressed up."""
    return asynccontextmanager(wrap) if inspect.isasyncgenfunction(wrap) else wrap


async def _early(stack: AsyncExitStack, database: Source, app: Any) -> Any | None:
    """The database before the wrapped lifespan has begun; None where it is not there yet."""
    try:
        return await stack.enter_async_context(opened(database, app))
    except _NOT_THERE_YET as error:
        logger.debug("the database is not there before the wrapped lifespan has begun: %s", reason(error))
        return None


async def _opened(stack: AsyncExitStack, database: Source, app: Any) -> Any:
    with _told():
        return await stack.enter_async_context(opened(database, app))


@contextmanager
def _told() -> Iterator[None]:
    """A block that tells why it fails, as :func:`startup` does itself."""
    try:
        yield
    except Exception as error:
        logger.error("start-up refused: %s", reason(error))
        raise
