"""``Archive``: what grows without bound: older journal entries, the ``_id``s of inserted documents, events.

It is a collection to which documents are only added, ``asyncmig_revisions_journal`` unless the ledger
has another name. A document's ``_id`` is the key of its segment and its place there
(:mod:`asyncmig.running.ledger.placement`), so that a segment is read by a range of the index that
every collection has. What no record names any more is left: it is history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pymongo import ReplaceOne

from asyncmig.drivers.base import Document, Driver
from asyncmig.drivers.clock import Clock
from asyncmig.drivers.explain import explaining

if TYPE_CHECKING:  # what only reads the ledger takes no lock, and starts sooner
    from asyncmig.running.locking.lease import Lease

__all__ = ["Archive", "Notes"]

_READ_BATCH = 1_000_000  # documents in a batch of a cursor, which ends at 16 MB anyway
_WRITE_BATCH = 1_000  # documents in one write


class Archive:
    """The collection beside a ledger."""

    def __init__(self, driver: Driver, collection: str) -> None:
        self._driver, self._is_servers = driver, Clock(driver).is_servers
        self.collection = collection
        self._documents = driver.collection(collection)

    async def add(
        self, lease: Lease, key: str, start: int, documents: Sequence[Mapping[str, Any]], *, session: Any = None
    ) -> None:
        """Write documents into a segment, from the place ``start`` on. Written twice, it is as if written once."""
        placed = [{"_id": _place(key, number), **document} for number, document in enumerate(documents, start)]
        for first in range(0, len(placed), _WRITE_BATCH):
            await self._write(lease, placed[first : first + _WRITE_BATCH], session)

    async def _write(self, lease: Lease, documents: Sequence[Document], session: Any) -> None:
        await lease.ensure()
        if session is not None:
            await self._put(documents, session)
            return
        with explaining(self._driver, f"writing to {self.collection}"):
            await lease.retry(lambda: self._put(documents, None))

    async def _put(self, documents: Sequence[Document], session: Any) -> None:
        if not self._is_servers:  # the mock, whose bulks are broken
            for document in documents:
                await self._documents.replace_one({"_id": document["_id"]}, document, upsert=True)
            return
        options = {"session": session} if session is not None else {}
        await self._documents.bulk_write(
            [ReplaceOne({"_id": document["_id"]}, document, upsert=True) for document in documents], **options
        )

    async def read(self, key: str, count: int | None = None, *, lease: Lease | None = None) -> list[Document]:
        """The documents of a segment in their order, ``count`` of them at most; asked again while the lease is ours."""
        until = {"$lt": _place(key, count)} if count is not None else {"$lt": f"{key}0"}
        wanted = {"_id": {"$gte": f"{key}/", **until}}

        async def ask() -> list[Document]:
            documents: list[Document] = (
                await self._documents.find(wanted, batch_size=_READ_BATCH).sort("_id", 1).to_list(None)
            )
            return documents

        with explaining(self._driver, f"reading {self.collection}"):
            return await (lease.retry(ask) if lease is not None else ask())


def _place(key: str, number: int) -> str:
    return f"{key}/{number:09d}"


class Notes:
    """What an operation notes of its batches: each in a document of its own, under the operation's key."""

    def __init__(self, archive: Archive, lease: Lease, session: Any = None) -> None:
        self._archive, self._lease, self._session = archive, lease, session

    async def read(self, key: str) -> list[Document]:
        """The notes of all batches that were begun, in their order."""
        return await self._archive.read(key, lease=self._lease) if self._session is None else []

    async def write(self, key: str, place: int, note: Mapping[str, Any]) -> None:
        """Write the note of one batch, or write it anew. Raises LockLost."""
        await self._archive.add(self._lease, key, place, [note], session=self._session)
