"""The service over HTTP, on a migrated database of its own for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from asgi_lifespan import LifespanManager
from httpx import ASGITransport, AsyncClient

from wallet_api.app import create_app
from wallet_api.wallets import Database


@pytest.fixture
async def http(migrated_database: Database) -> AsyncIterator[AsyncClient]:
    """A client of the running service."""
    app = create_app()
    app.state.database = migrated_database
    async with (
        LifespanManager(app) as running,
        AsyncClient(transport=ASGITransport(running.app), base_url="http://wallets") as client,
    ):
        yield client
