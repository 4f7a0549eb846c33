"""``CreateCollections``: many new collections with their indexes, as one operation.

Nothing in a new collection can stand in the way of another one, so they may be made in any order and several
at a time, which a server does faster than one after the other (``benchmarks/introspect.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from asyncmig.operations.base import Operation
from asyncmig.operations.collections import CreateCollection, DropCollection, RenameCollection
from asyncmig.operations.indexes import CreateIndexes
from asyncmig.printable import counted
from asyncmig.schema.index import Index

__all__ = ["MIN_GATHERED", "CreateCollections", "NewCollection", "gathered", "spread"]

MIN_GATHERED: Final = 16
"""From how many new collections in a row on they are written into a revision file as one operation."""

_NAMED = 3  # collections that a description names

_Kind = TypeVar("_Kind", bound=Operation)


@dataclass(frozen=True, slots=True)
class NewCollection:
    """One of them: ``options`` as ``create`` spells them, and the indexes besides the one on ``_id``."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()

    @property
    def operations(self) -> tuple[CreateCollection | CreateIndexes, ...]:
        """What it comes to when it is made alone."""
        made = CreateCollection(self.name, self.options)
        return (made, CreateIndexes(self.name, self.indexes)) if self.indexes else (made,)


@dataclass(frozen=True, slots=True)
class CreateCollections(Operation):
    """``create`` and ``createIndexes`` for each of several collections.

    https://www.mongodb.com/docs/manual/reference/command/create/
    """

    collection: str = field(init=False)
    """The first one's name."""
    created: tuple[NewCollection, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "collection", self.created[0].name if self.created else "")

    def describe(self) -> str:
        names = [collection.name for collection in self.created]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        indexes = sum(len(collection.indexes) for collection in self.created)
        with_them = f" with {counted(indexes, 'index')}" if indexes else ""
        return f"create {counted(len(names), 'collection')}{with_them}: {', '.join(names[:_NAMED])}{more}"

    def reverse(self) -> tuple[Operation, ...]:
        return tuple(DropCollection(collection.name) for collection in reversed(self.created))


def spread(operations: Iterable[Operation]) -> Iterator[Operation]:
    """The same operations, with every collection and its indexes created by operations of its own."""
    for operation in operations:
        if isinstance(operation, CreateCollections):
            for collection in operation.created:
                yield from collection.operations
        else:
            yield operation


def gathered(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """The same operations, with many new collections in a row as one operation.

    Their indexes are taken along from wherever they stand, unless something else is done with the
    collection before.
    """
    result: list[Operation] = []
    rest = list(operations)
    while rest:
        run, rest = _run(rest)
        if len({operation.collection for operation in run}) < MIN_GATHERED:
            result += run or [rest.pop(0)]
            continue
        made = {
            creation.collection: NewCollection(creation.collection, creation.options)
            for creation in _of(run, CreateCollection)
        }
        for creation in _of(run, CreateIndexes):
            made[creation.collection] = _with(made[creation.collection], creation)
        rest = _taken_along(made, rest)
        result.append(CreateCollections(tuple(made.values())))
    return tuple(result)


def _run(operations: Sequence[Operation]) -> tuple[list[Operation], list[Operation]]:
    """The creations that ``operations`` begins with, each collection's once, and what comes after them."""
    made: dict[str, set[str]] = {}
    """By collection the names of its indexes."""
    for place, operation in enumerate(operations):
        if isinstance(operation, CreateCollection) and operation.collection not in made:
            made[operation.collection] = set()
        elif (
            isinstance(operation, CreateIndexes)
            and operation.collection in made
            and not made[operation.collection] & _names(operation)
        ):
            made[operation.collection] |= _names(operation)
        else:
            return list(operations[:place]), list(operations[place:])
    return list(operations), []


def _taken_along(made: dict[str, NewCollection], rest: Sequence[Operation]) -> list[Operation]:
    """``rest`` without the indexes of these collections, which go into ``made``."""
    left: list[Operation] = []
    open_: set[str] = set(made)
    for operation in rest:
        if (
            isinstance(operation, CreateIndexes)
            and operation.collection in open_
            and _is_apart(made[operation.collection], operation)
        ):
            made[operation.collection] = _with(made[operation.collection], operation)
            continue
        open_ -= {operation.collection, *([operation.new] if isinstance(operation, RenameCollection) else ())}
        left.append(operation)
    return left


def _is_apart(made: NewCollection, operation: CreateIndexes) -> bool:
    """Whether no index of the name is there yet: a list of indexes with two of one name would be refused."""
    return not {index.name for index in made.indexes} & _names(operation)


def _names(operation: CreateIndexes) -> set[str]:
    return {index.name for index in operation.indexes}


def _with(made: NewCollection, operation: CreateIndexes) -> NewCollection:
    return replace(made, indexes=made.indexes + operation.indexes)


def _of(operations: Iterable[Operation], kind: type[_Kind]) -> list[_Kind]:
    return [operation for operation in operations if isinstance(operation, kind)]
