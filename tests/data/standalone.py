"""A fresh database on a server that is not the test session's."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ..clients import CLIENTS


@asynccontextmanager
async def opened(url: str, driver: str) -> AsyncIterator[Any]:
    """By a client of its own, closed afterwards."""
    client: Any = CLIENTS[driver](url)
    try:
        yield client[f"alone_{uuid.uuid4().hex[:8]}"]
    finally:
        closing = client.close()
        if inspect.isawaitable(closing):
            await closing
