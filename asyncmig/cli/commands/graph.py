"""``asyncmig graph``: the history as a picture."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.fitting import columns, fitted
from asyncmig.cli.history import marks, revision_document, revision_line, share, states
from asyncmig.cli.options import command
from asyncmig.cli.output import emit
from asyncmig.history import RevisionGraph
from asyncmig.printable import one_line
from asyncmig.report.drawing import Node, ascii_only, dot, lanes, mermaid

if TYPE_CHECKING:
    from asyncmig.running.ledger.record import Record
    from asyncmig.running.ledger.status import Status

_MIN_MESSAGE_COLUMNS = 10
"""The columns that a message has at least, before marks are left out for it."""


@command(
    "graph",
    examples=["asyncmig graph", "asyncmig graph -i", "asyncmig graph --format mermaid >> docs/migrations.md"],
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["tree", "mermaid", "dot"]),
    default="tree",
    show_default=True,
    help="Lanes for the terminal, Mermaid (GitHub renders it), or DOT for Graphviz.",
)
@click.option("-i", "--indicate-current", is_flag=True, help="Mark what is applied, current, failed, pending.")
@pass_app
async def graph(app: App, form: str, indicate_current: bool) -> None:
    """Draw the history, newest on top. Reads the files alone, unless -i asks for the database.

    A message is cut where the line would be wider than the terminal, or than COLUMNS, or 80; `history` has it whole.
    """
    history = app.files().graph
    status = await _status(app) if indicate_current else None
    by_revision = states(history, status) if status else {}
    nodes = [
        Node(
            revision.revision,
            revision.message,
            history.parents(revision.revision),
            history.dependencies(revision.revision),
            by_revision.get(revision.revision, "unknown"),
        )
        for revision in reversed(list(history))
    ]
    applied = status.applied if status else frozenset()
    forms = {
        "tree": lambda: _tree(app, history, nodes, applied),
        "mermaid": lambda: mermaid(nodes),
        "dot": lambda: dot(nodes),
    }
    revisions = [
        revision_document(app, history, history.get(node.name)) | {"state": node.state} for node in nodes if app.json
    ]
    emit(app, {"revisions": revisions}, forms[form]())


async def _status(app: App) -> Status[Record]:
    async with app.migrator("graph") as migrator:
        return await migrator.full_status()


def _tree(app: App, history: RevisionGraph, nodes: list[Node], applied: Collection[str]) -> Iterator[str]:
    out = app.console.out
    unicode = (out.file.encoding or "ascii").lower().startswith("utf")
    for line, node in lanes(nodes):
        drawn = line if unicode else ascii_only(line)
        if node is None:
            yield drawn
            continue
        revision = history.get(node.name)
        state = node.state if node.state != "unknown" else ""
        noted = marks(history, revision, state, share(history, applied, revision))
        before = f"{drawn}  {revision.revision}  "
        while len(noted) > 1 and len(before) + len(_told(noted)) + _MIN_MESSAGE_COLUMNS > columns():
            noted.pop()
        message = fitted(before, one_line(revision.message), _told(noted))
        yield f"{drawn}  {revision_line(out, replace(revision, message=message), noted)}"


def _told(noted: list[str]) -> str:
    return f"  ({', '.join(noted)})" if noted else ""
