"""``LoopThread``: an event loop of its own, in a thread, where fixtures work whatever loop the tests run on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

import pymongo
from anyio.from_thread import BlockingPortal, start_blocking_portal
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from asyncmig.drivers.retry import retry
from asyncmig.testing.clients import Clients
from asyncmig.testing.leftovers import end_transactions

__all__ = ["LoopThread"]

T = TypeVar("T")

_SHORT_SECONDS, _LONG_SECONDS = 2.0, 20.0
_OWN_DRIVER = "pymongo" if hasattr(pymongo, "AsyncMongoClient") else "motor"  # below 4.9 there is Motor alone


class LoopThread:
    """A loop, and clients of the server at ``url`` on it, until the block ends.

    A client of MongoDB belongs to the loop that it was first used on. What prepares a database and
    what drops it has its own, so that no test's loop has to be running, or alive.
    """

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self._name = str(options.get("appname", ""))
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._clients = Clients(url, options)

    def __enter__(self) -> Self:
        self._portal = self._stack.enter_context(start_blocking_portal("asyncio"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.run(self._clients.close)
        self._stack.close()

    def run(self, function: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """What ``function`` gives when it is awaited on the loop."""
        if self._portal is None:
            raise RuntimeError("a LoopThread is used within its `with` block")
        return self._portal.call(function, *arguments)

    def database(self, name: str, driver: str = _OWN_DRIVER) -> Any:
        """A database for functions that :meth:`run` awaits."""
        return self._clients.of(driver)[name]

    def drop(self, name: str) -> None:
        """Drop a database; does nothing where there is none."""
        self.run(self.retry_ending_transactions, self._drop, name)

    async def retry_ending_transactions(self, work: Callable[..., Awaitable[T]], *arguments: Any) -> T:
        """What ``work`` gives, which may be done twice; a transaction that a test has left open ends for it."""
        errors: list[Exception] = []

        async def attempt() -> T:
            is_blocked = bool(errors) and not isinstance(errors[0], ServerSelectionTimeoutError)
            if is_blocked:
                await end_transactions(self._clients.of(_OWN_DRIVER), self._name)
            with pymongo.timeout(_LONG_SECONDS if is_blocked else _SHORT_SECONDS):
                return await work(*arguments)

        return await retry(attempt, times=1, is_retryable=_is_of_the_server, tell=errors.append)

    async def _drop(self, name: str) -> None:
        await self._clients.of(_OWN_DRIVER).drop_database(name)


def _is_of_the_server(error: BaseException) -> bool:
    return isinstance(error, PyMongoError)
