"""The sections of the page: each takes one document, and gives nothing where there is none. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from asyncmig.printable import counted, plural
from asyncmig.report.drawing import Node
from asyncmig.report.lanes import svg
from asyncmig.report.markup import Html, tag
from asyncmig.report.wording import by_whom, figure, moment, shown, size, took, use, why

__all__ = ["collections", "difference", "findings", "graph", "history", "pending", "refused", "state"]

Document = Mapping[str, Any]
_SIGNS: Final = {"Create": ("+", "good"), "Insert": ("+", "good"), "Drop": ("-", "bad"), "Delete": ("-", "bad")}
_LOOKS: Final = {
    "problem": "bad",
    "warning": "warn",
    "unknown": "warn",
    "note": "",
    "error": "bad",
    "information": "",
    "applied": "good",
    "current": "good",
    "pending": "warn",
    "failed": "bad",
    "upgrading": "warn",
    "downgrading": "warn",
}
"""By level, severity or state, how a chip looks."""


def state(status: Document | None) -> Iterator[Html]:
    """Where the database stands."""
    if status is None:
        return
    rows: list[tuple[str, Sequence[Html]]] = [
        ("Current", [_id(name) for name in status["current"]] or [tag("span", "none applied")]),
        ("Heads", [_named(revision) for revision in status["heads"]]),
        ("Half-way", [_half_way(revision) for revision in status["failed"]]),
        ("No file", [_named(revision) for revision in status["ahead"]]),
        ("Edited", [_named(revision) for revision in status["edited"]]),
        ("HEAD file", [tag("span", status["head_file"])] if status.get("head_file") else []),
        ("Lock", [tag("span", _lock(status.get("lock")))]),
    ]
    yield tag("dl", *(part for name, lines in rows if lines for part in (tag("dt", name), _lines(lines))))


def _lines(lines: Sequence[Html]) -> Html:
    return tag("dd", *(tag("div", line) for line in lines))


def _id(name: str) -> Html:
    return tag("bdi", name, class_="id")


def _named(revision: Document) -> Html:
    return tag("span", _id(revision["revision"]), " ", tag("bdi", revision.get("message") or ""))


def _half_way(record: Document) -> Html:
    done = counted(record["finished_operations"], "operation")
    return tag("span", _named(record), f": {record['direction']} stopped after {done}: ", tag("bdi", why(record)))


def _lock(holder: Document | None) -> str:
    if holder is None:
        return "free"
    what = "held by" if holder.get("alive") else "left behind by"
    return f"{what} {by_whom(holder)} since {moment(holder.get('acquired_at'))}"


def pending(plan: Document | None) -> Iterator[Html]:
    """What an upgrade would do, and what it will meet."""
    if plan is None:
        return
    if not plan["revisions"]:
        yield tag("p", "Nothing is pending.", class_="soft")
    for revision in plan["revisions"]:
        yield tag("h3", _named(revision))
        rows, left = shown("operations", revision.get("operations", ()))
        more = [f"and {counted(left, 'operation')} more"] if left else [] if rows else ["no operations"]
        yield tag("ul", *map(_operation, rows), *(tag("li", text, class_="soft") for text in more))
        if revision.get("error"):
            yield tag("p", _chip("not known from here on", "warn"), " ", tag("bdi", revision["error"]))


def _operation(operation: Document) -> Html:
    kind = operation["operation"]
    sign, look = next((entry for prefix, entry in _SIGNS.items() if kind.startswith(prefix)), ("~", "warn"))
    loses = [("loses data", "bad", operation["loses"])] if operation.get("loses") else []
    probes = [(probe["level"], _LOOKS[probe["level"]], probe["text"]) for probe in operation.get("probes", ())]
    below = [tag("li", _chip(level, look), " ", tag("bdi", text)) for level, look, text in (*loses, *probes)]
    return tag(
        "li",
        tag("span", sign, class_=f"sign {look}"),
        tag("bdi", operation["description"]),
        tag("ul", *below) if below else None,
        class_="op",
    )


def _chip(text: str, look: str, *, minor: bool = False) -> Html:
    return tag("span", text, class_=f"chip {look}{' minor' if minor else ''}".rstrip())


def difference(document: Document | None) -> Iterator[Html]:
    """What would bring the database to the models."""
    if document is None:
        return
    rows, left = shown("operations", document["operations"])
    if not rows:
        yield tag("p", "Database and models agree.", class_="soft")
    yield tag("ul", *map(_operation, rows))
    if left:
        yield tag("p", f"and {counted(left, 'operation')} more", class_="soft")
    if document.get("notes"):
        yield tag("ul", *(tag("li", tag("bdi", note), class_="soft") for note in document["notes"]))


def findings(lint: Document | None) -> Iterator[Html]:
    """What lint has found, by file."""
    if lint is None:
        return
    rows, left = shown("findings", lint["findings"])
    if not rows:
        checked = lint.get("checked", 0)
        yield tag("p", f"Nothing found in {counted(checked, 'file')}.", class_="soft")
    for file, group in groupby(rows, key=lambda finding: finding["file"]):
        yield tag("h3", tag("bdi", file, class_="mono"))
        yield tag("ul", *map(_finding, group))
    if left:
        yield tag("p", f"and {counted(left, 'finding')} more", class_="soft")
    if silenced := len(lint.get("silenced", ())):
        yield tag("p", f"{counted(silenced, 'finding')} silenced by comments.", class_="soft")


def _finding(finding: Document) -> Html:
    chip = _chip(finding["severity"], _LOOKS[finding["severity"]])
    return tag("li", chip, f" {finding['code']}, line {finding['line']}: ", tag("bdi", finding["message"]))


def graph(drawn: Document | None) -> Iterator[Html]:
    """The history as a picture, with a list beside it."""
    if drawn is None or not drawn["revisions"]:
        return
    rows, left = shown("graph", drawn["revisions"])
    nodes = [
        Node(row["revision"], row["message"], tuple(row["down_revision"]), tuple(row["depends_on"]), row["state"])
        for row in rows
    ]
    listed = tag("div", *map(_row, rows), class_="rows")
    picture = tag("div", svg(nodes), class_="lanes", tabindex=0)
    yield tag("div", picture, listed, class_="graph", tabindex=0, role="group", aria_label="Revision graph")
    if left:
        yield tag("p", f"and {figure(left)} older {plural(left, 'revision')}", class_="soft")


def _row(revision: Document) -> Html:
    chips = [_chip(label, "", minor=True) for label in revision.get("branch_labels", ())]
    if revision["state"] != "unknown":
        chips.append(_chip(revision["state"], _LOOKS[revision["state"]]))
    message = tag("bdi", revision["message"], class_="text", title=revision["message"])
    return tag("div", _id(revision["revision"]), message, *chips, class_="row")


def collections(listed: Sequence[Document] | None) -> Iterator[Html]:
    """Documents, sizes, indexes and their uses."""
    if not listed:
        return
    columns = ("Collection", "Documents", "Data", "On disk", "Indexes")
    yield _table(columns, (30, 11, 9, 9, 41), map(_collection, listed), numbers=(1, 2, 3))


def _collection(collection: Document) -> list[Html]:
    kind = _chip("time series" if collection["kind"] == "timeseries" else collection["kind"], "")
    name = tag("bdi", collection["collection"], class_="mono")
    named = tag("span", name, *([] if collection["kind"] == "collection" else [" ", kind]))
    listed = (
        tag("ul", *map(_index, collection["indexes"]), class_="indexes") if collection["indexes"] else tag("span", "-")
    )
    figures = (figure(collection["documents"]), size(collection["bytes"]), size(collection["storage_bytes"]))
    return [named, *(tag("span", text) for text in figures), listed]


def _index(index: Document) -> Html:
    facts = [*(["unique"] if index.get("unique") else []), size(index.get("bytes"))]
    return tag("li", tag("bdi", index["index"], class_="mono"), f" {', '.join(facts)}; uses: {use(index)}")


def history(records: Sequence[Document] | None) -> Iterator[Html]:
    """What was run, newest first."""
    if not records:
        return
    rows, left = shown("history", records)
    columns = ("Revision", "Message", "State", "When", "Took", "By")
    yield _table(columns, (17, 31, 10, 17, 9, 16), map(_record, rows), numbers=(4,))
    if left:
        yield tag("p", f"and {figure(left)} older {plural(left, 'revision')}", class_="soft")


def _record(record: Document) -> list[Html]:
    name = "stamped" if record.get("stamped") else record["state"]
    when = record.get("finished_at") or record.get("stopped_at") or record.get("started_at")
    return [
        _id(record["revision"]),
        tag("bdi", record["message"]),
        _chip(name, _LOOKS[record["state"]]),
        tag("span", moment(when)),
        tag("span", took(record.get("milliseconds"))),
        tag("bdi", by_whom(record)),
    ]


def refused(reasons: Sequence[str] | None) -> Iterator[Html]:
    """What the report could not find out, and why."""
    if reasons:
        yield tag("ul", *(tag("li", tag("bdi", reason)) for reason in reasons))


def _table(columns: Sequence[str], widths: Sequence[int], rows: Any, *, numbers: Sequence[int] = ()) -> Html:
    """A table of cells; ``widths`` are percentages, ``numbers`` the columns that stand to the right."""

    def cell(place: int, content: Html) -> Html:
        return tag("td", content, class_="num" if place in numbers else None, data_label=columns[place])

    head = tag("tr", *(tag("th", name, class_="num" if at in numbers else None) for at, name in enumerate(columns)))
    body = (tag("tr", *(cell(place, content) for place, content in enumerate(row))) for row in rows)
    sizes = tag("colgroup", *(tag("col", style=f"width:{width}%") for width in widths))
    return tag("table", sizes, tag("thead", head), tag("tbody", *body))
