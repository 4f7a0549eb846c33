"""``asyncmig show``: one revision in full, from its file or as the database's ledger has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import asyncclick as click

from asyncmig.cli.app import App, pass_app
from asyncmig.cli.history import facts, marks, revision_document, revision_line
from asyncmig.cli.options import command, revision_argument
from asyncmig.cli.output import emit, python
from asyncmig.cli.records import record_document
from asyncmig.errors import RevisionError
from asyncmig.history import Revision, RevisionGraph
from asyncmig.history.errors import UnknownRevision

if TYPE_CHECKING:
    from asyncmig.migrator import Migrator
    from asyncmig.running.ledger.record import JournalEntry, Record


@command("show", examples=["asyncmig show head", "asyncmig show 2024121015", "asyncmig show --applied 20241210150000"])
@revision_argument("revision")
@click.option(
    "--applied", is_flag=True, help="As it was applied: from the database's ledger, be its file there or not."
)
@pass_app
async def show(app: App, revision: str, *, applied: bool) -> None:
    """Show REVISION: an id, the beginning of one, a label, head, heads or base+1.

    Reads the files alone, unless --applied asks the database what was run there, and when.
    """
    if applied:
        await _show_record(app, revision)
        return
    graph = app.files().graph
    revisions = _found(graph, revision)
    sources = [shown.path.read_text(encoding="utf-8") if shown.path else "" for shown in revisions]
    documents = [
        revision_document(app, graph, shown) | {"source": source}
        for shown, source in zip(revisions, sources, strict=True)
    ]
    emit(
        app,
        documents[0] if len(documents) == 1 else {"revisions": documents},
        (line for shown, source in zip(revisions, sources, strict=True) for line in _lines(app, graph, shown, source)),
    )
    if not revisions:
        app.console.say(f"{revision} stands for no revision.")
    if revision in graph.replaced and revision not in graph:
        app.console.say(f"{revision} was squashed into {revisions[0].revision}, and its file is gone.")


def _found(graph: RevisionGraph, name: str) -> list[Revision]:
    """The revisions of a name; one that was squashed is shown itself, as long as it has a file."""
    try:
        return [graph.get(name)] if name in graph else list(graph.resolve(name))
    except RevisionError as error:
        if isinstance(error, UnknownRevision):
            error.add_note(
                f"`asyncmig show --applied {name}` looks for it in the database, which keeps what it has run"
            )
        raise


def _lines(app: App, graph: RevisionGraph, revision: Revision, source: str) -> Iterator[str]:
    out = app.console.out
    yield revision_line(out, revision, marks(graph, revision))
    yield from _listed(app, facts(app, graph, revision))
    yield f"\n{python(out, source)}"


def _listed(app: App, facts: dict[str, str]) -> Iterator[str]:
    return (f"{app.console.out.paint(f'{name}:', 'faint')} {value}" for name, value in facts.items() if value)


async def _show_record(app: App, name: str) -> None:
    async with app.migrator("show") as migrator:
        record = await _record(migrator, name)
    emit(app, _shown_record(record), _record_lines(app, record))


async def _record(migrator: Migrator, name: str) -> Record:
    """The record of an id that the database has, of the beginning of one, or of a target that the files know."""
    from asyncmig.history.errors import UnknownRevision
    from asyncmig.history.names import Names

    records = {record.revision: record for record in await migrator.records()}
    try:
        return records[Names(records, {})(name)]
    except UnknownRevision:
        names = [shown.revision for shown in migrator.graph.resolve(name)]
    if len(names) != 1 or names[0] not in records:
        which = ", ".join(names) or name
        raise RevisionError(f"{which} is not recorded in the database; `asyncmig history -i` shows what is")
    return records[names[0]]


def _record_lines(app: App, record: Record) -> Iterator[str]:
    out = app.console.out
    revision = Revision(record.revision, message=record.message)
    yield revision_line(out, revision, [record.state, *(["stamped"] if record.stamped else [])])
    yield from _listed(app, _record_facts(record))
    for entry in record.journal:
        yield f"  {entry.number}. {entry.description}{_end(entry)}"
    if record.source:
        yield f"\n{python(out, record.source)}"


def _record_facts(record: Record) -> dict[str, str]:
    when = record.finished_at or record.started_at
    took = f" in {record.milliseconds} ms" if record.milliseconds else ""
    return {
        "Imported": _origin(record.imported),
        "At": f"{when:%Y-%m-%d %H:%M:%S} UTC{took}" if when else "",
        "By": f"{record.user}@{record.host} (pid {record.pid})" if record.host else "",
        "Parents": ", ".join(record.parents) or "none",
        "Needs": ", ".join(record.depends_on),
        "Replaces": ", ".join(record.replaces),
        "Error": record.trouble,
    }


def _origin(imported: Mapping[str, Any] | None) -> str:
    if imported is None:
        return ""
    when = imported.get("applied_at")
    at = f" on {when:%Y-%m-%d %H:%M:%S}" if isinstance(when, datetime) else ""
    return f"applied by {imported.get('tool')}{at}, as {imported.get('name')}"


def _end(entry: JournalEntry) -> str:
    return "" if entry.is_finished else f" ({entry.error or 'nobody knows whether it was done'})"


def _shown_record(record: Record) -> dict[str, Any]:
    journal = [
        {"operation": entry.operation, "collection": entry.collection, "description": entry.description}
        for entry in record.journal
    ]
    return record_document(record) | {"operations": journal, "source": record.source}
