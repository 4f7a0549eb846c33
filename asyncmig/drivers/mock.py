"""mongomock-motor as a driver of fewer capabilities: what it has is translated, the rest refused by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext
from datetime import UTC, datetime
from typing import Any, ClassVar

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from asyncmig.drivers.base import Connection, Document
from asyncmig.drivers.guard import Guard, changes
from asyncmig.drivers.own_connection import shared
from asyncmig.errors import UnsupportedByDriver

__all__ = ["MockDriver"]

_NAME = "mongomock-motor"
_STANDARD: CodecOptions[Any] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)
_ENVELOPE = {"comment", "maxTimeMS", "writeConcern", "cursor"}
_KEPT_OPTIONS = {"unique", "sparse", "expireAfterSeconds", "partialFilterExpression"}
_TEXT_DEFAULTS = {"default_language": "english", "language_override": "language", "textIndexVersion": 3}


class MockDriver:
    """An ``AsyncMongoMockDatabase``: collections, plain indexes and documents.

    The mock knows next to no command, loses most index options without a word, and answers an
    update pipeline with ``$$NOW`` by storing nothing. So the few commands that it can carry out are
    translated to its methods, with the server's own error codes, and everything else raises
    UnsupportedByDriver naming what was asked.
    """

    name: ClassVar[str] = "mock"
    has_server: ClassVar[bool] = False
    lost_index_options: ClassVar[frozenset[str]] = frozenset(
        {
            "2dsphereIndexVersion",
            "bits",
            "collation",
            "default_language",
            "hidden",
            "language_override",
            "max",
            "min",
            "prepareUnique",
            "storageEngine",
            "textIndexVersion",
            "weights",
            "wildcardProjection",
        }
    )

    def __init__(self, database: Any, guard: Guard | None = None) -> None:
        self.database, self._guard = database, guard

    def guarded(self, guard: Guard) -> MockDriver:
        """The same, asking ``guard`` before each call that changes something."""
        return MockDriver(self.database, guard)

    async def _ensure(self) -> None:
        if self._guard is not None:
            await self._guard.ensure()

    @property
    def now(self) -> datetime:
        """This machine's clock: the mock has none of its own that an update could ask."""
        return datetime.now(UTC)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The mock lives in this process."""
        return (_NAME,)

    async def command(
        self,
        command: Mapping[str, Any],
        *,
        admin: bool = False,
        session: Any = None,
        own: bool = False,
        secondary: bool = False,
    ) -> Document:
        """Carry out a command on collections or indexes, ``ping`` or ``buildInfo``; refuse any other by name."""
        _refuse_session(session)
        verb = next(iter(command))
        if changes(command):
            await self._ensure()
        match verb:
            case "ping" | "buildInfo":
                return dict(await self.database.command(verb))
            case "create":
                return await self._create(command)
            case "createIndexes":
                return await self._create_indexes(command)
            case "drop":
                return await self._drop(command)
            case "dropIndexes":
                return await self._drop_indexes(command)
            case "renameCollection":
                return await self._rename(command)
            case _:
                raise _unsupported(f"the command {verb} ({command[verb]!r})")

    async def read(
        self,
        command: Mapping[str, Any],
        *,
        admin: bool = False,
        session: Any = None,
        raw: bool = False,
        secondary: bool = False,
    ) -> list[Document]:
        """Answer ``listCollections`` (filtered by name at most) and ``listIndexes``."""
        _refuse_session(session)
        verb = next(iter(command))
        match verb:
            case "listCollections":
                return await self._list_collections(command)
            case "listIndexes":
                return await self._list_indexes(command["listIndexes"])
            case _:
                raise _unsupported(f"the command {verb} ({command[verb]!r})")

    async def read_each_member(self, command: Mapping[str, Any]) -> dict[str, list[Document] | None]:
        """There is one."""
        return {"mock": await self.read(command)}

    def collection(self, name: str) -> Any:
        """The collection, with the concerns that a real one would have (the mock takes and ignores them)."""
        return self.database.get_collection(
            name,
            codec_options=CodecOptions(tz_aware=True),
            write_concern=WriteConcern("majority"),
            read_concern=ReadConcern("majority"),
        )

    def documents(self, name: str, codec_options: CodecOptions[Any]) -> Any:
        """The collection; operations on data are loops of their own here (:mod:`asyncmig.running.data.plain`)."""
        return self.database.get_collection(name, codec_options=codec_options)

    async def has_transactions(self) -> bool:
        """It has none."""
        return False

    async def wire_version(self) -> int:
        """Newer than any server."""
        return 999

    def session(self) -> AbstractAsyncContextManager[Any]:
        """None: the mock has no transactions."""
        return nullcontext()

    def transaction(self, session: Any = None) -> AbstractAsyncContextManager[Any]:
        """Raises UnsupportedByDriver: the mock has no sessions."""
        raise _unsupported("transactions")

    def encode(self, document: Mapping[str, Any]) -> bytes:
        """The document as BSON, ``_id`` first."""
        return bson.encode({"_id": document["_id"], **document}, codec_options=_STANDARD)

    async def insert(self, name: str, documents: Sequence[bytes], *, session: Any = None) -> None:
        """Insert encoded documents, as many as can be. Raises BulkWriteError for those that cannot."""
        _refuse_session(session)
        await self._ensure()
        rows = [bson.decode(document) for document in documents]
        await self.database.get_collection(name).insert_many(rows, ordered=False)

    async def stored(self, name: str, ids: Sequence[Any], *, session: Any = None) -> list[bytes]:
        """Those of the documents of these ``_id``s that are there, as the mock keeps them."""
        _refuse_session(session)
        rows = await self.database.get_collection(name).find(_by_id(ids)).to_list(None)
        return [self.encode(row) for row in rows]

    async def delete(self, name: str, ids: Sequence[Any], *, session: Any = None) -> int:
        """Delete the documents of these ``_id``s, whatever is in them; how many there were."""
        _refuse_session(session)
        await self._ensure()
        deleted = await self.database.get_collection(name).delete_many(_by_id(ids))
        return int(deleted.deleted_count)

    async def delete_stored(self, name: str, document: bytes, *, session: Any = None) -> bool:
        """Delete this very document; False when it is gone or was changed meanwhile."""
        key = bson.decode(document)["_id"]
        if document not in await self.stored(name, [key], session=session):
            return False
        await self._ensure()
        deleted = await self.database.get_collection(name).delete_one({"_id": key})
        return bool(deleted.deleted_count)

    def answered(self) -> AbstractContextManager[None]:
        """The mock answers at once."""
        return nullcontext()

    def unhurried(self) -> AbstractContextManager[None]:
        """The mock has no time-outs."""
        return nullcontext()

    async def own_connection(self, seconds: float) -> Connection:
        """The mock has no connections."""
        return shared(self.collection)

    async def close(self) -> None:
        """Nothing to close."""

    async def _create(self, command: Mapping[str, Any]) -> Document:
        name = command["create"]
        for option in command:
            if option not in {"create", *_ENVELOPE} and not _is_off(command[option]):
                raise _unsupported(f"create {name} with the option {option}")
        if name in await self._names():
            raise OperationFailure(f"Collection {name} already exists.", 48)
        await self.database.create_collection(name)
        return {"ok": 1.0}

    async def _drop(self, command: Mapping[str, Any]) -> Document:
        await self._require(command["drop"])
        await self.database.drop_collection(command["drop"])
        return {"ok": 1.0}

    async def _rename(self, command: Mapping[str, Any]) -> Document:
        database, _, old = command["renameCollection"].partition(".")
        elsewhere, _, new = command["to"].partition(".")
        if database != elsewhere or database != self.database.name:
            raise _unsupported(f"renameCollection from {command['renameCollection']} to {command['to']}")
        await self._require(old)
        if new in await self._names() and not command.get("dropTarget"):
            raise OperationFailure("target namespace exists", 48)
        await self.database.get_collection(old).rename(new, dropTarget=bool(command.get("dropTarget")))
        return {"ok": 1.0}

    async def _create_indexes(self, command: Mapping[str, Any]) -> Document:
        """All or nothing, as the server does it: what was made before a failure is dropped again."""
        name, specs = command["createIndexes"], command["indexes"]
        for spec in specs:
            _refuse_lost_options(name, spec)
        existed = name in await self._names()
        before = await self._indexes(name)
        collection, made = self.database.get_collection(name), []
        try:
            for spec in specs:
                if _is_new(spec, before):
                    made.append(await collection.create_index(list(spec["key"].items()), **_options(spec)))
        except OperationFailure:
            for index in made:
                await collection.drop_index(index)
            raise
        return _created(existed, len(before), len(made))

    async def _drop_indexes(self, command: Mapping[str, Any]) -> Document:
        name, which = command["dropIndexes"], command["index"]
        await self._require(name)
        if not isinstance(which, str) or which == "*":
            raise _unsupported(f"dropIndexes of {which!r} on {name}; it drops one index by name")
        listed = [index["name"] for index in await self._indexes(name)]
        if which not in listed:
            raise OperationFailure(f"index not found with name [{which}]", 27)
        if which == "_id_":
            raise OperationFailure("cannot drop _id index", 72)
        await self.database.get_collection(name).drop_index(which)
        return {"nIndexesWas": len(listed), "ok": 1.0}

    async def _list_collections(self, command: Mapping[str, Any]) -> list[Document]:
        asked = command.get("filter", {})
        if set(asked) - {"name"} or not isinstance(asked.get("name", ""), str):
            raise _unsupported(f"listCollections with the filter {dict(asked)!r}")
        return [
            {"name": name, "type": "collection", "options": {}, "info": {"readOnly": False}}
            for name in await self._names()
            if asked.get("name", name) == name
        ]

    async def _list_indexes(self, name: str) -> list[Document]:
        await self._require(name)
        return await self._indexes(name)

    async def _indexes(self, name: str) -> list[Document]:
        return [_listed(spec) async for spec in self.database.get_collection(name).list_indexes()]

    async def _names(self) -> list[str]:
        names: list[str] = await self.database.list_collection_names()
        return names

    async def _require(self, name: str) -> None:
        if name not in await self._names():
            raise OperationFailure(f"ns does not exist: {self.database.name}.{name}", 26)


def _unsupported(what: str) -> UnsupportedByDriver:
    return UnsupportedByDriver(what, _NAME)


def _refuse_session(session: Any) -> None:
    if session is not None:
        raise _unsupported("anything in a session")


def _by_id(ids: Sequence[Any]) -> Document:
    """The filter, with ids as they are after a journey through BSON, like the documents themselves."""
    return {"_id": {"$in": bson.decode(bson.encode({"ids": list(ids)}, codec_options=_STANDARD))["ids"]}}


def _refuse_lost_options(collection: str, spec: Mapping[str, Any]) -> None:
    for option in spec:
        if option not in {"key", "name", *_KEPT_OPTIONS} and not _without_effect(option, spec[option], spec["key"]):
            raise _unsupported(f"create index {spec['name']} on {collection} with the option {option}")


def _without_effect(option: str, value: Any, key: Mapping[str, Any]) -> bool:
    """Whether a server without this option in its list would be the very same server."""
    if option == "collation":
        return value is None or value == {"locale": "simple"}
    if option == "weights":
        return all(weight == 1 for weight in value.values()) and set(value) == _text_fields(key)
    if option in _TEXT_DEFAULTS:
        return bool(value == _TEXT_DEFAULTS[option])
    return option in {"background", "v"} or _is_off(value)


def _is_off(value: Any) -> bool:
    return value is None or value is False


def _is_new(spec: Mapping[str, Any], before: list[Document]) -> bool:
    """Whether the index has to be made; raises OperationFailure on the conflicts that the mock overlooks."""
    wanted = _listed({"v": 2, **{k: v for k, v in spec.items() if k in {"key", "name"}}, **_options(spec, name=False)})
    for index in before:
        same_key = list(index["key"].items()) == list(wanted["key"].items())
        if index["name"] == wanted["name"]:
            if index == wanted and same_key:
                return False
            raise OperationFailure(
                f"An existing index has the same name as the requested index: {wanted['name']}", 85 if same_key else 86
            )
        if same_key and {**index, "name": None} == {**wanted, "name": None}:
            raise OperationFailure(f"Index already exists with a different name: {index['name']}", 85)
    return True


def _options(spec: Mapping[str, Any], *, name: bool = True) -> Document:
    kept = {key: value for key, value in spec.items() if key in _KEPT_OPTIONS and not _is_off(value)}
    return {"name": spec["name"], **kept} if name else kept


def _created(existed: bool, before: int, made: int) -> Document:
    reply = {
        "numIndexesBefore": before or 1,
        "numIndexesAfter": (before or 1) + made,
        "createdCollectionAutomatically": not existed,
        "ok": 1.0,
    }
    return reply if made else {**reply, "note": "all indexes already exist"}


def _listed(spec: Mapping[str, Any]) -> Document:
    """One index as a server's listIndexes shows it: the fields of a text index stand in its weights."""
    key = dict(spec["key"])
    texts = sorted(_text_fields(key))
    if not texts:
        return {**spec, "key": key}
    shown: Document = {}
    for field, direction in key.items():
        shown.update({"_fts": "text", "_ftsx": 1} if direction == "text" else {field: direction})
    return {**spec, "key": shown, "weights": dict.fromkeys(texts, 1), **_TEXT_DEFAULTS}


def _text_fields(key: Mapping[str, Any]) -> set[str]:
    return {field for field, direction in key.items() if direction == "text"}
