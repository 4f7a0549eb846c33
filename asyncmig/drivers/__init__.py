"""The only room that knows which driver a database object belongs to."""

from __future__ import annotations

from typing import Any

from asyncmig.drivers.base import Driver
from asyncmig.drivers.usable import refuse_unusable
from asyncmig.errors import DriverError

__all__ = ["Driver", "driver_for"]

_SYNCHRONOUS = ("pymongo.synchronous", "pymongo.database", "pymongo.mongo_client")  # the last two: below PyMongo 4.9
_TAKEN = "pass a Motor AsyncIOMotorDatabase, a PyMongo AsyncDatabase, or AsyncMongoMockClient()['name']"


def driver_for(database: Any) -> Driver:
    """The driver that ``database`` belongs to, bound to it.

    Decided by the modules of its classes alone: both drivers answer any unknown attribute with a
    collection, and mongomock-motor dresses up as Motor down to ``isinstance`` and ``__module__``.

    Raises DriverError when it is none of the three kinds of database object, or its client is closed or
    belongs to another event loop than the one that runs.
    """
    classes = (*type(database).__mro__, *database.__class__.__mro__)  # differ for what stands in for a database
    if _defined_in(classes, "mongomock_motor", "AsyncMongoMockDatabase"):
        from asyncmig.drivers.mock import MockDriver

        return MockDriver(database)
    if _defined_in(classes, "motor", "AgnosticDatabase"):
        from asyncmig.drivers.real import MotorDriver

        refuse_unusable(database)
        return MotorDriver(database)
    if _defined_in(classes, "pymongo.asynchronous", "AsyncDatabase"):
        from asyncmig.drivers.real import PyMongoDriver

        refuse_unusable(database)
        return PyMongoDriver(database)
    raise DriverError(_complaint(classes))


def _defined_in(classes: tuple[type, ...], package: str, name: str) -> bool:
    return any(
        cls.__name__ == name and (cls.__module__ == package or cls.__module__.startswith(f"{package}."))
        for cls in classes
    )


def _complaint(classes: tuple[type, ...]) -> str:
    named = f"{classes[0].__module__}.{classes[0].__qualname__}"
    if any(cls.__module__.startswith(_SYNCHRONOUS) for cls in classes):
        return f"asyncmig is async and cannot use the synchronous {named}; {_TAKEN}"
    if classes[0].__name__.endswith("Client"):
        return f"a database is needed, not a client ({named}): {_TAKEN}, for example client['name']"
    return f"{named} is no database that asyncmig knows; {_TAKEN}"
