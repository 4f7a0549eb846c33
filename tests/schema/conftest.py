"""One database on the real server for all the cases of this folder, a collection for each."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import pytest

from ..clients import DRIVERS, drop


class Place:
    """A database, and commands on it; one driver does, as what is asked here is the server's opinion."""

    def __init__(self, database: Any) -> None:
        self.database = database
        self._numbers = count()

    def name(self) -> str:
        """A collection's name that is not taken."""
        return f"c{next(self._numbers)}"

    async def create(self, **options: Any) -> str:
        name = self.name()
        await self.database.command({"create": name, **options})
        return name

    async def index(self, name: str, *specs: dict[str, Any]) -> int:
        """Create indexes; how many that made more of them."""
        reply = await self.database.command({"createIndexes": name, "indexes": list(specs)})
        more: int = reply["numIndexesAfter"] - reply["numIndexesBefore"]
        return more

    async def indexes(self, name: str) -> list[dict[str, Any]]:
        cursor = await self.database.cursor_command("listIndexes", name)
        return await cursor.to_list(None)

    async def info(self, name: str) -> dict[str, Any]:
        cursor = await self.database.list_collections(filter={"name": name})
        (found,) = await cursor.to_list(None)
        return dict(found)

    async def drop(self, name: str) -> None:
        await self.database.command({"drop": name})


@pytest.fixture(scope="session")
async def place(clients: dict[str, Any]) -> AsyncIterator[Place]:
    client = clients[DRIVERS[-1]]
    name = f"test_schema_{uuid.uuid4().hex[:8]}"
    yield Place(client[name])
    await drop(client, name)
