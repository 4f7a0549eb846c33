"""``asyncmig show``: one revision in full, from its file."""

from __future__ import annotations

from collections.abc import Iterator

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.history import facts, marks, revision_document, revision_line
from asyncmig.cli.options import command, revision_argument
from asyncmig.cli.output import emit, python
from asyncmig.history import Revision, RevisionGraph


@command("show", examples=["asyncmig show head", "asyncmig show 2024121015"])
@revision_argument("revision")
@pass_app
async def show(app: App, revision: str) -> None:
    """Show REVISION: an id, the beginning of one, a label, head, heads or base+1. Reads the files alone."""
    graph = app.files().graph
    found = list(graph.resolve(revision))
    sources = [one.path.read_text(encoding="utf-8") if one.path else "" for one in found]
    documents = [
        revision_document(app, graph, one) | {"source": source} for one, source in zip(found, sources, strict=True)
    ]
    emit(
        app,
        documents[0] if len(documents) == 1 else {"revisions": documents},
        (line for one, source in zip(found, sources, strict=True) for line in _lines(app, graph, one, source)),
    )
    if not found:
        app.console.say(f"{revision} stands for no revision.")


def _lines(app: App, graph: RevisionGraph, one: Revision, source: str) -> Iterator[str]:
    out = app.console.out
    yield revision_line(out, one, marks(graph, one))
    yield from (f"{out.paint(f'{name}:', 'faint')} {value}" for name, value in facts(app, graph, one).items())
    yield f"\n{python(out, source)}"
