"""The operations of a difference in the order in which somebody reads them: one collection after the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from asyncmig.operations import CreateCollection, CreateIndexes, Operation
from asyncmig.operations.several import MIN_GATHERED

__all__ = ["by_collection"]


def by_collection(operations: Iterable[Operation]) -> list[Operation]:
    """The operations of each collection together, in the order in which the collections appear first.

    Within a collection their order stays. Many new collections stay together with their indexes, before
    everything else, so that they can be made several at a time.
    """
    steps = list(operations)
    first = _many_new(steps)
    placed = {id(step) for step in first}
    rest = [step for step in steps if id(step) not in placed]
    groups: dict[str, list[Operation]] = {}
    for step in rest:
        groups.setdefault(step.collection, []).append(step)
    return [*first, *(step for group in groups.values() for step in group)]


def _many_new(steps: Sequence[Operation]) -> list[Operation]:
    new = [step.collection for step in steps if isinstance(step, CreateCollection)]
    if len(new) < MIN_GATHERED:
        return []
    names = set(new)
    return [step for step in steps if isinstance(step, CreateCollection | CreateIndexes) and step.collection in names]
