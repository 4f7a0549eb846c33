"""The revision graph as an inline SVG: one row for each revision, newest on top, one lane for each branch. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from asyncmig.report.drawing import Node
from asyncmig.report.markup import Html, tag

__all__ = ["ROW", "Layout", "layout", "svg"]

ROW = 30
"""The height of a row, in pixels; the list beside the picture has rows of the same height."""
_LANE = 16
_MARGIN = 12
_RADIUS = 5
_COLOURS = 6


@dataclass(frozen=True, slots=True)
class Edge:
    """From a revision down to one of its parents: rows count from the top, lanes from the left.

    ``through``: the lane that it goes down in. ``is_open``: the parent is not in the picture.
    """

    row: int
    lane: int
    through: int
    to_row: int
    to_lane: int
    is_open: bool = False


@dataclass(slots=True)
class Layout:
    """Where each revision stands, and the edges between them."""

    lanes: list[int] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    needs: list[tuple[int, int]] = field(default_factory=list)
    """Pairs of rows: a revision, and one of another branch that it depends on."""

    @property
    def width(self) -> int:
        """In lanes."""
        return max((max(edge.through, edge.lane) for edge in self.edges), default=max(self.lanes, default=0)) + 1


@dataclass(slots=True)
class _Waiting:
    """A lane that waits for a revision: whose children are above it."""

    name: str
    children: list[tuple[int, int]]


def layout(nodes: Sequence[Node]) -> Layout:
    """Put each revision into a lane. ``nodes`` come newest first: each before all of its parents."""
    made, waiting = Layout(), list[_Waiting | None]()
    rows = {node.name: row for row, node in enumerate(nodes)}
    for row, node in enumerate(nodes):
        places = [place for place, lane in enumerate(waiting) if lane is not None and lane.name == node.name]
        at = places[0] if places else _free(waiting)
        made.lanes.append(at)
        for place in places:
            lane = waiting[place]
            made.edges += [Edge(*child, place, row, at) for child in (lane.children if lane else ())]
            waiting[place] = None
        for number, parent in enumerate(node.parents):
            _wait(waiting, parent, (row, at), at if number == 0 else None)
        made.needs += [(row, rows[need]) for need in node.depends_on if need in rows]
    for place, lane in enumerate(waiting):
        left = lane.children if lane else ()
        made.edges += [Edge(*child, place, len(nodes), place, is_open=True) for child in left]
    return made


def _wait(waiting: list[_Waiting | None], parent: str, child: tuple[int, int], at: int | None) -> None:
    """Have a lane wait for the parent: its own for the first one, else one that does already, or a free one."""
    if at is not None:
        waiting[at] = _Waiting(parent, [child])
        return
    for lane in waiting:
        if lane is not None and lane.name == parent:
            lane.children.append(child)
            return
    waiting[_free(waiting)] = _Waiting(parent, [child])


def _free(waiting: list[_Waiting | None]) -> int:
    if None not in waiting:
        waiting.append(None)
    return waiting.index(None)


def svg(nodes: Sequence[Node]) -> Html:
    """The picture alone; the names stand in the list beside it."""
    made = layout(nodes)
    width, height = made.width * _LANE + 2 * _MARGIN - _LANE, len(nodes) * ROW
    lines = [_line(edge) for edge in made.edges]
    lines += [_need(made.lanes[a], a, made.lanes[b], b) for a, b in made.needs]
    dots = [_dot(node, row, lane) for row, (node, lane) in enumerate(zip(nodes, made.lanes, strict=True))]
    label = f"The revision graph: {len(nodes)} revisions, newest on top"
    size = {"width": width, "height": height, "view_box": f"0 0 {width} {height}"}
    return tag("svg", *lines, *dots, role="img", aria_label=label, **size)


def _x(lane: int) -> int:
    return _MARGIN + lane * _LANE


def _y(row: int) -> int:
    return row * ROW + ROW // 2


def _line(edge: Edge) -> Html:
    """Down from the revision, over to the lane, along it, and over to the parent."""
    top, bottom = _y(edge.row), edge.to_row * ROW if edge.is_open else _y(edge.to_row)
    start, middle, end = _x(edge.lane), _x(edge.through), _x(edge.to_lane)
    path = f"M{start} {top}"
    if middle != start:
        path += f"C{start} {top + ROW // 2} {middle} {top + ROW // 2} {middle} {top + ROW}"
    if end != middle:
        path += f"V{bottom - ROW}C{middle} {bottom - ROW // 2} {end} {bottom - ROW // 2} {end} {bottom}"
    else:
        path += f"V{bottom}"
    return tag("path", d=path, class_=f"lane l{edge.through % _COLOURS}{' open' if edge.is_open else ''}")


def _need(lane: int, row: int, other_lane: int, other_row: int) -> Html:
    a, b, far = _x(lane), _x(other_lane), max(_x(lane), _x(other_lane)) + _LANE // 2
    top, bottom = _y(row), _y(other_row)
    return tag("path", d=f"M{a} {top}C{far} {top + ROW} {far} {bottom - ROW} {b} {bottom}", class_="need")


def _dot(node: Node, row: int, lane: int) -> Html:
    return tag("circle", cx=_x(lane), cy=_y(row), r=_RADIUS, class_=f"dot {node.state}")
