"""A database for tests that take long because of what they wait for: once, the drivers taking turns."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest


@pytest.fixture
async def turn(clients: dict[str, Any], request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A fresh database by one of the drivers: always the same one for a test, the other for its neighbour."""
    client = clients[("motor", "pymongo")[sum(map(ord, request.node.name)) % 2]]
    name = f"turn_{uuid.uuid4().hex[:12]}"
    yield client[name]
    await client.drop_database(name)
