"""``Move``: documents go into another collection, and only what is found there is deleted here.

Where the server has transactions a batch is one. Where not, a document is deleted only if it still is, as
a whole, the one that was copied; what was changed in between is copied again.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

from bson.raw_bson import RawBSONDocument

from asyncmig.data.held import same_whole
from asyncmig.data.source import Source, split
from asyncmig.data.task import Batch, BatchRefused
from asyncmig.data.update import ServerUpdate
from asyncmig.drivers.base import Document
from asyncmig.drivers.refusal import REFUSALS, is_refusal
from asyncmig.operations import MoveDocuments, Tally
from asyncmig.schema.canonical import canonical

__all__ = ["Move"]


class Move(ServerUpdate):
    """Ranges of the collection; ``in_transactions``: whether each is one."""

    size: ClassVar[int] = 2_000

    def __init__(self, source: Source, operation: MoveDocuments, *, in_transactions: bool) -> None:
        super().__init__(source, operation.filter, {}, {}, is_idempotent=True, excludes=True)
        self.excludes = True  # also without a filter: what was moved is gone
        self._pipeline: list[Document] = [dict(stage) for stage in operation.pipeline]
        self._into, self._in_transactions = operation.into, in_transactions
        self._target = Source(source.driver, operation.into, None, source.session)
        self._written: set[Hashable] = set()

    async def write(self, batch: Batch, session: Any) -> Tally:
        """One range. Raises BatchRefused, also where another document has the place of one of them."""
        within = self.conjunction(batch.span)
        originals = split(await self.source.raw(within, session=session))
        copies = originals
        if self._pipeline:
            copies = split(await self.source.raw_stages(within, self._pipeline, session=session))
        try:
            await self._copy(originals, copies, session)
            deleted = await self._delete(originals, session)
        except REFUSALS as error:
            if not is_refusal(error):
                raise
            raise BatchRefused(error) from error
        return Tally(deleted, deleted=deleted)

    async def _copy(self, originals: Sequence[bytes], copies: Sequence[bytes], session: Any) -> None:
        keys = [self.source.key(copy) for copy in copies]
        if [canonical(key) for key in keys] != [canonical(self.source.key(original)) for original in originals]:
            raise ValueError("the pipeline has to give one document for each, with the same _id")
        stored = await self.source.driver.stored(self._into, keys, session=session) if keys else []
        existing = {canonical(self.source.key(document)): document for document in stored}
        new, changed = list[bytes](), list[bytes]()
        for key, copy in zip(map(canonical, keys), copies, strict=True):
            if key not in existing:
                new.append(copy)
            elif existing[key] != copy:
                if key not in self._written:
                    raise ValueError(f"another document with this _id is in {self._into} already")
                changed.append(copy)
        if new:
            await self.source.driver.insert(self._into, new, session=session)
        if changed:
            replacing = [self.source.encoded(_replacing(self.source.key(copy), copy)) for copy in changed]
            await self._target.write("update", replacing, session)
        if not self._in_transactions:
            self._written |= {canonical(key) for key in keys}

    async def _delete(self, originals: Sequence[bytes], session: Any) -> int:
        """Those that still are what was copied."""
        if not originals:
            return 0
        statements = []
        for original in originals:
            held = {} if self._in_transactions else same_whole(original)
            statements.append(self.source.encoded({"q": {"_id": self.source.key(original), **held}, "limit": 1}))
        done = await self.source.write("delete", statements, session)
        return int(done["n"])

    async def still_matches(self, batch: Batch, session: Any) -> bool:
        """Not one that was moved."""
        return False


def _replacing(key: Any, document: bytes) -> Document:
    change = [{"$replaceWith": {"$literal": RawBSONDocument(document)}}]
    return {"q": {"_id": key}, "u": change}
