"""``Merge``: what a pipeline makes of a collection goes into another one, by the server itself, range after range.

A range may be done again: the pipeline's documents have ``_id``s that are the same each time. Nothing of it
is a transaction, in which the server takes no ``$merge``.

https://www.mongodb.com/docs/manual/reference/operator/aggregation/merge/
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from asyncmig.data.ranges import Span
from asyncmig.data.source import Source
from asyncmig.data.task import Batch, BatchRefused
from asyncmig.data.update import ServerUpdate
from asyncmig.drivers.base import Document
from asyncmig.drivers.refusal import REFUSALS, is_refusal
from asyncmig.operations import MergeInto, Tally

__all__ = ["Merge"]

_SAMPLE_DOCUMENTS = 100  # that are looked at to know of all


class Merge(ServerUpdate):
    """The ranges of ``operation.source``; all of it at once where its pipeline has to see all documents."""

    size: ClassVar[int] = 10_000

    def __init__(self, source: Source, operation: MergeInto) -> None:
        super().__init__(source, {}, {}, {}, is_idempotent=True)
        self._pipeline = [dict(stage) for stage in operation.pipeline]
        on = operation.on if isinstance(operation.on, str) else list(operation.on)
        self._on_id = on == "_id"
        self._merge: Document = {
            "$merge": {
                "into": operation.collection,
                "on": on,
                "whenMatched": operation.when_matched,
                "whenNotMatched": "insert",
            }
        }

    async def fetch(self, span: Span, size: int) -> Batch | None:
        """As an update; ``work`` is the number of its documents, where that is known."""
        batch = await super().fetch(span, size)
        if batch is None or batch.span.upto is None or batch.span.upto == span.upto:
            return batch
        return replace(batch, work=size)

    async def write(self, batch: Batch, session: Any) -> Tally:
        """One range."""
        within = self.conjunction(batch.span)
        count = batch.work if batch.work is not None else await self.source.documents.count_documents(within)
        try:
            await self.run(within)
        except REFUSALS as error:
            if not is_refusal(error):
                raise
            raise BatchRefused(error) from error
        return Tally(count, count)

    async def still_matches(self, batch: Batch, session: Any) -> bool:
        """All of them do; what comes later stands behind them."""
        return True

    async def run(self, within: Mapping[str, Any]) -> None:
        """The pipeline for the documents that match. Raises what the driver raises."""
        await self._aggregated([{"$match": within}, *self._pipeline, self._merge])

    async def any_without_id(self) -> bool:
        """Whether one of the first documents that the pipeline makes has no ``_id``: each run would give it another."""
        if not self._on_id:
            return False
        lacking: list[Document] = [{"$match": {"_id": {"$exists": False}}}, {"$limit": 1}]
        return bool(await self._aggregated([{"$limit": _SAMPLE_DOCUMENTS}, *self._pipeline, *lacking]))

    async def _aggregated(self, pipeline: Sequence[Mapping[str, Any]]) -> list[Any]:
        cursor = self.source.documents.aggregate(list(pipeline), session=self.source.session, allowDiskUse=True)
        cursor = await cursor if inspect.isawaitable(cursor) else cursor
        rows: list[Any] = await cursor.to_list(None)
        return rows
