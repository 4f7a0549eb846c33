"""Where a door gets its database from."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from asyncmig.application.source import opened
from asyncmig.errors import ConfigurationError, DriverError


def sources(database: Any) -> dict[str, Any]:
    @asynccontextmanager
    async def entered(app: Any) -> AsyncIterator[Any]:
        app.open = True
        yield app.database
        app.open = False

    async def awaited(app: Any) -> Any:
        return app.database

    class Finder:
        def __call__(self, app: Any) -> Any:
            return app.database

    return {
        "itself": database,
        "of the application": lambda app: app.database,
        "of nothing": lambda: database,
        "awaited": awaited,
        "entered": entered,
        "partial": functools.partial(getattr, SimpleNamespace(database=database), "database"),
        "an object": Finder(),
    }


@pytest.mark.parametrize("which", sources(None))
async def test_a_database_in_every_form(database: Any, which: str) -> None:
    app = SimpleNamespace(database=database, open=None)
    async with opened(sources(database)[which], app) as found:
        assert found == database
        assert app.open is (True if which == "entered" else None)
    assert app.open is (False if which == "entered" else None)
    await database.command("ping")  # the client is still open


async def test_what_is_no_database(client: Any) -> None:
    async def generator() -> AsyncIterator[Any]:
        yield client["app"]

    cases = [
        (client, DriverError, "not a client"),
        (lambda: client, DriverError, "not a client"),
        ("mongodb://user:secret@host", ConfigurationError, "a function that gives one"),
        (lambda: None, ConfigurationError, "<lambda> gave None"),
        (generator, ConfigurationError, "asynccontextmanager above it"),
    ]
    for source, error, match in cases:
        with pytest.raises(error, match=match):
            async with opened(source, None):
                pass
