"""``asyncmig diff`` and ``asyncmig check``: the models against the database, and the files against the database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.error_document import error_document
from asyncmig.cli.failures import Answer
from asyncmig.cli.options import command
from asyncmig.cli.output import emit, operation_document, operation_line
from asyncmig.errors import AsyncmigError, RevisionHalfDone, RevisionsEdited, SchemaDiffers
from asyncmig.printable import one_line
from asyncmig.schema.note import joined

if TYPE_CHECKING:
    from asyncmig.authoring.diff import Difference
    from asyncmig.operations import Operation


@command("diff", examples=["asyncmig diff", "asyncmig diff --json"])
@pass_app
async def diff(app: App) -> None:
    """Print the operations that would bring the database to the models. Exits with 3 if there are any."""
    async with app.migrator("diff", models=True) as migrator:
        difference = await migrator.difference()
    emit(
        app,
        difference_document(difference),
        (line for operation in difference.operations for line in _lines(app, operation)),
    )
    for note in joined(difference.notes):
        app.console.say(f"Note: {one_line(note)}", "faint")
    if difference.operations:
        raise Answer(SchemaDiffers.exit_code)
    app.console.say("No difference: database and models agree.", "good")


def _lines(app: App, operation: Operation) -> Iterator[str]:
    """The operation, and below it what it replaces beside what it puts there."""
    from asyncmig.operations.changes import remembered_changes

    yield operation_line(app.console.out, operation)
    for change in remembered_changes(operation):
        yield f"    {app.console.out.paint(one_line(str(change)), 'faint')}"


def difference_document(difference: Difference) -> dict[str, Any]:
    """What differs, and what is to be noted, for programs."""
    return {
        "operations": [_document(operation) for operation in difference.operations],
        "notes": [str(note) for note in difference.notes],
    }


def _document(operation: Operation) -> dict[str, Any]:
    from asyncmig.operations.changes import remembered_changes

    changes = [change.document for change in remembered_changes(operation)]
    return operation_document(operation) | ({"changes": changes} if changes else {})


def _check_document(failures: Sequence[AsyncmigError]) -> dict[str, Any]:
    """What is wrong by its kind, and each failure by itself, the gravest first."""
    facts = {name: value for failure in failures for name, value in error_document(failure)["facts"].items()}
    half_done = [failure for failure in failures if isinstance(failure, RevisionHalfDone)]
    edited = [failure for failure in failures if isinstance(failure, RevisionsEdited)]
    return {
        "ok": not failures,
        "pending": facts.get("pending", []),
        "ahead": facts.get("ahead", []),
        "failed": error_document(half_done[0])["facts"]["revisions"] if half_done else [],
        "edited": error_document(edited[0])["facts"]["revisions"] if edited else [],
        "operations": facts.get("operations", []),
        "failures": [error_document(failure) for failure in failures],
    }


@command("check", examples=["asyncmig check", "asyncmig check --json"])
@pass_app
async def check(app: App) -> None:
    """Fail when revisions are pending (exit code 4) or models and database differ (exit code 3).

    A revision that has stopped half-way (7), several heads (5) and a database that was not adopted (10) are
    told, too. A database that has revisions which no file has is compared with nothing (exit code 9).

    Without a `models` setting only the revisions are looked at.
    """
    async with app.migrator("check") as migrator:
        failures = await migrator.failures()
    first = failures[0] if failures else None
    emit(app, _check_document(failures), (), error=first)
    if first:
        raise first
    also = ", and models and database agree" if app.settings.models else ""
    app.console.say(f"No revision is pending{also}.", "good")
