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
    for one in snapshot.state:
        found, documents = now.get(one.name), snapshot.documents.get(one.name, ())
        if found is None or found != one or found.building or one.name in touched:
            await _mend(database, one, found, documents, touched=one.name in touched)


async def _mend(
    database: Any, one: CollectionState, found: CollectionState | None, documents: Sequence[bytes], *, touched: bool
) -> None:
    """Put one collection back: by its documents and indexes where that is enough, else by making it anew."""
    context = Context(driver_for(database))
    if found is None or not _can_stay(one, found) or (touched and _only_grows(one)):
        if found is not None:
            await database.drop_collection(one.name)
        await apply(_creation(one), context)
        await _insert(database, one, documents)
        missing = one.indexes
    else:
        for index in found.indexes:
            if index not in one.indexes:
                await apply(DropIndex(one.name, index.name), context)
        if touched:
            await database[one.name].delete_many({})
            await _insert(database, one, documents)
        missing = tuple(index for index in one.indexes if index not in found.indexes)
    if missing:
        await apply(CreateIndexes(one.name, missing), context)


def _can_stay(wanted: CollectionState, found: CollectionState) -> bool:
    return (wanted.kind, wanted.options) == (found.kind, found.options) and not found.building


def _touched(snapshot: DatabaseSnapshot, wanted: Hashes, found: Hashes) -> set[str]:
    """The collections whose documents are not as they were; all, where the server does not tell."""
    stored = {one.name: _hashed(one) for one in snapshot.state if one.kind != "view"}
    return {name for name, hashed in stored.items() if not wanted or wanted.get(hashed) != found.get(hashed)}


def _hashed(one: CollectionState) -> str:
    """The name of what holds the documents: those of a time series are in its buckets."""
    return f"system.buckets.{one.name}" if one.kind == "timeseries" else one.name


def _only_grows(one: CollectionState) -> bool:
    """Whether documents cannot be deleted one by one."""
    return one.kind == "timeseries" or bool(one.options.get("capped"))


def _creation(one: CollectionState) -> Operation:
    if one.kind == "view":
        options = dict(one.options)
        return CreateView(one.name, options.pop("viewOn"), options.pop("pipeline"), options)
    return CreateCollection(one.name, one.options)


async def _insert(database: Any, one: CollectionState, documents: Sequence[bytes]) -> None:
    if documents:
        rows = [RawBSONDocument(each) for each in documents]
        bypass = None if one.kind == "timeseries" else True  # it takes none, and has no validator
        await database[one.name].insert_many(rows, bypass_document_validation=bypass)


async def _hashes(database: Any) -> Hashes:
    """A hash of each collection's documents; none where the server, or the user's rights, do not allow to ask.

    https://www.mongodb.com/docs/manual/reference/command/dbHash/
    """
    try:
        found: Hashes = (await database.command("dbHash"))["collections"]
    except OperationFailure:
        return {}
    return found
