"""The way back: the reverse of each operation, last one first."""

from __future__ import annotations

from collections.abc import Sequence

from asyncmig.operations.base import Operation
from asyncmig.operations.collections import DropCollection
from asyncmig.operations.indexes import DropIndex

__all__ = ["mirror"]


def mirror(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    """What undoes ``operations``, in the order to run it.

    Indexes of a collection that is dropped whole are not dropped one by one before. Raises
    IrreversibleOperation where one of them has no reverse.
    """
    back = [step for operation in reversed(operations) for step in operation.reverse()]
    return tuple(step for place, step in enumerate(back) if not _goes_with_its_collection(step, back[place + 1 :]))


def _goes_with_its_collection(step: Operation, later: Sequence[Operation]) -> bool:
    return isinstance(step, DropIndex) and any(
        isinstance(other, DropCollection) and other.collection == step.collection for other in later
    )
