"""Doing several things at once that cannot stand in one another's way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

__all__ = ["WORKERS", "at_once"]

WORKERS: Final = 4
"""As many as a server makes faster at once than one after the other (``benchmarks/introspect.py``)."""


async def at_once(works: Iterable[Callable[[], Awaitable[None]]]) -> None:
    """Do all of them, four at a time; once one has failed no other is begun.

    What is under way then comes to its end: a command that was sent is not abandoned. Raises what the
    first one has raised.
    """
    waiting, failures = iter(works), list[Exception]()

    async def work() -> None:
        for work in waiting:
            if failures:
                return
            try:
                await work()
            except Exception as error:  # noqa: BLE001  # raised below, when all have ended
                failures.append(error)

    await asyncio.gather(*(work() for _ in range(WORKERS)))
    if failures:
        raise failures[0]
