"""``Ledger``: one document per revision in ``asyncmig_revisions``, which tells the truth whatever dies.

- A record is there *before* the first line of its revision's own code runs, in state ``upgrading``,
  and says ``applied`` after the last one. A crash leaves it as it is: "started, unknown".
- Whoever takes the lock first stamps its token on every record that is not settled
  (:meth:`Ledger.claim`), and every write fits only a record with its writer's token, before the
  writer's lease has ended: see :mod:`asyncmig.running.ledger.write`.
- Writes wait for a majority, and are repeated when the connection breaks: each is harmless twice.
- A reverted revision has no record any more; the trail (:mod:`asyncmig.running.ledger.audit_log`) remembers it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from bson import Binary, Int64
from bson.binary import UUID_SUBTYPE
from pymongo import DeleteOne, UpdateOne
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure

from asyncmig.drivers.base import Document, Driver
from asyncmig.drivers.clock import LATE_CODES, Clock
from asyncmig.drivers.explain import explaining
from asyncmig.errors import LedgerGone, LockLost
from asyncmig.running.ledger.archive import Archive
from asyncmig.running.ledger.placement import FIELDS, Placement, Segment, inline, numbered
from asyncmig.running.ledger.record import JournalEntry, Mark, Record, identified
from asyncmig.running.ledger.write import DeleteRecord, InsertRecord, Write, to_driver
from asyncmig.schema.own_names import OwnNames

if TYPE_CHECKING:  # what only reads the ledger takes no lock, and starts sooner
    from asyncmig.running.locking.lease import Lease

__all__ = ["Ledger", "RecordExists"]

_SUMMARY = (
    *("state", "direction", "token", "checksum", "error", "message", "parents", "finished_at", "stamped"),
    *("depends_on", "replaces", "started_at", "stopped_at", "milliseconds", "user", "host", "pid", "format"),
)
_DUPLICATE = 11000
_NOW_IN_DELETE = 13  # the wire version of MongoDB 5.0
MAX_ENTRIES_IN_RECORD = 100
"""Entries that a record holds before the settled ones move on."""
_BATCH = 1_000_000  # documents; else the first answer holds 101, and the rest costs another round trip


class RecordExists(Exception):  # no error: the record is read, and its revision resumed
    """Raised when a record that was to be made is there already, left by a runner before us."""

    def __init__(self, revision: str) -> None:
        self.revision = revision
        super().__init__(revision)


class Ledger:
    """The records of one database."""

    def __init__(self, driver: Driver, *, collection: str = "asyncmig_revisions") -> None:
        self.collection = collection
        self.failures = OwnNames(collection).failed
        """The collection that is told of documents that failed, where an operation on data collects them."""
        self.archive = Archive(driver, OwnNames(collection).journal)
        """Where what grows without bound stands."""
        self._driver, self._clock = driver, Clock(driver)
        self._documents = driver.collection(collection)

    # -- reading: no lock needed ----------------------------------------------------------------

    async def summaries(self) -> dict[str, Record]:
        """Every record by its id, without journal and source, in one round trip."""
        documents = await self._found({}, dict.fromkeys(_SUMMARY, 1))
        return {record.revision: record for record in map(self._read, documents)}

    async def marks(self) -> dict[str, Mark]:
        """A mark of every revision by its id, in one round trip: the least that tells where a database stands."""
        documents = await self._found({}, dict.fromkeys((*Mark._fields, "format"), 1))
        return {identified(document, self.collection): Mark.read(document, self.collection) for document in documents}

    async def records(self) -> list[Record]:
        """Every record in full, by id."""
        return sorted(
            [await self._whole(document, None) for document in await self._found({})], key=attrgetter("revision")
        )

    async def record(self, revision: str, lease: Lease | None = None) -> Record | None:
        """One record in full; with a lease it is asked for again when the connection breaks."""
        ask = functools.partial(self._documents.find_one, {"_id": revision})
        with self._explaining("reading"), self._driver.answered():
            document = await (lease.retry(ask) if lease is not None else ask())
        return await self._whole(document, lease) if document else None

    async def _whole(self, document: Document, lease: Lease | None) -> Record:
        """A record with all entries of its journals, and all that they have inserted."""
        segments = [segment for name in FIELDS for segment in Placement.of(document, name).segments]
        archived = {
            segment.key: await self.archive.read(segment.key, segment.count, lease=lease) for segment in segments
        }
        record = Record.read(document, self.collection, archived)
        listed = [entry.inserted_in for entry in record.entries if entry.inserted_in]
        if not listed:
            return record
        return record.with_inserted({key: await self.archive.read(key, lease=lease) for key in listed})

    async def entries(self, revision: str, field: str, lease: Lease) -> dict[int, Document]:
        """The entries that stand in the record itself, by number, as they are stored."""
        ask = functools.partial(self._documents.find_one, {"_id": revision}, {field: 1})
        with self._explaining("reading"):
            document = await lease.retry(ask)
        return dict(numbered((document or {}).get(field)))

    async def placed(self, lease: Lease, field: str, entries: Sequence[JournalEntry]) -> tuple[Document, Placement]:
        """The fields of a record that hold these entries from then on, and where they stand: few of them in it."""
        documents = [entry.document for entry in entries]
        if len(documents) <= MAX_ENTRIES_IN_RECORD:
            fields = inline(field, documents)
            return fields, Placement(frozenset(number for number, _ in numbered(fields[field])))
        segment = replace(Segment.new(), count=len(documents))
        await self.archive.add(lease, segment.key, 0, documents)
        return {field: {}, f"archive.{field}": [segment.stored]}, Placement(segments=(segment,))

    async def sessions(self, lease: Lease) -> list[Document]:
        """The sessions of what is not settled: transactions of theirs may be open though their runner is gone."""
        journals = ("journal", "undo")
        wanted: Document = dict.fromkeys(("session", *journals), 1)
        documents = await lease.retry(lambda: self._found({"state": {"$ne": "applied"}}, wanted))
        entries = [entry for document in documents for name in journals for _, entry in numbered(document.get(name))]
        holders = [*documents, *(entry for entry in entries if isinstance(entry, dict))]
        sessions = [holder.get("session") for holder in holders]
        return [session for session in sessions if isinstance(session, dict) and _is_uuid(session.get("id"))]

    async def _found(self, filter_: Document, fields: Document | None = None) -> list[Document]:
        with self._explaining("reading"), self._driver.answered():
            documents: list[Document] = await self._documents.find(filter_, fields, batch_size=_BATCH).to_list(None)
        return documents

    def _read(self, document: Document) -> Record:
        return Record.read(document, self.collection)

    def _explaining(self, doing: str) -> AbstractContextManager[None]:
        return explaining(self._driver, f"{doing} the ledger {self.collection}")

    # -- writing: with the lease ----------------------------------------------------------------

    async def claim(self, lease: Lease) -> None:
        """Stamp our token on all that is not settled, so that no runner before us can write there any more."""
        await lease.ensure()
        unsettled = {"state": {"$ne": "applied"}, "token": {"$not": {"$gte": Int64(lease.token)}}}
        with self._explaining("writing to"):
            await lease.retry(
                lambda: self._documents.update_many(
                    unsettled | self._clock.before(lease.writes_until), {"$set": {"token": Int64(lease.token)}}
                ),
            )

    async def send(self, lease: Lease, *writes: Write, session: Any = None) -> None:
        """Put these writes to the server, in this order and in one round trip.

        Raises LockLost when one is refused because we are late, RecordExists when a record that was to
        be made is there, DriverError for whatever the driver says. Within a transaction nothing is
        repeated, and its errors are left as they are: the whole transaction is repeated.
        """
        if session is not None:
            await self._send(lease, writes, session)
            return
        with self._explaining("writing to"):
            await self._send(lease, writes, None)

    async def _send(self, lease: Lease, writes: Sequence[Write], session: Any) -> None:
        for attempt in (1, 2):
            await lease.ensure()
            try:
                await self._put(lease, writes, session)
            except OperationFailure as error:
                if not _is_late(error):
                    raise
                if attempt == 2 or session is not None:
                    lease.lose("its lease had ended when a write reached the server")
                    raise LockLost(lease.loss) from error
                await lease.ensure(now=True)
            else:
                return

    async def _put(self, lease: Lease, writes: Sequence[Write], session: Any) -> None:
        built = [to_driver(write, lease.token, lease.writes_until, self._clock) for write in writes]
        try:
            if session is not None:
                fitting = await self._execute(built, session)
            else:
                fitting = await lease.retry(lambda: self._execute(built, None))
        except (DuplicateKeyError, BulkWriteError) as error:
            raise _duplicate(error, writes) or error from error
        if fitting < len(writes):
            await self._explain_unmatched(lease, writes, len(writes) - fitting, session)

    async def _execute(self, built: Sequence[UpdateOne | DeleteOne], session: Any) -> int:
        """How many of the statements met their document, in one round trip on a real server.

        Updates go as one bare command, which takes a driver half the time of a bulk: a revision
        that does nothing else is mostly this.
        """
        if not self._clock.is_servers or await self._fences_no_deletion(built):
            return sum([await self._one(write, session) for write in built])
        if session is None and (updates := [write for write in built if isinstance(write, UpdateOne)]) == list(built):
            return await self._update(updates)
        options = {"session": session} if session is not None else {}
        done = await self._documents.bulk_write(list(built), ordered=True, **options)
        return int(done.matched_count + done.upserted_count + done.deleted_count)

    async def _update(self, updates: Sequence[UpdateOne]) -> int:
        statements = [{"q": write._filter, "u": write._doc, "upsert": bool(write._upsert)} for write in updates]
        done = await self._driver.command(
            {"update": self.collection, "updates": statements, "ordered": True, "writeConcern": {"w": "majority"}},
            own=True,
        )
        if refused := done.get("writeErrors"):
            raise BulkWriteError({**done, "writeErrors": refused})
        return int(done["n"])

    async def _fences_no_deletion(self, built: Sequence[UpdateOne | DeleteOne]) -> bool:
        """Whether a record is to go on MongoDB 4.4, which knows no ``$$NOW`` in the command ``delete``."""
        deletes = any(isinstance(write, DeleteOne) for write in built)
        return deletes and await self._driver.wire_version() < _NOW_IN_DELETE

    async def _one(self, single: UpdateOne | DeleteOne, session: Any) -> int:
        """On the mock, whose bulks are broken, and on MongoDB 4.4."""
        options = {"session": session} if session is not None else {}
        if isinstance(single, DeleteOne):
            return int(await self._documents.find_one_and_delete(single._filter, **options) is not None)
        done = await self._documents.update_one(single._filter, single._doc, upsert=bool(single._upsert), **options)
        return int(done.matched_count) or int(done.upserted_id is not None)

    async def _explain_unmatched(self, lease: Lease, writes: Sequence[Write], short: int, session: Any) -> None:
        """Some writes met nothing: say what stands in their place.

        A record that was to be forgotten and is gone is as it should be: the answer to a first
        attempt was lost.
        """
        wanted = {"_id": {"$in": [write.revision for write in writes]}}
        documents = await self._documents.find(wanted, {"token": 1}, session=session).to_list(None)
        tokens = {document["_id"]: document.get("token", 0) for document in documents}
        gone = [write for write in writes if write.revision not in tokens]
        if short == sum(isinstance(write, DeleteRecord) for write in gone):
            return
        missing = next((write for write in gone if not isinstance(write, DeleteRecord)), None)
        if missing is not None and session is None:
            await lease.ensure(now=True)
            raise LedgerGone(missing.revision, self.collection)
        lease.lose(next(self._newer(lease, writes, tokens), "its lease had ended when a write reached the server"))
        raise LockLost(lease.loss)

    def _newer(self, lease: Lease, writes: Sequence[Write], tokens: Mapping[str, int]) -> Iterator[str]:
        for write in writes:
            if tokens.get(write.revision, 0) > lease.token:
                yield f"another runner has written the record of {write.revision} since"
            elif write.revision not in tokens and not isinstance(write, DeleteRecord):
                yield f"the record of {write.revision} is gone from {self.collection}"


def _is_uuid(value: Any) -> bool:
    """As the id of a session is; of several sessions the server ends none where one is something else."""
    return isinstance(value, Binary) and (value.subtype, len(value)) == (UUID_SUBTYPE, 16)


def _is_late(error: OperationFailure) -> bool:
    return any(code in LATE_CODES for code in _codes(error))


def _duplicate(error: OperationFailure, writes: Sequence[Write]) -> RecordExists | None:
    if _DUPLICATE not in _codes(error):
        return None
    return next((RecordExists(write.revision) for write in writes if isinstance(write, InsertRecord)), None)


def _codes(error: OperationFailure) -> list[int | None]:
    details: Mapping[str, Any] = error.details or {}
    refused: list[Document] = details.get("writeErrors", [])
    return [refusal.get("code") for refusal in refused] if isinstance(error, BulkWriteError) else [error.code]
