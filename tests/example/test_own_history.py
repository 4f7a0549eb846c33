"""The ready-made tests, turned on for the migrations of this repository, as any project would turn them on."""

from __future__ import annotations

import pytest

from asyncmig.testing.checks import *  # noqa: F403  # that is how


@pytest.fixture(scope="session")
def mongo_server(server_url: str) -> str:
    """The server that the other tests use, too."""
    return server_url


async def test_a_migrated_database(migrated_database, migrator) -> None:  # type: ignore[no-untyped-def]
    assert await migrator.diff() == []
    assert await migrated_database["currency"].count_documents({}) == 2
