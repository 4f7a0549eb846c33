"""Asking for leave before each call that changes something: once before, and once more as it goes onto the wire.

A driver may hold a call back for as long as it likes: it waits for a server, for a connection of the
pool, for a thread; Motor even sends a call whose caller was cancelled long ago. So asking before the
call is not enough. A :class:`Seal` goes along in the command as its ``comment``. The driver encodes a
command right before it writes it to the socket, each time that it does so, and to encode the seal is
to ask again, in whatever thread that happens. What is refused there was never sent.

https://www.mongodb.com/docs/manual/reference/command/ (``comment``)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

__all__ = ["Guard", "GuardedCollection", "Late", "changes", "guarded_call"]

T = TypeVar("T")
Send = Callable[[Mapping[str, Any]], Awaitable[T]]

_READING = frozenset(
    {
        *("buildInfo", "collStats", "connectionStatus", "count", "currentOp", "dbStats", "distinct", "explain"),
        *("find", "getLog", "getMore", "getParameter", "hello", "hostInfo", "killCursors", "killSessions"),
        *("listCollections", "listDatabases", "listIndexes", "ping", "replSetGetStatus", "serverStatus", "validate"),
    }
)
_WRITING_STAGES = frozenset({"$merge", "$out"})
_WRITING_METHODS = frozenset(
    {
        *("bulk_write", "delete_many", "delete_one", "find_one_and_delete", "find_one_and_replace"),
        *("find_one_and_update", "insert_many", "insert_one", "replace_one", "update_many", "update_one"),
    }
)


class Guard(Protocol):
    """Who says whether something may be changed: the lease of the migration lock."""

    async def ensure(self) -> None:
        """Make sure of it, asking the server if need be. Raises LockLost."""
        ...

    def check_sending(self) -> None:
        """The same the moment that a call is sent, from any thread, asking nobody. Raises LockLost, or Late."""
        ...


class Late(Exception):  # no error: the call was not sent, leave is asked for again, and it is sent then
    """Raised where the time for which there was leave is over, and nobody knows yet whether it can be had again."""


class Seal(Mapping[str, Any]):
    """A document that asks ``guard`` when it is encoded."""

    def __init__(self, guard: Guard, comment: object = None) -> None:
        self._guard = guard
        self._fields: dict[str, Any] = {"by": "asyncmig"} | ({"comment": comment} if comment is not None else {})

    def __iter__(self) -> Iterator[str]:
        self._guard.check_sending()
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __repr__(self) -> str:
        return repr(self._fields)


def changes(command: Mapping[str, Any]) -> bool:
    """Whether a command may change something: any that is not known to read only."""
    verb = next(iter(command))
    if verb == "aggregate":
        return any(not _WRITING_STAGES.isdisjoint(stage) for stage in command.get("pipeline", ()))
    return verb not in _READING


async def guarded_call(guard: Guard | None, send: Send[T], comment: object = None) -> T:
    """Send what changes something; ``send`` takes what to add to the call. Raises LockLost, and what it raises."""
    if guard is None:
        return await send({})
    while True:
        await guard.ensure()
        try:
            return await send({"comment": Seal(guard, comment)})
        except Late:
            continue


class GuardedCollection:
    """A collection of either driver, whose writing methods are guarded calls; all others are its own."""

    def __init__(self, collection: Any, guard: Guard) -> None:
        self._collection, self._guard = collection, guard

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._collection, name)
        if name not in _WRITING_METHODS:
            return method

        async def write(*arguments: Any, **options: Any) -> Any:
            comment = options.pop("comment", None)
            return await guarded_call(self._guard, lambda more: method(*arguments, **options, **more), comment)

        return write
