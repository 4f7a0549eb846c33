"""Lay out a Python expression on lines, as ``ruff format`` and Black do.

Generated files are read, edited and kept under the same formatter as the rest of a project, so the
layout follows that formatter's rules; they are few, because only calls, lists, tuples and
dictionaries are ever written:

- what fits on the line stays on it;
- the arguments of a call that does not fit go on one line of their own, where they fit there;
- otherwise each item gets a line, with a trailing comma where there is more than one item;
- a trailing comma that is there already keeps its brackets open ("magic trailing comma").

https://docs.astral.sh/ruff/formatter/
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

__all__ = ["LINE_LENGTH", "Node", "call", "flat", "lay_out", "listing", "mapping", "text", "tuple_"]

LINE_LENGTH = 120
_STEP = 4


@dataclass(frozen=True, slots=True)
class Node:
    """An expression: a text, or brackets with items between them. Made by the functions below."""

    head: str
    """The whole text, or all of it up to and with the opening bracket."""
    items: tuple[Node, ...] = ()
    tail: str = ""
    shares_line: bool = False
    """Whether the items of broken brackets may share one line: true of a call's arguments."""
    expanded: bool = False
    """Whether each item gets its own line even where all would fit on one."""
    forced: bool = False
    """Whether this node, or one in it, is expanded."""
    least: int = 0
    """The width on one line in columns, if every character of doubtful width takes none."""
    most: int = 0
    """The same, if every such character takes as much as any can."""

    def prefixed(self, prefix: str) -> Node:
        """The same behind a prefix such as ``await `` or ``name=``."""
        least, most = _width(prefix)
        return Node(
            prefix + self.head,
            self.items,
            self.tail,
            self.shares_line,
            self.expanded,
            self.forced,
            self.least + least,
            self.most + most,
        )


def text(source: str) -> Node:
    """A source text that cannot be broken: a name, a number, a string."""
    least, most = _width(source)
    return Node(source, least=least, most=most)


def call(function: str, *arguments: Node) -> Node:
    """``function(argument, ...)``."""
    return _bracketed(f"{function}(", arguments, ")", shares_line=True)


def listing(items: Iterable[Node], *, expanded: bool = False) -> Node:
    """``[item, ...]``."""
    return _bracketed("[", tuple(items), "]", expanded=expanded)


def tuple_(items: Iterable[Node]) -> Node:
    """``(item, ...)``."""
    held = tuple(items)
    return _bracketed("(", held, ",)" if len(held) == 1 else ")")


def mapping(items: Iterable[Node]) -> Node:
    """``{"key": value, ...}``; the items are the values, each prefixed with its key."""
    return _bracketed("{", tuple(items), "}")


def flat(node: Node) -> str:
    """The node on one line, however long."""
    return node.head + ", ".join(flat(item) for item in node.items) + node.tail


def lay_out(node: Node, room: int = LINE_LENGTH, after: str = "") -> list[str]:
    """The node's lines within ``room`` columns, without indentation of their own; ``after`` ends the last one."""
    if not node.items or (not node.forced and node.most + len(after) <= room):
        return [flat(node) + after]
    return [node.head, *(" " * _STEP + line for line in _inner(node, room, after)), node.tail.lstrip(",") + after]


def _inner(node: Node, room: int, after: str) -> list[str]:
    least, most = _inner_width(node.items)
    doubtful = not node.forced and node.least + len(after) <= room
    if node.shares_line and not node.forced and not doubtful:
        if most <= room - _STEP:
            return [", ".join(flat(item) for item in node.items)]
        doubtful = least <= room - _STEP
    # Where the formatter might come to another width than we did, the trailing comma settles it.
    several = len(node.items) > 1 or node.tail.startswith(",")
    comma = "," if several or node.expanded or doubtful else ""
    return [line for item in node.items for line in lay_out(item, room - _STEP, comma)]


def _inner_width(items: Sequence[Node]) -> tuple[int, int]:
    commas = 2 * (len(items) - 1)
    return sum(item.least for item in items) + commas, sum(item.most for item in items) + commas


def _bracketed(
    head: str, items: Sequence[Node], tail: str, *, shares_line: bool = False, expanded: bool = False
) -> Node:
    inside = tuple(items)
    least, most = _inner_width(inside) if inside else (0, 0)
    ends = len(head) + len(tail)
    forced = expanded or any(item.forced for item in inside)
    return Node(head, inside, tail, shares_line, expanded, forced, least + ends, most + ends)


def _width(source: str) -> tuple[int, int]:
    if source.isascii():
        return len(source), len(source)
    widths = [_character_width(character) for character in source]
    return sum(least for least, _ in widths), sum(most for _, most in widths)


def _character_width(character: str) -> tuple[int, int]:
    """Columns as Unicode's tables give them, which differ by version: 0 to 3 outside the settled blocks."""
    if character.isascii() or ("\u00a1" <= character < "\u0530" and character.isalpha()):
        return 1, 1
    if "\u4e00" <= character <= "\u9fff" or "\uac00" <= character <= "\ud7a3":
        return 2, 2
    return 0, 3
