"""``asyncmig status``: one screen about the database: where it is, what is pending, who holds the lock, what failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncmig.cli.advance import build_line
from asyncmig.cli.app import App, pass_app
from asyncmig.cli.console import Stream
from asyncmig.cli.history import revision_document, revision_line
from asyncmig.cli.options import command
from asyncmig.cli.output import emit
from asyncmig.cli.records import record_document, recorded_revision
from asyncmig.files.errors import RevisionFileError
from asyncmig.history import Revision, RevisionGraph
from asyncmig.operations.build_progress import BuildProgress
from asyncmig.printable import counted

if TYPE_CHECKING:
    from asyncmig.cli.untouched import Untouched
    from asyncmig.running.ledger.record import JournalEntry, Record
    from asyncmig.running.ledger.status import Status
    from asyncmig.running.locking.holder import Holder

_SHOWN = 10
_SEVERAL = "`asyncmig merge` joins them, `asyncmig rebase` puts one behind another"


@command("status", examples=["asyncmig status", "asyncmig status --json"])
@pass_app
async def status(app: App) -> None:
    """Show where the database is, what is pending, who holds the lock, and what failed. Takes no lock."""
    has_files = (app.settings.directory / "versions").is_dir()
    async with app.migrator("status", files=False) as migrator:
        graph = migrator.graph if has_files else RevisionGraph([])
        status = await migrator.full_status(graph)
        untouched = None
        if not status.entries:
            from asyncmig.cli.untouched import look

            untouched = await look(migrator, has_models=bool(app.settings.models), has_revisions=bool(graph.heads))
        view = _View(status, untouched, migrator.head_fault(graph) if has_files else None)
    emit(app, view.document(app), view.lines(app.console.out))


@dataclass(frozen=True, slots=True)
class _View:
    status: Status[Record]
    untouched: Untouched | None = None
    head_fault: RevisionFileError | None = None

    @property
    def graph(self) -> RevisionGraph:
        return self.status.graph

    @property
    def pending(self) -> list[Revision]:
        """What nothing was done of yet."""
        status = self.status
        return [revision for revision in status.pending_revisions if revision.revision not in status.unsettled]

    @property
    def changed(self) -> list[str]:
        edited = self.status.edited
        return [revision.revision for revision in self.graph if revision.revision in edited]

    def document(self, app: App) -> dict[str, Any]:
        return status_document(app, self.status, self.head_fault, self.untouched)

    def lines(self, out: Stream) -> Iterator[str]:
        yield from _block(out, "Current", [self._named(out, name) for name in self.status.current] or ["none applied"])
        yield from _block(out, "Applied", [str(len(self.status.applied))])
        yield from _block(out, "Pending", [revision_line(out, revision) for revision in self.pending] or ["none"])
        yield from _block(
            out, "Half-way", [_half_way(out, record, self.status.holder) for record in self.status.half_way]
        )
        yield from _block(out, "Building", [text for record in self.status.half_way for text in _building(record)])
        yield from _block(out, "No file", [out.paint(name, "bad") for name in self.status.ahead])
        yield from _block(out, "Changed", [f"{self._named(out, name)}  since it was applied" for name in self.changed])
        if len(self.graph.heads) > 1:
            heads = [self._named(out, name) for name in self.graph.heads]
            yield from _block(out, "Heads", heads if self._is_labelled else [*heads, out.paint(_SEVERAL, "warn")])
        if self.head_fault:
            yield from _block(out, "HEAD file", [out.paint(self.head_fault.fault, "warn")])
        yield from _block(out, "Lock", [_lock(out, self.status.holder)])
        if self.untouched:
            yield from _block(out, "Database", [*self.untouched.lines()])

    @property
    def _is_labelled(self) -> bool:
        """Whether each head is on a branch of its own, so that several are meant."""
        return all(self.graph.labels_of(name) for name in self.graph.heads)

    def _named(self, out: Stream, name: str) -> str:
        if name not in self.graph:
            return f"{out.paint(name, 'id')}  {out.paint('(its file is missing)', 'bad')}"
        return revision_line(out, self.graph.get(name), ["head"] if name in self.graph.heads else [])


def status_document(
    app: App,
    status: Status[Record],
    head_fault: RevisionFileError | None,
    untouched: Untouched | None = None,
) -> dict[str, Any]:
    """The same for programs."""
    view, graph = _View(status, untouched, head_fault), status.graph
    return {
        "current": list(status.current),
        "heads": [revision_document(app, graph, graph.get(name)) for name in graph.heads],
        "at_head": not view.pending and not status.half_way,
        "applied": len(status.applied),
        "pending": [revision_document(app, graph, revision) for revision in view.pending],
        "failed": [_failed_document(record) for record in status.half_way],
        "ahead": [recorded_revision(status.entries[name]) for name in status.ahead],
        "edited": [revision_document(app, graph, graph.get(name)) for name in view.changed],
        "head_file": str(head_fault) if head_fault else None,
        "lock": status.holder.document if status.holder else None,
        "untouched": untouched.document if untouched else None,
    }


def _block(out: Stream, title: str, lines: list[str]) -> Iterator[str]:
    shown = lines if len(lines) <= _SHOWN else [*lines[: _SHOWN - 1], f"and {len(lines) - _SHOWN + 1} more"]
    for number, line in enumerate(shown):
        yield f"{out.paint('' if number else title, 'strong')}{' ' * (10 - (0 if number else len(title)))}{line}"


def _half_way(out: Stream, record: Record, holder: Holder | None) -> str:
    name = f"{out.paint(record.revision, 'id')}  {record.message}"
    unknown = f", in the middle of: {record.unknown.description}" if record.unknown else ""
    if holder is not None and holder.alive and holder.owner == record.owner:
        return f"{name}  {record.direction} under way, {counted(record.finished, 'operation')} done{unknown}"
    why = f": {record.trouble.splitlines()[0]}" if record.trouble else ""
    what = f"{record.direction} stopped after {counted(record.finished, 'operation')}{_where(record)}{unknown}{why}"
    return f"{name}  {out.paint(what, 'bad')}"


def _building(record: Record) -> Iterator[str]:
    """How far the index builds were that are not known to be done, and what to do about one that does not move."""
    for entry in record.steps:
        if (build := _build_of(entry)) is None or entry.finished_at or entry.error:
            continue
        when = f" (at {entry.progress_at:%H:%M:%S} UTC)" if entry.progress_at else ""
        yield f"{', '.join(build.indexes)} on {build.collection}: {build_line(build)}{when}"
        if build.note:
            yield build.note
        elif build.is_stalled:
            yield build.trouble


def _build_of(entry: JournalEntry) -> BuildProgress | None:
    """How far its index build was, when that was last written down."""
    return BuildProgress.read(entry.progress) if entry.progress else None


def _build_document(entry: JournalEntry) -> dict[str, Any] | None:
    build = _build_of(entry)
    return {**build.document, "at": entry.progress_at, "commands": list(build.commands)} if build else None


def _where(record: Record) -> str:
    """The place in the file, and the run that came to it."""
    place = str((record.error or {}).get("where") or "")
    line = f", {place[place.rindex('line ') :]}" if "line " in place else ""
    when = f" at {record.stopped_at:%Y-%m-%d %H:%M:%S} UTC" if record.stopped_at else ""
    return f"{line} (on {record.host}, pid {record.pid}{when})" if record.host else line


def _lock(out: Stream, holder: Holder | None) -> str:
    if holder is None:
        return "free"
    since = f"since {holder.acquired_at:%Y-%m-%d %H:%M:%S} UTC" if holder.acquired_at else ""
    if holder.alive:
        return f"held by {holder} {since}"
    return out.paint(f"left behind by {holder} {since}; the next run takes it over", "warn")


def _failed_document(record: Record) -> dict[str, Any]:
    unknown = record.unknown
    return record_document(record) | {
        "finished_operations": record.finished,
        "unknown_operation": unknown.description if unknown else None,
        "index_build": _build_document(unknown) if unknown else None,
    }
