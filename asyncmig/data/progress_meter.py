"""``ProgressMeter``: how far an operation is, how fast it goes, and how long it will take."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter
from typing import Any, Self

from pymongo.errors import PyMongoError

from asyncmig.data.checkpoint import Checkpoint
from asyncmig.data.progress import Advance, ProgressHooks
from asyncmig.data.ranges import Place, spans
from asyncmig.data.rate import RateWindow
from asyncmig.data.source import Source
from asyncmig.operations import Tally

__all__ = ["ProgressMeter"]

_COUNT_MS = 60_000  # to count what there is to do, beside the work
_REPORT_INTERVAL_SECONDS = 0.1


class ProgressMeter:
    """An async context: what there is to do is counted beside the work, and given up at the end of it."""

    def __init__(
        self, source: Source, filter_: Mapping[str, Any], progress: ProgressHooks, checkpoint: Checkpoint
    ) -> None:
        self._source, self._filter, self._progress = source, filter_, progress
        self._at, self._before = checkpoint, checkpoint.tally.matched
        self._total: int | None = None
        self._began = self._told = perf_counter()
        self._window = RateWindow(self._began)

    async def __aenter__(self) -> Self:
        self._counting = asyncio.create_task(self._count())
        return self

    async def __aexit__(self, *details: object) -> None:
        self._counting.cancel()
        await asyncio.gather(self._counting, return_exceptions=True)

    def tell(self, tally: Tally) -> None:
        """Tell how far it is, if a moment has passed since the last time."""
        if perf_counter() - self._told >= _REPORT_INTERVAL_SECONDS:
            self._tell(tally, self._total)

    def end(self, tally: Tally) -> None:
        """Tell that it is done."""
        self._tell(tally, tally.matched)

    def _tell(self, tally: Tally, total: int | None) -> None:
        self._told = perf_counter()
        since = tally.matched - self._before
        self._window.add(self._told, since)
        lately = self._window.rate()
        total = None if total is None else max(total, tally.matched)
        left = None if total is None else total - tally.matched
        remaining = None if left is None else 0.0 if not left else left / lately if lately else None
        rate = lately or since / max(self._told - self._began, 0.001)
        self._progress.advanced(Advance(tally.matched, total, rate, remaining, tally))

    async def _count(self) -> None:
        """Count what is left; while it is not known, progress is told without it."""
        if self._source.session is not None:
            return  # a session does one thing at a time
        documents = self._source.documents
        try:
            if not self._filter and not self._before:
                self._total = int(await documents.estimated_document_count())
                return
            left = await documents.count_documents(self._left(), maxTimeMS=_COUNT_MS)
        except PyMongoError:
            return
        self._total = self._before + int(left)

    def _left(self) -> Any:
        if self._at.is_last_round or self._at.at == Place():
            return self._source.conjunction(self._filter)
        ahead = [span.filter for span in spans(self._at.at)]
        return self._source.conjunction(self._filter, {"$or": ahead} if ahead else {})
