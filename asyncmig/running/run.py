"""``Run``: what the steps of one run share: the database, the lease, the ledger, and who listens."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from asyncmig.drivers.base import Driver
from asyncmig.drivers.clock import Clock
from asyncmig.drivers.explain import explaining
from asyncmig.events import Event
from asyncmig.history.revision import Revision
from asyncmig.operations import Operation
from asyncmig.running.ledger.audit_log import AuditLog
from asyncmig.running.ledger.ledger import Ledger
from asyncmig.running.locking.lease import Lease

if TYPE_CHECKING:
    from asyncmig.files.module import RevisionModule

__all__ = ["Admit", "Run"]

Admit = Callable[[Revision, Operation], Awaitable[Operation]]
"""Asked before an operation is applied: gives the one to apply in its place, or raises."""


@dataclass(slots=True)
class Run:
    """One run under the lock."""

    driver: Driver
    ledger: Ledger
    audit_log: AuditLog
    lease: Lease
    load: Callable[[Revision], RevisionModule]
    tell: Callable[[Event], None]
    own: frozenset[str]
    """The names of asyncmig's own collections."""
    admit: Admit | None = None
    """What is asked before each operation."""
    context: Mapping[str, Any] = field(default_factory=dict)
    """What revisions find in ``env.context``."""
    collections: set[str] = field(default_factory=set)
    """The names of all others as they stand now: ``env.collections``."""
    commit_quorum: str | int | None = None
    """Which members an index build waits for, where the revision does not say."""
    keep_building: bool = False
    """Whether an index build is left to the server when the run is cancelled."""
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    """The tasks of the event loop that are none of a revision's."""

    @property
    def clock(self) -> Clock:
        """The server's clock."""
        return Clock(self.driver)

    async def list_collections(self) -> None:
        """Read again which collections there are; the set stays the same object."""
        with explaining(self.driver, "listing the collections"):
            listed = await self.lease.retry(lambda: self.driver.read({"listCollections": 1, "nameOnly": True}))
        names = {info["name"] for info in listed if not info["name"].startswith("system.")}
        self.collections.clear()
        self.collections.update(names - self.own)
