"""``complete``: bring work to its end that should not be cut in the middle, though somebody cancels meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

import anyio

from asyncmig.data.progress import Stopped
from asyncmig.running.locking.lease import Lease

__all__ = ["answered", "ended", "run_to_completion", "run_uncut"]

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


async def answered(question: Awaitable[T], *, seconds: float, if_cancelled: float) -> T:
    """The server's answer, which is waited for ``seconds``, and ``if_cancelled`` at most once somebody cancels.

    What was sent may be carried out after its sender is gone, and after whatever is sent to take it back. So it
    has to be over before that. Raises TimeoutError.
    """
    asking = asyncio.ensure_future(question)
    try:
        await asyncio.wait([asking], timeout=seconds)
    except asyncio.CancelledError:
        with anyio.CancelScope(shield=True):
            await run_uncut(ended(asking, if_cancelled))
        raise
    if not asking.done():
        await ended(asking, 0)
        raise TimeoutError
    return asking.result()


async def ended(asking: asyncio.Future[Any], seconds: float) -> None:
    """Wait for what nobody asks for any more, for so many seconds; then give it up, whatever has come of it."""
    await asyncio.wait([asking], timeout=seconds)
    asking.cancel()
    await asyncio.wait([asking])
    if not asking.cancelled():
        asking.exception()  # it was looked at


async def _wait_or_cut(task: asyncio.Task[Any]) -> None:
    try:
        await asyncio.wait([task])
    except asyncio.CancelledError:
        task.cancel()
        raise
