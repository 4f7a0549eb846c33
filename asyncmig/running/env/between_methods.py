"""``BetweenMethods``: the methods of ``env`` that bring documents from one collection into another."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from asyncmig.operations import Deduplicate, MergeInto, MoveDocuments, Operation, Tally, TransformBatches
from asyncmig.operations.between import WhenMatched, split_pipeline
from asyncmig.operations.data import OnError
from asyncmig.running.env.data_arguments import DataCall

__all__ = ["BetweenMethods"]

_ON_ERROR = ("fail", "collect")
_WHEN_MATCHED = ("replace", "merge", "keepExisting")

_WRITING = frozenset({"$merge", "$out"})


class BetweenMethods:
    """As :class:`~asyncmig.running.env.data_methods.DataMethods`: in batches that can be interrupted, counted."""

    _perform: Callable[[Operation], Awaitable[Any]]
    _collections: set[str]
    _session: Any

    @property
    def db(self) -> Any:
        """The database."""
        raise NotImplementedError

    async def merge_into(
        self,
        source: str,
        pipeline: Sequence[Mapping[str, Any]],
        into: str,
        *,
        on: str | Sequence[str] = "_id",
        when_matched: WhenMatched = "replace",
        batch_size: int | None = None,
        on_error: OnError = "fail",
        max_per_second: float | None = None,
        max_lag: float | None = None,
        max_queue: int | None = None,
    ) -> Tally:
        """Put what a pipeline makes of ``source`` into another collection, on the server.

        In ranges of ``_id`` of ``source``, where each document that comes out depends on one that goes in; a
        pipeline with ``$group``, ``$sort`` and the like is one command. ``on``: the fields by which a document is
        found in ``into`` (with a unique index there); ``when_matched``: ``replace``, ``merge`` or ``keepExisting``.
        https://www.mongodb.com/docs/manual/reference/operator/aggregation/merge/
        """
        call = DataCall("merge_into", source)
        wanted = MergeInto(
            call.collection(into, "into"),
            call.collection(source, "source"),
            tuple(call.pipeline(pipeline)),
            call.paths(on, "on"),
            call.choice(when_matched, "when_matched", _WHEN_MATCHED),
            pace=call.pace(batch_size, max_per_second, max_lag, max_queue),
            on_error=call.choice(on_error, "on_error", _ON_ERROR),
        )
        if source == into:
            raise call.error("into", "is the source itself: use env.update_in_batches")
        return await self._merged(wanted)

    async def split_array(
        self,
        source: str,
        field: str,
        into: str,
        *,
        document: Mapping[str, Any] | None = None,
        batch_size: int | None = None,
        on_error: OnError = "fail",
        max_per_second: float | None = None,
        max_lag: float | None = None,
        max_queue: int | None = None,
    ) -> Tally:
        """Make a document of ``into`` of each element of an array; the array stays where it is.

        ``document``: its fields as expressions, in which ``"$field"`` is the element and anything else the document
        that it was in: ``{"order": "$_id", "sku": "$lines.sku"}``; ``{"value": "$field"}`` unless given. Its ``_id``,
        unless ``document`` has one, is ``{"of": <_id>, "position": <place in the array>}``: the same in each run.
        """
        call = DataCall("split_array", source)
        path = call.path(field, "field")
        made = None if document is None else call.document(document, "document")
        wanted = MergeInto(
            call.collection(into, "into"),
            call.collection(source, "source"),
            split_pipeline(path, made),
            pace=call.pace(batch_size, max_per_second, max_lag, max_queue),
            on_error=call.choice(on_error, "on_error", _ON_ERROR),
        )
        if source == into:
            raise call.error("into", "is the source itself")
        return await self._merged(wanted)

    async def _merged(self, wanted: MergeInto) -> Tally:
        tally = Tally.read(await self._perform(wanted))
        self._collections.add(wanted.collection)
        return tally

    async def move_documents(
        self,
        source: str,
        filter: Mapping[str, Any],
        into: str,
        *,
        pipeline: Sequence[Mapping[str, Any]] | None = None,
        batch_size: int | None = None,
        on_error: OnError = "fail",
        max_per_second: float | None = None,
        max_lag: float | None = None,
        max_queue: int | None = None,
    ) -> Tally:
        """Move the documents that match into another collection: copied, found there, then deleted.

        ``pipeline``: what changes them on the way; each keeps its ``_id``. A document of ``into`` that has the
        ``_id`` of one of them, and is another one, stops it there.
        """
        call = DataCall("move_documents", source)
        wanted = MoveDocuments(
            call.collection(source, "source"),
            call.document(filter, "filter"),
            call.collection(into, "into"),
            tuple(call.pipeline(pipeline or [])),
            pace=call.pace(batch_size, max_per_second, max_lag, max_queue),
            on_error=call.choice(on_error, "on_error", _ON_ERROR),
        )
        if source == into:
            raise call.error("into", "is the source itself")
        tally = Tally.read(await self._perform(wanted))
        self._collections.add(into)
        return tally

    async def transform_batches(
        self,
        name: str,
        filter: Mapping[str, Any],
        function: Callable[[list[dict[str, Any]]], Any],
        *,
        batch_size: int | None = None,
        on_error: OnError = "fail",
        max_per_second: float | None = None,
        max_lag: float | None = None,
        max_queue: int | None = None,
    ) -> Tally:
        """As ``transform_documents``, with a function that is given a list of documents: one look-up for all of them.

        It returns a list as long, of what the function of ``transform_documents`` returns. Where it raises it is
        called again with half of them, until the document is known that is why. ``batch_size``: 2,000 unless given.
        """
        call = DataCall("transform_batches", name)
        wanted = TransformBatches(
            call.collection(name),
            call.document(filter, "filter"),
            call.function(function),
            pace=call.pace(batch_size, max_per_second, max_lag, max_queue),
            on_error=call.choice(on_error, "on_error", _ON_ERROR),
        )
        return Tally.read(await self._perform(wanted))

    async def deduplicate(
        self,
        name: str,
        by: Sequence[str],
        *,
        keep: str | Sequence[tuple[str, int]],
        keep_in: str | None = None,
        batch_size: int | None = None,
        max_per_second: float | None = None,
        max_lag: float | None = None,
        max_queue: int | None = None,
    ) -> Tally:
        """Keep one of the documents that have the same values in the fields ``by``, as a unique index wants it.

        ``keep``: ``"newest:field"``, ``"oldest:field"``, or the order in which the first one is kept:
        ``[("field", -1), ...]``. ``keep_in``: the collection that the others are moved to, for a way back. Null and
        missing are the same.
        """
        call = DataCall("deduplicate", name)
        wanted = Deduplicate(
            call.collection(name),
            call.several_paths(by, "by"),
            call.order(keep, "keep"),
            None if keep_in is None else call.collection(keep_in, "keep_in"),
            pace=call.pace(batch_size, max_per_second, max_lag, max_queue),
        )
        if keep_in == name:
            raise call.error("keep_in", "is the collection itself")
        tally = Tally.read(await self._perform(wanted))
        if keep_in is not None:
            self._collections.add(keep_in)
        return tally

    async def rows(self, name: str, pipeline: Sequence[Mapping[str, Any]] = ()) -> AsyncIterator[dict[str, Any]]:
        """What a pipeline makes of a collection, one document after the other: the same with both drivers.

        ``async for row in env.rows("orders", [{"$match": {...}}]): ...``

        It reads: a pipeline that ends in ``$out`` or ``$merge`` raises DeclarationError.
        """
        call = DataCall("rows", name)
        stages = call.pipeline(list(pipeline))
        if stages and (written := _WRITING.intersection(stages[-1])):
            raise call.error("pipeline", f"ends in {min(written)}, and rows only reads: write with `env.merge_into`")
        options = {"session": self._session} if self._session is not None else {}
        cursor = self.db[call.collection(name)].aggregate(stages, **options)
        cursor = await cursor if inspect.isawaitable(cursor) else cursor
        async for row in cursor:
            yield row
