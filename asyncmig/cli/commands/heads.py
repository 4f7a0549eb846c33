"""``asyncmig heads`` and ``asyncmig branches``: where history ends, and where it forks; from the files alone."""

from __future__ import annotations

from collections.abc import Iterator

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.history import marks, revision_document, revision_line
from asyncmig.cli.options import command
from asyncmig.cli.output import emit


@command("heads", examples=["asyncmig heads", "asyncmig heads --json"])
@pass_app
async def heads(app: App) -> None:
    """List the newest revision of each branch. Reads the files, not the database."""
    graph = app.files().graph
    found = [graph.get(name) for name in graph.heads]
    out = app.console.out
    emit(
        app,
        {"heads": [revision_document(app, graph, revision) for revision in found]},
        (revision_line(out, revision, marks(graph, revision)) for revision in found),
    )
    if not found:
        app.console.say('There is no revision yet; `asyncmig revision -m "..."` writes one.')


@command("branches", examples=["asyncmig branches"])
@pass_app
async def branches(app: App) -> None:
    """List the revisions that history forks at, each with what follows it. Reads the files, not the database."""
    graph = app.files().graph
    points = [graph.get(name) for name in graph.branch_points]
    out = app.console.out

    def lines() -> Iterator[str]:
        for point in points:
            yield revision_line(out, point, marks(graph, point))
            for child in map(graph.get, graph.children(point.revision)):
                yield f"  -> {revision_line(out, child, marks(graph, child))}"

    emit(app, {"branches": [revision_document(app, graph, point) for point in points]}, lines())
    if not points:
        app.console.say("History does not fork.")
