"""``AuditLog``: what happened to the ledger besides upgrades, and would leave no trace in it: an append-only list.

Reverted, stamped and forgotten revisions have no record any more, so it is kept beside the lock, as
the document "trail" of ``asyncmig_lock``: the last thousand events, each written *before* what it
tells of.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asyncmig.drivers.base import Document, Driver
from asyncmig.drivers.clock import Clock
from asyncmig.drivers.explain import explaining
from asyncmig.running.locking.holder import identity
from asyncmig.running.locking.lease import Lease
from asyncmig.running.locking.waiting import retry_while_held

__all__ = ["AuditLog"]

_ID = "trail"
_KEPT = 1000  # events


class AuditLog:
    """The events of one database, oldest first."""

    def __init__(self, driver: Driver, *, collection: str = "asyncmig_lock") -> None:
        self._driver, self._clock = driver, Clock(driver)
        self.collection = collection
        self._documents = driver.collection(collection)

    async def add(
        self, lease: Lease, what: str, revisions: Sequence[str], *, session: Any = None, **facts: Any
    ) -> None:
        """Append one event: ``what`` is ``downgrade``, ``stamp``, ``fold`` or ``repair``.

        Sent again when the connection breaks, so that an event may stand twice, but is never missing.
        """
        event = {"what": what, "revisions": list(revisions), "token": lease.token, **identity(), **facts}
        await lease.ensure()
        if session is not None:
            await self._append(event, session=session)
        else:
            with explaining(self._driver, f"writing to the trail in {self.collection}"):
                await retry_while_held(lease, lambda: self._append(event))

    async def _append(self, event: Document, **options: Any) -> None:
        """By the server's clock where there is one: ``$push`` alone could not ask it."""
        update: Any = {"$push": {"events": {"$each": [{**event, "at": self._clock.now}], "$slice": -_KEPT}}}
        if self._clock.is_servers:
            new = {"$mergeObjects": [{"$literal": event}, {"at": self._clock.now}]}
            grown = {"$concatArrays": [{"$cond": [{"$isArray": "$events"}, "$events", []]}, [new]]}
            update = [{"$set": {"events": {"$slice": [grown, -_KEPT]}}}]
        await self._documents.update_one({"_id": _ID}, update, upsert=True, **options)

    async def read(self) -> list[Document]:
        """Every event that is kept, oldest first."""
        with explaining(self._driver, f"reading the trail in {self.collection}"):
            document = await self._documents.find_one({"_id": _ID})
        return list(document.get("events", ())) if document else []
