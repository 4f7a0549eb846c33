"""The service: ``uvicorn wallet_api.app:app``.

It refuses to start on a database that is not migrated; ``ASYNCMIG_ON_STARTUP=upgrade`` lets it
migrate the database itself, ``wait`` lets it wait for a job that does.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, Field
from pymongo import AsyncMongoClient

import asyncmig
from wallet_api import wallets


class WalletOut(BaseModel):
    """A wallet as the world sees it."""

    uid: str
    org_id: str
    coins: int


class TopUp(BaseModel):
    """Money that comes in."""

    amount: int = Field(gt=0)
    currency: str = "EUR"


class Movement(BaseModel):
    """One line of a wallet's history."""

    coins: int
    ctype: str


@asynccontextmanager
async def connected(app: FastAPI) -> AsyncIterator[wallets.Database]:
    """The database, as long as the service runs; a test has put its own in place before."""
    if hasattr(app.state, "database"):
        yield app.state.database
        return
    async with AsyncMongoClient[dict[str, Any]](os.environ["MONGO_URL"], tz_aware=True) as client:
        app.state.database = client.get_default_database()
        yield app.state.database


def get_database(request: Request) -> wallets.Database:
    """The database of the running service."""
    database: wallets.Database = request.app.state.database
    return database


Database = Annotated[wallets.Database, Depends(get_database)]


async def get_wallet(database: Database, org_id: str, uid: str) -> dict[str, Any]:
    """The wallet that the path names."""
    wallet = await wallets.find_wallet(database, uid, org_id)
    if wallet is None:
        raise HTTPException(404, "no such wallet")
    return wallet


Wallet = Annotated[dict[str, Any], Depends(get_wallet)]


def create_app() -> FastAPI:
    """The service, not started yet."""
    app = FastAPI(title="Wallets", lifespan=asyncmig.fastapi.lifespan(connected, policy="check"))
    app.include_router(asyncmig.fastapi.router(lambda app: app.state.database))

    @app.put("/{org_id}/wallets/{uid}")
    async def open_wallet(database: Database, org_id: str, uid: str) -> WalletOut:
        return WalletOut(**await wallets.open_wallet(database, uid, org_id))

    @app.get("/{org_id}/wallets/{uid}")
    async def show_wallet(wallet: Wallet) -> WalletOut:
        return WalletOut(**wallet)

    @app.post("/{org_id}/wallets/{uid}/top-ups", status_code=201)
    async def top_up(database: Database, wallet: Wallet, order: TopUp) -> WalletOut:
        try:
            return WalletOut(**await wallets.top_up(database, wallet["_id"], order.amount, order.currency))
        except wallets.UnknownCurrency as error:
            raise HTTPException(422, f"{error} is not sold") from error

    @app.get("/{org_id}/wallets/{uid}/movements")
    async def show_movements(database: Database, wallet: Wallet) -> list[Movement]:
        return [Movement(**one) for one in await wallets.movements(database, wallet["_id"])]

    return app


app = create_app()
