"""The drivers of a real server: Motor and PyMongo Async, which differ in a handful of calls."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from typing import Any, ClassVar, Self

import anyio
import bson
import pymongo
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.errors import PyMongoError, WriteConcernError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference

from asyncmig.drivers.base import Connection, Document
from asyncmig.drivers.codec import EXACT, RAW, encoded, encoder, same_whole, stored_bytes
from asyncmig.drivers.concerns import MAJORITY, concerned, own_documents, preferring, read_again
from asyncmig.drivers.guard import Guard, GuardedCollection, changes, guarded_call
from asyncmig.drivers.retry import TRANSACTION_SECONDS, retry
from asyncmig.drivers.transient import outcome_is_unknown
from asyncmig.errors import DriverError

__all__ = ["MotorDriver", "PyMongoDriver", "RealDriver", "maybe"]

_ONE_CONNECTION = (
    "the client has maxPoolSize=1, and no second client could be made of it: while an operation runs, nothing could "
    "keep the migration lock. Use a client with a pool of at least two connections; nothing was done"
)
_BATCH_DOCUMENTS = 2**31 - 1  # the server still ends a batch at 16 MB
_REPLY_SECONDS = 20.0  # for a read of the ledger
_UNHURRIED_SECONDS = 14 * 86_400.0  # only a time-out of its own takes the place of the client's socketTimeoutMS


async def maybe(value: Any) -> Any:
    """What one driver returns and the other wants awaited: start_session, start_transaction, close."""
    return await value if inspect.isawaitable(value) else value


class RealDriver:
    """A database of a real server, by either driver."""

    has_server: ClassVar[bool] = True
    lost_index_options: ClassVar[frozenset[str]] = frozenset()

    name: ClassVar[str]
    now: Any = "$$NOW"

    def __init__(self, database: Any, guard: Guard | None = None) -> None:
        self.database, self._guard = database, guard
        self._hello: Document | None = None

    def guarded(self, guard: Guard) -> Self:
        """The same, asking ``guard`` before each call that changes something."""
        driver = type(self)(self.database, guard)
        driver._hello = self._hello
        return driver

    @property
    def hosts(self) -> tuple[str, ...]:
        """``host:port`` of every server that the client knows of."""
        known = self.database.client.topology_description.server_descriptions()
        return tuple(sorted(f"{host}:{port}" if port else str(host) for host, port in known))

    async def command(
        self,
        command: Mapping[str, Any],
        *,
        admin: bool = False,
        session: Any = None,
        own: bool = False,
        secondary: bool = False,
    ) -> Document:
        """Run one command and return the reply; one that changes the schema waits for a majority.

        ``own``: all its values are asyncmig's own, and none is encoded as the user's client would do it.
        Raises PyMongoError as the driver does, and WriteConcernError where the driver would
        have kept quiet about one.
        """
        target = self.database.client.admin if admin else self.database
        asked = concerned(command, session)
        wanted = asked if own else encoded(asked, self.database.codec_options)
        options = {"session": session, "codec_options": EXACT, **preferring(secondary=secondary)}

        async def send(more: Mapping[str, Any]) -> Document:
            reply: Document = await target.command({**wanted, **more}, **options)
            return reply

        if changes(command):
            reply = await guarded_call(self._guard, send, command.get("comment"))
        elif session is None:
            reply = await read_again(lambda: send({}))
        else:
            reply = await send({})
        if "writeConcernError" in reply:
            error = reply["writeConcernError"]
            raise WriteConcernError(error.get("errmsg", "write concern not met"), error.get("code"), error)
        return reply

    async def read(
        self,
        command: Mapping[str, Any],
        *,
        admin: bool = False,
        session: Any = None,
        raw: bool = False,
        secondary: bool = False,
    ) -> list[Document]:
        """Run a command that answers with a cursor and read it to the end; asked again when the connection breaks.

        Nearly every such answer of ours fits in one batch, and a bare command is up to 1.6 times
        faster than the cursor that wraps it; only an answer that does not fit is asked for again
        through the driver's cursor, which knows the server that holds it.
        """
        if changes(command):
            return await self._guarded_read(command, admin, session)
        if secondary and session is None:
            return await read_again(lambda: self._read_secondary(command))
        if session is not None:
            return await self._read(command, admin, session, raw)
        return await read_again(lambda: self._read(command, admin, None, raw))

    async def _read(self, command: Mapping[str, Any], admin: bool, session: Any, raw: bool) -> list[Document]:
        target = self.database.client.admin if admin else self.database
        wanted = {**command, "cursor": {"batchSize": _BATCH_DOCUMENTS, **command.get("cursor", {})}}
        asked, codec = encoded(wanted, self.database.codec_options), RAW if raw else EXACT
        cursor = (await target.command(asked, session=session, codec_options=codec))["cursor"]
        if not cursor["id"]:
            batch: list[Document] = cursor["firstBatch"]
            return batch
        await target.command(
            {"killCursors": cursor["ns"].partition(".")[2], "cursors": [cursor["id"]]}, session=session
        )
        return [row async for row in await target.cursor_command(asked, session=session, codec_options=codec)]

    async def _read_secondary(self, command: Mapping[str, Any]) -> list[Document]:
        asked, options = encoded(command, self.database.codec_options), preferring(secondary=True)
        return [row async for row in await self.database.cursor_command(asked, codec_options=EXACT, **options)]

    async def read_each_member(self, command: Mapping[str, Any]) -> dict[str, list[Document] | None]:
        """As ``read``, by each member that has data, each through a client of its own for the while."""
        from asyncmig.drivers.members import read_each_member

        return await read_each_member(self, command, self._ask_copy)

    async def _ask_copy(self, wanted: Mapping[str, Any], command: Mapping[str, Any]) -> Document:
        """What a client like the caller's, but for what is ``wanted`` of it, answers to a command."""
        raise NotImplementedError

    async def _guarded_read(self, command: Mapping[str, Any], admin: bool, session: Any) -> list[Document]:
        """One that writes what it finds elsewhere, and so answers with nothing."""
        cursor = (await self.command({**command, "cursor": {}}, admin=admin, session=session))["cursor"]
        batch: list[Document] = cursor["firstBatch"]
        return batch

    def documents(self, name: str, codec_options: CodecOptions[Any]) -> Any:
        """The collection as a revision's operations work on it: values by ``codec_options``, writes by a majority."""
        return self._guarded(
            self.database.get_collection(
                name,
                codec_options=codec_options,
                read_preference=ReadPreference.PRIMARY,
                write_concern=MAJORITY,
            )
        )

    def _guarded(self, collection: Any) -> Any:
        return collection if self._guard is None else GuardedCollection(collection, self._guard)

    def collection(self, name: str) -> Any:
        """The collection with majority concerns and plain documents, whatever the user's client is set to."""
        return self._collection(name, EXACT)

    def encode(self, document: Mapping[str, Any]) -> bytes:
        """The document as the server will store it, encoded as the user's client does it.

        Raises bson.errors.InvalidDocument for a value that BSON does not have.
        """
        ordered = {"_id": document["_id"], **document}
        return bson.encode(ordered, codec_options=encoder(self.database.codec_options))

    async def insert(self, name: str, documents: Sequence[bytes], *, session: Any = None) -> None:
        """Insert encoded documents, as many as can be. Raises BulkWriteError for those that cannot."""
        rows = [RawBSONDocument(document, RAW) for document in documents]
        await self._collection(name, RAW).insert_many(rows, ordered=False, session=session)

    async def stored(self, name: str, ids: Sequence[Any], *, session: Any = None) -> list[bytes]:
        """Those of the documents of these ``_id``s that are there, byte for byte."""
        rows = await self._collection(name, RAW).find(self._by_id(ids), session=session).to_list(None)
        return [stored_bytes(row) for row in rows]

    async def delete(self, name: str, ids: Sequence[Any], *, session: Any = None) -> int:
        """Delete the documents of these ``_id``s, whatever is in them; how many there were."""
        deleted = await self._collection(name, RAW).delete_many(self._by_id(ids), session=session)
        return int(deleted.deleted_count)

    async def delete_stored(self, name: str, document: bytes, *, session: Any = None) -> bool:
        """Delete this very document; False when it is gone or was changed meanwhile."""
        unchanged = {"_id": RawBSONDocument(document, RAW)["_id"], **same_whole(document)}
        deleted = await self._collection(name, RAW).delete_one(unchanged, session=session)
        return bool(deleted.deleted_count)

    def _by_id(self, ids: Sequence[Any]) -> Document:
        """The filter, encoded as the user's client does it: that says how a UUID is spelled."""
        sent = bson.encode({"ids": list(ids)}, codec_options=encoder(self.database.codec_options))
        return {"_id": {"$in": RawBSONDocument(sent, RAW)["ids"]}}

    def _collection(self, name: str, codec_options: CodecOptions[Any]) -> Any:
        return self._guarded(own_documents(self.database, name, codec_options))

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Any]:
        """A session for transactions, one after the other; None where the server has none.

        Beginning one ends the one before it on the same session, should the server still have it open.
        One whose block raises is not given back to the client, which would lend it to anybody: who
        has noted it down may want to end it on the server, and is to hit nobody else by that.
        """
        if not await self.has_transactions():
            yield None
            return
        session = await maybe(self.database.client.start_session())
        yield session
        with anyio.CancelScope(shield=True):
            await session.end_session()

    @asynccontextmanager
    async def transaction(self, session: Any = None) -> AsyncIterator[Any]:
        """A started transaction, committed at the end of the block, aborted when the block raises.

        On ``session``, or on one of its own. Raises DriverError on a standalone server, which has none.
        https://www.mongodb.com/docs/manual/core/transactions/
        """
        await self._require_transactions()
        async with self.session() if session is None else nullcontext(session) as running:
            await maybe(
                running.start_transaction(
                    read_concern=ReadConcern("local"),  # any other forbids creating a collection
                    write_concern=MAJORITY,
                    read_preference=ReadPreference.PRIMARY,
                )
            )
            try:
                yield running
                if self._guard is not None:
                    await self._guard.ensure()
                await _commit(running)
            finally:
                if running.in_transaction:
                    with anyio.CancelScope(shield=True):
                        await running.abort_transaction()

    async def has_transactions(self) -> bool:
        """Whether the server is a member of a replica set, or a router; asked once."""
        hello = await self._greeting()
        return "setName" in hello or hello.get("msg") == "isdbgrid"

    async def wire_version(self) -> int:
        """The server's ``maxWireVersion``; asked once."""
        return int((await self._greeting()).get("maxWireVersion", 0))

    async def _greeting(self) -> Document:
        if self._hello is None:
            self._hello = await self.command({"hello": 1}, admin=True)
        return self._hello

    async def _require_transactions(self) -> None:
        if not await self.has_transactions():
            raise DriverError(
                "this MongoDB server is a standalone, and transactions need a replica set or a sharded cluster: "
                "start mongod with --replSet (one member is enough), or do without `transactional = True`"
            )

    def answered(self) -> AbstractContextManager[None]:
        """A block whose reads are given up after a while, where a server is known and does not answer.

        Before any is known, the client's own limits for finding and connecting to one hold.
        """
        known = self.database.client.topology_description.has_readable_server()
        return pymongo.timeout(_REPLY_SECONDS) if known else nullcontext()

    def unhurried(self) -> AbstractContextManager[None]:
        """A block whose calls take as long as they need, whatever time-outs the client has: an index build is one call.

        https://pymongo.readthedocs.io/en/stable/api/pymongo/index.html#pymongo.timeout
        """
        client = self.database.client.options
        if client.pool_options.socket_timeout is not None:
            return pymongo.timeout(_UNHURRIED_SECONDS)
        return pymongo.timeout(0) if client.timeout is not None else nullcontext()

    async def own_connection(self, seconds: float) -> Connection:
        """A connection that no work of ours or of the caller's can keep busy; no call of it takes longer than that."""
        try:
            return await self._connect(seconds)
        except (AttributeError, TypeError, PyMongoError):  # a client that is not what it was, or cannot be made again
            if self.database.client.options.pool_options.max_pool_size == 1:
                raise DriverError(_ONE_CONNECTION) from None
            from asyncmig.drivers.own_connection import shared

            return shared(self.collection)

    async def _connect(self, seconds: float) -> Connection:
        raise NotImplementedError

    async def close(self) -> None:
        """Close the client that the database belongs to."""
        await maybe(self.database.client.close())


