"""The documents: by command, what it prints with ``--json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from asyncmig.cli.json_schemas.parts import (
    CHANGE,
    ERROR,
    HOLDER,
    NAMED,
    OPERATION,
    PROBE,
    RECORD,
    REVISION,
    STATE,
)
from asyncmig.cli.json_schemas.shapes import (
    Schema,
    anything,
    either,
    flag,
    group,
    listing,
    moment,
    number,
    record,
    text,
    whole,
)

__all__ = ["DOCUMENTS", "schema_of"]

_PATH = text("A path, from the working directory.")
_NAME = text("A name.")
_NOTES = listing("Remarks.", text("A note."))
_CURRENT = listing("The ids of the revisions that the database stands at.", text("An id of a revision."))
_HEADS = listing("The newest revision of each branch.", REVISION)
_CHANGES = listing("What it replaces.", CHANGE)
_PENDING = listing("What is not applied, in the order in which it would be.", NAMED)
_AHEAD = listing("What the database has, and no file.", NAMED)

_PLANNED = record(
    "",
    {
        "done": flag("Whether a run that stopped has done it already."),
        "own_writes": listing("What the function of a transform writes besides.", text("A call.")),
        "loses": text("What it takes away for good."),
        "changes": _CHANGES,
        "probes": listing("With `--preflight`: what it will meet.", PROBE),
    },
    base=OPERATION,
    optional=("done", "own_writes", "loses", "changes", "probes"),
)
_RUN = record(
    "",
    {
        "direction": text("Where it goes.", "upgrade", "downgrade"),
        "revisions": listing(
            "What was applied or reverted, or would be, in this order.",
            record(
                "",
                {
                    "milliseconds": whole("How long it took."),
                    "operations": listing("With `--plan` or `--preflight`: what it would do.", _PLANNED),
                    "error": text("Why its operations are not known from there on.", null=True),
                    "hint": text("With `--plan`: where that was, and what was perhaps meant.", null=True),
                },
                base=REVISION,
                optional=("milliseconds", "operations", "error", "hint"),
            ),
        ),
        "target": text("What was asked for; in a run."),
        "out_of_order": listing("With `--plan`: those that are older than an applied one.", REVISION),
        "problems": whole("With `--preflight`: how many problems."),
        "warnings": whole("With `--preflight`: how many warnings."),
        "unknown": whole("With `--preflight`: how many questions are open."),
        "written": flag("With `--preflight`: whether something was written, as `--exact` allows."),
    },
    optional=("target", "out_of_order", "problems", "warnings", "unknown", "written"),
)
_WRITTEN = record(
    "",
    {"changes": listing("What the models asked for.", text("A line.")), "notes": _NOTES},
    base=REVISION,
)
_UNTOUCHED = record(
    "",
    {
        "collections": whole("How many collections."),
        "indexes": whole("How many indexes."),
        "claimed": listing("The collections that models declare.", _NAME),
        "unclaimed": listing("The collections of nobody.", _NAME),
        "histories": group("By tool, the collection of another migration tool's log."),
        "next": text("The command to go on with."),
    },
)
_FINDING = record(
    "",
    {
        "code": text("The rule, as `L06`."),
        "severity": text("How bad it is.", "error", "warning", "information"),
        "title": text("The rule in a few words."),
        "message": text("What was found."),
        "file": _PATH,
        "line": whole("The first line, counted from 1."),
        "end_line": whole("The last line."),
        "revision": text("The id of the revision."),
        "url": text("The page about the rule."),
        "fingerprint": text("By which it is known again when lines move."),
    },
    optional=("fingerprint",),
)
_FIELD_FINDING = record(
    "",
    {
        "kind": text("What kind of finding.", "missing", "type", "mixed", "rename", "undeclared", "unseen"),
        "path": text("The field."),
        "text": text("What is to be known of it."),
        "share": number("In which part of the documents."),
        "suggest": text("What a revision might do."),
        "breaks": flag("Whether documents break the models."),
    },
)
_FIELD_PATH = record(
    "",
    {
        "path": text("The field."),
        "types": group("By type, how many values."),
        "count": whole("How many values."),
        "documents": whole("How many documents have it."),
        "holders": whole("How many documents, or embedded ones, could have it."),
        "share": number("In which part of those it is."),
        "first_seen": moment("The oldest document that has it."),
        "last_seen": moment("The newest document that has it."),
        "is_enumeration": flag("Whether it has a few values only."),
        "lengths": group("Of arrays: `min`, `max` and `total` elements."),
        "examples": listing("With `--examples`: values.", anything("A value.")),
    },
    optional=("lengths", "examples"),
)
_FIELDS = record(
    "",
    {
        "collection": _NAME,
        "documents": whole("How many documents were read."),
        "total": whole("How many there are, about."),
        "is_whole": flag("Whether all were read."),
        "margin": number("By how much a share may be wrong, at 95 %; null where that is not known.", null=True),
        "rarest": number("Which part of the documents a path must have to be seen.", null=True),
        "truncated": flag("Whether there are more paths than were followed."),
        "stopped": flag("Whether the budget ended it."),
        "seconds": number("How long it took."),
        "is_declared": flag("Whether a model says what the documents hold."),
        "breaking": whole("With `--check`: how many documents break the models.", null=True),
        "findings": listing("What is to be known.", _FIELD_FINDING),
        "paths": listing("Every field.", _FIELD_PATH),
    },
)
_ADOPTION = record(
    "",
    {
        "written": flag("Whether something was written."),
        "baseline": either("The revision that stands for what there was.", REVISION),
        "adopted_at": moment("When the database was adopted, where it was before."),
        "adopted_by": text("By whom.", null=True),
        "lines": listing(
            "What database, models or both have.",
            record(
                "",
                {
                    "name": text("What `--accept` calls it."),
                    "collection": _NAME,
                    "where": text("Who has it.", "database", "models", "differs", "both"),
                    "facts": listing("What the server knows of it.", text("A fact.")),
                },
            ),
        ),
        "open": listing("The names of those lines that are not alike.", _NAME),
        "unclaimed": listing("Collections that no model has.", _NAME),
        "expected": listing("Collections that come into being with their first document.", _NAME),
        "imported": listing("The revisions that stand for another tool's history.", REVISION),
        "files": listing("What was written, or would be.", _PATH),
        "changed": listing("The configuration files that were changed, or would be.", _PATH),
        "notes": _NOTES,
        "databases": listing("With `--databases`: which.", _NAME),
        "outliers": listing(
            "With `--databases`: what not all of them have.",
            record(
                "",
                {
                    "name": text("What it is."),
                    "in_models": flag("Whether it went into the models."),
                    "databases": listing("Those that have it otherwise.", _NAME),
                },
            ),
        ),
    },
    optional=("databases", "outliers"),
)
_HISTORY = record(
    "",
    {
        "revisions": listing(
            "The revisions, newest first.",
            record(
                "",
                {
                    "state": STATE,
                    "applied": flag("With `-i`: whether the database has it."),
                    "current": flag("With `-i`: whether the database stands at it."),
                },
                base=REVISION,
                optional=("state", "applied", "current"),
            ),
        ),
        "problems": listing("What is wrong with files that cannot be read.", text("A fault.")),
    },
    optional=("problems",),
)
_GRAPH = record(
    "",
    {"revisions": listing("The revisions, newest first.", record("", {"state": STATE}, base=REVISION))},
)
_SHOWN = record("", {"source": text("The text of the file.")}, base=REVISION)
_SHOWN_RECORD = record(
    "",
    {
        "operations": listing("What it has done.", OPERATION),
        "source": text("The text of the file that was run.", null=True),
    },
    base=RECORD,
)
_STATUS = record(
    "",
    {
        "current": _CURRENT,
        "heads": _HEADS,
        "at_head": flag("Whether nothing is pending, and nothing has failed."),
        "applied": whole("How many revisions are applied."),
        "pending": listing("What is not applied, in the order in which it would be.", REVISION),
        "failed": listing(
            "What is half-way.",
            record(
                "",
                {
                    "finished_operations": whole("How many operations are done."),
                    "unknown_operation": text("The one that was started, and whose end nobody knows.", null=True),
                    "index_build": either("How far the index build is that it is in the middle of.", group("A build.")),
                },
                base=RECORD,
            ),
        ),
        "ahead": _AHEAD,
        "edited": listing("Applied revisions whose file was changed since.", REVISION),
        "head_file": text("What is wrong with the HEAD file.", null=True),
        "lock": either("Who holds the lock.", HOLDER),
        "untouched": either("What a database holds that asyncmig has never run on.", _UNTOUCHED),
    },
)
_CHECK = record(
    "",
    {
        "ok": flag("Whether nothing is wrong."),
        "pending": _PENDING,
        "ahead": _AHEAD,
        "failed": listing("What has stopped half-way.", NAMED),
        "edited": listing("Applied revisions whose file was changed since.", NAMED),
        "operations": listing("What would bring the database to the models.", OPERATION),
        "failures": listing("Everything that is wrong, the gravest first; it is `error`, too.", ERROR),
    },
)
_DIFFERENCE = record(
    "",
    {
        "operations": listing(
            "What would bring the database to the models.",
            record("", {"changes": _CHANGES}, base=OPERATION, optional=("changes",)),
        ),
        "notes": _NOTES,
    },
)
_LINT = record(
    "",
    {
        "findings": listing("What was found.", _FINDING),
        "silenced": listing("What comments silence.", _FINDING),
        "not_run": listing("Files that were read, and not run.", record("", {"file": _PATH, "reason": text("Why.")})),
        "checked": whole("How many files were looked at."),
    },
)
_MODELS = record(
    "",
    {
        "asyncmig_models": text("What the document is."),
        "version": whole("Of its format."),
        "libraries": group("By library, the version that the models were read with."),
        "collections": listing("The models; read them with `--models FILE.json`.", group("A model.")),
    },
)

_COLLECTION = record(
    "",
    {
        "collection": _NAME,
        "kind": text("What it is.", "collection", "timeseries", "view"),
        "documents": whole("How many, by the server's statistics; null where they are not told.", null=True),
        "bytes": whole("Of its documents, uncompressed.", null=True),
        "storage_bytes": whole("On disk.", null=True),
        "index_bytes": whole("Of its indexes.", null=True),
        "indexes": listing(
            "Its indexes.",
            record(
                "",
                {
                    "index": _NAME,
                    "keys": text("Its keys, as `uid: 1, at: -1`."),
                    "unique": flag("Whether it is unique."),
                    "bytes": whole("Its size.", null=True),
                    "uses": whole("How often it was used since `since`; null where that is not told.", null=True),
                    "since": moment("Since when the server counts: its last start, or when the index was made."),
                },
            ),
        ),
    },
)
_REPORT = record(
    "",
    {
        "version": text("Of asyncmig."),
        "made_at": text("When the report was made."),
        "database": either(
            "Which database.",
            record(
                "",
                {
                    "name": _NAME,
                    "hosts": listing("Its servers.", text("`host:port`.")),
                    "server": text("The version of MongoDB.", null=True),
                },
            ),
        ),
        "status": either("As `status` prints it.", {**_STATUS, "title": "`status`"}),
        "plan": either("As `upgrade --preflight` prints it.", {**_RUN, "title": "`upgrade`"}),
        "difference": either("As `diff` prints it.", {**_DIFFERENCE, "title": "`diff`"}),
        "lint": either("As `lint` prints it.", {**_LINT, "title": "`lint`"}),
        "graph": either("As `graph -i` prints it.", {**_GRAPH, "title": "`graph`"}),
        "collections": {
            "description": "The collections, with sizes and the uses of their indexes.",
            "anyOf": [listing("", _COLLECTION), {"type": "null"}],
        },
        "history": {
            "description": "What the ledger has, newest first.",
            "anyOf": [listing("", RECORD), {"type": "null"}],
        },
        "refused": listing("What could not be found out, and why.", text("A line.")),
    },
)

DOCUMENTS: Final[Mapping[str, tuple[Schema, ...]]] = {
    "init": (
        record(
            "",
            {
                "directory": text("The folder of the migrations."),
                "settings": text("The file with the settings."),
                "created": listing("What was made or changed.", _PATH),
            },
        ),
    ),
    "completion": (record("", {"shell": text("Which shell."), "script": text("Its script.")}),),
    "adopt": (_ADOPTION,),
    "revision": (
        _WRITTEN,
        record(
            "",
            {
                "revision": {"type": "null", "description": "Nothing differs: no file was written."},
                "changes": listing("Empty.", _NAME),
                "notes": _NOTES,
            },
        ),
    ),
    "merge": (_WRITTEN,),
    "squash": (REVISION,),
    "rebase": (REVISION,),
    "upgrade": (_RUN,),
    "downgrade": (_RUN,),
    "stamp": (record("", {"current": _CURRENT}),),
    "repair": (record("", {"revisions": listing("Whose files were accepted as they are.", REVISION)}),),
    "unlock": (
        record(
            "",
            {"released": flag("Whether somebody held the lock."), "holder": either("Who held it.", HOLDER)},
        ),
    ),
    "index": (
        record(
            "",
            {
                "collection": _NAME,
                "index": text("The index that is being built."),
                "action": text("What was done.", "abort", "quorum"),
                "quorum": text("Whom the build waits for now.", null=True),
            },
        ),
    ),
    "status": (_STATUS,),
    "current": (
        record(
            "",
            {
                "current": _CURRENT,
                "heads": _HEADS,
                "revisions": listing(
                    "The revisions that the database stands at; of one without a file the id alone.",
                    {"anyOf": [REVISION, NAMED]},
                ),
            },
        ),
    ),
    "diff": (_DIFFERENCE,),
    "check": (_CHECK,),
    "fields": (record("", {"collections": listing("What the documents hold.", _FIELDS)}),),
    "report": (_REPORT,),
    "history": (_HISTORY,),
    "heads": (record("", {"heads": _HEADS}),),
    "branches": (record("", {"branches": listing("The revisions that history forks at.", REVISION)}),),
    "show": (
        _SHOWN,
        record("", {"revisions": listing("Where TARGET stands for several.", _SHOWN)}),
        _SHOWN_RECORD,
    ),
    "lint": (_LINT,),
    "graph": (_GRAPH,),
    "models": (_MODELS, record("", {"script": text("With `--script`: the file.")})),
}
"""By command, the shapes of its document: one, unless options or the outcome make another one of it."""


def schema_of(command: str) -> dict[str, Any]:
    """The schema of all that a command prints with ``--json``: its document, with ``error`` or without, or that alone.

    A run that fails tells besides what it has done by then.
    """
    shapes = DOCUMENTS[command]
    failed = record("", {"error": ERROR})
    if command in ("upgrade", "downgrade"):
        names = ("direction", "target", "revisions")
        properties = {name: shapes[0]["properties"][name] for name in names}
        failed = record("", {**properties, "error": ERROR}, optional=names)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"asyncmig {command} --json",
        "anyOf": [*(_with_error(shape) for shape in shapes), failed],
    }


def _with_error(shape: Schema) -> Schema:
    """A record has an ``error`` of its own: what stopped the revision."""
    return {**shape, "properties": {"error": ERROR, **shape["properties"]}}
