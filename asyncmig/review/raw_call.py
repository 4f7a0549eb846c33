"""``RawCall``: a write that a revision would make on the driver itself, and the answer it gets meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from keyword import iskeyword
from typing import Any

from bson import ObjectId
from pymongo import InsertOne
from pymongo.errors import PyMongoError
from pymongo.results import BulkWriteResult, DeleteResult, InsertManyResult, InsertOneResult, UpdateResult

from asyncmig.schema.index import Index

__all__ = ["EmptyCursor", "RawCall", "answer", "member", "summary", "writes"]

_MAX_ARGUMENT_CHARACTERS = 100  # of one argument
_COUNT_MS = 2000  # for counting what an update would match
_WRITING_STAGES = frozenset({"$merge", "$out"})
_READING_COMMANDS = frozenset(
    {
        *("aggregate", "buildinfo", "collstats", "connectionstatus", "count", "datasize", "dbhash", "dbstats"),
        *("distinct", "explain", "find", "getcmdlineopts", "getlog", "getmore", "getparameter", "hello", "hostinfo"),
        *("ismaster", "listcollections", "listcommands", "listdatabases", "listindexes", "ping", "replsetgetstatus"),
        *("rolesinfo", "serverstatus", "top", "usersinfo", "whatsmyuri"),
    }
)


@dataclass(frozen=True, slots=True)
class RawCall:
    """A call on ``env.db`` or ``env.client`` that writes, as a plan shows it.

    ``target``: what it is called on, ``env.db.wallet`` for example; ``summary``: its arguments,
    long ones cut short.
    """

    target: str
    method: str
    summary: str

    def describe(self) -> str:
        """One line for people."""
        return f"{self.target}.{self.method}({self.summary})"


class EmptyCursor:
    """What a pipeline that ends in ``$out`` or ``$merge`` answers: nothing, awaited or not."""

    alive = False

    def __await__(self) -> Any:
        return self
        yield  # makes it a generator, as __await__ has to return

    def __aiter__(self) -> EmptyCursor:
        return self

    async def __anext__(self) -> Any:
        raise StopAsyncIteration

    async def __aenter__(self) -> EmptyCursor:
        return self

    async def __aexit__(self, *details: object) -> None: ...

    async def to_list(self, length: int | None = None) -> list[Any]:
        """No document."""
        return []

    async def close(self) -> None:
        """Nothing to close."""


def writes(method: str, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> bool:
    """Whether a call of one of the methods that may or may not write does so: ``aggregate``, ``command``."""
    if method.startswith("aggregate"):
        return _pipeline_writes(arguments[0] if arguments else named.get("pipeline"))
    if method not in {"command", "cursor_command"}:
        return False
    command = arguments[0] if arguments else named.get("command")
    parts: dict[str, Any] = dict(command) if isinstance(command, Mapping) else {str(command): None}
    verb = next(iter(parts), "").lower()
    return verb not in _READING_COMMANDS or _pipeline_writes({**parts, **named}.get("pipeline"))


def summary(arguments: Iterable[Any], named: Mapping[str, Any]) -> str:
    """The arguments as text, each cut to a readable length, without the session."""
    shown = [_short(value) for value in arguments]
    shown += [f"{key}={_short(value)}" for key, value in named.items() if key != "session"]
    return ", ".join(shown)


def member(name: str) -> str:
    """``.wallet`` or ``["a-b"]``: how Python reaches a member of that name."""
    return f".{name}" if name.isidentifier() and not iskeyword(name) and not name.startswith("_") else f'["{name}"]'


async def answer(real: Any, method: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """A plausible answer to a write that is not made: acknowledged, with the counts that the data gives now."""
    maker = _ANSWERS.get(method)
    return await maker(real, _Arguments(arguments, named)) if maker else None


@dataclass(frozen=True, slots=True)
class _Arguments:
    given: tuple[Any, ...]
    named: Mapping[str, Any]

    def get(self, place: int, name: str, default: Any = None) -> Any:
        return self.given[place] if len(self.given) > place else self.named.get(name, default)


def _pipeline_writes(pipeline: Any) -> bool:
    stages = pipeline if isinstance(pipeline, list | tuple) else ()
    return any(isinstance(stage, Mapping) and _WRITING_STAGES & set(stage) for stage in stages)


def _short(value: Any) -> str:
    if isinstance(value, list | tuple) and len(value) > 3:
        return f"[{len(value)} items]"
    text = repr(value)
    return text if len(text) <= _MAX_ARGUMENT_CHARACTERS else f"{text[: _MAX_ARGUMENT_CHARACTERS - 3]}..."


def _identify(document: Any) -> Any:
    """The ``_id``; given to a document without one, as the driver does when it inserts."""
    if isinstance(document, MutableMapping) and "_id" not in document:
        document["_id"] = ObjectId()
    return document.get("_id") if isinstance(document, Mapping) else None


async def _insert_one(real: Any, arguments: _Arguments) -> InsertOneResult:
    return InsertOneResult(_identify(arguments.get(0, "document")), acknowledged=True)


async def _insert_many(real: Any, arguments: _Arguments) -> InsertManyResult:
    return InsertManyResult([_identify(document) for document in arguments.get(0, "documents", ())], acknowledged=True)


def _update(limit: int) -> Callable[[Any, _Arguments], Awaitable[UpdateResult]]:
    async def update(real: Any, arguments: _Arguments) -> UpdateResult:
        matched = await _count(real, arguments, limit)
        reply: dict[str, Any] = {"n": matched, "nModified": matched}
        if not matched and arguments.get(2, "upsert"):
            reply |= {"n": 1, "upserted": ObjectId()}
        return UpdateResult(reply, acknowledged=True)

    return update


def _delete(limit: int) -> Callable[[Any, _Arguments], Awaitable[DeleteResult]]:
    async def delete(real: Any, arguments: _Arguments) -> DeleteResult:
        return DeleteResult({"n": await _count(real, arguments, limit)}, acknowledged=True)

    return delete


async def _count(real: Any, arguments: _Arguments, limit: int) -> int:
    options = {"limit": limit} if limit else {"maxTimeMS": _COUNT_MS}
    try:
        return int(await real.count_documents(arguments.get(0, "filter"), **options))
    except (PyMongoError, NotImplementedError, TypeError):
        return 0


async def _as_it_is(real: Any, arguments: _Arguments) -> Any:
    """``find_one_and_...``: the document that would be found, before it is changed."""
    kept = {key: value for key, value in arguments.named.items() if key in {"projection", "sort"}}
    return await real.find_one(arguments.get(0, "filter"), **kept)


async def _bulk_write(real: Any, arguments: _Arguments) -> Any:
    requests = arguments.get(0, "requests", arguments.named.get("models", ()))
    nothing = dict.fromkeys(("nMatched", "nModified", "nRemoved", "nUpserted"), 0)
    inserted = sum(isinstance(request, InsertOne) for request in requests)
    return BulkWriteResult({**nothing, "nInserted": inserted, "upserted": []}, acknowledged=True)


async def _index_name(real: Any, arguments: _Arguments) -> str:
    return Index(arguments.get(0, "keys"), name=arguments.named.get("name")).name


async def _index_names(real: Any, arguments: _Arguments) -> list[str]:
    return [Index.of(model).name for model in arguments.get(0, "indexes", ())]


async def _done(real: Any, arguments: _Arguments) -> dict[str, Any]:
    return {"ok": 1.0}


_ANSWERS: Mapping[str, Callable[[Any, _Arguments], Awaitable[Any]]] = {
    "bulk_write": _bulk_write,
    "command": _done,
    "create_index": _index_name,
    "create_indexes": _index_names,
    "delete_many": _delete(0),
    "delete_one": _delete(1),
    "drop_collection": _done,
    "find_one_and_delete": _as_it_is,
    "find_one_and_replace": _as_it_is,
    "find_one_and_update": _as_it_is,
    "insert_many": _insert_many,
    "insert_one": _insert_one,
    "rename": _done,
    "replace_one": _update(1),
    "update_many": _update(0),
    "update_one": _update(1),
}
