"""Carrying out operations on single documents, so that only what asyncmig has put in is ever taken out."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

from pymongo.errors import BulkWriteError

from asyncmig.drivers.codec import decoded
from asyncmig.drivers.refusal import is_refusal, refused
from asyncmig.operations import DeleteDocuments, InsertDocuments
from asyncmig.running.applying.context import Context, JournalData
from asyncmig.running.applying.digest import digest
from asyncmig.running.applying.known_ids import with_known_ids
from asyncmig.schema.canonical import canonical

__all__ = ["delete_documents", "insert_documents", "prepare_insert"]


async def prepare_insert(operation: InsertDocuments, context: Context) -> JournalData:
    """``missing``: the ``_id`` and digest of each document that is not there yet, so is asyncmig's to insert."""
    there = set(await _found(context, operation.collection, _ids(operation.documents)))
    encoded = _encoded(operation, context)
    return {"missing": [_entry(document) for key, document in encoded.items() if key not in there]}


async def insert_documents(operation: InsertDocuments, context: Context, intent: JournalData | None) -> JournalData:
    """Insert what the intent says was missing and still is.

    Run again after a crash, with the first intent, it inserts the rest; a document that stands
    there just as ours is taken for ours. Result: ``inserted``, a list of ``_id`` and digest, and
    ``present``, how many documents were there before.
    """
    intent = intent or await prepare_insert(operation, context)
    encoded = _encoded(with_known_ids(operation, intent), context)
    ours = {canonical(entry["_id"]): entry for entry in intent["missing"]}
    wanted = {key: document for key, document in encoded.items() if key in ours}
    there = await _found(context, operation.collection, [ours[key]["_id"] for key in wanted])
    missing = {key: document for key, document in wanted.items() if key not in there}
    if missing:
        await _insert(operation, context, missing)
        there = await _found(context, operation.collection, [ours[key]["_id"] for key in wanted])
    inserted = [
        entry | {"digest": found}
        for key, entry in ours.items()
        if (found := digest(there.get(key, b""))) in (entry["digest"], digest(encoded.get(key, b"-")))
    ]
    return {"inserted": inserted, "present": len(encoded) - len(inserted)}


async def delete_documents(operation: DeleteDocuments, context: Context) -> JournalData:
    """Delete by ``_id``; with ``if_unchanged`` only what asyncmig has inserted and nobody has changed since.

    Result: ``deleted``, how many went this time, and ``kept``, the ``_id``s that were left.
    """
    name, session = operation.collection, context.session
    if not operation.if_unchanged:
        return {"deleted": await context.driver.delete(name, operation.ids, session=session), "kept": []}
    ours = {canonical(entry["_id"]): entry["digest"] for entry in context.inserted.get(name, ())}
    deleted, kept = 0, []
    for key, document in (await _found(context, name, operation.ids)).items():
        unchanged = ours.get(key) == digest(document)
        if unchanged and await context.driver.delete_stored(name, document, session=session):
            deleted += 1
        else:
            kept.append(_id(document))
    return {"deleted": deleted, "kept": kept}


async def _insert(operation: InsertDocuments, context: Context, missing: Mapping[Hashable, bytes]) -> None:
    """Insert; a document of the same ``_id`` that came in between is as good as one that was there before."""
    try:
        await context.driver.insert(operation.collection, list(missing.values()), session=context.session)
    except BulkWriteError as error:
        if context.session is not None or not is_refusal(error):
            raise
        there = await _found(context, operation.collection, [_id(document) for document in missing.values()])
        if lacking := [place for place, key in enumerate(missing) if key not in there]:
            refusal = refused(operation, _about(lacking, error))
            refusal.done = (f"{operation.collection}/d",) if error.details.get("nInserted") else ()
            raise refusal from error


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
