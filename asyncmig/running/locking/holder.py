"""``Holder``: who has the migration lock, read from its document; and who we are."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any

from asyncmig.drivers.base import Document
from asyncmig.running.shape import shaped
from asyncmig.version import __version__

__all__ = ["Holder", "identity"]


@dataclass(frozen=True, slots=True)
class Holder:
    """The lock as its document tells, at the time of reading. All times are the server's, in UTC."""

    owner: str
    token: int
    host: str = "?"
    pid: int = 0
    user: str = "?"
    command: str = ""
    version: str = "?"
    acquired_at: datetime | None = None
    renewed_at: datetime | None = None
    expires_at: datetime | None = None
    alive: bool = True
    """False once the lease has ended: the next run may take the lock."""

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Holder:
        """The holder that a held lock's document names."""
        return cls(**{"owner": "?", "token": 0, **shaped(cls, document)})

    @property
    def document(self) -> Document:
        """As a plain mapping, for errors and ``--json``."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def is_gone(self) -> bool:
        """Whether it ran on this machine, and no process has its pid any more; of a container that says nothing."""
        if self.host != _machine()[0] or self.pid <= 0 or os.name != "posix":
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except (PermissionError, OverflowError):
            return False
        return False

    def __str__(self) -> str:
        what = f", {self.command}" if self.command else ""
        return f"{self.user}@{self.host} (pid {self.pid}{what})"


@cache
def _machine() -> tuple[str, str]:
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        user = str(os.getuid()) if hasattr(os, "getuid") else "?"
    return socket.gethostname(), user


def identity() -> Document:
    """Who this process is, for the lock and the ledger."""
    host, user = _machine()
    return {"host": host, "pid": os.getpid(), "user": user, "version": __version__}
