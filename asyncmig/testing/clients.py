"""``Clients``: the clients that tests on one event loop share, and which end with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pymongo

from asyncmig.drivers.connection import client_class
from asyncmig.drivers.real import maybe

__all__ = ["Clients"]

_CLOSE_SECONDS = 2.0  # a server that is gone is told nothing


class Clients:
    """One client of each driver, made when first asked for."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        self._url, self._options = url, {**_timeouts(url), **options}
        self._made: dict[str, Any] = {}

    def of(self, driver: str) -> Any:
        """The client of ``motor`` or ``pymongo``. Raises ConfigurationError for another name."""
        if driver not in self._made:
            self._made[driver] = client_class(driver)(self._url, **self._options)
        return self._made[driver]

    async def close(self) -> None:
        """Close them, on the loop that they were used on."""
        with pymongo.timeout(_CLOSE_SECONDS):
            for client in self._made.values():
                await maybe(client.close())

    def leave(self) -> None:
        """Close what can be closed when the loop is gone: Motor's do not need it, PyMongo's do."""
        for driver, client in self._made.items():
            if driver == "motor":
                with pymongo.timeout(_CLOSE_SECONDS):
                    client.close()
            else:
                _LEFT.append(client)


_LEFT: list[Any] = []
"""Clients whose loop ended before them, in tests that are not async: nobody can close them any more, and
were they collected, each would warn of that in the middle of some other test."""


def _timeouts(url: str) -> dict[str, int]:
    """How long to look for the server (ms) where nobody has said it: in tests it is there, or it never comes."""
    return {} if "serverselectiontimeoutms" in url.lower() else {"serverSelectionTimeoutMS": 10_000}
