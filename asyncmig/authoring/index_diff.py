"""The difference between the indexes that a collection has and those its model wants, as operations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asyncmig.authoring.bridge import clash, is_bridge
from asyncmig.authoring.index_change import changed, in_place, same
from asyncmig.authoring.index_sequence import sequence
from asyncmig.authoring.policy import Note, Policy, Usage
from asyncmig.authoring.two_step import in_two_steps
from asyncmig.operations import DropIndex, ModifyIndex, Operation
from asyncmig.schema.index import Index
from asyncmig.schema.normal import signature
from asyncmig.schema.state import CollectionState

__all__ = ["index_difference"]


@dataclass(slots=True)
class _Sorted:
    """The indexes of one collection by what is to become of them."""

    modified: list[tuple[Index, tuple[Mapping[str, Any], ...]]] = field(default_factory=list)
    created: list[Index] = field(default_factory=list)
    dropped: list[Index] = field(default_factory=list)
    undeclared: list[Index] = field(default_factory=list)
    renamed: list[tuple[Index, Index]] = field(default_factory=list)
    """Those that are created anew though only their name differs from one that is there."""


def index_difference(
    current: CollectionState, wanted: CollectionState, policy: Policy, usage: Usage
) -> tuple[list[Operation], list[Note]]:
    """What turns the indexes of ``current`` into those of ``wanted``: changes in place first, then see ``sequence``."""
    groups = _sort(current, wanted, policy)
    notes = _building(current, wanted)
    notes += [
        Note(
            wanted.name,
            f"index {new.name} differs from {before.name} by its name only, and is built anew; "
            'the setting index_names = "ignore" lets names be',
        )
        for before, new in groups.renamed
    ]
    drops = [DropIndex(wanted.name, index.name, was=index) for index in groups.dropped]
    for index in groups.undeclared:
        _decide(index, current, groups, policy, drops, notes, usage)
    present = current.indexes
    operations: list[Operation] = []
    for index, changes in groups.modified:
        for options in changes:
            before, present = present, _with(present, index.name, options)
            back = tuple(_undo(wanted.name, current, present, before))
            operations.append(ModifyIndex(wanted.name, index.name, options, was=back))
    if not groups.created and not drops:
        return operations, notes
    steps = sequence(wanted.name, present, groups.created, drops)
    is_able = policy.server is not None and policy.server.has("unique in place")
    operations += in_two_steps(steps, present) if is_able else steps
    return operations, notes


def _sort(current: CollectionState, wanted: CollectionState, policy: Policy) -> _Sorted:
    groups = _Sorted()
    old = {index.name: index for index in current.indexes}
    declared = {index.name for index in wanted.indexes}
    for new in wanted.indexes:
        before = old.pop(new.name, None)
        twin = None if before else _twin(new, [index for index in old.values() if index.name not in declared], policy)
        if twin and policy.index_names == "ignore":
            old.pop(twin.name)
        elif before is None:
            if twin:
                groups.renamed.append((twin, new))
            groups.created.append(new)
        elif not same(before, new, policy.unseen):
            _sort_changed(groups, before, new, current, policy)
    groups.undeclared.extend(index for index in old.values() if index.name not in current.automatic)
    return groups


def _twin(new: Index, others: Sequence[Index], policy: Policy) -> Index | None:
    """The index that is what ``new`` asks for, by another name."""
    return next((other for other in others if same(other, new, policy.unseen)), None)


def _sort_changed(groups: _Sorted, before: Index, new: Index, current: CollectionState, policy: Policy) -> None:
    changes = in_place(before, new, current.kind, policy.server)
    twins = (other for other in current.indexes if other.name != new.name and signature(other) == signature(new))
    if changes is not None and not any(twins):
        groups.modified.append((before, changes))
    else:
        groups.created.append(new)
        groups.dropped.append(before)


def _decide(
    index: Index,
    current: CollectionState,
    groups: _Sorted,
    policy: Policy,
    drops: list[DropIndex],
    notes: list[Note],
    usage: Usage,
) -> None:
    """What becomes of an index that no model mentions. One that stands in another's way goes, whatever the policy."""
    in_the_way = next((new for new in groups.created if clash(new, index)), None)
    hidden = bool(index.options.get("hidden"))
    if in_the_way or is_bridge(index.name) or policy.undeclared_indexes == "drop":
        drops.append(DropIndex(current.name, index.name, was=index, note=_used(usage, current.name, index)))
        if in_the_way and policy.undeclared_indexes != "drop":
            notes.append(Note(current.name, f"index {index.name} makes room for the declared {in_the_way.name}"))
    elif policy.undeclared_indexes == "ignore":
        notes.append(Note(current.name, f"index {index.name} is not declared"))
    elif current.kind == "timeseries":
        notes.append(Note(current.name, f"index {index.name} is not declared; on a time series it cannot be hidden"))
    elif hidden:
        drops.append(DropIndex(current.name, index.name, was=index, note=_used(usage, current.name, index)))
    else:
        groups.modified.append((index, ({"hidden": True},)))


def _used(usage: Usage, collection: str, index: Index) -> str:
    """How often queries have used it. A unique index is at work without any: it refuses duplicates."""
    unique = "unique: without it nothing refuses duplicates" if index.options.get("unique") else ""
    if (collection, index.name) not in usage:
        return unique
    since, times = usage[collection, index.name]
    moment = f"{since:%Y-%m-%d %H:%M} UTC"
    if unique:
        return f"{unique}; {times} queries since {moment}" if times else unique
    how_often = "not used" if times == 0 else "used once" if times == 1 else f"used {times} times"
    return f"{how_often} since {moment}"


def _building(current: CollectionState, wanted: CollectionState) -> list[Note]:
    """An index that is being built may yet fail and vanish, so it does not count as there."""
    return [
        Note(
            wanted.name,
            f"index {name} is being built at this moment; creating it waits for that build"
            if wanted.index(name)
            else f"index {name} is being built at this moment, and is not declared",
        )
        for name in current.building
    ]


def _with(present: Sequence[Index], name: str, options: Mapping[str, Any]) -> tuple[Index, ...]:
    return tuple(changed(index, options) if index.name == name else index for index in present)


def _undo(
    collection: str, current: CollectionState, after: Sequence[Index], before: Sequence[Index]
) -> Iterator[Operation]:
    """What takes one change in place back: another in place where the server can, else a replacement."""
    for new, old in zip(after, before, strict=True):
        if new is old:
            continue
        changes = in_place(new, old, current.kind)
        if changes is None:
            yield from sequence(collection, after, [old], [DropIndex(collection, new.name, was=new)])
        else:
            yield from (ModifyIndex(collection, new.name, options) for options in changes)
