"""``DataMethods``: the methods of ``env`` that work through the documents of a collection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from asyncmig.operations import (
    ConvertField,
    Operation,
    RemoveField,
    RenameField,
    Tally,
    TransformDocuments,
    UpdateInBatches,
)
from asyncmig.operations.data import OnError
from asyncmig.operations.fields import OnConflict, Type
from asyncmig.running.env.data_arguments import DataCall

__all__ = ["DataMethods"]

_ON_ERROR = ("fail", "collect")


class DataMethods:
    """What :class:`~asyncmig.running.env.env.Env` can do with data.

    All of it goes in batches, each of them checkpointed: what is interrupted goes on there, and no
    document is changed twice. They return a :class:`~asyncmig.operations.Tally`. Common to all:

    ``batch_size``: documents, at most. ``max_per_second``: documents. ``max_lag``: wait while a
    secondary is further behind than so many seconds. ``max_queue``: wait while more operations than
    that wait for a lock on the server. ``on_error``, of a document that cannot be changed: ``fail``
    stops there, with its ``_id``; ``collect`` notes it in the collection ``asyncmig_revisions_failed``
    and goes on.
    """

    _perform: Callable[[Operation], Awaitable[Any]]

    async def update_in_batches(
        self,
        name: str,
        filter: Mapping[str, Any],
        update: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        batch_size: int | None = None,
        on_error: OnError = "fail",
        max_per_second: float | None = None,
        max_lag: float | None = None,
        max_queue: int | None = None,
        **options: Any,
    ) -> Tally:
        """Update all documents that match, on the server, in ranges of ``_id`` of 10,000 documents.

        ``update``: operators or a pipeline. ``options``: ``arrayFilters``, ``collation``, ``hint``, ``let``.
        https://www.mongodb.com/docs/manual/reference/command/update/
        """
        call = DataCall("update_in_batches", name)
        pace = call.pace(batch_size, max_per_second, max_lag, max_queue)
        changed = call.update(update)
        wanted = UpdateInBatches(
            call.collection(name),
            call.document(filter, "filter"),
            changed,
            call.options(options, changed),
            pace=pace,
            on_error=call.choice(on_error, "on_error", _ON_ERROR),
        )
        return Tally.read(await self._perform(wanted))

    async def transform_documents(
        self,
        name: str,
        filter: Mapping[str, Any],
        function: Callable[[dict[str, Any]], Any],
        *,
        batch_size: int | None = None,
        concurrency: int = 4,
        projection: Mapping[str, Any] | None = None,
        version_field: str | None = None,
        on_error: OnError = "fail",
        max_per_second: float | None = None,
        max_lag: float | None = None,
        max_queue: int | None = None,
    ) -> Tally:
        """Give each document that matches to a function, sync or async, and write what it returns.

        That is a document, which takes the place of the one that was given; an update (operators or
        a pipeline); None, which leaves it; or :data:`asyncmig.Delete`. The function may be called again
        for a document, when that was changed meanwhile or after a crash; what it returned is written once.

        ``batch_size``: 2,000 unless given. ``concurrency``: batches that are under way at once, each
        with one call of the function at a time. ``projection``: the part of a document that is read;
        the function then returns an update. ``version_field``: a field that every writer changes, by
        which a document that was changed meanwhile is told; else it is compared as a whole.
        """
        call = DataCall("transform_documents", name)
        wanted = TransformDocuments(
            call.collection(name),
            call.document(filter, "filter"),
            call.function(function),
            None if projection is None else call.document(projection, "projection"),
            None if version_field is None else call.path(version_field, "version_field"),
            pace=call.pace(batch_size, max_per_second, max_lag, max_queue),
            concurrency=call.count(concurrency, "concurrency"),
            on_error=call.choice(on_error, "on_error", _ON_ERROR),
        )
        return Tally.read(await self._perform(wanted))

    async def rename_field(
        self,
        name: str,
        old: str,
        new: str,
        *,
        on_conflict: OnConflict = "fail",
        batch_size: int | None = None,
        on_error: OnError = "fail",
        max_per_second: float | None = None,
        max_lag: float | None = None,
        max_queue: int | None = None,
    ) -> Tally:
        """Rename a field in every document that has it.

        Dotted paths lead into sub-documents and into the elements of arrays; two that differ in more
        than the last name move the field, where no array is on the way. ``on_conflict``, of a
        document that has both: ``fail``, ``overwrite`` the new one, or ``keep`` it and drop the old one.
        """
        call = DataCall("rename_field", name)
        path = call.path(old, "old")
        wanted = RenameField(
            call.collection(name),
            path,
            call.other_path(new, "new", path),
            on_conflict=call.choice(on_conflict, "on_conflict", ("fail", "overwrite", "keep")),
            pace=call.pace(batch_size, max_per_second, max_lag, max_queue),
            on_error=call.choice(on_error, "on_error", _ON_ERROR),
        )
        return Tally.read(await self._perform(wanted))

    async def remove_field(
        self,
        name: str,
        field: str,
        *,
        keep_in: str | None = None,
        batch_size: int | None = None,
        on_error: OnError = "fail",
        max_per_second: float | None = None,
        max_lag: float | None = None,
        max_queue: int | None = None,
    ) -> Tally:
        """Remove a field from every document that has it; with ``keep_in`` move it there, for a way back."""
        call = DataCall("remove_field", name)
        path = call.path(field, "field")
        wanted = RemoveField(
            call.collection(name),
            path,
            None if keep_in is None else call.other_path(keep_in, "keep_in", path),
            pace=call.pace(batch_size, max_per_second, max_lag, max_queue),
            on_error=call.choice(on_error, "on_error", _ON_ERROR),
        )
        return Tally.read(await self._perform(wanted))

    async def convert_field(
        self,
        name: str,
        field: str,
        to: Type,
        *,
        from_: Type | None = None,
        on_error: Literal["fail", "collect", "keep", "null"] | Callable[[Any], Any] = "fail",
        batch_size: int | None = None,
        max_per_second: float | None = None,
        max_lag: float | None = None,
        max_queue: int | None = None,
    ) -> Tally:
        """Convert a field to another type in every document that has it; each element where it is an array.

        Null and missing stay as they are. ``from_``: only values of that type, so that there is a way
        back. ``on_error``, of a value that cannot be converted: ``fail`` or ``collect`` its document,
        ``keep`` it, put ``null`` in its place, or a function that is given the value and returns another.
        https://www.mongodb.com/docs/manual/reference/operator/aggregation/convert/
        """
        call = DataCall("convert_field", name)
        wanted = ConvertField(
            call.collection(name),
            call.path(field, "field"),
            call.type(to, "to"),
            None if from_ is None else call.type(from_, "from_"),
            on_error=call.choice(on_error, "on_error", (*_ON_ERROR, "keep", "null"), or_callable=True),
            pace=call.pace(batch_size, max_per_second, max_lag, max_queue),
        )
        if wanted.from_ == wanted.to:
            raise call.error("from_", f"is {wanted.to!r}, as `to` is: there is nothing to convert")
        return Tally.read(await self._perform(wanted))
