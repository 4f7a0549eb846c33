"""``AuditLog``: what happened to the ledger besides upgrades, and would leave no trace in it.

Reverted, stamped and forgotten revisions have no record any more, so each such event is a document
of the ledger's journal, written *before* what it tells of. An earlier asyncmig has kept the last
thousand of them in one document beside the lock; they are read, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from pymongo.errors import OperationFailure

from asyncmig.drivers.base import Document, Driver
from asyncmig.drivers.clock import LATE_CODES, Clock
from asyncmig.drivers.explain import explaining
from asyncmig.errors import LockLost
from asyncmig.running.ledger.placement import FORMAT
from asyncmig.running.locking.holder import identity
from asyncmig.running.locking.lease import Lease

__all__ = ["AuditLog"]

_FORMER = "trail"
_PREFIX = "event"


class AuditLog:
    """The events of one database, oldest first. ``former``: where an earlier asyncmig has kept them."""

    def __init__(
        self, driver: Driver, *, collection: str = "asyncmig_revisions_journal", former: str = "asyncmig_lock"
    ) -> None:
        self._driver, self._clock = driver, Clock(driver)
        self.collection = collection
        self._documents, self._former = driver.collection(collection), driver.collection(former)

    async def refuse_unwritable(self, lease: Lease) -> None:
        """Raise DriverError where events cannot be written, before the first step of a run that will write some."""
        await lease.ensure()
        with explaining(self._driver, f"writing to {self.collection}"):
            await lease.retry(
                lambda: self._documents.update_one({"_id": "format"}, {"$set": {"format": FORMAT}}, upsert=True),
            )

    async def add(
        self, lease: Lease, what: str, revisions: Sequence[str], *, session: Any = None, **facts: Any
    ) -> None:
        """Append one event: ``what`` is ``downgrade``, ``stamp``, ``squash``, ``fold`` or ``repair``.

        Sent again when the connection breaks; it is written once, and not at all once the lease has ended.
        """
        event = {"what": what, "revisions": list(revisions), "token": lease.token, **identity(), **facts}
        key = f"{_PREFIX}/{uuid4().hex}"
        await lease.ensure()
        if session is not None:
            await self._append(key, event, lease, session=session)
            return
        with explaining(self._driver, f"writing an event to {self.collection}"):
            try:
                await lease.retry(lambda: self._append(key, event, lease))
            except OperationFailure as error:
                if error.code not in LATE_CODES:
                    raise
                lease.lose("its lease had ended when a write reached the server")
                raise LockLost(lease.loss) from error

    async def _append(self, key: str, event: Document, lease: Lease, **options: Any) -> None:
        """By the server's clock where there is one."""
        fields: Document = {name: {"$literal": value} for name, value in event.items()}
        update: Any = [{"$set": {**fields, "at": self._clock.now_if_before(lease.writes_until)}}]
        if not self._clock.is_servers:
            update = {"$set": {**event, "at": self._clock.now}}
        await self._documents.update_one({"_id": key}, update, upsert=True, **options)

    async def read(self) -> list[Document]:
        """Every event, oldest first."""
        with explaining(self._driver, f"reading the events in {self.collection}"):
            former = await self._former.find_one({"_id": _FORMER})
            wanted = {"_id": {"$gte": f"{_PREFIX}/", "$lt": f"{_PREFIX}0"}}
            events: list[Document] = await self._documents.find(wanted).sort([("at", 1), ("token", 1)]).to_list(None)
        listed = former.get("events", ()) if former else ()
        return [*listed, *({name: value for name, value in event.items() if name != "_id"} for event in events)]
