"""The way back: the reverse of each operation, last one first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from asyncmig.operations.base import Operation
from asyncmig.operations.collections import DropCollection
from asyncmig.operations.indexes import CreateIndexes, DropIndex

__all__ = ["reverse"]


def reverse(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """What undoes ``operations``, in the order to run it.

    Indexes of a collection that is dropped whole are not dropped one by one before, and those of a
    collection that come back one after the other come back in one command. Raises
    IrreversibleOperation where one of the operations has no reverse.
    """
    back = [step for operation in reversed(operations) for step in operation.reverse()]
    return tuple(_gathered(_needed(back)))


def _needed(steps: Sequence[Operation]) -> list[Operation]:
    kept: list[Operation] = []
    dropped: set[str] = set()
    for step in reversed(steps):
        if isinstance(step, DropCollection):
            dropped.add(step.collection)
        if not (isinstance(step, DropIndex) and step.collection in dropped):
            kept.append(step)
    return kept[::-1]


def _gathered(steps: Iterable[Operation]) -> Iterator[Operation]:
    """Adjacent creations of one collection's indexes as one, so that the server scans the collection once."""
    waiting: CreateIndexes | None = None
    for step in steps:
        if isinstance(step, CreateIndexes) and waiting and step.collection == waiting.collection:
            waiting = CreateIndexes(step.collection, waiting.indexes + step.indexes)
            continue
        if waiting:
            yield waiting
        waiting = step if isinstance(step, CreateIndexes) else None
        if waiting is None:
            yield step
    if waiting:
        yield waiting
