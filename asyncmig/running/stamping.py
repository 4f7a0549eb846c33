"""Changing the ledger alone, running nothing: stamping, squashed ranges, accepting an edited file.

A database that has the whole range of a squashed revision gets a record of it, and keeps those of the
range, so that a release from before the squash still finds its way. The one record takes the place of
the others when the files of the range are gone, or when it is reverted: then all go as one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from typing import Any

from asyncmig.drivers.base import Document
from asyncmig.events import RangeTaken
from asyncmig.history.revision import Revision
from asyncmig.running.applying.preexisting import preexisting
from asyncmig.running.ledger.placement import FORMAT
from asyncmig.running.ledger.record import JournalEntry, Record
from asyncmig.running.ledger.write import DeleteRecord, InsertRecord, UpdateRecord, Write
from asyncmig.running.locking.holder import identity
from asyncmig.running.revision_run import source_of
from asyncmig.running.run import Run

__all__ = ["record_squashed", "repaired", "replace_range", "stamped"]

_BATCH_RECORDS = 100  # in one round trip


async def stamped(
    run: Run,
    wanted: Sequence[Revision],
    records: Mapping[str, Record],
    target: str,
    kept: Collection[str] = (),
    imported: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Make the ledger say that exactly ``wanted`` are applied; it keeps the records ``kept``, which they stand for.

    ``imported``: by revision, what another tool's log says of it; it is kept beside the record.
    """
    ids = {revision.revision for revision in wanted}
    gone = [name for name in records if name not in ids and name not in kept]
    new = [revision for revision in wanted if not _is_settled(records.get(revision.revision))]
    origins = {
        revision.revision: dict(imported[revision.revision])
        for revision in new
        if imported and revision.revision in imported
    }
    facts = {"imported": [{"revision": name, **origin} for name, origin in origins.items()]} if origins else {}
    await run.audit_log.add(
        run.lease, "stamp", [revision.revision for revision in new], target=target, forgotten=sorted(gone), **facts
    )
    writes: list[Write] = [
        _stamped_record(run, revision, records.get(revision.revision), origins.get(revision.revision))
        for revision in new
    ]
    writes += [DeleteRecord(name, any_token=True) for name in gone]
    for batch in _batches(writes):
        await run.ledger.send(run.lease, *batch)


def _is_settled(record: Record | None) -> bool:
    return record is not None and record.is_applied


def _stamped_record(run: Run, revision: Revision, record: Record | None, imported: Document | None = None) -> Write:
    """The record of a revision that is applied because somebody says so."""
    fields: Document = {
        "state": "applied",
        "direction": "upgrade",
        "parents": list(revision.down_revision),
        "depends_on": list(revision.depends_on),
        "replaces": list(revision.replaces),
        "message": revision.message,
        "checksum": revision.checksum,
        "source": source_of(revision),
        "stamped": True,
        "partial": False,
        "owner": run.lease.owner,
        "error": None,
        "milliseconds": 0,
        **identity(),
    }
    if imported is not None:
        fields["imported"] = imported
    if record is not None:
        return UpdateRecord(revision.revision, fields, ("finished_at",), any_token=True)
    return InsertRecord(revision.revision, {**fields, "journal": {}, "format": FORMAT}, ("started_at", "finished_at"))


async def record_squashed(run: Run, revisions: Sequence[Revision]) -> None:
    """Record squashed revisions as applied, because the database has all that they replace."""
    await run.audit_log.add(run.lease, "squash", [revision.revision for revision in revisions])
    for revision in revisions:
        await run.ledger.send(run.lease, _stamped_record(run, revision, None))
        run.tell(RangeTaken(revision))


async def replace_range(run: Run, revision: Revision, parts: Sequence[str], records: Mapping[str, Record]) -> None:
    """Let the record of a squashed revision take the place of those of its range.

    It takes over what they have inserted, for only that may be deleted again, and what they found there
    already, for that stays.
    """
    await run.audit_log.add(run.lease, "fold", parts, into=revision.revision)
    if revision.revision not in records:
        await run.ledger.send(run.lease, _stamped_record(run, revision, None))
    own = await run.ledger.record(revision.revision, run.lease)
    entries = [*(own.superseded if own else ()), *[entry async for entry in _remembered(run, parts)]]
    fields, _ = await run.ledger.placed(run.lease, "superseded", entries)
    whole = UpdateRecord(revision.revision, fields, any_token=True)
    await run.ledger.send(run.lease, whole)
    for batch in _batches([DeleteRecord(part, any_token=True) for part in parts]):
        await run.ledger.send(run.lease, *batch)


async def _remembered(run: Run, parts: Sequence[str]) -> AsyncIterator[JournalEntry]:
    for part in parts:
        record = await run.ledger.record(part, run.lease)
        for entry in (*record.journal, *record.superseded) if record else ():
            if entry.operation == "InsertDocuments" or preexisting([entry.intent]):
                yield entry


async def repaired(run: Run, revisions: Sequence[Revision]) -> None:
    """Take over the checksum and the source of files that were edited after they were applied."""
    await run.audit_log.add(run.lease, "repair", [revision.revision for revision in revisions])
    for revision in revisions:
        record = await run.ledger.record(revision.revision)
        if record is not None:
            await run.ledger.send(run.lease, _accepted(revision, record))


def _accepted(revision: Revision, record: Record) -> UpdateRecord:
    change: Document = {"was": record.checksum, "now": revision.checksum, **identity()}
    fields = {
        "checksum": revision.checksum,
        "source": source_of(revision),
        "repaired": [*record.repaired, change],
    }
    return UpdateRecord(revision.revision, fields, ("repaired_at",), any_token=True)


def _batches(writes: Sequence[Write]) -> Iterator[Sequence[Write]]:
    for start in range(0, len(writes), _BATCH_RECORDS):
        yield writes[start : start + _BATCH_RECORDS]
