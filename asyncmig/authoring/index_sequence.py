"""The order in which indexes come and go, so that none is missing for a moment that the server does not demand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from asyncmig.authoring.bridge import clash, equivalents, named
from asyncmig.operations import CreateIndexes, DropIndex, Operation
from asyncmig.schema.index import Index
from asyncmig.schema.normal import signature

__all__ = ["sequence"]

_MAX_INDEXES = 63  # https://www.mongodb.com/docs/manual/reference/limits/ : 64 a collection, one of them on _id


@dataclass(slots=True)
class _Stage:
    """What stands at which time: the plan while it is being made."""

    present: Sequence[Index]
    dropped: dict[str, DropIndex]
    declared: Sequence[str]
    """The names of what is created, in the order in which it is declared: what waits keeps it, too."""
    first: list[Index]
    later: list[Index]
    bridges: dict[str, Index] = field(default_factory=dict)
    """By the name of the index that each stands in for."""
    spared: list[str] = field(default_factory=list)
    """Old indexes that serve as bridges themselves, and so are dropped last."""

    @property
    def standing(self) -> list[Index]:
        """What stands before the first drop."""
        return [*self.present, *self.first, *self.bridges.values()]

    @property
    def room(self) -> int:
        """How many more indexes may be created at first without ever having too many at once."""
        at_first = len(self.standing)
        at_last = at_first - len(self.dropped) + len(self.spared) + len(self.later)
        return _MAX_INDEXES - max(at_first, at_last)


def sequence(
    collection: str, present: Sequence[Index], created: Sequence[Index], dropped: Iterable[DropIndex]
) -> Iterator[Operation]:
    """Create what may stand beside the old, drop the old, create the rest, drop the bridges.

    What cannot be created before something else is gone (its name or its keys are taken) is
    represented by a bridge for the while: see :mod:`asyncmig.authoring.bridge`. A text index has
    none, nor has an index for which the 64 of a collection leave no room.
    """
    declared = [index.name for index in created]
    stage = _Stage(present, {drop.name: drop for drop in dropped}, declared, *_split(present, created))
    _fit(stage)
    for index in stage.later:
        if _is_missed(index):
            _bridge(stage, index)
    yield from _creation(collection, [*stage.first, *stage.bridges.values()])
    yield from (drop for name, drop in stage.dropped.items() if name not in stage.spared)
    yield from _creation(collection, stage.later)
    yield from (stage.dropped[name] for name in stage.spared)
    for name, bridge in stage.bridges.items():
        yield DropIndex(collection, bridge.name, was=bridge, note=f"it stood in for {name} meanwhile")


def _split(present: Sequence[Index], created: Sequence[Index]) -> tuple[list[Index], list[Index]]:
    """What can be created at once, and what something present stands in the way of."""
    blocked = [any(clash(index, other) for other in present) for index in created]
    return (
        [index for index, waits in zip(created, blocked, strict=True) if not waits],
        [index for index, waits in zip(created, blocked, strict=True) if waits],
    )


def _fit(stage: _Stage) -> None:
    """Let the last of those wait that would be too many beside the old ones."""
    while stage.first and stage.dropped and len(stage.present) + len(stage.first) > _MAX_INDEXES:
        stage.later.append(stage.first.pop())
    stage.later.sort(key=lambda index: stage.declared.index(index.name))


def _is_missed(index: Index) -> bool:
    return bool(index.options.get("unique")) or not index.options.get("hidden")


def _bridge(stage: _Stage, successor: Index) -> None:
    if not any(clash(successor, other) for other in stage.present):
        return  # it waits for room alone
    for candidate in equivalents(successor):
        holder = _holder(stage, candidate)
        if holder is None and stage.room > 0 and _fits_beside(candidate, stage.later):
            taken = [index.name for index in (*stage.standing, *stage.later)]
            stage.bridges[successor.name] = named(candidate, successor, taken)
            return
        if holder is not None and _can_stay(stage, holder, successor):
            return


def _holder(stage: _Stage, candidate: Index) -> Index | None:
    """The index that stands already, or will by then, and is to the server what the bridge would be."""
    return next((index for index in stage.standing if signature(index) == signature(candidate)), None)


def _fits_beside(candidate: Index, later: Sequence[Index]) -> bool:
    return not any(signature(candidate) == signature(other) for other in later)


def _can_stay(stage: _Stage, holder: Index, successor: Index) -> bool:
    """Whether an index that stands anyway can do the bridge's work; one to be dropped is then dropped last."""
    if holder.options.get("hidden") and not successor.options.get("hidden"):
        return False
    if holder.name not in stage.dropped or holder.name in stage.spared:
        return True
    if stage.room < 1 or any(clash(holder, other) for other in stage.later):
        return False
    stage.spared.append(holder.name)
    return True


def _creation(collection: str, indexes: Sequence[Index]) -> Iterator[Operation]:
    if indexes:
        yield CreateIndexes(collection, tuple(indexes))
