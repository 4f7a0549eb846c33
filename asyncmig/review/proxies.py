"""Stand-ins for database, client and collection that let reads through and only note down writes.

Nothing is trusted that is not known to read: a method that is on no list counts as a write and is
not carried out. What a call returns stands in, too, where it leads back to the database.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

from asyncmig.review.raw_call import EmptyCursor, RawCall, answer, member, summary, writes

__all__ = ["Recorder"]

_READS = frozenset(
    {
        *("aggregate", "aggregate_raw_batches", "command", "count_documents", "cursor_command", "dereference"),
        *("distinct", "estimated_document_count", "find", "find_one", "find_raw_batches", "get_collection"),
        *("get_database", "get_default_database", "get_io_loop", "index_information", "list_collection_names"),
        *("list_collections", "list_database_names", "list_databases", "list_indexes", "list_search_indexes"),
        *("options", "server_info", "start_session", "validate_collection", "watch", "with_options"),
    }
)
_LEADING_BACK = ("Client", "Database", "Collection", "ClientSession", "Cursor", "ChangeStream")


class Recorder:
    """Makes the stand-ins for one database, and notes what is called on them in ``actions``."""

    def __init__(self, database: Any, actions: list[Any]) -> None:
        self._own_name = database.name
        self._actions = actions

    def wrap(self, value: Any) -> Any:
        """The stand-in for whatever leads back to the database; any other value as it is."""
        match _kind(value):
            case "":
                return value
            case "Cursor" | "ChangeStream":
                return _CursorProxy(value, self)
            case "ClientSession":
                return _SessionProxy(value, self)
            case _:
                return _Proxy(value, self)

    def returned(self, value: Any) -> Any:
        """The same for what a call returns, at once or when awaited."""
        return self._awaited(value) if inspect.isawaitable(value) else self.wrap(value)

    def note(self, real: Any, method: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Write down a call that is not made."""
        self._actions.append(RawCall(self._path(real), method, summary(arguments, named)))

    async def _awaited(self, value: Any) -> Any:
        return self.wrap(await value)

    def _path(self, real: Any) -> str:
        match _kind(real):
            case "Collection":
                return self._path(real.database) + member(real.name)
            case "Database":
                return "env.db" if real.name == self._own_name else "env.client" + member(real.name)
            case _:
                return "env.client"


class _StandIn:
    """What all stand-ins have: the real object, and its looks."""

    def __init__(self, real: Any, recorder: Recorder) -> None:
        self._real, self._recorder = real, recorder

    @property  # type: ignore[misc]  # object's can be set; nobody sets this one
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # likewise
        """So that isinstance says of the stand-in what it says of the real one."""
        return type(self._real)

    def __repr__(self) -> str:
        return repr(self._real)

    def __eq__(self, other: object) -> bool:
        return bool(self._real == _unwrapped(other))

    def __hash__(self) -> int:
        return hash(self._real)

    def __bool__(self) -> bool:
        return bool(self._real)  # which the drivers refuse for databases and collections

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"{name} is not there while a revision is only being recorded")
        value = getattr(self._real, name)
        if _kind(value) or not callable(value):
            return self._recorder.wrap(value)
        return self._method(name, value)

    def _method(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        raise NotImplementedError

    def _through(self, method: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        plain = {key: _unwrapped(value) for key, value in named.items()}
        return method(*map(_unwrapped, arguments), **plain)


class _Proxy(_StandIn):
    """A client, a database or a collection."""

    def __getitem__(self, name: Any) -> Any:
        return self._recorder.wrap(self._real[name])

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """A method that there is none of: the driver says so."""
        return self._real(*arguments, **named)

    async def __aenter__(self) -> _Proxy:
        return self

    async def __aexit__(self, *details: object) -> None:
        """The client is not closed: it is the user's, and in use."""

    def _method(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            if name in _READS and not writes(name, arguments, named):
                return self._recorder.returned(self._through(method, arguments, named))
            self._recorder.note(self._real, name, arguments, named)
            if name.startswith("aggregate") or name == "cursor_command":
                return EmptyCursor()
            answer = self._told(name, arguments, named)
            return answer if inspect.iscoroutinefunction(method) else asyncio.ensure_future(answer)

        return call

    async def _told(self, name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        if name == "create_collection":
            return self[arguments[0] if arguments else named["name"]]
        return await answer(self._real, name, arguments, {k: v for k, v in named.items() if k != "session"})


class _CursorProxy(_StandIn):
    """A cursor, which knows its collection: that stands in as well."""

    def __aiter__(self) -> Any:
        return self._real.__aiter__()

    async def __anext__(self) -> Any:
        return await self._real.__anext__()

    async def __aenter__(self) -> _CursorProxy:
        await self._real.__aenter__()
        return self

    async def __aexit__(self, *details: Any) -> Any:
        return await self._real.__aexit__(*details)

    def _method(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            result = self._through(method, arguments, named)
            return self if result is self._real else self._recorder.returned(result)

        return call


class _SessionProxy(_StandIn):
    """A session: real, as reads in it are, but with a client that stands in."""

    async def __aenter__(self) -> _SessionProxy:
        await self._real.__aenter__()
        return self

    async def __aexit__(self, *details: Any) -> Any:
        return await self._real.__aexit__(*details)

    async def with_transaction(self, callback: Callable[..., Any], *options: Any, **named: Any) -> Any:
        """Call the callback once: there will be nothing to commit."""
        return await callback(self)

    def _method(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments, **named: self._through(method, arguments, named)


def _kind(value: Any) -> str:
    """Which of the classes that lead back to the database it is of, told by name: both drivers name them alike."""
    cls = type(value)
    if issubclass(cls, _StandIn):
        return ""
    names = [base.__name__ for base in cls.__mro__]
    return next((kind for kind in _LEADING_BACK if any(name.endswith(kind) for name in names)), "")


def _unwrapped(value: Any) -> Any:
    return object.__getattribute__(value, "_real") if issubclass(type(value), _StandIn) else value
