"""``Clock``: the server's clock, as updates and filters ask for it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from asyncmig.drivers.base import Document, Driver

__all__ = ["EPOCH", "LATE_CODES", "Clock", "local_clock"]

LATE_CODES = (14, 16554)  # TypeMismatch, by its newer and its older number
"""What the server answers to a write of which :meth:`Clock.now_if_before` has said that it is late."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock:
    """Times that the server fills in, whatever the clocks of the machines that ask are set to.

    A real server evaluates ``$$NOW`` and ``$currentDate`` itself. The mock has no clock: it gets
    the time of this machine as a value, which is right for a server that lives in this process.
    https://www.mongodb.com/docs/manual/reference/aggregation-variables/#mongodb-variable-variable.NOW
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    @property
    def is_servers(self) -> bool:
        """Whether the server evaluates the time; False on the mock."""
        return isinstance(self._driver.now, str)

    @property
    def now(self) -> Any:
        """This moment, inside an update pipeline."""
        return self._driver.now

    def later(self, seconds: float) -> Any:
        """``seconds`` from now, inside an update pipeline."""
        if self.is_servers:
            return {"$add": [self.now, round(seconds * 1000)]}
        return self.now + timedelta(seconds=seconds)

    def before(self, moment: datetime) -> Document:
        """A filter that fits nothing once the server's clock has reached ``moment``."""
        return {"$expr": {"$lt": [self.now, moment]}} if self.is_servers else {}

    def now_if_before(self, moment: datetime) -> Any:
        """This moment, inside an update pipeline that is to *fail* once the clock has reached ``moment``.

        An upsert may not have ``$expr`` in its filter (the server answers 224), and a filter could
        not keep it from inserting. A date plus a text is an error, so the upsert has no effect at all.
        """
        if not self.is_servers:
            return self.now
        return {"$add": [self.now, {"$cond": [{"$lt": [self.now, moment]}, 0, "the lease has ended"]}]}

    def update(self, fields: Mapping[str, Any], dates: Iterable[str] = ()) -> Document:
        """An update by operators that sets ``fields``, and each path of ``dates`` to this moment."""
        if not self.is_servers:
            return {"$set": {**fields, **dict.fromkeys(dates, self.now)}}
        parts = {"$set": dict(fields), "$currentDate": dict.fromkeys(dates, True)}
        return {operator: paths for operator, paths in parts.items() if paths}


def local_clock() -> float:
    """Seconds on a clock that only goes forward, and, where the system has one, does so while it is suspended."""
    return time.clock_gettime(_BOOTTIME) if _BOOTTIME is not None else time.monotonic()


_BOOTTIME: int | None = getattr(time, "CLOCK_BOOTTIME", None)
