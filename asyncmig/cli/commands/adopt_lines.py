"""What ``asyncmig adopt`` prints: the three columns, what was written, what comes next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from asyncmig.adopting.adoption import Adopted
from asyncmig.adopting.agreement import Line
from asyncmig.adopting.histories.history import ForeignHistory
from asyncmig.adopting.histories.places import Place
from asyncmig.cli.app import App
from asyncmig.cli.console import Stream
from asyncmig.cli.history import revision_document
from asyncmig.printable import counted

if TYPE_CHECKING:
    from asyncmig.running.ledger.record import Record

__all__ = ["adoption_document", "adoption_lines", "history_lines", "table_lines"]

_COLUMNS = {
    "database": "only in the database",
    "models": "only in the models",
    "differs": "in both, but different",
}
_SHOWN = 5


_MAX_COLUMNS = 40  # a longer one is not what all others are set right for


def table_lines(out: Stream, lines: Iterable[Line]) -> Iterator[str]:
    """What is open, in three columns: where it is, its name, and what the server knows of it."""
    listed = list(lines)
    rows = [(_COLUMNS[line.column], line.name, ", ".join(line.facts)) for line in listed if line.is_open]
    widths = [max((len(row[place]) for row in rows if len(row[place]) <= _MAX_COLUMNS), default=0) for place in (0, 1)]
    alike = sum(not line.is_open for line in listed)
    if alike:
        yield out.paint(
            f"{'in both':{widths[0]}}  {counted(alike, 'index')} {'agrees' if alike == 1 else 'agree'}", "faint"
        )
    for where, name, facts in rows:
        yield f"{where:{widths[0]}}  {name:{widths[1]}}  {facts}".rstrip()


def adoption_lines(app: App, adopted: Adopted, database: str | None, *, written: bool) -> Iterator[str]:
    """The whole adoption, done or planned; without a ``database`` nothing is recorded in any."""
    out = app.console.out
    if adopted.agreement.lines or adopted.baseline is not None:
        yield from _summary(adopted)
    yield from table_lines(out, [line for line in adopted.lines if line.is_open])
    for note in adopted.notes:
        yield f"Note: {note}"
    done = "Wrote  " if written else "Would write  "
    for path in adopted.files:
        yield f"{out.paint(done, 'good')} {app.shown(path)}"
    for path in adopted.changed:
        yield f"{out.paint(done, 'good')} {app.shown(path)} [tool.asyncmig]"
    if adopted.target is not None and database is not None:
        stamped = out.paint("Stamped" if written else "Would stamp  ", "good")
        yield f"{stamped} {out.paint(adopted.target, 'id')} in {database}; nothing was run"
    if not written:
        yield "Nothing was written."
        return
    if database is None:
        yield "Next: asyncmig adopt --database NAME, for each of them: it compares, and records the baseline"
    elif adopted.left:
        yield 'Next: asyncmig revision -m "as the models" --autogenerate, for what the models have otherwise'
    else:
        yield "Next: asyncmig check in CI; asyncmig adopt on staging and the other installations"


def _summary(adopted: Adopted) -> Iterator[str]:
    agreement = adopted.agreement
    columns = Counter(line.column for line in agreement.lines)
    yield f"{columns['both']} of {columns.total()} indexes and options agree"
    if agreement.expected:
        yield f"{_names(agreement.expected)} will come into being with the first document (nothing to do)"
    if agreement.unclaimed:
        yield f"{_names(agreement.unclaimed)}: in the database, and no model claims it; left alone"


def history_lines(out: Stream, tool: str, place: Place, history: ForeignHistory) -> Iterator[str]:
    """What another tool's log says."""
    last = f" (last {history.applied[-1].name})" if history.applied else ""
    yield f"History of {tool} in {place.collection}: {len(history.applied)} applied{last}"
    for what, names in (
        ("pending: apply them with it first, or write them anew", history.pending),
        ("in the folder, never run, and it would not run them any more", history.skipped),
        ("applied, and without a file", history.missing),
    ):
        if names:
            yield f"  {len(names)} {what}: {_names(names)}"
    for note in history.notes:
        yield f"  Note: {note}"


def adoption_document(app: App, adopted: Adopted, *, written: bool, record: Record | None = None) -> dict[str, Any]:
    """The same for programs; ``record``: of the baseline, where the database was adopted before."""
    return {
        "written": written,
        "baseline": revision_document(app, None, adopted.baseline) if adopted.baseline else None,
        "adopted_at": record.finished_at if record else None,
        "adopted_by": f"{record.user}@{record.host}" if record else None,
        "lines": [_line_document(line) for line in adopted.lines],
        "open": [line.name for line in adopted.lines if line.is_open],
        "unclaimed": list(adopted.agreement.unclaimed),
        "expected": list(adopted.agreement.expected),
        "imported": [revision_document(app, None, imported.revision) for imported in adopted.imported],
        "files": [app.shown(path) for path in adopted.files],
        "changed": [app.shown(path) for path in adopted.changed],
        "notes": list(adopted.notes),
    }


def _line_document(line: Line) -> dict[str, Any]:
    return {"name": line.name, "collection": line.collection, "where": line.column, "facts": list(line.facts)}


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown
