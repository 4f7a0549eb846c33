"""``ServerUpdate``: an update that the server carries out by itself, range after range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from asyncmig.data.failures import fault_of
from asyncmig.data.ranges import Span
from asyncmig.data.source import Source
from asyncmig.data.task import Batch, BatchRefused, Task
from asyncmig.drivers.base import Document
from asyncmig.drivers.refusal import REFUSALS, is_refusal
from asyncmig.operations import Tally
from asyncmig.operations.data import Update

__all__ = ["MARK", "ServerUpdate", "marking"]

MARK = "_asyncmig"
"""The field that marks what is done, where the server has no transactions and a document must not be done twice."""

_OPTIONS = {"arrayFilters": "array_filters", "collation": "collation", "hint": "hint", "let": "let"}


class ServerUpdate(Task):
    """``update_many`` within one range of ``_id`` after the other, each holding so many documents that match."""

    size: ClassVar[int] = 10_000

    def __init__(
        self, source: Source, filter_: Mapping[str, Any], update: Update, options: Mapping[str, Any], **traits: Any
    ) -> None:
        super().__init__(source, filter_, **traits)
        self.update = update
        self.options = {_OPTIONS[name]: value for name, value in options.items()}

    async def fetch(self, span: Span, size: int) -> Batch | None:
        """The range that holds the next ``size`` documents; the last one holds what is left."""
        if span.after is None and not await self.source.any(self.conjunction(span)):
            return None
        keys = await self.source.keys(self.conjunction(span), skip=size - 1) if span.is_cut else []
        if not keys or keys[0] == span.upto:
            return Batch(span, size, is_last=True)
        return Batch(span.head(keys[0]), size)

    async def write(self, batch: Batch, session: Any) -> Tally:
        """The update of one range."""
        try:
            done = await self.source.documents.update_many(
                self.conjunction(batch.span), self.update, session=session, **self.options
            )
        except REFUSALS as error:
            if not is_refusal(error):
                raise
            raise BatchRefused(error) from error
        matched, modified = int(done.matched_count), int(done.modified_count)
        return Tally(matched, modified, skipped=matched - modified)

    async def still_matches(self, batch: Batch, session: Any) -> bool:
        """Of an update that may be applied twice it is enough to know of one document."""
        if self.is_idempotent and batch.span.upto is not None:
            filter_ = self.source.conjunction(self.filter, {"_id": batch.span.upto})
            return await self.source.any(filter_, session=session)
        return await self.source.any(self.conjunction(batch.span), session=session)

    async def cut(self, batch: Batch, refusal: BatchRefused, *, collect: bool) -> Batch | None:
        """Only a range with a single document tells which one it was."""
        keys = await self.source.keys(self.conjunction(batch.span), limit=2)
        if len(keys) > 1:
            return None
        if not keys:
            return replace(batch, is_empty=True)
        empty = replace(batch, is_empty=True)
        fault = fault_of(keys[0], refusal.cause)
        return empty.noting(fault) if collect else replace(empty, fault=fault)


def marking(update: Update, mark: str) -> Update:
    """The update that also marks a document as done."""
    if not isinstance(update, Mapping):
        return [*update, {"$set": {MARK: {"$literal": mark}}}]
    setting: Document = {**update.get("$set", {}), MARK: mark}
    return {**update, "$set": setting}
