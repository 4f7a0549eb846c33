"""``Record``: one revision's document in the ledger, and ``JournalEntry``: one operation of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import bson

from asyncmig.drivers.base import Document
from asyncmig.drivers.codec import EXACT
from asyncmig.running.ledger.placement import FIELDS, FORMAT, Placement, entry_documents
from asyncmig.running.shape import DamagedRecord, Unfit, refuse_newer, shaped

if TYPE_CHECKING:  # what only reads the ledger does without events and operations, and starts sooner
    from asyncmig.events import Direction

__all__ = ["JournalEntry", "Mark", "Record", "State", "identified", "inserted_of"]

State = Literal["upgrading", "applied", "downgrading", "failed"]
_STATES = get_args(State)


class Mark(NamedTuple):
    """The least that a record tells: its state, the checksum of the file that was run, when an error stopped it."""

    state: State
    checksum: str | None
    stopped_at: datetime | None = None

    @classmethod
    def read(cls, document: Mapping[str, Any], collection: str) -> Mark:
        """The mark that a document holds. Raises DamagedRecord."""
        state, checksum, stopped_at = (
            document.get("state", "applied"),
            document.get("checksum"),
            document.get("stopped_at"),
        )
        if state not in _STATES or document.get("format", 1) != FORMAT:
            Record.read(document, collection)  # which says what is wrong, if anything is
        return cls(
            state,
            checksum if isinstance(checksum, str) else None,
            stopped_at if isinstance(stopped_at, datetime) else None,
        )


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One operation as the journal has it: written before it is applied, completed after.

    Without ``finished_at`` and ``error`` the operation was started and nobody knows how it ended.
    ``subjects`` are the collections and indexes that it touches; ``intent`` is what had to be known
    before, ``result`` what came of it, ``checkpoint`` how far an operation has got that does many things
    one after the other, ``session`` that of its transactions while it has one. ``site``: the lines of the
    file that asked for it, ``file`` that file's checksum. ``outline``: its fingerprint whatever its functions
    do. ``arguments``: those of an operation on data, as BSON. ``mark``: what documents are marked with that it
    has dealt with. ``progress``: how far an index build was at ``progress_at``.
    """

    number: int
    operation: str
    collection: str
    description: str
    fingerprint: str
    outline: str = ""
    site: str = ""
    file: str = ""
    arguments: Any = None
    mark: str = ""
    subjects: tuple[str, ...] = ()
    intent: Mapping[str, Any] | None = None
    session: Mapping[str, Any] | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    result: Mapping[str, Any] | None = None
    checkpoint: Mapping[str, Any] | None = None
    progress: Mapping[str, Any] | None = None
    progress_at: datetime | None = None

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> JournalEntry:
        """The entry that a document holds. Raises Unfit."""
        missing = [name for name in ("number", "operation", "fingerprint") if name not in document]
        if missing:
            raise Unfit(missing[0], None, "there")
        return cls(**{"collection": "?", "description": "?", **shaped(cls, document)})

    @property
    def document(self) -> Document:
        """As the ledger stores it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.inserted_in and self.result is not None:
            values["result"] = {name: value for name, value in self.result.items() if name != "inserted"}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    def reopened(self) -> JournalEntry:
        """The same with its end unknown, so that it is applied again, as a whole, with its first intent.

        One that was refused is left as it is: it is applied again anyhow, and there is nothing of it to undo.
        """
        if not self.may_be_done:
            return self
        return replace(self, finished_at=None, error=None, checkpoint=None, progress=None, progress_at=None)

    @property
    def kept_arguments(self) -> dict[str, Any] | None:
        """Its arguments, where it keeps them."""
        return bson.decode(self.arguments, EXACT) if isinstance(self.arguments, bytes) else None

    @property
    def inserted_in(self) -> str:
        """Under which key the ``_id``s of what it inserts stand, where they are too many for the entry."""
        named = (self.intent or {}).get("listed")
        return named if isinstance(named, str) else ""

    @property
    def is_finished(self) -> bool:
        """Whether the operation is known to be done."""
        return self.finished_at is not None and self.error is None

    @property
    def may_be_done(self) -> bool:
        """Whether the operation is done, may be, or is in part: it was started, and not refused as a whole."""
        return self.error is None or self.checkpoint is not None


@dataclass(frozen=True, slots=True)
class Record:
    """What the ledger knows of one revision. All times are the server's, in UTC.

    ``state`` is ``upgrading`` or ``downgrading`` while somebody works on it (or was killed at it),
    ``failed`` when it stopped with ``error`` in ``direction``, else ``applied``. ``journal`` holds
    the operations of its upgrade, ``undo`` those of its downgrade, ``superseded`` those of an
    upgrade that stopped half-way and whose file was edited before it went on. ``partial`` marks a
    downgrade that undoes an upgrade which never came to its end. ``token`` is the lock's token of
    the last writer. ``source`` is the text of the file that was run, ``former_sources`` what it was when an
    earlier run of it stopped, with ``checksum`` and ``source`` each. ``session`` is that of the transaction of the
    whole revision. ``imported``: of a revision that another tool has applied, which (``tool``), under what ``name``,
    and ``applied_at``, by that tool's clock.
    """

    revision: str
    state: State = "applied"
    token: int = 0
    direction: Direction = "upgrade"
    parents: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    message: str = ""
    checksum: str | None = None
    source: str | None = None
    transactional: bool = False
    stamped: bool = False
    partial: bool = False
    error: Mapping[str, Any] | None = None
    owner: str | None = None
    host: str = ""
    pid: int = 0
    session: Mapping[str, Any] | None = None
    user: str = ""
    version: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    milliseconds: int | None = None
    journal: tuple[JournalEntry, ...] = ()
    undo: tuple[JournalEntry, ...] = ()
    superseded: tuple[JournalEntry, ...] = ()
    repaired: tuple[Mapping[str, Any], ...] = ()
    former_sources: tuple[Mapping[str, Any], ...] = ()
    imported: Mapping[str, Any] | None = None
    format: int = 1
    placements: Mapping[str, Placement] = field(default_factory=dict)
    """Where the entries of each journal stand."""

    @classmethod
    def read(
        cls,
        document: Mapping[str, Any],
        collection: str = "asyncmig_revisions",
        archived: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    ) -> Record:
        """The record that a document holds; fields of newer versions are left alone.

        ``archived``: by key, the entries found of each segment that it names. Raises DamagedRecord, NewerRecord.
        """
        revision = identified(document, collection)
        refuse_newer(document, collection, FORMAT)
        for name in FIELDS:
            if not isinstance(value := document.get(name), Mapping | list | tuple | None):
                raise DamagedRecord(collection, revision, name, value, "the entries of a journal, by their number")
        journals = {name: entry_documents(document, name, archived or {}) for name in FIELDS if name in document}
        try:
            known = shaped(cls, {**document, **journals})
            entries = {name: _entries(name, known[name]) for name in journals}
        except Unfit as fault:
            raise DamagedRecord(collection, revision, fault.field, fault.value, fault.expected) from None
        placements = {name: Placement.of(document, name) for name in FIELDS}
        return cls(**{**known, **entries, "revision": revision, "placements": placements})

    @property
    def entries(self) -> tuple[JournalEntry, ...]:
        """All entries of all its journals."""
        return (*self.journal, *self.undo, *self.superseded)

    def with_inserted(self, listed: Mapping[str, Sequence[Mapping[str, Any]]]) -> Record:
        """The same, where each entry has the ``_id``s of what it has inserted, that stand elsewhere, in its result.

        ``listed``: by key, what stands there.
        """

        def whole(entry: JournalEntry) -> JournalEntry:
            if entry.inserted_in not in listed:
                return entry
            inserted = [document for batch in listed[entry.inserted_in] for document in inserted_of(batch)]
            return replace(entry, result={**(entry.result or {}), "inserted": inserted})

        changed = {name: tuple(map(whole, getattr(self, name))) for name in FIELDS}
        return replace(self, journal=changed["journal"], undo=changed["undo"], superseded=changed["superseded"])

    @property
    def is_applied(self) -> bool:
        """Whether the revision is applied as a whole."""
        return self.state == "applied"

    @property
    def unknown(self) -> JournalEntry | None:
        """The operation that was started and whose end nobody knows, if there is one."""
        return next((entry for entry in self.steps if entry.finished_at is None and entry.error is None), None)

    @property
    def steps(self) -> tuple[JournalEntry, ...]:
        """The journal of the direction in which the revision last went."""
        return self.journal if self.direction == "upgrade" else self.undo

    @property
    def finished(self) -> int:
        """How many operations of that direction are done."""
        return sum(entry.is_finished for entry in self.steps)

    @property
    def trouble(self) -> str:
        """Why the revision stopped, in one line; empty when nobody could say so any more."""
        return f"{self.error.get('type')}: {self.error.get('message')}" if self.error else ""


def inserted_of(batch: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a batch of inserted documents says of those that are asyncmig's: ``_id`` and digest."""
    foreign = frozenset(batch.get("foreign", ()))
    return [id_ for place, id_ in enumerate(batch.get("missing", ())) if place not in foreign]


def identified(document: Mapping[str, Any], collection: str) -> str:
    """The id of a record. Raises DamagedRecord where it is none that a revision could have."""
    revision = document["_id"]
    if not isinstance(revision, str):
        raise DamagedRecord(collection, revision, "_id", revision, "a revision's id, a string")
    return revision


def _entries(name: str, documents: Sequence[Mapping[str, Any]]) -> tuple[JournalEntry, ...]:
    entries = []
    for number, document in enumerate(documents):
        try:
            entries.append(JournalEntry.read(document))
        except Unfit as fault:
            raise Unfit(f"{name}.{number}.{fault.field}", fault.value, fault.expected) from None
    return tuple(entries)
