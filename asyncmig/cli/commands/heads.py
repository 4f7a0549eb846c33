"""``asyncmig heads`` and ``asyncmig branches``: where history ends, and where it forks; from the files alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.history import marks, revision_document, revision_lines
from asyncmig.cli.options import command
from asyncmig.cli.output import emit
from asyncmig.errors import RevisionError
from asyncmig.history import Revision


class SeveralHeads(RevisionError):
    """Raised by ``heads --check`` where there are several, and not each has a branch label."""

    exit_code = 5

    def __init__(self, heads: Sequence[Revision]) -> None:
        self.heads = tuple(heads)
        super().__init__(
            f"there are {len(self.heads)} heads; `asyncmig merge` joins them, `asyncmig rebase` puts one behind"
        )


@command("heads", examples=["asyncmig heads", "asyncmig heads -v", "asyncmig heads --json", "asyncmig heads --check"])
@click.option("--check", is_flag=True, help="Exit with 5 where there are several, unless each has a branch label.")
@pass_app
async def heads(app: App, *, check: bool) -> None:
    """List the newest revision of each branch. Reads the files, not the database."""
    graph = app.files().graph
    revisions = [graph.get(name) for name in graph.heads]
    error = None
    if check and len(revisions) > 1 and not all(graph.labels_of(revision.revision) for revision in revisions):
        error = SeveralHeads(revisions)
    emit(
        app,
        {"heads": [revision_document(app, graph, revision) for revision in revisions]},
        (line for revision in revisions for line in revision_lines(app, graph, revision, marks(graph, revision))),
        error=error,
    )
    if not revisions:
        app.console.say('There is no revision yet; `asyncmig revision -m "..."` writes one.')
    if error is not None:
        raise error


@command("branches", examples=["asyncmig branches", "asyncmig branches -v"])
@pass_app
async def branches(app: App) -> None:
    """List the revisions that history forks at, each with what follows it. Reads the files, not the database."""
    graph = app.files().graph
    points = [graph.get(name) for name in graph.branch_points]

    def lines() -> Iterator[str]:
        for point in points:
            yield from revision_lines(app, graph, point, marks(graph, point))
            for child in map(graph.get, graph.children(point.revision)):
                yield from revision_lines(app, graph, child, marks(graph, child), indent="  -> ")

    emit(app, {"branches": [revision_document(app, graph, point) for point in points]}, lines())
    if not points:
        beginnings = f"; it begins {len(graph.bases)} times: {', '.join(graph.bases)}" if len(graph.bases) > 1 else ""
        app.console.say(f"History does not fork{beginnings}.")
