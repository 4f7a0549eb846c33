"""``Journal``: the operations of one revision while it runs, each written down before it is applied and after.

What is written *before* an operation is on the server before the operation is sent. What is known
*after* it is not worth a round trip of its own: it goes along with the next operation's "before", or
with the end of the revision; or alone, as soon as the revision's own code waits for anything. So a
revision of n operations costs n + 1 round trips, and a crash leaves at most one entry "started,
unknown".

A revision that goes on after a crash is run from its top again. Operation by operation it is held
against its journal: finished ones are skipped, the unknown one is applied again with the intent of
the first time. Where the file was edited since, operations are applied from the first difference on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal
from uuid import uuid4

import bson
from bson.binary import UuidRepresentation
from bson.codec_options import CodecOptions
from pymongo.errors import PyMongoError

from asyncmig.drivers.base import Document
from asyncmig.drivers.clock import Clock
from asyncmig.errors import AsyncmigError
from asyncmig.operations import Operation
from asyncmig.operations.fingerprint import fingerprint, has_function, outline, subjects
from asyncmig.running.ledger.ledger import MAX_ENTRIES_IN_RECORD, Ledger
from asyncmig.running.ledger.placement import Placement, Segment, path
from asyncmig.running.ledger.record import JournalEntry
from asyncmig.running.ledger.write import UpdateRecord
from asyncmig.running.locking.lease import Lease

__all__ = ["Field", "Journal", "entry_of"]

Field = Literal["journal", "undo"]

_MAX_BYTES_IN_RECORD = 1_000_000  # of entries in the record, before the settled ones move on
_MOST_TEXT, _MOST_DESCRIPTION = 20_000, 2_000  # characters
_ANY: CodecOptions[Any] = CodecOptions(uuid_representation=UuidRepresentation.STANDARD)


def entry_of(number: int, operation: Operation, site: str = "") -> Document:
    """An operation as the journal has it before anything is known of its end; ``site``: the lines that asked for it."""
    return {
        "number": number,
        "operation": type(operation).__name__,
        "collection": operation.collection,
        "description": _bounded(operation.describe(), _MOST_DESCRIPTION),
        "fingerprint": fingerprint(operation),
        "outline": outline(operation) if has_function(operation) else "",
        "site": site,
        "subjects": list(subjects(operation)),
        "intent": None,
        "session": None,
        "finished_at": None,
        "error": None,
        "result": None,
        "progress": None,
    }


def _told(error: BaseException) -> str:
    return _bounded(f"{type(error).__name__}: {error}", _MOST_TEXT)


def _bounded(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}... ({len(text):,} characters)"


def _size(entry: Document) -> int:
    return len(bson.encode(entry, codec_options=_ANY))


class Journal:
    """The journal of one revision in one direction: ``field`` of its record."""

    def __init__(
        self,
        ledger: Ledger,
        lease: Lease,
        clock: Clock,
        revision: str,
        field: Field,
        former: Sequence[JournalEntry] = (),
        superseded: Sequence[JournalEntry] = (),
        placement: Placement | None = None,
    ) -> None:
        self._ledger, self._lease, self._clock = ledger, lease, clock
        self._revision, self._field = revision, field
        self.former = {entry.number: entry for entry in former}
        self.superseded = list(superseded)
        self._placement = placement or Placement()
        self._segment: Segment | None = None
        self._written, self._written_bytes = len(self._placement.window), 0
        self._fields: Document = {}
        self._dates: list[str] = []
        self._unset: list[str] = []
        self._cut_from: int | None = None
        self._writing = asyncio.Lock()
        self._scheduled: asyncio.Handle | None = None
        self._task: asyncio.Task[None] | None = None
        self._failure: AsyncmigError | PyMongoError | None = None

    @property
    def failures(self) -> str:
        """The collection that is told of documents that failed, where an operation collects them."""
        return self._ledger.failures

    def key(self, number: int) -> str:
        """What an operation is called where its failures are noted."""
        return f"{self._revision}/{self._field}/{number}"

    def new_mark(self) -> str:
        """What tells the documents that an operation has dealt with: another one each time."""
        return f"{self._revision}/{self._field}/{uuid4().hex[:12]}"

    def mark_of(self, entry: JournalEntry) -> str:
        """The mark of an operation that goes on; entries of earlier versions have none, but for their number."""
        return entry.mark or self.key(entry.number)

    def diverge(self, number: int) -> None:
        """Put aside what is journalled from ``number`` on, as the file was edited since: ahead of the next write."""
        gone = sorted(slot for slot in self.former if slot >= number)
        self.superseded += [self.former.pop(slot) for slot in gone]
        self._unset += [self._path(slot) for slot in gone if slot in self._placement.window]
        self._placement = self._placement.cut(number)
        self._cut_from = number

    @property
    def has_diverged(self) -> bool:
        """Whether something was put aside and is not written yet."""
        return self._cut_from is not None

    async def start(
        self,
        number: int,
        operation: Operation,
        intent: Mapping[str, Any] | None,
        session: Any = None,
        *,
        site: str = "",
        **known: Any,
    ) -> None:
        """Write down that an operation begins, with what was known before it; and the session of its transactions.

        ``known``: its ``arguments`` and its ``mark``, where it has them.
        """
        known_before = {"intent": intent, "session": session.session_id if session is not None else None}
        entry = entry_of(number, operation, site) | known_before | known
        async with self._writing:
            self._check()
            await self._move_settled()
            self._written, self._written_bytes = self._written + 1, self._written_bytes + _size(entry)
            self._note(*self._placed(number, entry, "started_at"))
            await self._put()

    def leave_unasked(self, number: int) -> None:
        """Note of an operation whose end is not known that the revision does not ask for it any more."""
        self._note(*self._paths(number, {"error": "the revision did not ask for it when it ran again"}))

    def leave_session(self, number: int) -> None:
        """Note that an operation has ended its session."""
        self._note(*self._paths(number, {"session": None}))

    async def checkpoint(self, number: int) -> Mapping[str, Any] | None:
        """How far an operation has got, as the ledger has it now."""
        entry = (await self._ledger.entries(self._revision, self._field, self._lease)).get(number)
        return entry.get("checkpoint") if entry else None

    async def save(self, number: int, checkpoint: Document, session: Any = None) -> None:
        """Write down how far an operation has got; with a session, within its transaction."""
        await self._ledger.send(
            self._lease, UpdateRecord(self._revision, {f"{self._path(number)}.checkpoint": checkpoint}), session=session
        )

    async def save_progress(self, number: int, progress: Document) -> None:
        """Write down how far an index build is, for those who look from elsewhere."""
        base = self._path(number)
        async with self.exclusive():
            write = UpdateRecord(self._revision, {f"{base}.progress": progress}, (f"{base}.progress_at",))
            await self._ledger.send(self._lease, write)

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """A block in which nothing else is written here: two transactions on one document would be in conflict."""
        async with self._writing:
            self._check()
            yield

    def finish(self, number: int, result: Mapping[str, Any] | None) -> None:
        """Note that an operation is done; written by the next write, or by :meth:`flush_soon`."""
        fields, dates = self._paths(number, {"result": result}, "finished_at")
        self._note(fields, dates)

    def refuse(self, number: int, error: BaseException) -> None:
        """Note that an operation was refused; and what it has done before, where that is known."""
        failed: Document = {"error": _told(error)}
        if done := getattr(error, "done", ()):
            failed |= {"subjects": list(done), "checkpoint": {"done": list(done)}}
        fields, dates = self._paths(number, failed, "finished_at")
        self._note(fields, dates)

    def _placed(self, number: int, entry: Document, *dates: str) -> tuple[Document, list[str]]:
        """A whole entry: path by path, so that dates of the server's can stand beside them.

        Of several the server takes the lower number first: https://www.mongodb.com/docs/manual/reference/operator/update/set/
        """
        if self._clock.is_servers:
            return self._paths(number, entry, *dates)
        return {self._path(number): {**entry, **dict.fromkeys(dates, self._clock.now)}}, []

    def _paths(self, number: int, entry: Mapping[str, Any], *dates: str) -> tuple[Document, list[str]]:
        base = self._path(number)
        fields = {f"{base}.{name}": value for name, value in entry.items() if name not in dates}
        return fields, [f"{base}.{date}" for date in dates]

    def _path(self, number: int) -> str:
        return path(self._field, number)

    def _note(self, fields: Document, dates: Sequence[str]) -> None:
        self._fields |= fields
        self._dates += dates

    async def _write(self, fields: Document, dates: Sequence[str]) -> None:
        async with self._writing:
            self._check()
            self._note(fields, dates)
            await self._put()

    async def _put(self) -> None:
        writes = []
        if self._cut_from is not None:
            aside, _ = await self._ledger.placed(self._lease, "superseded", self.superseded)
            writes.append(UpdateRecord(self._revision, {**aside, **self._segments}, unset=tuple(self._unset)))
            self._unset, self._cut_from = [], None
        if self._fields or self._unset:
            writes.append(UpdateRecord(self._revision, self._fields, tuple(self._dates), unset=tuple(self._unset)))
        self._fields, self._dates, self._unset = {}, [], []
        if writes:
            await self._ledger.send(self._lease, *writes)

    @property
    def _segments(self) -> Document:
        """The field of the record that names the segments of this journal."""
        return {f"archive.{self._field}": [segment.stored for segment in self._placement.segments]}

    async def _move_settled(self) -> None:
        """Once the record holds many entries, move those that are settled to a segment; with the next write they go."""
        if self._written < MAX_ENTRIES_IN_RECORD and self._written_bytes < _MAX_BYTES_IN_RECORD:
            return
        stored = await self._ledger.entries(self._revision, self._field, self._lease)
        open_numbers = {int(name.split(".")[1]) + 1 for name in (*self._fields, *self._dates)}
        settled = [
            (number, entry)
            for number, entry in stored.items()
            if number not in open_numbers and (entry.get("finished_at") or entry.get("error"))
        ]
        self._written, self._written_bytes = len(stored) - len(settled), 0
        if not settled:
            return
        segment = self._segment or Segment.new()
        await self._ledger.archive.add(self._lease, segment.key, segment.count, [entry for _, entry in settled])
        self._segment = replace(segment, count=segment.count + len(settled))
        others = tuple(other for other in self._placement.segments if other.key != segment.key)
        moved = frozenset(number for number, _ in settled)
        self._placement = Placement(self._placement.window - moved, (*others, self._segment))
        self._unset += [self._path(number) for number, _ in settled]
        self._fields |= self._segments

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    # -- what is known after an operation, written while the revision's own code waits -----------

    def flush_soon(self) -> None:
        """Write what is noted as soon as the event loop turns, unless :meth:`defer_flush` comes before."""
        if self._fields:
            self._scheduled = asyncio.get_running_loop().call_soon(self._begin)

    def defer_flush(self) -> None:
        """The next write takes along what is noted."""
        if self._scheduled is not None:
            self._scheduled.cancel()
            self._scheduled = None

    def _begin(self) -> None:
        self._task = asyncio.ensure_future(self._flush())

    async def _flush(self) -> None:
        try:
            await self._write({}, ())
        except (AsyncmigError, PyMongoError) as error:
            self._failure = error

    async def take_unwritten(self) -> tuple[Document, tuple[str, ...]]:
        """What is noted and not written, for the write that ends the revision; waits for one under way."""
        self.defer_flush()
        if self._task is not None:
            await asyncio.wait([self._task])
        self._check()
        if self.has_diverged:
            await self._put()
        fields, dates = self._fields, tuple(self._dates)
        self._fields, self._dates = {}, []
        return fields, dates
