"""``complete``: bring work to its end that should not be cut in the middle, though somebody cancels meanwhile."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

import anyio

from asyncmig.running.lease import Lease

__all__ = ["complete"]

T = TypeVar("T")


async def complete(task: asyncio.Task[T], lease: Lease) -> T:
    """Await ``task`` to its end, then let a cancellation through that came meanwhile.

    Cancelling a driver's call does not stop the server, it only makes the outcome unknown: so an
    operation and the journal's word on it are one piece. Cancel scopes wait for that piece; of
    asyncio's own cancellations the first one waits, and the second cuts. When the lease is lost the
    task is cancelled at once, and LockLost raised.
    """
    with anyio.CancelScope(shield=True), lease.guarding(task):
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await _wait_or_cut(task)
            if task.cancelled():
                lease.check()
            elif (error := task.exception()) is not None:
                raise error from None
            raise
    return task.result()


async def _wait_or_cut(task: asyncio.Task[Any]) -> None:
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        raise
