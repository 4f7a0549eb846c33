"""Changing the ledger alone, running nothing: stamping, squashed ranges, accepting an edited file.

A database that has the whole range of a squashed revision gets a record of it, and keeps those of the
range: they hold what was inserted, and a release from before the squash still finds its way by them.
Only when the squashed revision is reverted its record takes theirs over, to go as one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from asyncmig.drivers.base import Document
from asyncmig.history.revision import Revision
from asyncmig.running.events import RangeTaken
from asyncmig.running.holder import identity
from asyncmig.running.record import Record
from asyncmig.running.run import Run
from asyncmig.running.step import source_of
from asyncmig.running.write import Delete, Insert, Update, Write

__all__ = ["fold", "repaired", "stamped", "taken"]

_BATCH = 100  # records in one round trip


async def stamped(
    run: Run, wanted: Sequence[Revision], records: Mapping[str, Record], target: str, kept: Collection[str] = ()
) -> None:
    """Make the ledger say that exactly ``wanted`` are applied; it keeps the records ``kept``, which they stand for."""
    ids = {revision.revision for revision in wanted}
    gone = [one for one in records if one not in ids and one not in kept]
    new = [revision for revision in wanted if not _is_settled(records.get(revision.revision))]
    await run.trail.add(
        run.lease, "stamp", [revision.revision for revision in new], target=target, forgotten=sorted(gone)
    )
    writes: list[Write] = [_said(run, revision, records.get(revision.revision)) for revision in new]
    writes += [Delete(one, any_token=True) for one in gone]
    for batch in _batches(writes):
        await run.ledger.send(run.lease, *batch)


def _is_settled(record: Record | None) -> bool:
    return record is not None and record.is_applied


def _said(run: Run, revision: Revision, record: Record | None) -> Write:
    """The record of a revision that is applied because somebody says so."""
    fields = {
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
    if record is not None:
        return Update(revision.revision, fields, ("finished_at",), any_token=True)
    return Insert(revision.revision, {**fields, "journal": []}, ("started_at", "finished_at"))


async def taken(run: Run, revisions: Sequence[Revision]) -> None:
    """Record squashed revisions as applied, because the database has all that they replace."""
    await run.trail.add(run.lease, "squash", [revision.revision for revision in revisions])
    for revision in revisions:
        await run.ledger.send(run.lease, _said(run, revision, None))
        run.tell(RangeTaken(revision))


async def fold(run: Run, revision: Revision, parts: Sequence[str], records: Mapping[str, Record]) -> None:
    """Let the record of a squashed revision take the place of those of its range, which is reverted as one.

    It takes over what they have inserted, for only that may be deleted again.
    """
    found = [record for one in parts if (record := await run.ledger.record(one, run.lease))]
    entries = [entry.document for record in found for entry in record.journal if entry.operation == "InsertDocuments"]
    await run.trail.add(run.lease, "fold", parts, into=revision.revision)
    if revision.revision not in records:
        await run.ledger.send(run.lease, _said(run, revision, None))
    whole = Update(revision.revision, {"superseded": entries}, any_token=True)
    await run.ledger.send(run.lease, whole, *(Delete(one, any_token=True) for one in parts))


async def repaired(run: Run, revisions: Sequence[Revision]) -> None:
    """Take over the checksum and the source of files that were edited after they were applied."""
    await run.trail.add(run.lease, "repair", [revision.revision for revision in revisions])
    for revision in revisions:
        record = await run.ledger.record(revision.revision)
        if record is not None:
            await run.ledger.send(run.lease, _accepted(revision, record))


def _accepted(revision: Revision, record: Record) -> Update:
    change: Document = {"was": record.checksum, "now": revision.checksum, **identity()}
    fields = {
        "checksum": revision.checksum,
        "source": source_of(revision),
        "repaired": [*record.repaired, change],
    }
    return Update(revision.revision, fields, ("repaired_at",), any_token=True)


def _batches(writes: Sequence[Write]) -> Iterator[Sequence[Write]]:
    for start in range(0, len(writes), _BATCH):
        yield writes[start : start + _BATCH]
