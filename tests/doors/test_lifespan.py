"""``lifespan`` in real frameworks, their lifespans run as a server would."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgi_lifespan import LifespanManager
from fastapi import APIRouter, FastAPI, Request
from httpx import ASGITransport, AsyncClient
from litestar import Litestar, get
from starlette.applications import Starlette

import asyncmig
from asyncmig.errors import ConfigurationError, DriverError, PendingRevisions
from asyncmig.schema.own_names import OwnNames

from ..clients import drop
from .history_files import History


async def names(database: Any) -> set[str]:
    return set(await database.list_collection_names()) - OwnNames().all


async def test_the_database_is_upgraded_before_the_application_serves(database: Any, history: History) -> None:
    app = FastAPI(lifespan=asyncmig.fastapi.lifespan(database, policy="upgrade"))

    @app.get("/")
    async def root() -> list[str]:
        return sorted(await names(database))

    async with LifespanManager(app) as running, client_of(running.app) as client:
        assert (await client.get("/")).json() == ["one", "two"]
    await database.command("ping")  # the client is the caller's, and open


async def test_a_refusal_stops_the_application(
    database: Any, history: History, caplog: pytest.LogCaptureFixture
) -> None:
    began: list[Any] = []

    @asynccontextmanager
    async def own(app: Any) -> AsyncIterator[None]:
        began.append(app)
        yield

    app = FastAPI(lifespan=asyncmig.fastapi.lifespan(database, wrap=own))
    with pytest.raises(PendingRevisions):
        async with LifespanManager(app):
            pass
    assert began == []
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "start-up refused: 2 revisions are pending: a001, a002; run `asyncmig upgrade`"
    ]


async def test_the_state_of_the_wrapped_lifespan_is_passed_on(database: Any, history: History) -> None:
    @asynccontextmanager
    async def own(app: Any) -> AsyncIterator[Mapping[str, Any]]:
        yield {"found": sorted(await names(database))}
        app.state.left = True

    app = FastAPI(lifespan=asyncmig.fastapi.lifespan(lambda app: database, policy="upgrade", wrap=own))

    @app.get("/")
    async def root(request: Request) -> Any:
        return request.state.found

    async with LifespanManager(app) as running, client_of(running.app) as client:
        assert (await client.get("/")).json() == ["one", "two"]  # it began after the upgrade
    assert app.state.left is True


async def test_a_client_that_lives_inside_the_wrapped_lifespan(
    make_client: Any, driver_name: str, database: Any, history: History
) -> None:
    @asynccontextmanager
    async def own(app: FastAPI) -> AsyncIterator[None]:
        app.state.client = make_client(driver_name)
        app.state.before = await names(app.state.client[database.name])
        yield
        await app.state.client[database.name].command("ping")

    def get_database(app: FastAPI) -> Any:
        return app.state.client[database.name]

    app = FastAPI(lifespan=asyncmig.fastapi.lifespan(get_database, policy="upgrade", wrap=own))
    async with LifespanManager(app):
        assert app.state.before == set()
        assert await names(database) == {"one", "two"}


async def test_a_client_that_a_context_manager_opens_and_closes(database: Any, history: History) -> None:
    steps: list[str] = []

    @asynccontextmanager
    async def get_database(app: FastAPI) -> AsyncIterator[Any]:
        steps.append("opened")
        yield database
        steps.append("closed")

    @asynccontextmanager
    async def own(app: FastAPI) -> AsyncIterator[None]:
        steps.append(f"own with {len(await names(database))}")
        yield
        steps.append("own ends")

    app = FastAPI(lifespan=asyncmig.fastapi.lifespan(get_database, policy="upgrade", wrap=own))
    async with LifespanManager(app):
        steps.append("serving")
    assert steps == ["opened", "own with 2", "serving", "own ends", "closed"]


async def test_lifespans_of_included_routers_follow(database: Any, history: History) -> None:
    @asynccontextmanager
    async def of_router(app: Any) -> AsyncIterator[Mapping[str, Any]]:
        yield {"router": sorted(await names(database))}

    @asynccontextmanager
    async def own(app: Any) -> AsyncIterator[Mapping[str, Any]]:
        yield {"own": "state"}

    router = APIRouter(lifespan=of_router)

    @router.get("/")
    async def root(request: Request) -> Any:
        return [request.state.own, request.state.router]

    app = FastAPI(lifespan=asyncmig.fastapi.lifespan(database, policy="upgrade", wrap=own))
    app.include_router(router)
    async with LifespanManager(app) as running, client_of(running.app) as client:
        assert (await client.get("/")).json() == ["state", ["one", "two"]]


async def test_as_the_lifespan_of_a_router(database: Any, history: History) -> None:
    app = FastAPI()
    app.include_router(APIRouter(lifespan=asyncmig.fastapi.lifespan(database, policy="upgrade")))
    async with LifespanManager(app):
        assert await names(database) == {"one", "two"}


async def test_the_plain_form(database: Any, history: History) -> None:
    @asynccontextmanager
    async def own(app: FastAPI) -> AsyncIterator[None]:
        await asyncmig.startup(database, policy="upgrade")
        yield

    async with LifespanManager(FastAPI(lifespan=own)):
        assert await names(database) == {"one", "two"}


async def test_starlette(database: Any, history: History) -> None:
    app = Starlette(lifespan=asyncmig.fastapi.lifespan(database, policy="upgrade"))
    async with LifespanManager(app):
        assert await names(database) == {"one", "two"}


async def test_litestar(database: Any, history: History) -> None:
    @get("/")
    async def root() -> list[str]:
        return sorted(await names(database))

    app = Litestar([root], lifespan=[asyncmig.fastapi.lifespan(lambda app: database, policy="upgrade")])
    async with LifespanManager(app), client_of(app) as client:
        assert (await client.get("/")).json() == ["one", "two"]


async def test_a_generator_as_wrapped_lifespan(database: Any, history: History) -> None:
    async def own(app: Any) -> AsyncIterator[Mapping[str, Any]]:
        yield {"own": 1}

    async with asyncmig.fastapi.lifespan(database, policy="upgrade", wrap=own)(None) as state:  # type: ignore[arg-type]
        assert state == {"own": 1}


async def test_what_cannot_work_is_said_when_it_is_written(client: Any) -> None:
    with pytest.raises(ConfigurationError, match="policy must be one of"):
        asyncmig.fastapi.lifespan(lambda: None, policy="often")  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError, match="takes a database, or a function"):
        asyncmig.fastapi.lifespan("mongodb://localhost")
    with pytest.raises(DriverError, match="not a client"):
        asyncmig.fastapi.lifespan(client)


async def test_a_wrong_override_is_said_before_anything_begins(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("ASYNCMIG_ON_STARTUP", "upgarde")
    app = FastAPI(lifespan=asyncmig.fastapi.lifespan(lambda: pytest.fail("it was asked for its database")))
    with pytest.raises(ConfigurationError):
        async with LifespanManager(app):
            pass
    assert caplog.messages == [
        "start-up refused: ASYNCMIG_ON_STARTUP must be one of upgrade, check, wait, warn, off, not 'upgarde'"
    ]


async def test_a_database_that_cannot_be_found_is_one_line_too(caplog: pytest.LogCaptureFixture) -> None:
    app = FastAPI(lifespan=asyncmig.fastapi.lifespan(lambda app: app.state.database))
    with pytest.raises(AttributeError):
        async with LifespanManager(app):
            pass
    assert [record.message for record in caplog.records] == [
        "start-up refused: AttributeError: 'State' object has no attribute 'database'"
    ]


@pytest.mark.pymongo_async
async def test_init_beanie_comes_after(make_client: Any, server_url: str, history: History) -> None:
    from beanie import Document, init_beanie
    from pymongo import IndexModel

    class Item(Document):
        x: int

        class Settings:
            name = "one"
            indexes = [IndexModel("x")]

    history.add("a001", 'await env.create_indexes("one", [Index("y")])')
    database = make_client("pymongo")[f"beanie_{id(history)}"]

    @asynccontextmanager
    async def own(app: FastAPI) -> AsyncIterator[None]:
        await init_beanie(database=database, document_models=[Item], skip_indexes=True)
        yield

    app = FastAPI(lifespan=asyncmig.fastapi.lifespan(database, policy="upgrade", wrap=own))
    async with LifespanManager(app):
        await Item(x=1).insert()
        assert sorted(await database["one"].index_information()) == ["_id_", "y_1"]
    await drop(database.client, database.name)


def test_no_framework_is_needed() -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['fastapi', 'starlette', 'pydantic']));"  # None: not to be had
        "import asyncmig; asyncmig.fastapi.lifespan(lambda: None); asyncmig.fastapi.Health(lambda: None)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def client_of(app: Any) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(app), base_url="http://test")
