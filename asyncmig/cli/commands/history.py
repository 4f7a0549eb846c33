"""``asyncmig history``: the revisions, newest first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.console import Stream, Style
from asyncmig.cli.failures import Answer
from asyncmig.cli.history import marks, revision_document, revision_line, revision_lines, share, states
from asyncmig.cli.options import command
from asyncmig.cli.output import emit, table
from asyncmig.errors import RevisionError
from asyncmig.history import Revision, RevisionGraph

if TYPE_CHECKING:
    from asyncmig.report.drawing import State

_CURRENT = re.compile(r"\bcurrent\b")


@command(
    "history",
    examples=["asyncmig history", "asyncmig history -r current:head", "asyncmig history -r 2024:20250101 --json"],
)
@click.option("-r", "--rev-range", metavar="A:B", help="Only from A up to B, both included; either may be left out.")
@click.option("-i", "--indicate-current", is_flag=True, help="Mark what is applied, current, failed, pending.")
@pass_app
async def history(app: App, rev_range: str | None, indicate_current: bool) -> None:
    """List the revisions, newest first.

    Reads the files alone, unless -i or a range with 'current' asks for the database.
    """
    lower, upper = _ends(rev_range)
    status = None
    if indicate_current or _CURRENT.search(f"{lower}:{upper}"):
        async with app.migrator("history") as migrator:
            status = await migrator.full_status()
    graph = _readable(app)
    applied = status.applied if status else frozenset()
    by_revision = states(graph, status) if status else {}
    shown = list(reversed(graph.between(lower, upper, applied) if rev_range else list(graph)))
    noted = {
        revision: marks(graph, revision, by_revision.get(revision.revision, ""), share(graph, applied, revision))
        for revision in shown
    }
    as_table = app.console.out.terminal and shown and not app.verbose
    emit(
        app,
        {"revisions": [_document(app, graph, revision, by_revision) for revision in shown]},
        _table(app.console.out, noted)
        if as_table
        else (line for revision in shown for line in revision_lines(app, graph, revision, noted[revision])),
    )
    if not len(graph):
        app.console.say('There is no revision yet; `asyncmig revision -m "..."` writes one.')


def _table(out: Stream, noted: Mapping[Revision, Sequence[str]]) -> Iterator[str]:
    columns: dict[str, Style | None] = {"Revision": "id", "Message": None, "Parents": "faint", "": "good"}
    rows = (
        (revision.revision, revision.message, ", ".join(revision.down_revision), ", ".join(marks))
        for revision, marks in noted.items()
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
            error=listing.problems[0],
        )
        for problem in listing.problems:
            app.console.fail(str(problem))
        raise Answer(1) from None


def _document(app: App, graph: RevisionGraph, revision: Revision, states: Mapping[str, State]) -> dict[str, object]:
    document = revision_document(app, graph, revision)
    if states:
        state = states[revision.revision]
        document |= {"state": state, "applied": state in ("applied", "current"), "current": state == "current"}
    return document
