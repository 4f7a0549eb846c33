"""Unique in two steps: an index is built plain, under its final name, and then made unique in place.

A unique build fails at the first pair of duplicates, perhaps after hours, and names that one pair. In
two steps the index serves queries meanwhile, new duplicates are refused as soon as it stands, and the
server lists every old one.

https://www.mongodb.com/docs/manual/core/index-unique/convert-to-unique/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from asyncmig.authoring.bridge import clash, is_bridge
from asyncmig.operations import CreateIndexes, DropIndex, ModifyIndex, Operation
from asyncmig.schema.index import Index

__all__ = ["in_two_steps"]


def in_two_steps(operations: Iterable[Operation], present: Sequence[Index]) -> Iterator[Operation]:
    """The operations on one collection's indexes, ``present`` at first, with unique ones made in two steps.

    Not those that a plain one of the same keys would stand in the way of, and not the kinds that
    cannot be made unique in place.
    """
    standing = [*present]
    for operation in operations:
        if isinstance(operation, CreateIndexes):
            plain = {index.name: _plain(index, [*standing, *operation.indexes]) for index in operation.indexes}
            built = tuple(plain[index.name] or index for index in operation.indexes)
            yield CreateIndexes(operation.collection, built)
            yield from (
                ModifyIndex(operation.collection, name, {"unique": True}, was=())
                for name, index in plain.items()
                if index
            )
            standing += operation.indexes
        else:
            yield operation
            if isinstance(operation, DropIndex):
                standing = [index for index in standing if index.name != operation.name]


def _plain(index: Index, beside: Sequence[Index]) -> Index | None:
    """The index without uniqueness, where it can be built so and be made unique in place."""
    if not index.options.get("unique") or is_bridge(index.name) or _is_excluded(index):
        return None
    plain = index.replace(unique=None)
    in_the_way = any(clash(plain, other) for other in beside if other.name != index.name)
    return None if in_the_way else plain


def _is_excluded(index: Index) -> bool:
    """Wildcard keys end a MongoDB 6.0 server, hashed ones cannot be unique."""
    return any("$**" in field or kind == "hashed" for field, kind in index.keys) or "$**" in index.options.get(
        "weights", {}
    )
