"""The history as a picture: lanes in the terminal, Mermaid for GitHub, DOT for Graphviz. Pure: nodes in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from asyncmig.printable import one_line

__all__ = ["Node", "State", "ascii_only", "dot", "lanes", "mermaid"]

State = Literal["unknown", "applied", "pending", "failed", "current"]

_SYMBOLS: Mapping[State, str] = {"unknown": "●", "applied": "●", "pending": "○", "failed": "✗", "current": "◉"}
_ASCII = str.maketrans("●○✗◉│─├┤┼╮╯╭╰", "*ox@|-||+\\//\\")
_FILLS: Mapping[State, str] = {"applied": "#d5f5d5", "pending": "#eeeeee", "failed": "#f9d0d0", "current": "#9fe09f"}


@dataclass(frozen=True, slots=True)
class Node:
    """One revision in a picture, with the ids below it."""

    name: str
    text: str = ""
    parents: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    state: State = "unknown"


def ascii_only(line: str) -> str:
    """A line of :func:`lanes` for a terminal that has no box-drawing characters."""
    return line.translate(_ASCII)


def lanes(nodes: Iterable[Node]) -> Iterator[tuple[str, Node | None]]:
    """Lines of a drawing with one lane per branch, children before parents, and the node that a line shows.

    ``nodes`` come newest first: each before all of its parents.
    """
    awaited: list[str | None] = []
    for node in nodes:
        places = [place for place, name in enumerate(awaited) if name == node.name]
        if not places:
            places = [_free(awaited)]
        at = places[0]
        awaited[at] = node.name
        for other in reversed(places[1:]):
            yield _join(awaited, at, other, "╯"), None
            awaited[other] = None
        _trim(awaited)
        yield " ".join(_SYMBOLS[node.state] if i == at else _bar(lane) for i, lane in enumerate(awaited)), node
        awaited[at] = node.parents[0] if node.parents else None
        for parent in node.parents[1:]:
            yield _fork(awaited, at, parent), None
        _trim(awaited)


def _fork(awaited: list[str | None], at: int, parent: str) -> str:
    """The line from a merge to one more parent, in a lane that waits for it already or in a new one."""
    if parent in awaited:
        other = awaited.index(parent)
        return "" if other == at else _join(awaited, at, other, "┤" if other > at else "├")
    other = _free(awaited)
    awaited[other] = parent
    return _join(awaited, at, other, "╮" if other > at else "╭")


def _join(awaited: Sequence[str | None], at: int, other: int, corner: str) -> str:
    """A line that links two lanes; ``corner`` stands in the other one."""
    first, last = min(at, other), max(at, other)
    line = ""
    for place, lane in enumerate(awaited):
        within = first < place < last
        symbol = "┼" if within and lane else "─" if within else _bar(lane)
        if place == at:
            symbol = "├" if other > at else "┤"
        elif place == other:
            symbol = corner
        line += symbol + ("─" if first <= place < last else " ")
    return line.rstrip()


def _free(awaited: list[str | None]) -> int:
    """The first lane that nobody uses, made if there is none."""
    if None not in awaited:
        awaited.append(None)
    return awaited.index(None)


def _trim(awaited: list[str | None]) -> None:
    while awaited and awaited[-1] is None:
        awaited.pop()


def _bar(lane: str | None) -> str:
    return " " if lane is None else "│"


def mermaid(nodes: Sequence[Node]) -> Iterator[str]:
    """Lines of a Mermaid flowchart, which GitHub renders (https://mermaid.js.org/syntax/flowchart.html)."""
    yield "flowchart BT"
    for node in nodes:
        text = "<br/>".join(_escaped(part) for part in (node.name, node.text) if part)
        state = "" if node.state == "unknown" else f":::{node.state}"
        yield f'    {_key(node.name)}["{text}"]{state}'
    for node in nodes:
        yield from (f"    {_key(node.name)} --> {_key(parent)}" for parent in node.parents)
        yield from (f"    {_key(node.name)} -.-> {_key(need)}" for need in node.depends_on)
    shown = {node.state for node in nodes}
    yield from (f"    classDef {state} fill:{fill},color:#000" for state, fill in _FILLS.items() if state in shown)


def dot(nodes: Sequence[Node]) -> Iterator[str]:
    """Lines of a graph in the DOT language (https://graphviz.org/doc/info/lang.html)."""
    yield "digraph history {"
    yield "    rankdir=BT; node [shape=box, style=filled, fillcolor=white];"
    for node in nodes:
        fill = f", fillcolor={_quoted(_FILLS[node.state])}" if node.state != "unknown" else ""
        label = f"{node.name}\n{node.text}" if node.text else node.name
        yield f"    {_quoted(node.name)} [label={_quoted(label)}{fill}];"
    for node in nodes:
        yield from (f"    {_quoted(node.name)} -> {_quoted(parent)};" for parent in node.parents)
        yield from (f"    {_quoted(node.name)} -> {_quoted(need)} [style=dashed];" for need in node.depends_on)
    yield "}"


def _key(name: str) -> str:
    """A name that Mermaid takes as an identifier; the text says the real one."""
    return "r" + "".join(char if char.isascii() and char.isalnum() else f"_{ord(char):x}_" for char in name)


def _escaped(text: str) -> str:
    named = {'"': "#quot;", "#": "#35;", "&": "#amp;", "<": "#lt;", ">": "#gt;"}
    return "".join(named.get(char, char) for char in one_line(text.replace("\n", " ")))


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
