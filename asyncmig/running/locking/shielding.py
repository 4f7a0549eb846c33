"""``complete``: bring work to its end that should not be cut in the middle, though somebody cancels meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import anyio

from asyncmig.data.progress import Stopped
from asyncmig.running.locking.lease import Lease

__all__ = ["run_to_completion", "run_uncut"]

T = TypeVar("T")


async def run_to_completion(task: asyncio.Task[T], lease: Lease, ask_to_stop: Callable[[], None] | None = None) -> T:
    """Await ``task`` to its end, then let a cancellation through that came meanwhile.

    Cancelling a driver's call does not stop the server, it only makes the outcome unknown: so an
    operation and the journal's word on it are one piece. Cancel scopes wait for that piece; of
    asyncio's own cancellations the first one waits, and the second cuts. When the lease is lost the
    task is cancelled at once, and LockLost raised.

    Work that can stop in between and go on later says how: by ``ask_to_stop``, which is called at
    the first cancellation. It is waited for all the same, and raises Stopped, or comes to its end.
    """
    with anyio.CancelScope(shield=ask_to_stop is None), lease.guarding(task):
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if ask_to_stop is not None:
                ask_to_stop()
            with anyio.CancelScope(shield=True):
                await _wait_or_cut(task)
            if task.cancelled():
                lease.check()
            elif (error := task.exception()) is not None and not isinstance(error, Stopped):
                raise error from None
            raise
    return task.result()


async def run_uncut(work: Coroutine[Any, Any, None]) -> None:
    """Await ``work``, which is short, to its end, however often somebody cancels meanwhile; then let that through.

    A shield of anyio's is none against asyncio's own cancellations.
    """
    task, cancellation = asyncio.ensure_future(work), None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancellation = error
    task.result()
    if cancellation is not None:
        raise cancellation


async def _wait_or_cut(task: asyncio.Task[Any]) -> None:
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        raise
