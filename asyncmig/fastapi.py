"""The door for FastAPI, and for every framework with an ASGI lifespan: ``asyncmig.fastapi.lifespan``.

Importing this module imports neither FastAPI nor Starlette; only :func:`router` needs FastAPI.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

from asyncmig.application.health import Health, Report
from asyncmig.application.lifespan import lifespan
from asyncmig.application.options import Options
from asyncmig.application.source import Source

if TYPE_CHECKING:
    from fastapi import APIRouter

__all__ = ["Health", "Report", "lifespan", "router"]


def router(
    database: Source,
    *,
    path: str = "/health/migrations",
    allow_ahead: bool = True,
    max_age: float = 0.0,
    timeout: float = 5.0,
    **options: Unpack[Options],
) -> APIRouter:
    """A router for readiness probes: 200 when ``database`` is at head, 503 when it is behind.

    ``app.include_router(asyncmig.fastapi.router(lambda app: app.state.database))``. The body names the
    pending ids, and no secret. The arguments are those of :class:`Health`, which serves other frameworks.
    """
    from asyncmig.application.router import health_router

    health = Health(database, allow_ahead=allow_ahead, max_age=max_age, timeout=timeout, **options)
    return health_router(health, path)
