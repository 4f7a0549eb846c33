"""What the documents of several commands hold: a revision, a record, an operation, an error."""

from __future__ import annotations

from typing import Final

from asyncmig.cli.json_schemas.shapes import (
    anything,
    flag,
    group,
    listing,
    moment,
    record,
    text,
    whole,
)

__all__ = ["CHANGE", "ERROR", "HOLDER", "NAMED", "OPERATION", "PARTS", "PROBE", "RECORD", "REVISION", "STATE"]

_ID: Final = text("An id of a revision.")
_IDENTITY: Final = {
    "revision": text("The id."),
    "message": text("What it does, in a few words."),
    "down_revision": listing("The ids of its parents.", _ID),
}
NAMED: Final = record(
    "Revision that is named",
    _IDENTITY,
    optional=("message", "down_revision"),
    about="A revision that may have no file.",
)
REVISION: Final = record(
    "Revision",
    {
        **_IDENTITY,
        "depends_on": listing("The ids of the revisions that have to run before, on whatever branch.", _ID),
        "branch_labels": listing("The names of the branch that begins with it.", text("A label.")),
        "replaces": listing("The ids that a squashed revision stands for.", _ID),
        "transactional": flag("Whether it runs in a transaction."),
        "irreversible": flag("Whether there is no way back."),
        "file": text("The path of its file, from the working directory.", null=True),
        "checksum": text("The checksum of its file.", null=True),
        "children": listing("The ids of the revisions that come after it.", _ID),
        "head": flag("Whether nothing comes after it."),
        "base": flag("Whether nothing comes before it."),
    },
    optional=("children", "head", "base"),
    about="What a revision file says. Its place in the history (`children`, `head`, `base`) is there where a command "
    "looks at the whole of it.",
)
STATE: Final = text("What the database has made of it.", "unknown", "applied", "current", "pending", "failed")
RECORD: Final = record(
    "Record",
    {
        **_IDENTITY,
        "depends_on": REVISION["properties"]["depends_on"],
        "replaces": REVISION["properties"]["replaces"],
        "checksum": text("The checksum of the file that was run.", null=True),
        "state": text("Where it stands.", "applied", "upgrading", "downgrading", "failed"),
        "direction": text("Where it went last.", "upgrade", "downgrade"),
        "stamped": flag("Whether it was recorded without being run."),
        "imported": anything("Of what another tool has applied: `tool`, `name` and `applied_at`; else null."),
        "started_at": moment("When it was begun."),
        "finished_at": moment("When it came to its end."),
        "stopped_at": moment("When an error stopped it."),
        "milliseconds": whole("How long it took.", null=True),
        "user": text("Who ran it."),
        "host": text("Where."),
        "pid": whole("The process there."),
        "error": anything("What stopped it: an object with `type`, `message` (not in a report) and `where`, or null."),
    },
    about="What the ledger in the database has of a revision. Times are the server's, in UTC.",
)
OPERATION: Final = record(
    "Operation",
    {
        "operation": text("Its kind, as `CreateCollection`; `RawCall` for a call on `env.db`."),
        "collection": text("The collection that it is about.", null=True),
        "description": text("The operation in one line."),
    },
)
PROBE: Final = record(
    "",
    {
        "code": text("The code of the probe, as `P01`."),
        "level": text("How bad it is.", "problem", "warning", "unknown", "note"),
        "text": text("The answer in one line."),
        "figures": group("Its figures."),
    },
)
HOLDER: Final = record(
    "Lock",
    {
        "owner": text("An id of the run that holds it."),
        "token": whole("Counts the holders."),
        "host": text("Where that run is."),
        "pid": whole("Its process."),
        "user": text("Its user."),
        "command": text("Its command."),
        "version": text("Its version of asyncmig."),
        "acquired_at": moment("When it took the lock."),
        "renewed_at": moment("When it last renewed its lease."),
        "expires_at": moment("When the lease ends."),
        "alive": flag("Whether the lease has not ended; otherwise the next run takes the lock over."),
    },
    about="Who holds the migration lock. Times are the server's, in UTC.",
)
ERROR: Final = record(
    "Error",
    {
        "code": text(
            "The name of the error, which is that of the Python class; `UsageError` for a command line that cannot be "
            "read, `Interrupted`, `InternalError` for a fault of asyncmig."
        ),
        "exit_code": whole("The exit code, which the command ends with."),
        "message": text("What stderr says, too: what is wrong, and what to do."),
        "notes": listing("What else is to be said.", text("A note.")),
        "facts": group(
            "What the message is made of, under the names of the error's attributes: `ahead`, `hosts`, `operations` …"
        ),
    },
    about="Stands under `error` in the document of whatever goes wrong, in every command.",
)
CHANGE: Final = record(
    "",
    {"name": text("What changes."), "old": anything("What there is."), "new": anything("What it becomes.")},
)
PARTS: Final = (REVISION, NAMED, RECORD, OPERATION, HOLDER, ERROR)
"""Those with a table of their own."""
