"""``Source``: the collection that an operation on data works through."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure

from asyncmig.data.ranges import Place
from asyncmig.drivers.base import Document, Driver
from asyncmig.drivers.codec import EXACT, RAW, encoder

__all__ = ["Source", "split"]

_SAMPLE_DOCUMENTS = 1_000  # that are looked at to know of all
_BATCH_DOCUMENTS = 100_000  # in one batch of a cursor, which ends at 16 MB anyway


class Source:
    """One collection.

    ``options``: what goes along with every filter: ``collation``, ``hint``. ``session``: that of the
    transaction of a whole revision, in which everything happens then. ``documents`` takes values as
    ``encoder`` spells them; ``codec`` is how the user's client decodes what a function is given;
    ``_id``s are given so that nothing of them is lost.
    """

    def __init__(
        self, driver: Driver, name: str, options: Mapping[str, Any] | None = None, session: Any = None
    ) -> None:
        self.driver, self.name, self.session = driver, name, session
        self.codec = driver.database.codec_options
        self.encoder = encoder(self.codec)
        self._options = dict(options or {})
        self.documents = self._collection(self.encoder)
        self.exact = self._exact = self._collection(EXACT)

    def _collection(self, codec: CodecOptions[Any]) -> Any:
        return self.driver.documents(self.name, codec)

    def conjunction(self, *filters: Mapping[str, Any]) -> Document:
        """One filter of several, with values encoded as the user's client does it."""
        parts = [self.encoded(part) for part in filters if part]
        return {"$and": parts} if parts else {}

    def encoded(self, document: Mapping[str, Any]) -> RawBSONDocument:
        """A document for any collection, with values encoded as the user's client does it."""
        return RawBSONDocument(bson.encode(document, codec_options=self.encoder))

    async def keys(self, filter_: Mapping[str, Any], *, skip: int = 0, limit: int = 1) -> list[Any]:
        """The ``_id``s of documents that match, in their order."""
        cursor = self._exact.find(filter_, {"_id": 1}, session=self.session, **self._options)
        return [document["_id"] for document in await cursor.sort("_id", 1).skip(skip).limit(limit).to_list(None)]

    async def any(self, filter_: Mapping[str, Any], *, session: Any = None) -> bool:
        """Whether any document matches."""
        cursor = self._exact.find(filter_, {"_id": 1}, session=session or self.session, **self._options)
        return bool(await cursor.limit(1).to_list(None))

    async def any_refused_with(
        self, fields: Mapping[str, Any], filter_: Mapping[str, Any], validator: Mapping[str, Any]
    ) -> bool:
        """Whether one of the first documents that match fits the validator, and with these fields would not."""
        pipeline = [
            {"$match": self.conjunction(filter_, validator)},
            {"$limit": _SAMPLE_DOCUMENTS},
            {"$set": {name: {"$literal": value} for name, value in fields.items()}},
            {"$match": {"$nor": [validator]}},
            {"$limit": 1},
            {"$project": {"_id": 1}},
        ]
        kept = {name: value for name, value in self._options.items() if name == "collation"}
        cursor = self._exact.aggregate(pipeline, session=self.session, **kept)
        documents = await (cursor if hasattr(cursor, "to_list") else await cursor).to_list(None)
        return bool(documents)

    async def raw(
        self,
        filter_: Mapping[str, Any],
        *,
        limit: int = 0,
        projection: Mapping[str, Any] | None = None,
        session: Any = None,
    ) -> bytes:
        """Documents that match as they are stored, by ``_id``, one after the other.

        With a limit so many at most, and 16 MB at most. See :func:`split`.
        """
        cursor = self.documents.find_raw_batches(
            filter_,
            projection,
            sort=[("_id", 1)],
            limit=-limit,  # a single batch
            batch_size=limit or _BATCH_DOCUMENTS,
            session=session or self.session,
            **self._options,
        )
        return b"".join([batch async for batch in cursor])

    async def raw_stages(
        self, filter_: Mapping[str, Any], stages: Sequence[Document], *, limit: int = 0, session: Any = None
    ) -> bytes:
        """The same, of what the stages make of the documents that match."""
        pipeline = [{"$match": filter_}, {"$sort": {"_id": 1}}, *([{"$limit": limit}] if limit else []), *stages]
        cursor = self.documents.aggregate_raw_batches(
            pipeline, batchSize=limit or _BATCH_DOCUMENTS, session=session or self.session, **self._options
        )
        cursor = await cursor if inspect.isawaitable(cursor) else cursor
        batches = []
        try:
            async for batch in cursor:
                batches.append(batch)
                if limit:
                    break  # a single batch
        finally:
            await cursor.close()
        return b"".join(batches)

    async def write(self, command: str, statements: Sequence[RawBSONDocument], session: Any) -> Document:
        """The server's reply to statements of ``update`` or ``delete``, in no particular order.

        Raises what the driver raises; not for statements that were refused, which the reply names.
        """
        wanted: Document = {command: self.name, f"{command}s": statements, "ordered": False}
        if session is None:
            wanted["writeConcern"] = {"w": "majority"}
        return await self.driver.command(wanted, session=session)

    async def end(self) -> Place | None:
        """The highest ``_id`` of the collection; None when it is empty."""
        pipeline = [{"$sort": {"_id": -1}}, {"$limit": 1}, {"$project": {"kind": {"$type": "$_id"}}}]
        kept = {name: value for name, value in self._options.items() if name == "collation"}
        cursor = self._exact.aggregate(pipeline, session=self.session, **kept)
        documents = await (cursor if hasattr(cursor, "to_list") else await cursor).to_list(None)
        return Place.at(documents[0]["kind"], documents[0]["_id"]) if documents else None

    async def mean_size(self) -> int:
        """The size of a document in bytes, on average; 0 where nobody may know."""
        pipeline = [{"$collStats": {"storageStats": {}}}, {"$project": {"mean": "$storageStats.avgObjSize"}}]
        try:
            shards = await self.driver.read({"aggregate": self.name, "pipeline": pipeline, "cursor": {}})
        except OperationFailure:
            return 0
        return max((int(shard.get("mean", 0)) for shard in shards), default=0)

    def key(self, document: bytes) -> Any:
        """The ``_id`` of a stored document, exact."""
        return self.value(document, "_id")

    def value(self, document: bytes, path: str) -> Any:
        """What a stored document holds at a path, exact; None where it holds nothing."""
        value: Any = RawBSONDocument(document, RAW)
        for name in path.split("."):
            value = value.get(name) if isinstance(value, Mapping) else None
        return value

    async def facts(self) -> Document | None:
        """What listCollections says of the collection; None when it is not there."""
        listed: Sequence[Document] = await self.driver.read({"listCollections": 1, "filter": {"name": self.name}})
        return listed[0] if listed else None


def split(batch: bytes) -> list[bytes]:
    """Documents that stand one after the other, each beginning with its length."""
    documents, start = [], 0
    while start < len(batch):
        end = start + int.from_bytes(batch[start : start + 4], "little")
        documents.append(batch[start:end])
        start = end
    return documents
