"""The page and the Markdown of a report: whatever stands in the documents is text, and nothing else."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import html5lib
import pytest
from markdown_it import MarkdownIt

from asyncmig.cli.json_schemas import DOCUMENTS
from asyncmig.cli.json_schemas.checking import faults
from asyncmig.printable import one_line
from asyncmig.report.documents import joined, part_of
from asyncmig.report.drawing import Node
from asyncmig.report.html_page import as_html
from asyncmig.report.lanes import layout
from asyncmig.report.markdown import as_markdown
from asyncmig.report.wording import size, took

from .hostile import NAMES, SECRET, hostile

ELEMENTS = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "main",
    "header",
    "footer",
    "section",
    "h1",
    "h2",
    "h3",
    "p",
    "div",
    "span",
    "bdi",
    "b",
    "ul",
    "li",
    "dl",
    "dt",
}
ELEMENTS |= {"dd", "table", "colgroup", "col", "thead", "tbody", "tr", "th", "td", "svg", "path", "circle"}
ATTRIBUTES = {
    "lang",
    "charset",
    "http-equiv",
    "content",
    "name",
    "class",
    "title",
    "role",
    "tabindex",
    "style",
    "data-label",
    "aria-label",
}
ATTRIBUTES |= {"width", "height", "viewBox", "d", "cx", "cy", "r"}


@pytest.fixture(scope="module")
def page() -> str:
    return as_html(hostile())


def test_the_documents_here_are_real_ones() -> None:
    assert list(faults(hostile(), DOCUMENTS["report"][0])) == []


def test_the_page_is_html_in_which_every_name_is_text(page: str) -> None:
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    tree = parser.parse(page)
    elements = [one for one in tree.iter() if isinstance(one.tag, str)]
    assert {one.tag.rpartition("}")[2] for one in elements} <= ELEMENTS
    assert {name for one in elements for name in one.attrib} <= ATTRIBUTES
    assert {one.get("style") for one in elements if one.get("style")} <= {f"width:{n}%" for n in range(100)}
    told = "".join(text for one in elements if one.tag != "style" for text in one.itertext())
    for name in NAMES:
        assert one_line(name) in told
    assert "\u202e" not in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", page)


def test_the_page_asks_for_nothing_and_holds_no_values_of_documents(page: str) -> None:
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src &#x27;none&#x27;" in page
    assert SECRET not in page
    assert SECRET not in as_markdown(hostile())


@pytest.mark.parametrize("part", [*hostile(3, 3), None])
def test_what_is_not_known_is_left_out(part: str | None) -> None:
    document = {name: value for name, value in hostile(3, 3).items() if name != part} if part else {}
    html5lib.HTMLParser(strict=True).parse(as_html(document))
    assert as_markdown(document).startswith("## Migrations")


def test_a_long_history_is_cut_and_says_so() -> None:
    page = as_html(hostile(5000, 100))
    assert len(page.encode()) < 1_000_000
    assert "and 4,500 older revisions" in page
    assert "and 4,900 older revisions" in as_markdown(hostile(5000, 100))


def test_in_markdown_every_name_is_text() -> None:
    text = as_markdown(hostile(60, 60))
    reader = MarkdownIt("commonmark").enable("table")
    drawing = re.search(r"(?s)```mermaid\n.*?\n```\n", text)
    assert drawing is not None
    allowed = {"text", "strong_open", "strong_close", "softbreak", "html_inline"}
    for token in reader.parse(text.replace(drawing[0], "")):
        for child in token.children or ():
            assert child.type in allowed, (child.type, token.content[:100])
            assert child.type != "html_inline" or child.content == "<br>", token.content[:100]
    rendered = reader.render(text)
    assert "<script" not in rendered
    assert "<img" not in rendered
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e\u2028]", text)
    assert not re.search(r"(?<![\w;&])(?:https?://|www\.|@someone|#12)", text.replace(drawing[0], ""))


@pytest.mark.parametrize(
    ("edges", "lanes"),
    [
        ("c-b b-a a", [0, 0, 0]),
        ("d-c,b c-a b-a a", [0, 0, 1, 0]),
        ("c-a b-a a", [0, 1, 0]),
        ("d-b c-a b a", [0, 1, 0, 1]),
        ("e-d,c,b d-a c-a b-a a", [0, 0, 1, 2, 0]),
        ("b-gone a", [0, 1]),
    ],
)
def test_lanes(edges: str, lanes: list[int]) -> None:
    nodes = [
        Node(name, parents=tuple(parents.split(",")) if parents else ())
        for name, _, parents in (one.partition("-") for one in edges.split())
    ]
    made = layout(nodes)
    rows = {node.name: row for row, node in enumerate(nodes)}
    assert made.lanes == lanes
    assert {(edge.row, edge.to_row) for edge in made.edges if not edge.is_open} == {
        (rows[node.name], rows[parent]) for node in nodes for parent in node.parents if parent in rows
    }
    for edge in made.edges:  # no edge goes through a revision that is none of its ends
        between = [row for row, lane in enumerate(made.lanes) if edge.row < row < edge.to_row and lane == edge.through]
        assert not between, edge


def test_figures() -> None:
    assert [size(n) for n in (None, 0, 999, 1000, 99_949, 999_499, 999_500, 10**9, 10**12, 10**16)] == [
        *("-", "0 B", "999 B", "1.0 kB", "99.9 kB", "999 kB", "1.0 MB", "1.0 GB", "1.0 TB", "10,000.0 TB")
    ]
    assert [took(n) for n in (None, 5, 9_999, 10_000, 75_000, 7_200_000)] == [
        *("-", "5 ms", "9,999 ms", "10 s", "1 min 15 s", "2 h")
    ]


# -- from documents ------------------------------------------------------------------------------


def test_a_document_is_known_by_its_fields() -> None:
    whole = hostile(3, 3)
    for part in ("status", "plan", "difference", "lint", "graph"):
        assert part_of(whole[part]) == part
    assert part_of(whole) == "report"
    for other in (None, [], "x", {}, {"error": {}}, {"current": []}, {**whole["plan"], "target": "head"}):
        assert part_of(other) is None
    made = joined([whole["status"] | {"error": {}}, whole["lint"], {"lint": None, "version": "2", "made_at": "x"}])
    assert made.keys() == {"status", "lint", "version", "made_at"}
    assert "error" not in made["status"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda d: d.pop("current"), "is nothing that a report is made of"),
        (lambda d: d.update(heads="x"), "$.heads: must be array, not 'x'"),
        (lambda d: d["pending"][0].pop("message"), "$.pending[0]: has no 'message'"),
        (lambda d: d["pending"][0].update(message=None), "$.pending[0].message: must be string, not None"),
        (lambda d: d.update(applied=True), "$.applied: must be integer, not True"),
    ],
)
async def test_a_file_that_is_no_such_document(
    run_cli: Callable[..., Any], tmp_path: Path, change: Callable[[dict[str, Any]], Any], fault: str
) -> None:
    document = hostile(20, 3)["status"]
    change(document)
    (tmp_path / "a.json").write_text(json.dumps(document))
    done = run_cli("report", "--from", "a.json")
    assert (done.returncode, fault in done.stderr) == (2, True), done.stderr
    assert not (tmp_path / "report.html").exists()


def test_from_files_without_a_database(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    whole = hostile(20, 3)
    for name in ("status", "lint"):
        (tmp_path / f"{name}.json").write_text(json.dumps(whole[name]))
    done = run_cli("report", "--from", "status.json", "--from", "lint.json", "--out", "r.html")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Wrote r.html\n")
    assert (tmp_path / "r.html").read_text() == as_html({name: whole[name] for name in ("status", "lint")})
    (tmp_path / "all.json").write_text(json.dumps(whole))
    assert run_cli("report", "--from", "all.json", "--markdown").stdout == as_markdown(whole)
    for text, fault in (("{", "is not JSON"), ("[" * 100_000, "is not JSON"), ("[]", "is nothing that")):
        (tmp_path / "bad.json").write_text(text)
        done = run_cli("report", "--from", "bad.json")
        assert (done.returncode, fault in done.stderr) == (2, True)
    assert run_cli("report", "--from", "none.json").returncode == 2
