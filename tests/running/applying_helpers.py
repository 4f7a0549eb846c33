"""What a test needs to look at a database and to stand between asyncmig and its driver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.errors import AutoReconnect

from asyncmig.drivers import driver_for
from asyncmig.drivers.base import Driver
from asyncmig.operations import Operation
from asyncmig.running.applying.apply import Context, apply, prepare

_CALLS = ("command", "read", "insert", "stored", "delete", "delete_stored")


class Watched:
    """A driver that keeps the commands it was given, and breaks its connection where it is told to.

    ``breaks_at``: the number of the call (from 0) at which the connection breaks; ``done`` says
    whether the server had still done the work.
    """

    def __init__(self, driver: Driver, breaks_at: int | None = None, *, done: bool = False) -> None:
        self._driver, self._breaks_at, self._done = driver, breaks_at, done
        self.commands: list[Mapping[str, Any]] = []
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._driver, name)
        if name not in _CALLS:
            return value

        async def call(*arguments: Any, **named: Any) -> Any:
            number, self.calls = self.calls, self.calls + 1
            if name == "command":
                self.commands.append(arguments[0])
            if number == self._breaks_at and not self._done:
                raise AutoReconnect("the connection broke before")
            try:
                return await value(*arguments, **named)
            finally:
                if number == self._breaks_at:
                    raise AutoReconnect("the connection broke after")  # whatever the server said

        return call

    @property
    def driver(self) -> Driver:
        """Itself, as what it stands in for."""
        driver: Any = self
        return driver


def context(database: Any, **known: Any) -> Context:
    """A context for the database."""
    return Context(driver_for(database), **known)


async def run(database: Any, *operations: Operation, **known: Any) -> list[Any]:
    """Prepare and apply operations one after another, as a runner does; the results."""
    there = context(database, **known)
    return [await apply(operation, there, await prepare(operation, there)) for operation in operations]


async def index_of(database: Any, collection: str, name: str) -> dict[str, Any]:
    """One index as the server lists it; empty where there is none."""
    listed = await driver_for(database).read({"listIndexes": collection})
    return next((index for index in listed if index["name"] == name), {})
