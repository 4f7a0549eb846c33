"""``ServerUrl``: a server's address, as text and as an object that has a ``url``."""

from __future__ import annotations

__all__ = ["ServerUrl"]


class ServerUrl(str):
    """The connection string of a server, good for any client; ``url`` is the same, as ``LocalServer`` has it."""

    __slots__ = ()

    @property
    def url(self) -> str:
        """The connection string."""
        return str(self)
