"""The readiness probe as a router of FastAPI; the one module that imports it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from asyncmig.application.health import Health

__all__ = ["health_router"]


def health_router(health: Health, path: str) -> APIRouter:
    """A router with one GET route, which is not in the OpenAPI document."""
    router = APIRouter()

    @router.get(path, include_in_schema=False)
    async def migrations(request: Request) -> JSONResponse:
        status_code, body = await health(request.app)
        return JSONResponse(body, status_code, headers={"cache-control": "no-store"})

    return router
