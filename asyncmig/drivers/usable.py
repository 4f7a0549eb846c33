"""Whether a client can be used: each driver binds one to the first loop that it is used on, and opens none again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from asyncmig.errors import DriverError

__all__ = ["UnusableClient", "refuse_unusable"]

_WHERE_DRIVERS_KEEP_THE_LOOP = ("_io_loop", "_loop")  # Motor, PyMongo Async


class UnusableClient(DriverError):
    """Raised when nothing can be sent by a client, whatever the server does: it is closed, or bound to another loop."""

    def __init__(self, database: str, fault: str, remedy: str) -> None:
        self.database, self.fault = database, fault
        super().__init__(f"the client of database {database} {fault}{remedy}")


def _is_closed(database: str) -> UnusableClient:
    return UnusableClient(database, "is closed", ", and no driver opens one again: make another")


def _is_of_another_loop(database: str, *, closed: bool) -> UnusableClient:
    return UnusableClient(
        database,
        f"belongs to another event loop{', which is closed' if closed else ''}",
        ": a client works on the loop that it was first used on, and on no other. Make one for each loop (in the "
        "lifespan, or in what asyncio.run is given) instead of one when the module is imported",
    )


def refuse_unusable(database: Any) -> None:
    """Raise where the client of ``database`` cannot be used here and now.

    The driver itself fails at the first command, with an error that names neither client nor way out.
    """
    held = _attributes(database)
    client = _attributes(held.get("client", held.get("_client")))
    if client.get("_closed") or _attributes(client.get("delegate")).get("_closed"):
        raise _is_closed(str(database.name))
    try:
        running = asyncio.get_running_loop()
    except RuntimeError:
        return
    bound = next((client[name] for name in _WHERE_DRIVERS_KEEP_THE_LOOP if client.get(name) is not None), running)
    if bound is not running:
        raise _is_of_another_loop(str(database.name), closed=bound.is_closed())


def _attributes(value: Any) -> Mapping[str, Any]:
    """What an object holds; not what it makes of any unknown attribute, as the drivers' objects do."""
    return vars(value) if hasattr(type(value), "__dict__") and value is not None else {}
