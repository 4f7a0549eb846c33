"""``asyncmig current``: the revisions that the database stands at."""

from __future__ import annotations

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.history import marks, revision_document, revision_lines
from asyncmig.cli.options import command
from asyncmig.cli.output import emit


@command("current", examples=["asyncmig current", "asyncmig current --json"])
@pass_app
async def current(app: App) -> None:
    """Print the revisions that the database stands at: the heads of what is applied."""
    async with app.migrator("current") as migrator:
        applied = await migrator.applied()
    graph = migrator.graph
    heads = graph.heads_of(applied)
    out = app.console.out
    emit(
        app,
        {
            "current": list(heads),
            "heads": [revision_document(app, graph, graph.get(name)) for name in graph.heads],
            "revisions": [
                revision_document(app, graph, graph.get(name)) if name in graph else {"revision": name}
                for name in heads
            ],
        },
        (
            line
            for name in heads
            for line in (
                revision_lines(app, graph, graph.get(name), marks(graph, graph.get(name)))
                if name in graph
                else [f"{out.paint(name, 'id')}  {out.paint('(its file is missing)', 'bad')}"]
            )
        ),
    )
    if not heads:
        app.console.say("No revision is applied.")
