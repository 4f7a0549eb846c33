"""The report as Markdown, for a job's summary or a comment: GitHub draws the graph. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from asyncmig.printable import counted, plural
from asyncmig.report.drawing import Node, mermaid
from asyncmig.report.facts import SECTIONS, tiles, title
from asyncmig.report.markdown_text import plain, table
from asyncmig.report.redacting import redacted
from asyncmig.report.wording import by_whom, figure, moment, size, took, use, why

__all__ = ["as_markdown"]

Document = Mapping[str, Any]
_MAX_REVISIONS: Final = 60
"""Revisions that the drawing shows: Mermaid gives up at 500 edges, readers do before."""
_MAX_ROWS: Final = 100
"""Rows of a table: GitHub takes a summary of a megabyte."""
_SIGNS: Final = {"problem": "❌", "warning": "⚠️", "unknown": "❔", "note": "·", "error": "❌", "information": "·"}
_LOOKS: Final = {"good": "✅ ", "bad": "❌ ", "warn": "⚠️ ", "": ""}


def as_markdown(document: Document) -> str:
    """The text of a report's document; a section of which nothing is known is left out."""
    return "\n".join(_lines(redacted(document))) + "\n"


def _lines(document: Document) -> Iterator[str]:
    yield f"## {plain(title(document))}"
    if facts := tiles(document):
        yield ""
        yield from (f"- {_LOOKS[fact.look]}{fact.name}: **{fact.value}**" for fact in facts)
    for name, heading in SECTIONS.items():
        if content := list(_MAKERS[name](document.get(name))):
            yield from ("", f"### {heading}", "", *content)


def _named(revision: Document) -> str:
    return f"**{plain(revision['revision'])}** {plain(revision.get('message') or '')}".rstrip()


def _state(status: Document | None) -> Iterator[str]:
    if status is None:
        return
    yield f"- at {', '.join(plain(name) for name in status['current']) or 'no revision'}"
    for record in status["failed"]:
        yield f"- ❌ {_named(record)}: {record['direction']} stopped: {plain(why(record))}"
    yield from (f"- ❌ in the database, and in no file: {_named(revision)}" for revision in status["ahead"])
    yield from (f"- ⚠️ its file was edited since it was applied: {_named(revision)}" for revision in status["edited"])
    if len(status["heads"]) > 1:
        yield f"- ⚠️ several heads: {', '.join(plain(revision['revision']) for revision in status['heads'])}"
    if status.get("head_file"):
        yield f"- ⚠️ HEAD file: {plain(status['head_file'])}"


def _pending(plan: Document | None) -> Iterator[str]:
    if plan is None:
        return
    if not plan["revisions"]:
        yield "Nothing is pending."
    for revision in plan["revisions"]:
        yield f"- {_named(revision)}"
        yield from _operations(revision.get("operations", ()), "  ")
        if revision.get("error"):
            yield f"  - ❔ not known from here on: {plain(revision['error'])}"


def _operations(operations: Sequence[Document], indent: str) -> Iterator[str]:
    for operation in operations[:_MAX_ROWS]:
        yield f"{indent}- {plain(operation['description'])}"
        if operation.get("loses"):
            yield f"{indent}  - ❌ loses data: {plain(operation['loses'])}"
        for probe in operation.get("probes", ()):
            yield f"{indent}  - {_SIGNS[probe['level']]} {plain(probe['text'])}"
    if left := operations[_MAX_ROWS:]:
        yield f"{indent}- and {counted(len(left), 'operation')} more"


def _difference(document: Document | None) -> Iterator[str]:
    if document is None:
        return
    yield from _operations(document["operations"], "") if document["operations"] else ("Database and models agree.",)
    yield from (f"- Note: {plain(note)}" for note in document.get("notes", ()))


def _findings(lint: Document | None) -> Iterator[str]:
    if lint is None:
        return
    if not lint["findings"]:
        yield "Nothing found."
    for file, group in groupby(lint["findings"][:_MAX_ROWS], key=lambda finding: finding["file"]):
        yield f"- {plain(file)}"
        for finding in group:
            sign, code, text = _SIGNS[finding["severity"]], plain(finding["code"]), plain(finding["message"])
            yield f"  - {sign} {code}, line {finding['line']}: {text}"
    if left := lint["findings"][_MAX_ROWS:]:
        yield f"- and {counted(len(left), 'finding')} more"


def _graph(drawn: Document | None) -> Iterator[str]:
    if drawn is None or not drawn["revisions"]:
        return
    rows = drawn["revisions"][:_MAX_REVISIONS]
    known = {row["revision"] for row in rows}
    yield "```mermaid"
    yield from mermaid([_node(row, known) for row in rows])
    yield "```"
    if left := len(drawn["revisions"]) - len(rows):
        yield f"\nand {figure(left)} older {plural(left, 'revision')}"


def _node(row: Document, known: set[str]) -> Node:
    """A revision with those of its parents that are in the picture."""
    parents, needs = (tuple(name for name in row[key] if name in known) for key in ("down_revision", "depends_on"))
    return Node(row["revision"], row["message"], parents, needs, row["state"])


def _collections(listed: Sequence[Document] | None) -> Iterator[str]:
    if not listed:
        return
    rows = (
        (
            plain(collection["collection"]),
            figure(collection["documents"]),
            size(collection["bytes"]),
            _indexes(collection["indexes"]),
        )
        for collection in listed[:_MAX_ROWS]
    )
    yield from table(("Collection", "Documents", "Data", "Indexes and their uses"), rows, numbers=(1, 2))
    if left := len(listed) - _MAX_ROWS if len(listed) > _MAX_ROWS else 0:
        yield f"\nand {counted(left, 'collection')} more"


def _indexes(indexes: Sequence[Document]) -> str:
    return "<br>".join(f"{plain(index['index'])}: {use(index)}" for index in indexes) or "-"


def _history(records: Sequence[Document] | None) -> Iterator[str]:
    if not records:
        return
    rows = (
        (
            plain(record["revision"]),
            plain(record["message"]),
            record["state"],
            moment(record.get("finished_at") or record.get("started_at")),
            took(record.get("milliseconds")),
            plain(by_whom(record)),
        )
        for record in records[:_MAX_ROWS]
    )
    yield from table(("Revision", "Message", "State", "When", "Took", "By"), rows, numbers=(4,))
    if left := len(records) - _MAX_ROWS if len(records) > _MAX_ROWS else 0:
        yield f"\nand {figure(left)} older {plural(left, 'revision')}"


def _refused(reasons: Sequence[str] | None) -> Iterator[str]:
    return (f"- {plain(reason)}" for reason in reasons or ())


_MAKERS: Final[Mapping[str, Callable[[Any], Iterable[str]]]] = {
    "status": _state,
    "plan": _pending,
    "difference": _difference,
    "lint": _findings,
    "graph": _graph,
    "collections": _collections,
    "history": _history,
    "refused": _refused,
}
