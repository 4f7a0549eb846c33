"""The documents: by command, what it prints with ``--json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from asyncmig.cli.json_schemas.documents import (
    ADOPTION,
    CHECK,
    CURRENT,
    DIFFERENCE,
    FIELDS,
    GRAPH,
    HEADS,
    HISTORY,
    LINT,
    MODELS,
    NAME,
    NOTES,
    PATH,
    REPORT,
    RUN,
    SHOWN,
    SHOWN_RECORD,
    STATUS,
    WRITTEN,
)
from asyncmig.cli.json_schemas.parts import (
    ERROR,
    HOLDER,
    NAMED,
    REVISION,
)
from asyncmig.cli.json_schemas.shapes import (
    Schema,
    either,
    flag,
    listing,
    record,
    text,
)

__all__ = ["DOCUMENTS", "schema_of"]

DOCUMENTS: Final[Mapping[str, tuple[Schema, ...]]] = {
    "init": (
        record(
            "",
            {
                "directory": text("The folder of the migrations."),
                "settings": text("The file with the settings."),
                "created": listing("What was made or changed.", PATH),
            },
        ),
    ),
    "completion": (record("", {"shell": text("Which shell."), "script": text("Its script.")}),),
    "adopt": (ADOPTION,),
    "revision": (
        WRITTEN,
        record(
            "",
            {
                "revision": {"type": "null", "description": "Nothing differs: no file was written."},
                "changes": listing("Empty.", NAME),
                "notes": NOTES,
            },
        ),
    ),
    "merge": (WRITTEN,),
    "squash": (REVISION,),
    "rebase": (REVISION,),
    "upgrade": (RUN,),
    "downgrade": (RUN,),
    "stamp": (record("", {"current": CURRENT}),),
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
                "collection": NAME,
                "index": text("The index that is being built."),
                "action": text("What was done.", "abort", "quorum"),
                "quorum": text("Whom the build waits for now.", null=True),
            },
        ),
    ),
    "status": (STATUS,),
    "current": (
        record(
            "",
            {
                "current": CURRENT,
                "heads": HEADS,
                "revisions": listing(
                    "The revisions that the database stands at; of one without a file the id alone.",
                    {"anyOf": [REVISION, NAMED]},
                ),
            },
        ),
    ),
    "diff": (DIFFERENCE,),
    "check": (CHECK,),
    "fields": (record("", {"collections": listing("What the documents hold.", FIELDS)}),),
    "report": (REPORT,),
    "history": (HISTORY,),
    "heads": (record("", {"heads": HEADS}),),
    "branches": (record("", {"branches": listing("The revisions that history forks at.", REVISION)}),),
    "show": (
        SHOWN,
        record("", {"revisions": listing("Where TARGET stands for several.", SHOWN)}),
        SHOWN_RECORD,
    ),
    "lint": (LINT,),
    "graph": (GRAPH,),
    "models": (MODELS, record("", {"script": text("With `--script`: the file.")})),
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
