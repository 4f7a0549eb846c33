"""A connection that no work can keep busy: a second client of the same server, for the migration lock alone.

The caller's client may have a pool of one connection, which an index build keeps for an hour; Motor
has a pool of threads besides, and a few long operations at once fill it. Its time-outs may be shorter
than a lease, or there may be none. So the lock is taken, renewed and released by a client of its own,
made from the same URL and options. It is closed with the lock, and with it goes whatever it had still
to send.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar

import anyio
import pymongo
from anyio.to_thread import run_sync

from asyncmig.drivers.base import Connection

__all__ = ["connection_in_threads", "connection_of", "copied", "options", "shared"]

T = TypeVar("T")
Open = Callable[[Any, str], Any]
"""A database and the name of a collection: the collection, with the concerns of asyncmig's own documents."""

_CLOSE_SECONDS = 1.0  # to tell the server that the sessions are not used any more
_METHODS = ("find_one", "find_one_and_update", "update_one")


def options(client_options: Any, seconds: float) -> Mapping[str, Any]:
    """What such a client has of its own; no call of it takes longer than ``seconds``, whatever the URL says."""
    milliseconds = max(int(seconds * 1000), 1)
    selection = min(int(client_options.server_selection_timeout * 1000), milliseconds)
    return {
        "auto_encryption_opts": None,
        "connectTimeoutMS": milliseconds,
        "maxPoolSize": 3,
        "minPoolSize": 0,
        "serverSelectionTimeoutMS": selection,
        "socketTimeoutMS": milliseconds,
        "timeoutMS": None,
        "waitQueueTimeoutMS": milliseconds,
    }


def copied(client: Any, wanted: Mapping[str, Any]) -> Any:
    """A client of PyMongo's like another one, but for what is ``wanted`` of it.

    PyMongo shows nobody the password of a client, so it alone can copy one, by a method that it makes no
    promise of. Raises AttributeError or TypeError where that is not what it was; whoever calls this can do without.
    """
    return client._duplicate(**wanted)


class _Shared:
    is_own = False

    def __init__(self, collection: Callable[[str], Any]) -> None:
        self._collection = collection

    def collection(self, name: str) -> Any:
        """A collection by the caller's own client."""
        return self._collection(name)

    async def close(self) -> None: ...


def shared(collection: Callable[[str], Any]) -> Connection:
    """No connection of its own: the collections are the caller's client's."""
    return _Shared(collection)


class _Own:
    is_own = True

    def __init__(self, client: Any, database: str, open_collection: Open) -> None:
        self._client, self._database, self._open = client, database, open_collection

    def collection(self, name: str) -> Any:
        return self._open(self._client[self._database], name)

    async def close(self) -> None:
        with pymongo.timeout(_CLOSE_SECONDS):
            await self._client.close()


async def connection_of(database: Any, open_collection: Open, seconds: float) -> Connection:
    """One of PyMongo Async."""
    client = database.client
    return _Own(copied(client, options(client.options, seconds)), database.name, open_collection)


class _InThreads(_Own):
    """A client that is synchronous, each call of it in a thread that nothing else uses."""

    def __init__(self, client: Any, database: str, open_collection: Open) -> None:
        super().__init__(client, database, open_collection)
        self._threads = anyio.CapacityLimiter(3)

    def collection(self, name: str) -> Any:
        return _Collection(super().collection(name), self._call)

    async def _call(self, function: Callable[[], T]) -> T:
        return await run_sync(function, abandon_on_cancel=True, limiter=self._threads)

    async def close(self) -> None:
        with pymongo.timeout(_CLOSE_SECONDS):
            await run_sync(self._client.close, abandon_on_cancel=True)


class _Collection:
    def __init__(self, collection: Any, call: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        self._collection, self._call = collection, call

    def __getattr__(self, name: str) -> Any:
        if name not in _METHODS:
            raise AttributeError(name)
        method = getattr(self._collection, name)
        return lambda *arguments, **named: self._call(partial(method, *arguments, **named))


async def connection_in_threads(database: Any, open_collection: Open, seconds: float) -> Connection:
    """One of Motor, whose own calls share their threads with the work."""
    delegate = database.client.delegate
    wanted = options(database.client.options, seconds)
    copying = asyncio.ensure_future(run_sync(copied, delegate, wanted))  # a name may have to be looked up for it
    try:
        client = await asyncio.shield(copying)
    except asyncio.CancelledError:
        copying.add_done_callback(_close)
        raise
    return _InThreads(client, database.name, open_collection)


def _close(copying: asyncio.Future[Any]) -> None:
    """Of a client that is there when nobody waits for it any more."""
    if not copying.cancelled() and copying.exception() is None:
        asyncio.get_running_loop().run_in_executor(None, copying.result().close)
