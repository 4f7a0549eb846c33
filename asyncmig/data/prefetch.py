"""``Prefetch``: the batches of a round in their order, read and prepared ahead of the one that is being written."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

from asyncmig.data.batch_size import BatchSize
from asyncmig.data.ranges import Place, Span, spans
from asyncmig.data.task import Batch, Task

__all__ = ["Prefetch"]


class Prefetch:
    """An async context; at its end nothing is read any more.

    At most ``task.ahead`` batches are under way at once, so memory is bounded, whatever the
    collection's size: a batch is under way from its reading until :meth:`written` says that it is done.
    """

    def __init__(self, task: Task, start: Place, end: Place, size: BatchSize) -> None:
        self._task, self._start, self._end, self._size = task, start, end, size
        self._slots = asyncio.Semaphore(task.ahead)
        self._ready: asyncio.Queue[asyncio.Task[Batch] | Exception | None] = asyncio.Queue()
        self._running: set[asyncio.Task[Batch]] = set()

    async def next(self) -> Batch | None:
        """The next batch; None behind the last one. Raises what reading or preparing has raised."""
        ready = await self._ready.get()
        if isinstance(ready, Exception):
            raise ready
        return await ready if ready is not None else None

    def written(self) -> None:
        """One more batch may be read."""
        self._slots.release()

    async def __aenter__(self) -> Self:
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        tasks = [self._reader, *self._running]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self) -> None:
        try:
            await self._read_all()
        except Exception as error:  # noqa: BLE001  # handed on to whoever asks for the next batch
            self._ready.put_nowait(error)
        else:
            self._ready.put_nowait(None)

    async def _read_all(self) -> None:
        for span in spans(self._start, self._end):
            rest = span
            while (batch := await self._fetch(rest)) is not None:
                preparing = asyncio.create_task(self._task.prepare(batch))
                self._running.add(preparing)
                preparing.add_done_callback(self._running.discard)
                self._ready.put_nowait(preparing)
                if batch.is_last:
                    break
                rest = rest.tail(batch.span.upto)

    async def _fetch(self, rest: Span) -> Batch | None:
        await self._slots.acquire()
        batch = await self._task.fetch(rest, self._size.now)
        if batch is None:
            self._slots.release()
        return batch
