"""``asyncmig history``: the revisions, newest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.console import Stream, Style
from asyncmig.cli.failures import Answer
from asyncmig.cli.history import marks, revision_document, revision_line
from asyncmig.cli.options import command
from asyncmig.cli.output import emit, table
from asyncmig.errors import RevisionError
from asyncmig.history import Revision, RevisionGraph


@command(
    "history",
    examples=["asyncmig history", "asyncmig history -r current:head", "asyncmig history -r 2024:20250101 --json"],
)
@click.option("-r", "--rev-range", metavar="A:B", help="Only from A up to B, both included; either may be left out.")
@click.option("-i", "--indicate-current", is_flag=True, help="Mark where the database stands.")
@pass_app
async def history(app: App, rev_range: str | None, indicate_current: bool) -> None:
    """List the revisions, newest first.

    Reads the files alone, unless -i or a range with 'current' asks for the database.
    """
    lower, upper = _ends(rev_range)
    applied = None
    if indicate_current or "current" in (lower, upper):
        async with app.migrator("history") as migrator:
            applied = await migrator.applied()
    graph = _readable(app)
    shown = list(reversed(graph.between(lower, upper, applied or ()) if rev_range else list(graph)))
    current = graph.heads_of(applied) if applied is not None else ()
    out = app.console.out
    emit(
        app,
        {"revisions": [_document(app, graph, revision, applied, current) for revision in shown]},
        _table(out, graph, shown, current) if out.terminal and shown else _lines(out, graph, shown, current),
    )
    if not shown:
        app.console.say('There is no revision yet; `asyncmig revision -m "..."` writes one.')


def _lines(out: Stream, graph: RevisionGraph, shown: Sequence[Revision], current: Collection[str]) -> Iterator[str]:
    return (revision_line(out, revision, marks(graph, revision, current)) for revision in shown)


def _table(out: Stream, graph: RevisionGraph, shown: Sequence[Revision], current: Collection[str]) -> Iterator[str]:
    columns: dict[str, Style | None] = {"Revision": "id", "Message": None, "Parents": "faint", "": "good"}
    rows = (
        (one.revision, one.message, ", ".join(one.down_revision), ", ".join(marks(graph, one, current)))
        for one in shown
    )
    return table(out, columns, rows)


def _ends(text: str | None) -> tuple[str, str]:
    lower, colon, upper = (text or ":").partition(":")
    if not colon:
        raise click.BadParameter("must be A:B, A: or :B", param_hint="-r")
    return lower, upper


def _readable(app: App) -> RevisionGraph:
    """The graph; where some files cannot be read, all the others are listed before the error is told."""
    migrator = app.files()
    try:
        return migrator.graph
    except RevisionError:
        listing = migrator.listing()
        if not listing.problems:
            raise
        readable = sorted(listing.revisions, key=lambda revision: revision.revision, reverse=True)
        emit(
            app,
            {
                "revisions": [revision_document(app, None, revision) for revision in readable],
                "problems": list(map(str, listing.problems)),
            },
            (revision_line(app.console.out, revision) for revision in readable),
        )
        for problem in listing.problems:
            app.console.fail(str(problem))
        raise Answer(1) from None


def _document(
    app: App, graph: RevisionGraph, revision: Revision, applied: frozenset[str] | None, current: tuple[str, ...]
) -> dict[str, object]:
    document = revision_document(app, graph, revision)
    if applied is not None:
        document |= {"applied": revision.revision in applied, "current": revision.revision in current}
    return document
