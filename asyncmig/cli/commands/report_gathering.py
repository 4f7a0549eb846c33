"""What ``asyncmig report`` tells: the documents of other commands in one, and the collections' figures.

Whoever may not ask for a part gets all the others, and is told which it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from asyncmig.cli.app import App
from asyncmig.cli.commands.compare import difference_document
from asyncmig.cli.commands.lint import lint_document
from asyncmig.cli.commands.status import status_document
from asyncmig.cli.history import revision_document, states
from asyncmig.cli.preflight import preflight_document
from asyncmig.cli.records import record_document
from asyncmig.drivers import driver_for
from asyncmig.errors import AsyncmigError, ServerUnreachable
from asyncmig.history import RevisionGraph
from asyncmig.report.figures import read_figures
from asyncmig.report.redacting import redacted
from asyncmig.version import __version__

if TYPE_CHECKING:
    from asyncmig.migrator import Migrator
    from asyncmig.running.ledger.record import Record
    from asyncmig.running.ledger.status import Status

__all__ = ["gather"]


async def gather(app: App) -> dict[str, Any]:
    """The document of a report: of files and database, or of the files alone where no database is set."""
    report: dict[str, Any] = dict.fromkeys(
        ("database", "status", "plan", "difference", "lint", "graph", "collections", "history")
    )
    report = {"version": __version__, "made_at": datetime.now(UTC).isoformat(), **report, "refused": []}
    has_files = (app.settings.directory / "versions").is_dir()
    has_database = bool(app.settings.url) or "url" in app.settings.unset
    if has_files or not has_database:
        graph = app.files().graph
        report["graph"] = _graph(app, graph)
        report["lint"] = await lint_document(app)
    if has_database:
        async with app.migrator("report", files=False) as migrator:
            await _Asking(app, migrator, report, has_files).ask()
    else:
        report["refused"].append("everything about the database: url is not set")
    return redacted(report)


def _graph(app: App, graph: RevisionGraph, status: Status[Record] | None = None) -> dict[str, Any]:
    by_revision = states(graph, status) if status else {}
    newest_first = reversed(list(graph))
    return {
        "revisions": [
            revision_document(app, graph, revision) | {"state": by_revision.get(revision.revision, "unknown")}
            for revision in newest_first
        ]
    }


class _Asking:
    """Asks one part after the other, and notes what is refused."""

    def __init__(self, app: App, migrator: Migrator, report: dict[str, Any], has_files: bool) -> None:
        self._app, self._migrator, self._report = app, migrator, report
        self._graph = migrator.graph if has_files else RevisionGraph([])
        self._has_files = has_files
        self._answered = 0
        self._errors: list[AsyncmigError] = []

    async def ask(self) -> None:
        """Ask for all of it. Raises the first refusal where everything is refused."""
        database = self._migrator.database
        driver = driver_for(database)
        self._report["database"] = {"name": database.name, "hosts": list(driver.hosts), "server": None}
        await self._part("status, history", self._status)
        if self._has_files:
            await self._part("pending revisions", self._plan)
        if self._app.settings.models:
            await self._part("models against the database", self._difference)
        await self._part("collections", self._collections)
        if not self._answered:
            raise self._errors[0]
        await self._part("the server's version", self._server)

    async def _part(self, what: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except ServerUnreachable:
            raise
        except AsyncmigError as error:
            self._errors.append(error)
            self._report["refused"].append(f"{what}: {error}")
        else:
            self._answered += 1

    async def _status(self) -> None:
        app, report = self._app, self._report
        status = await self._migrator.full_status(self._graph)
        head_fault = self._migrator.head_fault(self._graph) if self._has_files else None
        report["status"] = status_document(app, status, head_fault)
        records = sorted(status.entries.values(), key=lambda record: str(record.finished_at or ""), reverse=True)
        report["history"] = [record_document(record) for record in records]
        if self._has_files:
            report["graph"] = _graph(app, self._graph, status)

    async def _plan(self) -> None:
        target = "heads" if len(self._graph.heads) > 1 else "head"
        self._report["plan"] = preflight_document(self._app, await self._migrator.preflight(target))

    async def _difference(self) -> None:
        self._report["difference"] = difference_document(await self._migrator.difference())

    async def _collections(self) -> None:
        state = await self._migrator.state()
        figures = await read_figures(driver_for(self._migrator.database), state)
        self._report["collections"] = figures.collections
        self._report["refused"] += figures.refused

    async def _server(self) -> None:
        reply = await driver_for(self._migrator.database).command({"buildInfo": 1})
        self._report["database"]["server"] = reply["version"]
