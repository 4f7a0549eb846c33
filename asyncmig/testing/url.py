"""``ServerUrl``: a server's address, as text and as an object that has a ``url``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from asyncmig.testing.server import LocalServer

__all__ = ["ServerUrl"]


class ServerUrl(str):
    """The connection string of a server, good for any client; ``url`` is the same, as ``LocalServer`` has it."""

    __slots__ = ("_server",)
    _server: LocalServer | None

    def __new__(cls, url: str, server: LocalServer | None = None) -> Self:
        """``server``: the one of our own that has this address."""
        self = super().__new__(cls, url)
        self._server = server
        return self

    @property
    def url(self) -> str:
        """The connection string."""
        return str(self)

    def require(self) -> None:
        """Raise ServerFailed when a server of our own has ended: no client has to find that out by waiting."""
        if self._server is not None:
            self._server.require()
