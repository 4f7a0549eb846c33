"""Which collections are to be renamed, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from asyncmig.authoring.policy import Note
from asyncmig.operations import Operation, RenameCollection
from asyncmig.schema.state import CollectionState, DatabaseState

__all__ = ["Renames", "find_renames"]


_UNMOVABLE = {
    "timeseries": "renamed from {old}, but MongoDB cannot rename a time series: copy the documents and drop {old}",
    "view": "renamed from {old}, but that is a view and has no documents",
}


@dataclass(slots=True)
class Renames:
    """The renames, remarks on those that cannot be, and what the database holds afterwards."""

    operations: list[Operation] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    current: dict[str, CollectionState] = field(default_factory=dict)


def find_renames(current: DatabaseState, wanted: DatabaseState) -> Renames:
    """Follow ``renamed_from`` where the old name exists and the new one is free, or becomes so by another rename."""
    found = Renames(current=dict(current.collections))
    for old, new in _in_order(dict(_candidates(current, wanted))):
        state = found.current[old]
        if new in found.current and old in wanted:
            continue  # renamed long ago, and the old name is in use again
        if new in found.current:
            found.notes.append(Note(new, f"renamed from {old}, but both exist: move the documents and drop {old}"))
        elif state.kind == "collection":
            found.operations.append(RenameCollection(old, new))
            found.current[new] = replace(found.current.pop(old), name=new)
        else:
            found.notes.append(Note(new, _UNMOVABLE[state.kind].format(old=old)))
    return found


def _candidates(current: DatabaseState, wanted: DatabaseState) -> Iterator[tuple[str, str]]:
    for state in wanted:
        if state.renamed_from and state.renamed_from in current and state.kind != "view":
            yield state.renamed_from, state.name


def _in_order(renames: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Of a chain (a becomes b, b becomes c) the last one first."""
    while renames:
        old, new = next(((o, n) for o, n in renames.items() if n not in renames), next(iter(renames.items())))
        del renames[old]
        yield old, new
