"""Which collections are to be renamed, and in which order."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from asyncmig.authoring.policy import Note
from asyncmig.operations import Operation, RenameCollection
from asyncmig.schema.normal import signature
from asyncmig.schema.state import CollectionState, DatabaseState

__all__ = ["Renames", "find_renames"]


_UNMOVABLE = {
    "timeseries": "renamed from {old}, but MongoDB cannot rename a time series: copy the documents and drop {old}",
    "view": "renamed from {old}, but that is a view and has no documents",
}


_BOTH = (
    "renamed from {old}, but both exist: move the documents and drop {old}. If new code has only created {new}, and "
    'it is empty, write a revision by hand: env.drop_collection("{new}"), then env.rename_collection("{old}", "{new}")'
)


@dataclass(slots=True)
class Renames:
    """The renames, remarks on those that cannot be, and what the database holds afterwards."""

    operations: list[Operation] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    current: dict[str, CollectionState] = field(default_factory=dict)


def find_renames(current: DatabaseState, wanted: DatabaseState) -> Renames:
    """Follow ``renamed_from`` where the old name exists and the new one is free, or becomes so by another rename."""
    renames = Renames(current=dict(current.collections))
    for old, new in _in_order(dict(_candidates(current, wanted))):
        state = renames.current[old]
        if new in renames.current and old in wanted:
            continue  # renamed long ago, and the old name is in use again
        if new in renames.current:
            renames.notes.append(Note(new, _BOTH.format(old=old, new=new)))
        elif state.kind == "collection":
            renames.operations.append(RenameCollection(old, new))
            renames.current[new] = replace(renames.current.pop(old), name=new)
        else:
            renames.notes.append(Note(new, _UNMOVABLE[state.kind].format(old=old)))
    renames.notes += _hints(renames.current, wanted)
    return renames


def _hints(current: Mapping[str, CollectionState], wanted: DatabaseState) -> Iterator[Note]:
    """The line that makes a rename of what looks like one: a new collection shaped like one that no model claims."""
    moved = {state.renamed_from for state in wanted}
    unclaimed = [state for state in current.values() if state.name not in wanted and state.name not in moved]
    left = [state for state in unclaimed if state.kind == "collection"]
    new = [state for state in wanted if state.kind == "collection" and state.name not in current]
    for state in new:
        alike = [other for other in left if _shape(other) == _shape(state)]
        telling = bool(state.indexes) or (len(left) == 1 and len(new) == 1)
        if not state.renamed_from and len(alike) == 1 and telling:
            yield Note(
                state.name,
                f"it has the shape of {alike[0].name}, which no model claims. If it is the same by a new name, write "
                f'__renamed_from__ = "{alike[0].name}" into its model, and it is renamed; else it is created, empty',
            )


def _shape(state: CollectionState) -> tuple[frozenset[Hashable], frozenset[str]]:
    """What makes two collections alike: what their indexes are to the server, and which options they have."""
    return frozenset(signature(index) for index in state.indexes), frozenset(state.options) - {"validator"}


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
