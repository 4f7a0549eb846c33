"""``Transformation``: documents read, given to a Python function, and what it makes of them written back."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import Any, ClassVar

import bson
from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError

from asyncmig.data.failures import fault_of
from asyncmig.data.held import PART, WHOLE, beside_the_whole, is_flat, same_fields, same_whole
from asyncmig.data.ranges import Span
from asyncmig.data.source import Source, split
from asyncmig.data.statements import statement, untouched
from asyncmig.data.task import Batch, BatchRefused, Changed, Fault, Task
from asyncmig.drivers.base import Document
from asyncmig.drivers.refusal import REFUSALS, is_refusal
from asyncmig.operations import Tally
from asyncmig.printable import counted

__all__ = ["Transformation", "Transforming"]

_EXACT = frozenset({ObjectId, int, str})  # types of keys that come through any codec as they are
_SLICE_SECONDS = 0.002  # that documents go through the function before something else has its turn
_MAX_BYTES = 16_000_000  # of statements in one command; a message is 48 MB at most
_MAX_STATEMENTS = 100_000  # in one command


@dataclass(frozen=True, slots=True)
class Transforming:
    """What to do with a document, as the user wants it."""

    function: Callable[[Any], Any]
    projection: Mapping[str, Any] | None = None
    version_field: str | None = None
    concurrency: int = 4
    collects: bool = False
    in_batches: bool = False
    """Whether the function takes a list of documents, and returns one as long."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What becomes of one document: nothing, where there is neither a statement nor a fault."""

    key: Any
    document: bytes
    """As it was read."""
    statement: RawBSONDocument | None = None
    is_deletion: bool = False
    fault: Fault | None = None


