"""``Template``: a migrated database for every test of a session, though the revisions run only once.

The revisions run in the first test's database, and a snapshot is taken of it. For each test after
that the database is put back to the snapshot, and only what is not as it should be is touched: three
questions tell what that is (the collections, their indexes, a hash of each one's documents). Making
collections and indexes anew takes MongoDB ten milliseconds and more for each, whoever asks for it;
putting back does without as long as tests leave the schema alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError

from asyncmig.authoring.introspect import introspect
from asyncmig.drivers import driver_for
from asyncmig.operations import CreateCollection, CreateIndexes, CreateView, DropIndex, Operation
from asyncmig.running.applying.apply import Context, apply
from asyncmig.schema.state import CollectionState, DatabaseState
from asyncmig.testing.snapshot import DatabaseSnapshot, take

__all__ = ["Template", "restore"]

Hashes = Mapping[str, str]

_RESTORE_SECONDS = 20.0


class Template:
    """A database, of those that ``make`` gives, which ``migrate`` has brought to where every test is to find it.

    ``retry_ending_transactions`` does work that what a test has left behind may stand in the way of.
    """

    def __init__(
        self,
        make: Callable[[], Any],
        migrate: Callable[[Any], Awaitable[object]],
        retry_ending_transactions: Callable[..., Awaitable[object]] | None = None,
    ) -> None:
        self._make, self._migrate, self._retry_ending_transactions = (
            make,
            migrate,
            retry_ending_transactions or _within_time,
        )
        self._database: Any = None
        self._snapshot = DatabaseSnapshot(DatabaseState())
        self._hashes: Hashes = {}
        self._failure: Exception | None = None

    async def ready(self) -> str:
        """The name of the database, which is as it was when its revisions had run.

        Raises, each time, what ``migrate`` has raised.
        """
        if self._failure is not None:
            raise self._failure
        if self._database is None or not await self._restored():
            self._database = await self._begun()
        name: str = self._database.name
        return name

    async def _restored(self) -> bool:
        """Whether it could be put back; a test that left a transaction open may stand in the way."""
        try:
            await self._retry_ending_transactions(restore, self._database, self._snapshot, self._hashes)
        except ServerSelectionTimeoutError:  # then nothing else can be done, either
            raise
        except PyMongoError:
            return False
        return True

    async def _begun(self) -> Any:
        database = self._make()
        try:
            await self._migrate(database)
        except Exception as error:
            self._failure = error
            raise
        self._snapshot = await take(database)
        self._hashes = await _hashes(database)
        return database


async def _within_time(work: Callable[..., Awaitable[object]], *arguments: Any) -> object:
    """What ``work`` gives, unless it takes too long."""
    with pymongo.timeout(_RESTORE_SECONDS):
        return await work(*arguments)


async def restore(database: Any, snapshot: DatabaseSnapshot, hashes: Hashes) -> None:
    """Put a database back to a snapshot, with as few commands as that takes."""
    now = await introspect(database, own=frozenset())
    touched = _touched(snapshot, hashes, await _hashes(database))
    for name in sorted(set(now.collections) - set(snapshot.state.collections)):
        await database.drop_collection(name)
    for collection in snapshot.state:
        existing, documents = now.get(collection.name), snapshot.documents.get(collection.name, ())
        if existing is None or existing != collection or existing.building or collection.name in touched:
            await _mend(database, collection, existing, documents, touched=collection.name in touched)


async def _mend(
    database: Any,
    collection: CollectionState,
    existing: CollectionState | None,
    documents: Sequence[bytes],
    *,
    touched: bool,
) -> None:
    """Put one collection back: by its documents and indexes where that is enough, else by making it anew."""
    context = Context(driver_for(database))
    if existing is None or not _can_stay(collection, existing) or (touched and _only_grows(collection)):
        if existing is not None:
            await database.drop_collection(collection.name)
        await apply(_creation(collection), context)
        await _insert(database, collection, documents)
        missing = collection.indexes
    else:
        for index in existing.indexes:
            if index not in collection.indexes:
                await apply(DropIndex(collection.name, index.name), context)
        if touched:
            await database[collection.name].delete_many({})
            await _insert(database, collection, documents)
        missing = tuple(index for index in collection.indexes if index not in existing.indexes)
    if missing:
        await apply(CreateIndexes(collection.name, missing), context)


def _can_stay(wanted: CollectionState, existing: CollectionState) -> bool:
    return (wanted.kind, wanted.options) == (existing.kind, existing.options) and not existing.building


def _touched(snapshot: DatabaseSnapshot, wanted: Hashes, existing: Hashes) -> set[str]:
    """The collections whose documents are not as they were; all, where the server does not tell."""
    stored = {collection.name: _hashed(collection) for collection in snapshot.state if collection.kind != "view"}
    return {name for name, hashed in stored.items() if not wanted or wanted.get(hashed) != existing.get(hashed)}


def _hashed(collection: CollectionState) -> str:
    """The name of what holds the documents: those of a time series are in its buckets."""
    return f"system.buckets.{collection.name}" if collection.kind == "timeseries" else collection.name


def _only_grows(collection: CollectionState) -> bool:
    """Whether documents cannot be deleted one by one."""
    return collection.kind == "timeseries" or bool(collection.options.get("capped"))


def _creation(collection: CollectionState) -> Operation:
    if collection.kind == "view":
        options = dict(collection.options)
        return CreateView(collection.name, options.pop("viewOn"), options.pop("pipeline"), options)
    return CreateCollection(collection.name, collection.options)


async def _insert(database: Any, collection: CollectionState, documents: Sequence[bytes]) -> None:
    if documents:
        rows = [RawBSONDocument(document) for document in documents]
        bypass = None if collection.kind == "timeseries" else True  # it takes none, and has no validator
        await database[collection.name].insert_many(rows, bypass_document_validation=bypass)


async def _hashes(database: Any) -> Hashes:
    """A hash of each collection's documents; none where the server, or the user's rights, do not allow to ask.

    https://www.mongodb.com/docs/manual/reference/command/dbHash/
    """
    try:
        hashes: Hashes = (await database.command("dbHash"))["collections"]
    except OperationFailure:
        return {}
    return hashes
