"""The readiness probe: what it answers, what it costs, what it keeps to itself."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asgi_lifespan import LifespanManager
from bson.errors import BSONError
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import asyncmig
from asyncmig import Migrator
from asyncmig.drivers.real import maybe
from asyncmig.drivers.usable import UnusableClient
from asyncmig.fastapi import Health

from ..clients import CLIENTS
from .history_files import History

NAME = f"health_{uuid4().hex[:12]}"


async def probe(app: Any, path: str = "/health/migrations") -> tuple[int, Any]:
    async with AsyncClient(transport=ASGITransport(app), base_url="http://test") as client:
        answer = await client.get(path)
        return answer.status_code, answer.json()


async def started(app: Any) -> int:
    """Start the application, ask once, and end it; as each of a test's clients does, on a loop of its own."""
    async with LifespanManager(app, startup_timeout=60, shutdown_timeout=60) as running:
        return (await probe(running.app))[0]


async def test_behind_at_head_ahead(database: Any, history: History, tmp_path: Path) -> None:
    release = shutil.copytree(history.folder, tmp_path / "release")
    app = FastAPI()
    app.include_router(asyncmig.fastapi.router(lambda app: database, directory=release))
    app.include_router(asyncmig.fastapi.router(database, path="/strict", allow_ahead=False, directory=release))
    migrator = Migrator(database)

    await migrator.upgrade("a001")
    assert await probe(app) == (503, {"status": "behind", "pending": ["a002"], "ahead": []})
    await migrator.upgrade()
    assert await probe(app) == (200, {"status": "at head", "pending": [], "ahead": []})
    assert await probe(app, "/strict") == (200, {"status": "at head", "pending": [], "ahead": []})
    history.add("a003")
    await migrator.upgrade()
    ahead = {"status": "ahead", "pending": [], "ahead": ["a003"]}
    assert await probe(app) == (200, ahead)
    assert await probe(app, "/strict") == (503, ahead)
    await migrator.downgrade("a001")
    assert (await probe(app))[0] == 503


async def test_it_serves_beside_the_lifespan(database: Any, history: History) -> None:
    app = FastAPI(lifespan=asyncmig.fastapi.lifespan(database, policy="upgrade"))
    app.include_router(asyncmig.fastapi.router(database))
    async with LifespanManager(app) as running:
        assert (await probe(running.app))[0] == 200
    assert "/health/migrations" not in app.openapi()["paths"]


async def test_an_answer_is_kept_as_long_as_it_may_be(
    database: Any, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("asyncmig.application.health.monotonic", lambda: now[0])
    health = Health(database, max_age=10)
    assert (await health()).status_code == 503
    await Migrator(database).upgrade()
    assert (await health()).status_code == 200  # a refusal is not kept
    await Migrator(database).downgrade("base")
    now[0] = 9.9
    assert (await health()).status_code == 200
    now[0] = 10.0
    assert (await health()).status_code == 503


async def test_a_server_that_does_not_answer(
    driver_name: str, history: History, caplog: pytest.LogCaptureFixture
) -> None:
    silent: Any = CLIENTS[driver_name]("mongodb://user:secret@127.0.0.1:9/")
    assert await Health(silent["app"], timeout=0.2)() == (503, {"status": "unknown"})
    await maybe(silent.close())
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "not ready" in caplog.text
    assert "secret" not in caplog.text


async def test_a_client_that_was_replaced(database: Any, driver_name: str, history: History, server_url: str) -> None:
    """Databases of two clients at one address compare equal; the answer comes from the one that is open."""
    await Migrator(database).upgrade()
    held: list[Any] = []
    health = Health(lambda: held[-1][database.name])
    for _ in range(3):
        held.append(CLIENTS[driver_name](server_url))
        assert (await health()).status_code == 200
        await maybe(held[-1].close())


def test_one_app_that_is_started_twice(driver_name: str, history: History, server_url: str) -> None:
    """Each start has its event loop and its client; a good answer is not kept from one start to the next."""

    @asynccontextmanager
    async def serve(app: FastAPI) -> AsyncIterator[None]:
        app.state.client = CLIENTS[driver_name](server_url)
        yield
        await maybe(app.state.client.drop_database(NAME))
        await maybe(app.state.client.close())

    def database(app: Any) -> Any:
        return app.state.client[NAME]

    app: Any = FastAPI(lifespan=asyncmig.fastapi.lifespan(database, "upgrade", wrap=serve))  # type: ignore[arg-type]
    app.include_router(asyncmig.fastapi.router(database, max_age=60))
    for _ in range(3):
        assert asyncio.run(started(app)) == 200


def test_a_client_of_the_module_on_a_second_loop(
    driver_name: str, history: History, server_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    client = CLIENTS[driver_name](server_url)
    app: Any = FastAPI(lifespan=asyncmig.fastapi.lifespan(client[NAME], "warn"))  # type: ignore[arg-type]
    app.include_router(asyncmig.fastapi.router(client[NAME]))
    assert asyncio.run(started(app)) == 503
    with pytest.raises(UnusableClient, match="Make one for each loop"):
        asyncio.run(started(app))
    assert asyncio.run(Health(client[NAME])()) == (503, {"status": "unknown"})
    refusals = [record.message for record in caplog.records if "belongs to another event loop" in record.message]
    assert len(refusals) == 2


class Odd(Exception):
    """Something that no driver was expected to raise."""


@pytest.mark.parametrize(
    "error", [Odd("x"), RuntimeError("x"), OSError("x"), BSONError("x"), ExceptionGroup("x", [Odd()])]
)
async def test_no_exception_becomes_a_500(
    database: Any, history: History, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Migrator, "status", fail)
    app = FastAPI()
    app.include_router(asyncmig.fastapi.router(database))
    assert await probe(app) == (503, {"status": "unknown"})


async def test_files_that_form_no_history(database: Any, history: History) -> None:
    history.path("a001").unlink()
    assert await Health(database)() == (503, {"status": "unknown"})


async def test_in_starlette(database: Any, history: History) -> None:
    health = Health(database)

    async def migrations(request: Request) -> JSONResponse:
        status, body = await health(request.app)
        return JSONResponse(body, status)

    assert (await probe(Starlette(routes=[Route("/health/migrations", migrations)])))[0] == 503