class Transformation(Task):
    """Each document through a function; written where the document still is what was read.

    A batch is read before its transaction, and once more within it: what is byte for byte the same
    (or has the same version) is written, anything else goes through the function again. Without
    transactions each statement has a condition of its own that says the same.
    """

    size: ClassVar[int] = 2_000

    def __init__(self, source: Source, filter_: Mapping[str, Any], wanted: Transforming, *, mark: str = "") -> None:
        super().__init__(source, filter_, excludes=True if mark else None)
        self.wanted, self.mark = wanted, mark
        self.ahead = wanted.concurrency

    async def fetch(self, span: Span, size: int) -> Batch | None:
        """The next documents, as they are stored."""
        documents = split(await self._read(span, size))
        if not documents:
            return None
        if not span.is_cut:
            return Batch(span, size, documents, is_last=True)
        return Batch(span.head(self.source.key(documents[-1])), size, documents)

    async def _read(self, span: Span, limit: int = 0, session: Any = None) -> bytes:
        filter_ = self.conjunction(span)
        if self._stages:
            return await self.source.raw_stages(filter_, self._stages, limit=limit, session=session)
        return await self.source.raw(filter_, limit=limit, projection=self._projection, session=session)

    @cached_property
    def _stages(self) -> list[Document]:
        """What reads the whole document beside a part of it, where a write is to hold all that was read."""
        projection = self._asked
        if not self.mark or not projection or self.wanted.version_field or is_flat(projection):
            return []
        return beside_the_whole(projection)

    @property
    def _projection(self) -> Mapping[str, Any] | None:
        projection, version = self._asked, self.wanted.version_field
        return {**projection, version: 1} if projection and version else projection

    @cached_property
    def _asked(self) -> Mapping[str, Any] | None:
        """The projection; the ``_id`` is always read."""
        asked = self.wanted.projection
        return {name: value for name, value in asked.items() if name != "_id" or value} if asked else asked

    async def prepare(self, batch: Batch) -> Batch:
        """The documents through the function, one after the other."""
        return await self._transformed(batch, batch.work, {})

    async def renew(self, batch: Batch, documents: list[bytes]) -> Batch:
        """The same, of documents of which some were changed meanwhile: only those go through the function again."""
        return await self._transformed(batch, documents, batch.work)

    async def _transformed(self, batch: Batch, documents: Sequence[bytes], known: Mapping[Any, _Change]) -> Batch:
        changes: dict[Any, _Change] = {}
        if self.wanted.in_batches:
            new = [document for document in documents if self._version(document) not in known]
            known = {**known, **{self._version(change.document): change for change in await self._changes(new)}}
        since = perf_counter()
        for document in documents:
            version = self._version(document)
            change = known.get(version) or await self._change(document)
            if change.fault is not None and not self.wanted.collects:
                return _stopping(batch, changes, change.fault)
            changes[version] = change
            if perf_counter() - since > _SLICE_SECONDS:
                await asyncio.sleep(0)
                since = perf_counter()
        faults = tuple(change.fault for change in changes.values() if change.fault is not None)
        return replace(batch, work=changes, collected=faults, is_empty=not changes)

    async def _change(self, document: bytes) -> _Change:
        """One document through the function."""
        try:
            given, old = self._given(document)
            result = self.wanted.function(given)
            if type(result) is not dict and inspect.isawaitable(result):
                result = await result
            return self._made(document, old, result)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the function is the user's, and may raise anything
            return self._failed(document, error)

    async def _changes(self, documents: Sequence[bytes]) -> list[_Change]:
        """Many documents through the function at once; where it raises, half of them, to find the one that is why."""
        if not documents:
            return []
        try:
            given = [self._given(document) for document in documents]
            results = self.wanted.function([document for document, _ in given])
            results = await results if inspect.isawaitable(results) else results
            _refuse_other_length(results, len(documents))
        except (Exception, SystemExit) as error:  # noqa: BLE001  # as above
            if len(documents) == 1:
                return [self._failed(documents[0], error)]
            half = len(documents) // 2
            first = await self._changes(documents[:half])
            if any(change.fault for change in first) and not self.wanted.collects:
                return first
            return first + await self._changes(documents[half:])
        made = []
        for document, (_, old), result in zip(documents, given, results, strict=True):
            try:
                made.append(self._made(document, old, result))
            except Exception as error:  # noqa: BLE001  # it cannot be written
                made.append(self._failed(document, error))
        return made

    def _failed(self, document: bytes, error: Exception | SystemExit) -> _Change:
        key = self.source.key(document)
        return _Change(key, document, fault=fault_of(key, _as_error(error)))

    def _given(self, document: bytes) -> tuple[Any, Any]:
        """What the function is given, and a copy of it that stays as it is."""
        given = bson.decode(document, self.source.codec)
        given = given[PART] if self._stages else given
        return given, given if self._asked else untouched(given, document, self.source.codec)

    def _made(self, document: bytes, old: Mapping[str, Any], result: Any) -> _Change:
        key = old["_id"] if type(old.get("_id")) in _EXACT else self.source.key(document)
        condition, partial = self._condition(key, document), bool(self._asked)
        write = statement(condition, old, result, self.source.encoder, partial=partial, mark=self.mark)
        if write is None:
            return _Change(key, document)
        return _Change(key, document, write.encoded(self.source.encoder), is_deletion=write.change is None)

    def _condition(self, key: Any, document: bytes) -> Document:
        """What a statement is to find: in a transaction the ``_id`` says all."""
        if not self.mark:
            return {"_id": key}
        field = self.wanted.version_field
        if field is not None:
            return {"_id": key, field: self.source.value(document, field)}
        if self._stages:
            return {"_id": key, **same_whole(self.source.value(document, WHOLE).raw)}
        if self._asked:
            return {"_id": key, **same_fields(document, self._asked or {})}
        return {"_id": key, **same_whole(document)}

    def _version(self, document: bytes) -> Any:
        """By what a document that was changed is told: its bytes, or its ``_id`` and version."""
        field = self.wanted.version_field
        if field is None:
            return document
        return bson.encode({"_id": self.source.key(document), "version": self.source.value(document, field)})

    async def write(self, batch: Batch, session: Any) -> Tally:
        """Write what is still as it was read."""
        now = await self._read(batch.span, session=session)
        changes: list[_Change] = list(batch.work.values())
        if now != b"".join([change.document for change in changes]):
            changes = self._unchanged(batch, split(now))
        writing = [change for change in changes if change.statement is not None]
        done = await self._put(writing, session) if writing else Tally()
        if done.matched < len(writing):
            raise Changed(split(await self._read(batch.span, session=session)), done)
        left = sum(change.statement is None and change.fault is None for change in changes)
        return done + Tally(left, skipped=left)

    def _unchanged(self, batch: Batch, documents: list[bytes]) -> list[_Change]:
        """What becomes of these documents, where that is known of all of them."""
        versions = [self._version(document) for document in documents]
        if any(version not in batch.work for version in versions):
            raise Changed(documents)
        return [batch.work[version] for version in versions]

    async def _put(self, writing: Sequence[_Change], session: Any) -> Tally:
        """What the statements of these changes have come to."""
        done, faults, cause = Tally(), list[Fault](), None
        for command, part in _commands(writing):
            try:
                reply = await self.source.write(
                    command, [change.statement for change in part if change.statement is not None], session
                )
            except REFUSALS as error:
                if not is_refusal(error):
                    raise
                raise BatchRefused(error, [fault_of(part[0].key, error)] if len(part) == 1 else [], done) from error
            done += _tally(command, reply)
            for refusal in reply.get("writeErrors", ()):
                cause = BulkWriteError({"writeErrors": [refusal]})
                if not is_refusal(cause):
                    raise cause
                faults.append(fault_of(part[refusal["index"]].key, cause))
        if cause is not None:
            raise BatchRefused(cause, faults, done)
        return done

    async def cut(self, batch: Batch, refusal: BatchRefused, *, collect: bool) -> Batch | None:
        """Without the documents that the server has named."""
        if not refusal.faults:
            return None
        refused = {_identity(fault.key): fault for fault in refusal.faults}
        kept: dict[Any, _Change] = {}
        for version, change in batch.work.items():
            fault = refused.get(_identity(change.key))
            if fault is not None and not collect:
                return _stopping(batch, kept, fault)
            kept[version] = _Change(change.key, change.document, fault=fault) if fault is not None else change
        faults = tuple(change.fault for change in kept.values() if change.fault is not None)
        return replace(batch, work=kept, collected=faults)

    async def still_matches(self, batch: Batch, session: Any) -> bool:
        """Whether one of the documents that were written matches the filter all the same."""
        keys = [change.key for change in batch.work.values() if change.statement is not None]
        filter_ = self.source.conjunction(self.filter, {"_id": {"$in": keys}})
        return bool(keys) and await self.source.any(filter_, session=session)


