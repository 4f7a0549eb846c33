"""Running a revision without applying anything: what it would do, written down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from asyncmig.drivers.base import Driver
from asyncmig.operations import Operation
from asyncmig.review.proxies import Recorder
from asyncmig.review.raw_call import RawCall
from asyncmig.running.env.env import Env

__all__ = ["RawCall", "Recording", "record"]


@dataclass(frozen=True, slots=True)
class Recording:
    """What ``upgrade`` or ``downgrade`` asked for, in order, up to its end or to ``error``."""

    actions: tuple[Operation | RawCall, ...]
    error: str | None = None
    """Type and text of the exception that ended it; often it had read what an earlier write would have made."""


async def record(function: Callable[[Env], Awaitable[Any]], driver: Driver, collections: set[str]) -> Recording:
    """Call ``function`` with an ``env`` that records: reads go through to the database, nothing is written.

    ``collections`` follows the recorded operations, as it does when they are applied. Whatever
    ``function`` does outside MongoDB, it does for real.
    """
    actions: list[Operation | RawCall] = []

    async def perform(operation: Operation) -> None:
        actions.append(operation)

    recorder = Recorder(driver.database, actions)
    database, client = recorder.wrap(driver.database), recorder.wrap(driver.database.client)
    try:
        await function(Env(driver, perform, database=database, client=client, collections=collections))
    except Exception as error:  # noqa: BLE001  # a revision is the user's code and may raise anything
        return Recording(tuple(actions), f"{type(error).__name__}: {error}")
    return Recording(tuple(actions))
