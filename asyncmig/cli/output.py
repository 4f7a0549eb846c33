"""What commands print on stdout: one JSON document, or lines and tables for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from asyncmig.cli.app import App
from asyncmig.cli.console import RICH_STYLES, Stream, Style, styled
from asyncmig.cli.error_document import error_document
from asyncmig.cli.json_text import as_json
from asyncmig.printable import one_line, printable

if TYPE_CHECKING:
    from asyncmig.operations import Operation
    from asyncmig.review.raw_call import RawCall

__all__ = ["emit", "operation_document", "operation_line", "python", "table"]

_SIGNS: dict[str, tuple[str, Style]] = {
    "Create": ("+", "good"),
    "Insert": ("+", "good"),
    "Drop": ("-", "bad"),
    "Delete": ("-", "bad"),
    "Suggestion": ("?", "faint"),
}
_CHANGE: tuple[str, Style] = ("~", "warn")


def emit(app: App, document: Mapping[str, Any], lines: Iterable[str], *, error: BaseException | None = None) -> None:
    """Print the document where JSON is asked for, else the lines; in one write, so that it is fast and whole.

    ``error``: what the command ends with, and raises next; it becomes a part of the document.
    """
    if app.json:
        app.console.has_answered = True
        app.console.out.write(as_json({**document, "error": error_document(error)} if error else document))
    elif text := "\n".join(lines):
        app.console.out.write(text)


def operation_document(action: Operation | RawCall) -> dict[str, Any]:
    """An operation in JSON: its kind, what it is about, and the line that describes it; or a raw call of a driver."""
    return {
        "operation": type(action).__name__,
        "collection": getattr(action, "collection", None),
        "description": action.describe(),
    }


def operation_line(stream: Stream, operation: Operation) -> str:
    """An operation in one line, with a sign for what it does: + adds, - takes away, ~ changes."""
    kind = type(operation).__name__
    sign, style = next((look for prefix, look in _SIGNS.items() if kind.startswith(prefix)), _CHANGE)
    return stream.paint(f"{sign} {one_line(operation.describe())}", style)


def table(stream: Stream, columns: Mapping[str, Style | None], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table under headings, which wraps long cells: for a terminal. ``columns`` have a style each.

    The first column is not wrapped, unless it would leave the others less than half of the width.
    """
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    console = stream.rich()
    shown = [[Text(one_line(cell)) for cell in row] for row in rows]
    half = console.width // 2
    wide = any(row[0].cell_len > half for row in shown)
    for place, (name, style) in enumerate(columns.items()):
        look = RICH_STYLES[style] if style else ""
        first = place == 0
        made.add_column(
            name, style=look, no_wrap=first and not wide, overflow="fold", max_width=half if first and wide else None
        )
    for cells in shown:
        made.add_row(*cells)
    with console.capture() as captured:
        console.print(made)
    yield from (styled(line.rstrip()) for line in captured.get().split("\n"))


def python(stream: Stream, source: str) -> str:
    """Python source, highlighted where the stream shows colour."""
    if not stream.colour or not stream.terminal:
        return source
    from rich.syntax import Syntax

    console = stream.rich()
    with console.capture() as captured:
        console.print(Syntax(printable(source), "python", theme="ansi_dark", background_color="default"))
    return styled("\n".join(line.rstrip() for line in captured.get().split("\n")).rstrip("\n"))
