"""What the ledger has of a revision, for ``--json``: the same names wherever it is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncmig.running.ledger.record import Record

__all__ = ["record_document", "recorded_revision"]


def recorded_revision(record: Record) -> dict[str, Any]:
    """What identifies a revision that only the database has."""
    return {"revision": record.revision, "message": record.message, "down_revision": list(record.parents)}


def record_document(record: Record) -> dict[str, Any]:
    """The record without its journal and its source. Times are the server's, in UTC."""
    return recorded_revision(record) | {
        "depends_on": list(record.depends_on),
        "replaces": list(record.replaces),
        "checksum": record.checksum,
        "state": record.state,
        "direction": record.direction,
        "stamped": record.stamped,
        "imported": record.imported,
        "started_at": record.started_at,
        "finished_at": record.finished_at,
        "stopped_at": record.stopped_at,
        "milliseconds": record.milliseconds,
        "user": record.user,
        "host": record.host,
        "pid": record.pid,
        "error": record.error,
    }
