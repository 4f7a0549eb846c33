"""``Span``: a range of ``_id``s, and the order in which a collection is walked through, whatever types they have.

A comparison such as ``{"$gt": 5}`` only ever finds values of its own kind: numbers with numbers,
texts with texts. So the walk goes kind by kind, in the order in which MongoDB sorts them, and a range
never reaches from one into the next. All of it is served by the index on ``_id``.

https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from asyncmig.drivers.base import Document

__all__ = ["KINDS", "Kind", "Place", "Span", "spans"]


@dataclass(frozen=True, slots=True)
class Kind:
    """Values that compare with one another. ``is_cut``: whether there can be so many that ranges of them are needed."""

    name: str
    types: tuple[str, ...]
    all: Mapping[str, Any]
    """A condition that holds for every value of the kind, and for no other."""
    is_cut: bool = True


KINDS: Final = (
    Kind("minKey", ("minKey",), {"$type": "minKey"}, is_cut=False),
    Kind("null", ("undefined", "null"), {"$type": ["undefined", "null"]}, is_cut=False),
    Kind("nan", ("nan",), {"$eq": float("nan")}, is_cut=False),  # a number that is neither above nor below any other
    Kind("number", ("double", "int", "long", "decimal"), {"$gte": float("-inf")}),
    Kind("string", ("string", "symbol"), {"$gte": ""}),
    Kind("object", ("object",), {"$type": "object"}),
    Kind("binData", ("binData",), {"$type": "binData"}),
    Kind("objectId", ("objectId",), {"$type": "objectId"}),
    Kind("bool", ("bool",), {"$type": "bool"}),
    Kind("date", ("date",), {"$type": "date"}),
    Kind("timestamp", ("timestamp",), {"$type": "timestamp"}),
    Kind("dbPointer", ("dbPointer",), {"$type": "dbPointer"}, is_cut=False),
    Kind("javascript", ("javascript",), {"$type": "javascript"}),
    Kind("javascriptWithScope", ("javascriptWithScope",), {"$type": "javascriptWithScope"}),
    Kind("maxKey", ("maxKey",), {"$type": "maxKey"}, is_cut=False),
)
"""Every kind of value that an ``_id`` can have, as MongoDB sorts them; arrays and regular expressions cannot be one."""

_NAMES: Final = (*(kind.name for kind in KINDS), "end")


@dataclass(frozen=True, slots=True)
class Place:
    """Where among the ``_id``s: just behind ``key`` of the ``kind``-th kind; without a key, before all of it."""

    kind: int = 0
    key: Any = None

    @classmethod
    def at(cls, type_name: str, key: Any) -> Place:
        """The place of a key whose type MongoDB's ``$type`` calls so; of a kind that is not cut, its beginning."""
        name = "nan" if str(key) in ("nan", "NaN") and type_name in ("double", "decimal") else type_name
        kind = next(number for number, kind in enumerate(KINDS) if name in kind.types)
        return cls(kind, key if KINDS[kind].is_cut else None)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Place:
        """The place that a checkpoint holds."""
        return cls(_NAMES.index(document["kind"]), document.get("_id"))

    @property
    def document(self) -> Document:
        """As a checkpoint stores it: the kind by its name."""
        return {"kind": _NAMES[self.kind], "_id": self.key}

    @property
    def behind(self) -> Place:
        """Behind everything that a walk up to here has met: a kind that is not cut is met as a whole."""
        return Place(self.kind + 1) if self.key is None else self


@dataclass(frozen=True, slots=True)
class Span:
    """The ``_id``s of one kind that come after ``after`` and not after ``upto``; None is no bound."""

    kind: int
    after: Any = None
    upto: Any = None

    @property
    def filter(self) -> Document:
        """The condition, as a filter."""
        lower = dict(KINDS[self.kind].all) if self.after is None else {"$gt": self.after}
        return {"_id": lower if self.upto is None else {**lower, "$lte": self.upto}}

    @property
    def is_cut(self) -> bool:
        """Whether it can be divided."""
        return KINDS[self.kind].is_cut

    def head(self, upto: Any) -> Span:
        """The part of it up to and with a key."""
        return replace(self, upto=upto)

    def tail(self, after: Any) -> Span:
        """The part of it behind a key."""
        return replace(self, after=after)

    @property
    def end(self) -> Place:
        """The place behind it: the beginning of the next kind, where it has no upper bound."""
        return Place(self.kind, self.upto).behind


def spans(start: Place, end: Place | None = None) -> Iterator[Span]:
    """What lies between two places, or behind the first one, kind by kind."""
    for kind in range(start.kind, len(KINDS) if end is None else end.kind + 1):
        after = start.key if kind == start.kind else None
        yield Span(kind, after, end.key if end is not None and kind == end.kind else None)
