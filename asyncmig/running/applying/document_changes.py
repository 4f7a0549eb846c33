"""Carrying out operations on single documents, so that only what asyncmig has put in is ever taken out."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from uuid import uuid4

from pymongo.errors import BulkWriteError

from asyncmig.drivers.codec import decoded
from asyncmig.drivers.refusal import is_refusal, refused
from asyncmig.errors import OperationRefused
from asyncmig.operations import DeleteDocuments, InsertDocuments
from asyncmig.running.applying.context import BatchNotes, Context, JournalData
from asyncmig.running.applying.digest import digest
from asyncmig.running.applying.known_ids import with_known_ids
from asyncmig.schema.canonical import canonical

__all__ = ["delete_documents", "insert_documents", "prepare_insert", "resumed_insert"]

BATCH_SIZE = 1_000
"""Documents; more are inserted, looked for and deleted in several batches."""
_BATCH_BYTES = 8_000_000


async def prepare_insert(operation: InsertDocuments, context: Context) -> JournalData:
    """``missing``: the ``_id`` and digest of each document that is not there yet, so is asyncmig's to insert.

    Of many documents that is noted batch by batch, under the key ``listed``.
    """
    encoded = _encoded(operation, context)
    if context.notes is not None and is_large(encoded):
        return {"listed": uuid4().hex, "documents": len(encoded)}
    existing = set(await _found(context, operation.collection, _ids(operation.documents)))
    return {"missing": [_entry(document) for key, document in encoded.items() if key not in existing]}


async def resumed_insert(operation: InsertDocuments, context: Context, intent: JournalData) -> JournalData:
    """The intent to go on with: a fresh one, where the first was about documents of other ids and none was inserted.

    Raises OperationRefused where some of those were inserted.
    """
    noted, now = intent.get("missing", ()), set(map(canonical, _ids(with_known_ids(operation, intent).documents)))
    if all(canonical(entry["_id"]) in now for entry in noted):
        return intent
    existing = await _found(context, operation.collection, [entry["_id"] for entry in noted])
    if not existing:
        return await prepare_insert(operation, context)
    if len(existing) == len(noted):
        return intent
    raise _begun_with_others(operation)


async def insert_documents(operation: InsertDocuments, context: Context, intent: JournalData | None) -> JournalData:
    """Insert what the intent says was missing and still is.

    Run again after a crash, with the first intent, it inserts the rest; a document that stands
    there just as ours is taken for ours. Result: ``inserted``, a list of ``_id`` and digest, and
    ``present``, how many documents were there before.
    """
    intent = intent or await prepare_insert(operation, context)
    encoded = _encoded(with_known_ids(operation, intent), context)
    if "listed" in intent and context.notes is not None:
        return await insert_in_batches(operation, context, context.notes, intent["listed"], encoded)
    ours = {canonical(entry["_id"]): entry for entry in intent["missing"]}
    wanted = {key: document for key, document in encoded.items() if key in ours}
    existing = await _insert(operation, context, wanted)
    if not ours.keys() <= encoded.keys():  # all are there already, under the ids of the first run
        existing = await _found(context, operation.collection, [entry["_id"] for entry in intent["missing"]])
    inserted = [
        entry | {"digest": now}
        for key, entry in ours.items()
        if (now := digest(existing.get(key, b""))) in (entry["digest"], digest(encoded.get(key, b"-")))
    ]
    return {"inserted": inserted, "present": len(encoded) - len(inserted)}


async def delete_documents(operation: DeleteDocuments, context: Context) -> JournalData:
    """Delete by ``_id``; with ``if_unchanged`` only what asyncmig has inserted and nobody has changed since.

    Result: ``deleted``, how many went this time, and ``kept``, the ``_id``s that were left (of very
    many the first, and how many others under ``kept_besides``).
    """
    name, session = operation.collection, context.session
    parts = [operation.ids[first : first + BATCH_SIZE] for first in range(0, len(operation.ids), BATCH_SIZE)]
    if not operation.if_unchanged:
        return {
            "deleted": sum([await context.driver.delete(name, part, session=session) for part in parts]),
            "kept": [],
        }
    ours = {canonical(entry["_id"]): entry["digest"] for entry in context.inserted.get(name, ())}
    deleted, kept, left = 0, list[Any](), 0
    for part in parts:
        for key, document in (await _found(context, name, part)).items():
            unchanged = ours.get(key) == digest(document)
            if unchanged and await context.driver.delete_stored(name, document, session=session):
                deleted += 1
            elif len(kept) < BATCH_SIZE:
                kept.append(_id(document))
            else:
                left += 1
    return {"deleted": deleted, "kept": kept, **({"kept_besides": left} if left else {})}


def is_large(encoded: Mapping[Hashable, bytes]) -> bool:
    """Whether these documents are too many, or too much, to be listed in one journal entry, or to be sent at once."""
    return len(encoded) > BATCH_SIZE or sum(map(len, encoded.values())) > _BATCH_BYTES


def _batches(encoded: Mapping[Hashable, bytes]) -> Iterator[dict[Hashable, bytes]]:
    """The same each time, as the notes of a former run are held against them."""
    batch: dict[Hashable, bytes] = {}
    size = 0
    for key, document in encoded.items():
        if batch and (len(batch) == BATCH_SIZE or size + len(document) > _BATCH_BYTES):
            yield batch
            batch, size = {}, 0
        batch[key] = document
        size += len(document)
    if batch:
        yield batch


async def insert_in_batches(
    operation: InsertDocuments, context: Context, notes: BatchNotes, key: str, encoded: Mapping[Hashable, bytes]
) -> JournalData:
    """Insert many documents, each batch noted before and after: what was missing, and what of that is not ours.

    Result: ``count``, how many documents are asyncmig's, which its notes name, and ``present``, how many are not.
    """
    known, count = await notes.read(key), 0
    for place, batch in enumerate(_batches(encoded)):
        note = known[place] if place < len(known) else await _begun(operation, context, notes, key, place, batch)
        if not note.get("done"):
            note = await _inserted(operation, context, note, batch)
            await notes.write(key, place, note)
        count += len(note["missing"]) - len(note["foreign"])
    return {"count": count, "present": len(encoded) - count}


async def _begun(
    operation: InsertDocuments, context: Context, notes: BatchNotes, key: str, place: int, batch: dict[Hashable, bytes]
) -> JournalData:
    existing = await _found(context, operation.collection, list(map(_id, batch.values())))
    note: JournalData = {"missing": [_entry(document) for key, document in batch.items() if key not in existing]}
    await notes.write(key, place, note)
    return note


async def _inserted(
    operation: InsertDocuments, context: Context, note: Mapping[str, Any], batch: dict[Hashable, bytes]
) -> JournalData:
    """Insert what is still missing; the note with the places of those that turn out not to be ours."""
    ours = {canonical(entry["_id"]): entry for entry in note["missing"]}
    if not ours.keys() <= batch.keys():
        of_batch = tuple(document for document in operation.documents if canonical(document["_id"]) in batch)
        again = with_known_ids(InsertDocuments(operation.collection, of_batch), {"missing": note["missing"]})
        batch = _encoded(again, context)
    if not ours.keys() <= batch.keys():
        raise _begun_with_others(operation)
    existing = await _insert(operation, context, {key: batch[key] for key in ours})
    foreign = [
        place for place, (key, entry) in enumerate(ours.items()) if digest(existing.get(key, b"")) != entry["digest"]
    ]
    return {"missing": note["missing"], "foreign": foreign, "done": True}


def _begun_with_others(operation: InsertDocuments) -> OperationRefused:
    hint = "give each document an `_id` that is the same whenever the revision runs"
    return OperationRefused(operation, None, "it was begun with other documents", hint)


async def _insert(
    operation: InsertDocuments, context: Context, wanted: Mapping[Hashable, bytes]
) -> Mapping[Hashable, bytes]:
    """Insert these documents; what stands there of them now.

    A document of the same ``_id`` that came in between, or was inserted before a crash, is as good as one
    that was there before. So nobody looks for them first, and afterwards only where one was refused.
    """
    if not wanted:
        return {}
    try:
        await context.driver.insert(operation.collection, list(wanted.values()), session=context.session)
    except BulkWriteError as error:
        if context.session is not None or not is_refusal(error):
            raise
        existing = await _found(context, operation.collection, [_id(document) for document in wanted.values()])
        if lacking := [place for place, key in enumerate(wanted) if key not in existing]:
            refusal = refused(operation, _about(lacking, error))
            is_ours = any(digest(existing.get(key, b"")) == digest(document) for key, document in wanted.items())
            refusal.done = (f"{operation.collection}/d",) if is_ours else ()
            raise refusal from error
        return existing
    return wanted


def _about(lacking: Sequence[int], error: BulkWriteError) -> BulkWriteError:
    """The error with its complaints about the documents at these places alone, not about those that are there."""
    complaints = error.details["writeErrors"]
    telling = [complaint for complaint in complaints if complaint["index"] in lacking]
    return BulkWriteError({**error.details, "writeErrors": telling or complaints})


async def _found(context: Context, name: str, ids: Sequence[Any]) -> dict[Hashable, bytes]:
    documents = await context.driver.stored(name, ids, session=context.session) if ids else []
    return {canonical(_id(document)): document for document in documents}


def _encoded(operation: InsertDocuments, context: Context) -> dict[Hashable, bytes]:
    encoded = [context.driver.encode(document) for document in operation.documents]
    return {canonical(_id(document)): document for document in encoded}


def _ids(documents: Iterable[Mapping[str, Any]]) -> list[Any]:
    return [document["_id"] for document in documents]


def _entry(document: bytes) -> JournalData:
    return {"_id": _id(document), "digest": digest(document)}


def _id(document: bytes) -> Any:
    return decoded(document)["_id"]
