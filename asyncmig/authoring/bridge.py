"""Bridges: an index that does another's work while that one is away between drop and creation.

The server takes two indexes for one when key, uniqueness, sparseness, collation, partial filter and
wildcard projection are equal, and neither lets a second one of a name nor a second one of these be
created. An index that has to give way to its successor of the same name (or of the same definition)
would leave a gap. A bridge fills it: as strong as the successor, used for the same queries, and yet
another index to the server.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import count

from asyncmig.schema import text
from asyncmig.schema.index import Index
from asyncmig.schema.normal import signature

__all__ = ["clash", "equivalents", "is_bridge", "is_text", "named"]

_MARK = "__asyncmig_bridge"


def is_bridge(name: str) -> bool:
    """Whether that is the name of a bridge: ours to drop, wherever one is left over from a crash."""
    return _MARK in name


def named(bridge: Index, successor: Index, taken: Collection[str]) -> Index:
    """The bridge under a name of its own, which tells for whom it stands in."""
    names = (f"{successor.name}{_MARK}{number or ''}" for number in count())
    return bridge.replace(name=next(name for name in names if name not in taken))


def equivalents(index: Index) -> Iterator[Index]:
    """Indexes that serve and guard just as ``index`` does, and which the server takes for others; best first.

    Every number in the key turned round: the server walks it backwards. Else the partial filter
    ``{}``, which every document passes and every query implies. A sparse index without numbers
    becomes one that is not: it has more in it, not less. A collection can have but one text index.
    """
    if is_text(index):
        return
    numbers = [direction for _, direction in index.keys if isinstance(direction, (int, float))]
    if numbers and not any("$**" in field for field, _ in index.keys):
        turned = [(field, -d if isinstance(d, (int, float)) else d) for field, d in index.keys]
        yield Index(turned, **index.options)
    if index.options.get("sparse"):
        if not numbers:
            yield index.replace(sparse=None)
    elif "partialFilterExpression" not in index.options:
        yield index.replace(partialFilterExpression={})


def clash(index: Index, other: Index) -> bool:
    """Whether the server refuses to have both: one name, one signature, or two text indexes."""
    return index.name == other.name or (is_text(index) and is_text(other)) or signature(index) == signature(other)


def is_text(index: Index) -> bool:
    """Whether it is a text index, of which a collection can have one."""
    return text.is_text(index.keys)
