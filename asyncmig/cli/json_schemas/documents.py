"""The shapes of the larger documents: what a run did or would do, where a database stands, what was found."""

from __future__ import annotations

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

__all__ = [
    "ADOPTION",
    "CHECK",
    "CURRENT",
    "DIFFERENCE",
    "FIELDS",
    "GRAPH",
    "HEADS",
    "HISTORY",
    "LINT",
    "MODELS",
    "NAME",
    "NOTES",
    "PATH",
    "REPORT",
    "RUN",
    "SHOWN",
    "SHOWN_RECORD",
    "STATUS",
    "WRITTEN",
]

PATH = text("A path, from the working directory.")
NAME = text("A name.")
NOTES = listing("Remarks.", text("A note."))
CURRENT = listing("The ids of the revisions that the database stands at.", text("An id of a revision."))
HEADS = listing("The newest revision of each branch.", REVISION)
CHANGES = listing("What it replaces.", CHANGE)
PENDING = listing("What is not applied, in the order in which it would be.", NAMED)
AHEAD = listing("What the database has, and no file.", NAMED)

PLANNED = record(
    "",
    {
        "done": flag("Whether a run that stopped has done it already."),
        "own_writes": listing("What the function of a transform writes besides.", text("A call.")),
        "loses": text("What it takes away for good."),
        "changes": CHANGES,
        "probes": listing("With `--preflight`: what it will meet.", PROBE),
    },
    base=OPERATION,
    optional=("done", "own_writes", "loses", "changes", "probes"),
)
RUN = record(
    "",
    {
        "direction": text("Where it goes.", "upgrade", "downgrade"),
        "revisions": listing(
            "What was applied or reverted, or would be, in this order.",
            record(
                "",
                {
                    "milliseconds": whole("How long it took."),
                    "operations": listing("With `--plan` or `--preflight`: what it would do.", PLANNED),
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
WRITTEN = record(
    "",
    {"changes": listing("What the models asked for.", text("A line.")), "notes": NOTES},
    base=REVISION,
)
UNTOUCHED = record(
    "",
    {
        "collections": whole("How many collections."),
        "indexes": whole("How many indexes."),
        "claimed": listing("The collections that models declare.", NAME),
        "unclaimed": listing("The collections of nobody.", NAME),
        "histories": group("By tool, the collection of another migration tool's log."),
        "next": text("The command to go on with."),
    },
)
FINDING = record(
    "",
    {
        "code": text("The rule, as `L06`."),
        "severity": text("How bad it is.", "error", "warning", "information"),
        "title": text("The rule in a few words."),
        "message": text("What was found."),
        "file": PATH,
        "line": whole("The first line, counted from 1."),
        "end_line": whole("The last line."),
        "revision": text("The id of the revision."),
        "url": text("The page about the rule."),
        "fingerprint": text("By which it is known again when lines move."),
    },
    optional=("fingerprint",),
)
FIELD_FINDING = record(
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
FIELD_PATH = record(
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
FIELDS = record(
    "",
    {
        "collection": NAME,
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
        "findings": listing("What is to be known.", FIELD_FINDING),
        "paths": listing("Every field.", FIELD_PATH),
    },
)
ADOPTION = record(
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
                    "collection": NAME,
                    "where": text("Who has it.", "database", "models", "differs", "both"),
                    "facts": listing("What the server knows of it.", text("A fact.")),
                },
            ),
        ),
        "open": listing("The names of those lines that are not alike.", NAME),
        "unclaimed": listing("Collections that no model has.", NAME),
        "expected": listing("Collections that come into being with their first document.", NAME),
        "imported": listing("The revisions that stand for another tool's history.", REVISION),
        "files": listing("What was written, or would be.", PATH),
        "changed": listing("The configuration files that were changed, or would be.", PATH),
        "notes": NOTES,
        "databases": listing("With `--databases`: which.", NAME),
        "outliers": listing(
            "With `--databases`: what not all of them have.",
            record(
                "",
                {
                    "name": text("What it is."),
                    "in_models": flag("Whether it went into the models."),
                    "databases": listing("Those that have it otherwise.", NAME),
                },
            ),
        ),
    },
    optional=("databases", "outliers"),
)
HISTORY = record(
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
GRAPH = record(
    "",
    {"revisions": listing("The revisions, newest first.", record("", {"state": STATE}, base=REVISION))},
)
SHOWN = record("", {"source": text("The text of the file.")}, base=REVISION)
SHOWN_RECORD = record(
    "",
    {
        "operations": listing("What it has done.", OPERATION),
        "source": text("The text of the file that was run.", null=True),
    },
    base=RECORD,
)
STATUS = record(
    "",
    {
        "current": CURRENT,
        "heads": HEADS,
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
        "ahead": AHEAD,
        "edited": listing("Applied revisions whose file was changed since.", REVISION),
        "head_file": text("What is wrong with the HEAD file.", null=True),
        "lock": either("Who holds the lock.", HOLDER),
        "untouched": either("What a database holds that asyncmig has never run on.", UNTOUCHED),
    },
)
CHECK = record(
    "",
    {
        "ok": flag("Whether nothing is wrong."),
        "pending": PENDING,
        "ahead": AHEAD,
        "failed": listing("What has stopped half-way.", NAMED),
        "edited": listing("Applied revisions whose file was changed since.", NAMED),
        "operations": listing("What would bring the database to the models.", OPERATION),
        "failures": listing("Everything that is wrong, the gravest first; it is `error`, too.", ERROR),
    },
)
DIFFERENCE = record(
    "",
    {
        "operations": listing(
            "What would bring the database to the models.",
            record("", {"changes": CHANGES}, base=OPERATION, optional=("changes",)),
        ),
        "notes": NOTES,
    },
)
LINT = record(
    "",
    {
        "findings": listing("What was found.", FINDING),
        "silenced": listing("What comments silence.", FINDING),
        "not_run": listing("Files that were read, and not run.", record("", {"file": PATH, "reason": text("Why.")})),
        "checked": whole("How many files were looked at."),
    },
)
MODELS = record(
    "",
    {
        "asyncmig_models": text("What the document is."),
        "version": whole("Of its format."),
        "libraries": group("By library, the version that the models were read with."),
        "collections": listing("The models; read them with `--models FILE.json`.", group("A model.")),
    },
)

COLLECTION = record(
    "",
    {
        "collection": NAME,
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
                    "index": NAME,
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
REPORT = record(
    "",
    {
        "version": text("Of asyncmig."),
        "made_at": text("When the report was made."),
        "database": either(
            "Which database.",
            record(
                "",
                {
                    "name": NAME,
                    "hosts": listing("Its servers.", text("`host:port`.")),
                    "server": text("The version of MongoDB.", null=True),
                },
            ),
        ),
        "status": either("As `status` prints it.", {**STATUS, "title": "`status`"}),
        "plan": either("As `upgrade --preflight` prints it.", {**RUN, "title": "`upgrade`"}),
        "difference": either("As `diff` prints it.", {**DIFFERENCE, "title": "`diff`"}),
        "lint": either("As `lint` prints it.", {**LINT, "title": "`lint`"}),
        "graph": either("As `graph -i` prints it.", {**GRAPH, "title": "`graph`"}),
        "collections": {
            "description": "The collections, with sizes and the uses of their indexes.",
            "anyOf": [listing("", COLLECTION), {"type": "null"}],
        },
        "history": {
            "description": "What the ledger has, newest first.",
            "anyOf": [listing("", RECORD), {"type": "null"}],
        },
        "refused": listing("What could not be found out, and why.", text("A line.")),
    },
)
