"""What the engine asks of a driver: MongoDB commands, sessions, the server's clock."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Protocol

__all__ = ["Document", "Driver"]

Document = dict[str, Any]


class Driver(Protocol):
    """The few calls that differ by driver, bound to one database.

    Everything that asyncmig does to a schema is a MongoDB command, so the engine is written once;
    the mock translates the few commands that it has and refuses the others by name.
    """

    name: ClassVar[str]
    """``motor``, ``pymongo`` or ``mock``."""
    database: Any
    """The user's own database object."""

    @property
    def now(self) -> Any:
        """What stands for the server's clock in an update pipeline: ``"$$NOW"``; a datetime on the mock."""
        ...

    async def command(self, command: Mapping[str, Any], *, admin: bool = False, session: Any = None) -> Document:
        """Run one command on the database (or on ``admin``) and return the server's reply."""
        ...

    async def read(self, command: Mapping[str, Any], *, admin: bool = False, session: Any = None) -> list[Document]:
        """Run a command that answers with a cursor (listCollections, listIndexes, aggregate) and read it to the end."""
        ...

    def collection(self, name: str) -> Any:
        """The collection object, with majority read and write concern: for asyncmig's own documents."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[Any]:
        """A started transaction; the context is its session. Raises UnsupportedByDriver on the mock."""
        ...

    async def close(self) -> None:
        """Close the client."""
        ...