def _as_error(error: Exception | SystemExit) -> Exception:
    """What a function has raised: ``sys.exit()`` is no way to end it."""
    return error if isinstance(error, Exception) else RuntimeError(f"it raised {type(error).__name__}({error})")


def _refuse_other_length(results: Any, expected: int) -> None:
    if not isinstance(results, list | tuple) or len(results) != expected:
        returned = f"{len(results)} of them" if isinstance(results, list | tuple) else repr(type(results).__name__)
        raise TypeError(
            f"the function was given {counted(expected, 'document')}, and returned {returned}: return a list as long"
        )


def _stopping(batch: Batch, before: dict[Any, _Change], fault: Fault) -> Batch:
    """What comes before the first document that could not be changed, and then the stop."""
    if not before:
        return replace(batch, work=before, is_empty=True, fault=fault)
    last = next(reversed(before.values()))
    return replace(batch, work=before, span=batch.span.head(last.key), is_last=False, fault=fault)


def _commands(changes: Sequence[_Change]) -> Iterator[tuple[str, list[_Change]]]:
    """The commands that write them, none larger than one message may be."""
    for command in ("update", "delete"):
        part, size = list[_Change](), 0
        for change in changes:
            if change.statement is None or change.is_deletion is (command == "update"):
                continue
            length = len(change.statement.raw)
            if part and (size + length > _MAX_BYTES or len(part) == _MAX_STATEMENTS):
                yield command, part
                part, size = [], 0
            part.append(change)
            size += length
        if part:
            yield command, part


def _tally(command: str, reply: Mapping[str, Any]) -> Tally:
    if command == "delete":
        return Tally(reply["n"], deleted=reply["n"])
    return Tally(reply["n"], reply["nModified"], skipped=reply["n"] - reply["nModified"])


def _identity(key: Any) -> bytes:
    return bson.encode({"": key})
