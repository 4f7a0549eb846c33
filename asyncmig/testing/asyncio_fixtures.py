"""Clients for the loops of pytest-asyncio: one fixture for each scope that a loop can have.

Registered by the plugin where pytest-asyncio is active.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import pytest_asyncio

if TYPE_CHECKING:
    from asyncmig.testing.clients import Clients

Scope = Literal["function", "class", "module", "package", "session"]


def _clients(scope: Scope) -> Any:
    @pytest_asyncio.fixture(loop_scope=scope, scope=scope, name=f"_asyncmig_clients_{scope}")
    async def clients(mongo_server: str, _asyncmig_client_options: Mapping[str, Any]) -> AsyncIterator[Clients]:
        from asyncmig.testing.clients import Clients

        made = Clients(mongo_server, _asyncmig_client_options)
        yield made
        await made.close()

    return clients


of_function = _clients("function")
of_class = _clients("class")
of_module = _clients("module")
of_package = _clients("package")
of_session = _clients("session")
