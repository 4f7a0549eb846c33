"""``Throttle``: not faster than so many documents per second, and not while the servers have trouble keeping up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from time import perf_counter
from typing import Any

from pymongo.errors import OperationFailure

from asyncmig.data.progress import ProgressHooks
from asyncmig.drivers.base import Driver
from asyncmig.errors import OperationRefused
from asyncmig.operations import Pace
from asyncmig.operations.data import DataOperation

__all__ = ["Throttle"]

_RECHECK_SECONDS = 0.5  # until a bound that was exceeded is looked at again
_TRUST_SECONDS = 1.0  # for which a bound that was kept is taken to be
_PRIMARY, _SECONDARY = 1, 2


class Throttle:
    """Waits before a batch, as long as it takes."""

    def __init__(self, pace: Pace, progress: ProgressHooks) -> None:
        self._pace, self._progress = pace, progress
        self._next = self._looked = 0.0

    def took(self, documents: int) -> None:
        """So many documents were dealt with just now."""
        if self._pace.max_per_second is not None:
            self._next = max(self._next, perf_counter()) + documents / self._pace.max_per_second

    async def wait(self) -> None:
        """Return when the next batch may begin, or when the operation is to stop."""
        if (early := self._next - perf_counter()) > 0:
            await self._progress.pause(early)
        while not self._progress.is_stopping and await self._exceeded():
            await self._progress.pause(_RECHECK_SECONDS)

    async def _exceeded(self) -> bool:
        if perf_counter() - self._looked < _TRUST_SECONDS:
            return False
        driver, pace = self._progress.driver, self._pace
        if pace.max_lag is not None and ((lag := await replication_lag(driver)) is None or lag > pace.max_lag):
            return True
        if pace.max_queue is not None and await queue(driver) > pace.max_queue:
            return True
        self._looked = perf_counter()
        return False


async def refuse_unmeasurable(operation: DataOperation, driver: Driver) -> None:
    """Raise OperationRefused where a bound is asked for that this server, or this user, cannot measure."""
    pace = operation.pace
    if pace.max_lag is not None and await replication_lag(driver) is None:
        raise OperationRefused(operation, None, "max_lag: this server tells nothing of its secondaries", "leave it out")
    if pace.max_queue is not None:
        await queue(driver)


async def replication_lag(driver: Driver) -> float | None:
    """Seconds by which the slowest secondary is behind; None where the server does not say.

    Who may not ask for the members (that takes clusterMonitor) learns how far the majority is.
    https://www.mongodb.com/docs/manual/reference/command/replSetGetStatus/
    """
    try:
        return lag_of((await driver.command({"replSetGetStatus": 1}, admin=True))["members"])
    except OperationFailure:
        written = (await driver.command({"hello": 1}, admin=True)).get("lastWrite")
    return (written["lastWriteDate"] - written["majorityWriteDate"]).total_seconds() if written else None


def lag_of(members: list[Mapping[str, Any]]) -> float:
    """Seconds between the primary's last write and that of the slowest secondary that is up."""
    newest: list[datetime] = [member["optimeDate"] for member in members if member["state"] == _PRIMARY]
    others: list[datetime] = [member["optimeDate"] for member in members if member["state"] == _SECONDARY]
    return max(((newest[0] - other).total_seconds() for other in others), default=0.0) if newest else 0.0


async def queue(driver: Driver) -> int:
    """How many operations wait for a lock. Takes clusterMonitor, as serverStatus does."""
    status = await driver.command({"serverStatus": 1, "repl": 0, "metrics": 0, "locks": 0}, admin=True)
    return int(status["globalLock"]["currentQueue"]["total"])
