"""The drivers of a real server: Motor and PyMongo Async, which differ in a handful of calls."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any, ClassVar

import anyio
import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.errors import WriteConcernError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from asyncmig.drivers.base import Document
from asyncmig.drivers.codec import EXACT, RAW, encoded, encoder, stored_bytes
from asyncmig.drivers.retry import TRANSACTION_SECONDS, retry
from asyncmig.drivers.transient import outcome_is_unknown
from asyncmig.errors import DriverError

__all__ = ["MotorDriver", "PyMongoDriver", "RealDriver", "maybe"]

_MAJORITY = WriteConcern("majority")
_TAKES_WRITE_CONCERN = frozenset(
    {"collMod", "convertToCapped", "create", "createIndexes", "drop", "dropDatabase", "dropIndexes", "renameCollection"}
)
_BATCH = 2**31 - 1  # documents; the server still ends a batch at 16 MB


async def maybe(value: Any) -> Any:
    """What one driver returns and the other wants awaited: start_session, start_transaction, close."""
    return await value if inspect.isawaitable(value) else value


class RealDriver:
    """A database of a real server, by either driver."""

    has_server: ClassVar[bool] = True
    lost_index_options: ClassVar[frozenset[str]] = frozenset()

    name: ClassVar[str]
    now: Any = "$$NOW"

    def __init__(self, database: Any) -> None:
        self.database = database
        self._has_transactions: bool | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """``host:port`` of every server that the client knows of."""
        known = self.database.client.topology_description.server_descriptions()
        return tuple(sorted(f"{host}:{port}" if port else str(host) for host, port in known))

    async def command(self, command: Mapping[str, Any], *, admin: bool = False, session: Any = None) -> Document:
        """Run one command and return the reply; one that changes the schema waits for a majority.

        Raises PyMongoError as the driver does, and WriteConcernError where the driver would
        have kept quiet about one.
        """
        target = self.database.client.admin if admin else self.database
        wanted = encoded(_concerned(command, session), self.database.codec_options)
        reply: Document = await target.command(wanted, session=session, codec_options=EXACT)
        if "writeConcernError" in reply:
            error = reply["writeConcernError"]
            raise WriteConcernError(error.get("errmsg", "write concern not met"), error.get("code"), error)
        return reply

    async def read(
        self, command: Mapping[str, Any], *, admin: bool = False, session: Any = None, raw: bool = False
    ) -> list[Document]:
        """Run a command that answers with a cursor and read it to the end.

        Nearly every such answer of ours fits in one batch, and a bare command is up to 1.6 times
        faster than the cursor that wraps it; only an answer that does not fit is asked for again
        through the driver's cursor, which knows the server that holds it.
        """
        target = self.database.client.admin if admin else self.database
        wanted = {**command, "cursor": {"batchSize": _BATCH, **command.get("cursor", {})}}
        asked, codec = encoded(wanted, self.database.codec_options), RAW if raw else EXACT
        cursor = (await target.command(asked, session=session, codec_options=codec))["cursor"]
        if not cursor["id"]:
            batch: list[Document] = cursor["firstBatch"]
            return batch
        await target.command(
            {"killCursors": cursor["ns"].partition(".")[2], "cursors": [cursor["id"]]}, session=session
        )
        return [row async for row in await target.cursor_command(asked, session=session, codec_options=codec)]

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
        row = RawBSONDocument(document, RAW)
        unchanged = {"_id": row["_id"], "$expr": {"$eq": ["$$ROOT", {"$literal": row}]}}
        deleted = await self._collection(name, RAW).delete_one(unchanged, session=session)
        return bool(deleted.deleted_count)

    def _by_id(self, ids: Sequence[Any]) -> Document:
        """The filter, encoded as the user's client does it: that says how a UUID is spelled."""
        sent = bson.encode({"ids": list(ids)}, codec_options=encoder(self.database.codec_options))
        return {"_id": {"$in": RawBSONDocument(sent, RAW)["ids"]}}

    def _collection(self, name: str, codec_options: CodecOptions[Any]) -> Any:
        return self.database.get_collection(
            name,
            codec_options=codec_options,
            read_preference=ReadPreference.PRIMARY,
            write_concern=_MAJORITY,
            read_concern=ReadConcern("majority"),
        )

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
        async with self.session() if session is None else nullcontext(session) as one:
            await maybe(
                one.start_transaction(
                    read_concern=ReadConcern("local"),  # any other forbids creating a collection
                    write_concern=_MAJORITY,
                    read_preference=ReadPreference.PRIMARY,
                )
            )
            try:
                yield one
                await _commit(one)
            finally:
                if one.in_transaction:
                    with anyio.CancelScope(shield=True):
                        await one.abort_transaction()

    async def has_transactions(self) -> bool:
        """Whether the server is a member of a replica set, or a router; asked once."""
        known = self._has_transactions
        if known is None:
            hello = await self.command({"hello": 1}, admin=True)
            known = self._has_transactions = "setName" in hello or hello.get("msg") == "isdbgrid"
        return known

    async def _require_transactions(self) -> None:
        if not await self.has_transactions():
            raise DriverError(
                "this MongoDB server is a standalone, and transactions need a replica set or a sharded cluster: "
                "start mongod with --replSet (one member is enough), or do without `transactional = True`"
            )

    async def close(self) -> None:
        """Close the client that the database belongs to."""
        await maybe(self.database.client.close())


class MotorDriver(RealDriver):
    """Motor."""

    name: ClassVar[str] = "motor"


class PyMongoDriver(RealDriver):
    """PyMongo Async."""

    name: ClassVar[str] = "pymongo"


def _concerned(command: Mapping[str, Any], session: Any) -> Mapping[str, Any]:
    in_transaction = session is not None and session.in_transaction
    if next(iter(command)) in _TAKES_WRITE_CONCERN and not in_transaction and "writeConcern" not in command:
        return {**command, "writeConcern": {"w": "majority"}}
    return command


async def _commit(session: Any) -> None:
    """Commit, and ask again while the server's answer is not known: committing twice is harmless."""
    await retry(session.commit_transaction, seconds=TRANSACTION_SECONDS, is_retryable=outcome_is_unknown)
