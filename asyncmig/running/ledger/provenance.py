"""What asyncmig itself has made in a database, as its ledger tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from asyncmig.files.created import created_collections as created_in
from asyncmig.running.ledger.record import JournalEntry, Record

__all__ = ["agreed_collections", "created_collections", "inserted_documents"]


def created_collections(records: Iterable[Record]) -> frozenset[str]:
    """The names of the collections and views that revisions have created, under the names they have now."""
    names: set[str] = set()
    for entry in _done(records):
        if entry.operation in ("CreateCollection", "CreateCollections", "CreateView"):
            names.update(set(entry.subjects) - set((entry.intent or {}).get("existed", ())))
        elif entry.operation == "RenameCollection" and entry.collection in names:
            names ^= set(entry.subjects)
    return frozenset(names)


def agreed_collections(records: Iterable[Record]) -> frozenset[str]:
    """The names of the collections that are asyncmig's to keep as the models say, also where it has not made them.

    Those that applied revisions have created, and those that stamped ones (an adopted baseline above
    all) would have: a stamped record has no journal, so its source is read.
    """
    listed = list(records)
    stamped = [created_in(record.source) for record in listed if record.is_applied and record.stamped and record.source]
    return created_collections(listed).union(*stamped)


def inserted_documents(records: Iterable[Record]) -> Mapping[str, list[Mapping[str, Any]]]:
    """By collection, ``_id`` and digest of each document that revisions have inserted."""
    inserted: dict[str, list[Mapping[str, Any]]] = {}
    for entry in _done(records):
        if entry.operation == "InsertDocuments":
            inserted.setdefault(entry.collection, []).extend((entry.result or {}).get("inserted") or ())
    return inserted


def _done(records: Iterable[Record]) -> Iterator[JournalEntry]:
    """Every finished operation of an upgrade, in the order in which the revisions began."""
    begun = sorted(
        (record for record in records if record.started_at), key=lambda record: (record.started_at, record.revision)
    )
    return (entry for record in begun for entry in record.journal if entry.is_finished)
