"""``Env``: what a revision's ``upgrade`` and ``downgrade`` are given: the operations as methods."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from asyncmig.drivers.base import Driver
from asyncmig.operations import (
    CreateCollection,
    CreateCollections,
    CreateIndexes,
    CreateView,
    DeleteDocuments,
    DropCollection,
    DropIndex,
    DropView,
    InsertDocuments,
    ModifyCollection,
    ModifyIndex,
    ModifyView,
    Operation,
    RenameCollection,
)
from asyncmig.running.env.arguments import Call
from asyncmig.running.env.between_methods import BetweenMethods
from asyncmig.running.env.data_methods import DataMethods
from asyncmig.schema.option_rules import MODIFY_OPTIONS

__all__ = ["Env"]


class Env(DataMethods, BetweenMethods):
    """A database as a revision sees it.

    Each method makes one operation, which is then applied and journalled (by ``upgrade`` and
    ``downgrade``) or only recorded (by a plan), and can be run again after a crash. Options are
    spelled as MongoDB spells them. All raise DeclarationError for arguments that make no sense, and,
    when applied, OperationRefused where the server refuses, UnsupportedByDriver where the mock cannot.

    ``db`` and ``client`` are the user's own objects. What is called on them directly is not
    journalled, and runs again when a revision that stopped half-way is resumed.
    """

    def __init__(
        self,
        driver: Driver,
        perform: Callable[[Operation], Awaitable[Any]],
        *,
        database: Any = None,
        client: Any = None,
        collections: set[str],
        session: Any = None,
        context: Mapping[str, Any] | None = None,
    ) -> None:
        self._driver, self._perform = driver, perform
        self._collections = collections
        self._session = session
        self._context: Mapping[str, Any] = MappingProxyType(dict(context or {}))
        self._database, self._client = database, client

    @property
    def context(self) -> Mapping[str, Any]:
        """What ``Migrator(..., context=...)`` was given, or ``[tool.asyncmig.context]`` has.

        A file that needs names says so, ``context = ["HMAC_KEY"]``: then a run without them ends before its first step.
        """
        return self._context

    @property
    def db(self) -> Any:
        """The database, of the driver that the user has chosen."""
        return self._driver.database if self._database is None else self._database

    @property
    def client(self) -> Any:
        """The database's client."""
        return self.db.client if self._client is None else self._client

    @property
    def session(self) -> Any:
        """The session of the running transaction, for ``env.db``'s methods; None outside one."""
        return self._session

    @property
    def collections(self) -> set[str]:
        """The names of the collections and views as they stand now: it follows the operations."""
        return self._collections

    async def create_collection(self, name: str, /, **options: Any) -> None:
        """Create a collection; one that is there with the same options is left as it is.

        ``options``: ``validator``, ``capped`` with ``size`` (bytes), ``timeseries``, ``collation``, ...
        https://www.mongodb.com/docs/manual/reference/command/create/
        """
        call = Call("create_collection", name)
        made = CreateCollection(call.collection(name), call.collection_options(options))
        await self._perform(made)
        self._collections.add(name)

    async def create_collections(self, collections: Sequence[Sequence[Any]]) -> None:
        """Create many collections with their indexes, several at a time; what is there alike is left as it is.

        ``collections``: for each ``("name", {options}, [Index, ...])``, the last one or two of which may be
        left out. Options as of :meth:`create_collection`, indexes as of :meth:`create_indexes`.
        """
        made = CreateCollections(Call("create_collections").new_collections(collections))
        await self._perform(made)
        self._collections.update(collection.name for collection in made.created)

    async def drop_collection(self, name: str) -> None:
        """Drop a collection with its documents and indexes; one that is not there has been dropped."""
        await self._perform(DropCollection(Call("drop_collection", name).collection(name)))
        self._collections.discard(name)

    async def rename_collection(self, old: str, new: str) -> None:
        """Rename a collection; done where only the new name is there, refused where both are."""
        call = Call("rename_collection", old)
        renamed = RenameCollection(call.collection(old, "old"), call.collection(new, "new"))
        if old == new:
            raise call.error("new", "is the old name")
        await self._perform(renamed)
        self._collections.discard(old)
        self._collections.add(new)

    async def modify_collection(self, name: str, /, **options: Any) -> None:
        """Change a collection's options in place, all in one command.

        ``options``: ``validator``, ``validationLevel``, ``validationAction``, ``cappedSize`` (bytes),
        ``cappedMax`` (documents), ``expireAfterSeconds``, ``timeseries``, ``changeStreamPreAndPostImages``.
        https://www.mongodb.com/docs/manual/reference/command/collMod/
        """
        call = Call("modify_collection", name)
        if "index" in options:
            raise call.error("index", "is not an option of a collection: use env.modify_index")
        if "viewOn" in options or "pipeline" in options:
            raise call.error("viewOn", "and pipeline are a view's: use env.modify_view")
        given = call.some(options, "an option, validator={...} for example")
        call.spelled(given, MODIFY_OPTIONS)
        await self._perform(ModifyCollection(call.collection(name), given))

    async def create_view(
        self, name: str, /, view_on: str, pipeline: Sequence[Mapping[str, Any]], **options: Any
    ) -> None:
        """Create a view; one that is there with the same definition is left as it is.

        ``options``: ``collation``. https://www.mongodb.com/docs/manual/core/views/
        """
        call = Call("create_view", name)
        source = call.collection(view_on, "view_on")
        given = call.document(options, "options")
        call.spelled(given, ["collation"])
        await self._perform(CreateView(call.collection(name), source, call.pipeline(pipeline), given))
        self._collections.add(name)

    async def modify_view(self, name: str, view_on: str, pipeline: Sequence[Mapping[str, Any]]) -> None:
        """Change what a view shows, in place."""
        call = Call("modify_view", name)
        source = call.collection(view_on, "view_on")
        await self._perform(ModifyView(call.collection(name), source, call.pipeline(pipeline)))

    async def drop_view(self, name: str) -> None:
        """Drop a view; one that is not there has been dropped, a collection of the name is refused."""
        await self._perform(DropView(Call("drop_view", name).collection(name)))
        self._collections.discard(name)

    async def create_indexes(
        self,
        name: str,
        indexes: Sequence[Any],
        *,
        commit_quorum: str | int | None = None,
        max_time: float | None = None,
    ) -> None:
        """Create indexes, all in one command, so that the collection is scanned once; all or none.

        ``indexes``: each an Index, an IndexModel, a field name, or a list of pairs. ``commit_quorum``: which
        members have to have built them: ``majority`` unless the setting says otherwise, ``votingMembers``, a
        number, a tag. ``max_time``: seconds after which the server gives the build up.
        https://www.mongodb.com/docs/manual/reference/command/createIndexes/
        """
        call = Call("create_indexes", name)
        tuning = {"commit_quorum": call.quorum(commit_quorum), "max_time": call.max_time(max_time)}
        await self._perform(CreateIndexes(call.collection(name), call.indexes(indexes), **tuning))
        self._collections.add(name)

    async def create_index(
        self,
        name: str,
        /,
        keys: Any,
        *,
        commit_quorum: str | int | None = None,
        max_time: float | None = None,
        **options: Any,
    ) -> None:
        """Create one index: ``keys`` and ``options`` as of :class:`~asyncmig.Index` (``name=`` among them).

        ``commit_quorum`` and ``max_time`` as of ``create_indexes``.
        """
        call = Call("create_index", name)
        made = call.index(keys, "keys").replace(**call.document(options, "options"))
        wanted = call.allowed(made, "keys and options:")
        tuning = {"commit_quorum": call.quorum(commit_quorum), "max_time": call.max_time(max_time)}
        await self._perform(CreateIndexes(call.collection(name), (wanted,), **tuning))
        self._collections.add(name)

    async def drop_index(self, name: str, index_name: str) -> None:
        """Drop one index by its name; one that is not there has been dropped."""
        call = Call("drop_index", name)
        which = call.text(index_name, "index_name")
        if which == "*":
            raise call.error("index_name", "'*' would drop all of them; drop them one by one")
        await self._perform(DropIndex(call.collection(name), which))

    async def modify_index(self, name: str, /, index_name: str, **options: Any) -> None:
        """Change one index in place: ``expireAfterSeconds``, ``hidden``, ``prepareUnique``, ``unique=True``.

        ``unique=True`` takes the whole way: stop new duplicates, look for old ones, convert; where
        there are any, the index is left as it was and they are named.
        https://www.mongodb.com/docs/manual/reference/command/collMod/#change-index-properties
        """
        call = Call("modify_index", name)
        which = call.text(index_name, "index_name")
        given = call.some(options, "expireAfterSeconds, hidden, prepareUnique or unique=True")
        call.spelled(given, ["expireAfterSeconds", "hidden", "prepareUnique", "unique"])
        await self._perform(ModifyIndex(call.collection(name), which, given))

    async def insert_documents(self, name: str, documents: Sequence[Mapping[str, Any]]) -> None:
        """Insert those documents whose ``_id`` is not there yet; the others are left as they are."""
        call = Call("insert_documents", name)
        await self._perform(InsertDocuments(call.collection(name), call.documents(documents)))
        self._collections.add(name)

    async def delete_documents(self, name: str, ids: Sequence[Any], *, if_unchanged: bool = False) -> None:
        """Delete documents by ``_id``.

        With ``if_unchanged`` only those that this revision's upgrade has inserted and that nobody
        has changed since.
        """
        call = Call("delete_documents", name)
        wanted = DeleteDocuments(call.collection(name), call.ids(ids), if_unchanged=bool(if_unchanged))
        await self._perform(wanted)
