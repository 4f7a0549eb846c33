"""The report as one page of HTML: no script, nothing from the network, nothing of a document's contents. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from asyncmig.printable import counted
from asyncmig.report.facts import SECTIONS, Tile, tiles, title
from asyncmig.report.markup import Html, join, tag
from asyncmig.report.redacting import redacted
from asyncmig.report.sections import collections, difference, findings, graph, history, pending, refused, state
from asyncmig.report.style import STYLE
from asyncmig.report.wording import moment

__all__ = ["as_html"]

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def as_html(document: Mapping[str, Any]) -> str:
    """The page of a report's document; a section of which nothing is known is left out."""
    document = redacted(document)
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title(document)),
        tag("style", Html(STYLE)),
    )
    body = tag("body", _header(document), tag("main", _tiles(tiles(document)), *_sections(document)), _footer(document))
    return f"<!DOCTYPE html>\n{tag('html', head, body, lang='en')}\n"


def _header(document: Mapping[str, Any]) -> Html:
    database = document.get("database") or {}
    facts = [
        f"MongoDB {database['server']}" if database.get("server") else None,
        ", ".join(database.get("hosts", ())) or None,
        moment(document.get("made_at")) if document.get("made_at") else None,
    ]
    return tag(
        "header",
        tag("h1", tag("bdi", title(document))),
        tag("p", " · ".join(fact for fact in facts if fact), class_="soft"),
    )


def _tiles(tiles: Sequence[Tile]) -> Html:
    return tag(
        "div",
        *(tag("div", tag("b", tile.value), tag("span", tile.name), class_=f"tile {tile.look}") for tile in tiles),
        class_="tiles",
    )


_MAKERS: Final[Mapping[str, Callable[[Any], Iterable[Html]]]] = {
    "status": state,
    "plan": pending,
    "difference": difference,
    "lint": findings,
    "graph": graph,
    "collections": collections,
    "history": history,
    "refused": refused,
}


def _sections(document: Mapping[str, Any]) -> Iterator[Html]:
    for name, heading in SECTIONS.items():
        if content := join(_MAKERS[name](document.get(name))):
            yield tag("section", tag("h2", heading), content)


def _footer(document: Mapping[str, Any]) -> Html:
    count = len(document.get("collections") or ())
    contents = f" · {counted(count, 'collection')}" if count else ""
    return tag("footer", f"asyncmig {document.get('version') or ''}{contents} · no document contents are in this file")
