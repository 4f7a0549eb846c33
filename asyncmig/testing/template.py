"""``Template``: a migrated database for every test of a session, though the revisions run only once.

The revisions run in the first test's database, and a picture is taken of it. For each test after
that the database is put back to the picture, and only what is not as it should be is touched: three
questions tell what that is (the collections, their indexes, a hash of each one's documents). Making
collections and indexes anew takes MongoDB ten milliseconds and more for each, whoever asks for it;
putting back does without as long as tests leave the schema alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import pymongo
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure, PyMongoError

from asyncmig.authoring.introspect import introspect
from asyncmig.drivers import driver_for
from asyncmig.operations import CreateCollection, CreateIndexes, CreateView, Operation
from asyncmig.running.apply import Context, apply
from asyncmig.schema.state import CollectionState, DatabaseState
from asyncmig.testing.picture import Picture, take

__all__ = ["Template", "restore"]

Hashes = Mapping[str, str]

_PATIENCE = 20.0  # seconds


class Template:
    """A database, of those that ``make`` gives, which ``migrate`` has brought to where every test is to find it."""

    def __init__(self, make: Callable[[], Any], migrate: Callable[[Any], Awaitable[object]]) -> None:
        self._make, self._migrate = make, migrate
        self._database: Any = None
        self._picture = Picture(DatabaseState())
        self._hashes: Hashes = {}
        self._failure: Exception | None = None

    async def ready(self) -> str:
        """The name of the database, which is as it was when its revisions had run.

        Raises, each time, what ``migrate`` has raised.
        """
        if self._failure is not None:
            raise self._failure
        if self._database is None or not await self._restored():
            await self._begin()
        name: str = self._database.name
        return name

    async def _restored(self) -> bool:
        """Whether it could be put back; a test that left a transaction open may stand in the way."""
        try:
            with pymongo.timeout(_PATIENCE):
                await restore(self._database, self._picture, self._hashes)
        except PyMongoError:
            return False
        return True

    async def _begin(self) -> None:
        self._database = self._make()
        try:
            await self._migrate(self._database)
        except Exception as error:
            self._failure = error
            raise
        self._picture = await take(self._database)
        self._hashes = await _hashes(self._database)


async def restore(database: Any, picture: Picture, hashes: Hashes) -> None:
    """Put a database back to a picture, with as few commands as that takes."""
    now = await introspect(database, own=frozenset())
    broken = {one.name for one in picture.state if not _same(one, now.get(one.name))}
    touched = _touched(picture, hashes, await _hashes(database))
    broken |= {one.name for one in picture.state if one.name in touched and _only_grows(one)}
    for name in sorted(broken | set(now.collections) - set(picture.state.collections)):
        if name in now:
            await database.drop_collection(name)
    context = Context(driver_for(database))
    for one in picture.state:
        for operation in _makes(one) if one.name in broken else ():
            await apply(operation, context)
    for one in picture.state:
        if one.name in touched | broken and one.kind != "view":
            await _refill(database, one, picture.documents.get(one.name, ()), made_anew=one.name in broken)


def _same(wanted: CollectionState, found: CollectionState | None) -> bool:
    return found == wanted and not found.building


def _touched(picture: Picture, wanted: Hashes, found: Hashes) -> set[str]:
    """The collections whose documents are not as they were; all, where the server does not tell."""
    stored = {one.name: _hashed(one) for one in picture.state if one.kind != "view"}
    return {name for name, hashed in stored.items() if not wanted or wanted.get(hashed) != found.get(hashed)}


def _hashed(one: CollectionState) -> str:
    """The name of what holds the documents: those of a time series are in its buckets."""
    return f"system.buckets.{one.name}" if one.kind == "timeseries" else one.name


def _only_grows(one: CollectionState) -> bool:
    """Whether documents cannot be deleted one by one."""
    return one.kind == "timeseries" or bool(one.options.get("capped"))


def _makes(one: CollectionState) -> Sequence[Operation]:
    if one.kind == "view":
        options = dict(one.options)
        return [CreateView(one.name, options.pop("viewOn"), options.pop("pipeline"), options)]
    made: list[Operation] = [CreateCollection(one.name, one.options)]
    return [*made, CreateIndexes(one.name, one.indexes)] if one.indexes else made


async def _refill(database: Any, one: CollectionState, documents: Collection[bytes], *, made_anew: bool) -> None:
    collection = database[one.name]
    if not made_anew:
        await collection.delete_many({})
    if documents:
        rows = [RawBSONDocument(each) for each in documents]
        valid = one.kind == "timeseries"  # which takes no bypass, and has no validator
        await collection.insert_many(rows, bypass_document_validation=None if valid else True)


async def _hashes(database: Any) -> Hashes:
    """A hash of each collection's documents; none where the server, or the user's rights, do not allow to ask.

    https://www.mongodb.com/docs/manual/reference/command/dbHash/
    """
    try:
        found: Hashes = (await database.command("dbHash"))["collections"]
    except OperationFailure:
        return {}
    return found