class MotorDriver(RealDriver):
    """Motor."""

    name: ClassVar[str] = "motor"

    async def _ask_copy(self, wanted: Mapping[str, Any], command: Mapping[str, Any]) -> Document:
        from anyio.to_thread import run_sync

        from asyncmig.drivers.members import NEAREST
        from asyncmig.drivers.own_connection import copied

        def ask() -> Document:
            client = copied(self.database.client.delegate, wanted)
            try:
                reply: Document = client[self.database.name].command(command, codec_options=EXACT, **NEAREST)
            finally:
                client.close()
            return reply

        return await run_sync(ask, abandon_on_cancel=True)

    async def _connect(self, seconds: float) -> Connection:
        from asyncmig.drivers.own_connection import connection_in_threads

        return await connection_in_threads(self.database, own_documents, seconds)


class PyMongoDriver(RealDriver):
    """PyMongo Async."""

    name: ClassVar[str] = "pymongo"

    async def _ask_copy(self, wanted: Mapping[str, Any], command: Mapping[str, Any]) -> Document:
        from asyncmig.drivers.members import NEAREST
        from asyncmig.drivers.own_connection import copied

        client = copied(self.database.client, wanted)
        try:
            reply: Document = await client[self.database.name].command(command, codec_options=EXACT, **NEAREST)
        finally:
            await client.close()
        return reply

    async def _connect(self, seconds: float) -> Connection:
        from asyncmig.drivers.own_connection import connection_of

        return await connection_of(self.database, own_documents, seconds)


async def _commit(session: Any) -> None:
    """Commit, and ask again while the server's answer is not known: committing twice is harmless."""
    await retry(session.commit_transaction, seconds=TRANSACTION_SECONDS, is_retryable=outcome_is_unknown)
