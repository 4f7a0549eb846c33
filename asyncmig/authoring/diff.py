"""The difference between what a database has and what the models want: pure, from two states to operations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from asyncmig.authoring.arrangement import by_collection
from asyncmig.authoring.collection_diff import KINDS, OptionDifference, option_difference
from asyncmig.authoring.evidence import Evidence
from asyncmig.authoring.index_diff import index_difference
from asyncmig.authoring.oddities import oddities
from asyncmig.authoring.policy import Note, Policy, Usage
from asyncmig.authoring.rename_diff import find_renames
from asyncmig.authoring.schema_change import schema_change
from asyncmig.authoring.view_diff import view_difference
from asyncmig.errors import UnsupportedByServer
from asyncmig.operations import (
    CreateCollection,
    CreateIndexes,
    DropCollection,
    DropIndex,
    InsertDocuments,
    NeedsRebuild,
    Operation,
)
from asyncmig.operations.known import KnownState
from asyncmig.operations.needs import needs
from asyncmig.operations.several import spread
from asyncmig.schema.canonical import canonical
from asyncmig.schema.capabilities import NEEDS, Server
from asyncmig.schema.index import Index
from asyncmig.schema.normal import normal_index
from asyncmig.schema.state import CollectionState, DatabaseState

__all__ = ["Difference", "Note", "difference"]


@dataclass(frozen=True, slots=True)
class Difference:
    """The operations that would bring a database to what the models want, in order, and remarks beside them."""

    operations: tuple[Operation, ...] = ()
    notes: tuple[Note, ...] = ()
    left_alone: frozenset[str] = frozenset()
    """The collections in which something is not declared, and stays because they are not agreed."""

    def __bool__(self) -> bool:
        return bool(self.operations)


@dataclass(slots=True)
class _Plan:
    """The operations by the stage in which they run."""

    renames: list[Operation] = field(default_factory=list)
    creations: list[Operation] = field(default_factory=list)
    documents: list[Operation] = field(default_factory=list)
    modifications: list[Operation] = field(default_factory=list)
    indexes: list[Operation] = field(default_factory=list)
    views: list[Operation] = field(default_factory=list)
    data: list[Operation] = field(default_factory=list)
    drops: list[Operation] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    left_alone: set[str] = field(default_factory=set)

    def result(self) -> Difference:
        """Renames first, in their order; then one collection after the other; then views, in theirs; then drops."""
        stages = (self.creations, self.documents, self.modifications, self.indexes, self.data)
        collections = by_collection(operation for stage in stages for operation in stage)
        operations = (*self.renames, *collections, *self.views, *self.drops)
        return Difference(operations, tuple(self.notes), frozenset(self.left_alone))


def difference(
    current: DatabaseState,
    wanted: DatabaseState,
    policy: Policy | None = None,
    usage: Usage | None = None,
    evidence: Mapping[str, Evidence] | None = None,
) -> Difference:
    """What turns ``current`` into ``wanted``, both in normal form.

    ``usage`` tells of the indexes that are going to be dropped how often the server has used them;
    it becomes their note. ``evidence``, by collection, is what the documents say where their schema
    changes. What MongoDB cannot change in place is a ``NeedsRebuild``, which nobody applies. Their
    reverse leads back to ``current``. Raises UnsupportedByServer for what the policy's server lacks.
    """
    policy, usage = policy or Policy(), usage or {}
    renames = find_renames(current, wanted)
    plan = _Plan(renames=renames.operations, notes=renames.notes)
    for state in wanted:
        if state.kind != "view":
            looked_at = (evidence or {}).get(state.name)
            _compare(plan, renames.current.get(state.name), state, policy, usage, looked_at)
    doomed = _leave(plan, renames.current, wanted, policy)
    _compare_views(plan, renames.current, wanted, doomed)
    plan.notes += oddities(renames.current, wanted)
    result = plan.result()
    if policy.server is not None:
        _require_able(result.operations, current, policy.server)
    return result


def _require_able(operations: Sequence[Operation], current: DatabaseState, server: Server) -> None:
    """Raise UnsupportedByServer where an operation needs what the server does not have."""
    known, missing = KnownState.of(current), []
    for operation in spread(operations):
        for feature, what in needs(operation, known):
            if not server.has(feature):
                missing.append((what, ".".join(map(str, NEEDS[feature]))))
        known = known.after(operation)
    if missing:
        raise UnsupportedByServer(str(server), missing)


def _compare(
    plan: _Plan,
    current: CollectionState | None,
    wanted: CollectionState,
    policy: Policy,
    usage: Usage,
    evidence: Evidence | None,
) -> None:
    if current is None:
        if not (wanted.implicit and not wanted.indexes and not wanted.options and not wanted.documents):
            _create(plan, wanted)
        return
    wanted, policy = _settled(plan, current, wanted, policy)
    options = option_difference(current, wanted, policy.server)
    change = schema_change(current, wanted, options.modification(current), policy, evidence)
    operations, notes = index_difference(current, wanted, policy, usage)
    insertion = list(_insertion(wanted, current.documents))
    if options.begins_anew:
        everything = [*change.before, *_present(change.modification), *change.after, *operations, *insertion]
        plan.modifications.append(_rebuild(current, wanted, options, everything))
        return
    if options.reasons:
        operations, waiting = _refused(operations, current, wanted)
        plan.modifications.append(_rebuild(current, wanted, options, waiting))
    plan.indexes += change.split_indexes(operations, current)
    plan.documents += change.before
    plan.modifications += [*_present(change.modification), *change.after]
    plan.notes += [*change.notes, *notes]
    plan.data += insertion


def _present(operation: Operation | None) -> list[Operation]:
    return [operation] if operation else []


def _rebuild(
    current: CollectionState, wanted: CollectionState, options: OptionDifference, waiting: Sequence[Operation] = ()
) -> NeedsRebuild:
    back = tuple(option_difference(wanted, current).reasons)
    return NeedsRebuild(
        wanted.name, tuple(options.reasons), target=wanted, was=current, waiting=tuple(waiting), back=back
    )


def _refused(
    operations: Iterable[Operation], current: CollectionState, wanted: CollectionState
) -> tuple[list[Operation], list[Operation]]:
    """The operations that can be done beside a rebuild, and those that the server refuses before or after it.

    A capped collection takes no index with a time to live: that comes, or goes, with the rebuild.
    """
    able: list[Operation] = []
    waiting: list[Operation] = []
    for step in operations:
        if isinstance(step, DropIndex) and wanted.options.get("capped") and step.was and _ends(step.was):
            waiting.append(step)
        elif isinstance(step, CreateIndexes) and current.options.get("capped"):
            mortal, others = _partition(step.indexes)
            able += [CreateIndexes(step.collection, others)] if others else []
            waiting += [CreateIndexes(step.collection, mortal)] if mortal else []
        else:
            able.append(step)
    return able, waiting


def _ends(index: Index) -> bool:
    return "expireAfterSeconds" in index.options


def _partition(indexes: Sequence[Index]) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
    return tuple(index for index in indexes if _ends(index)), tuple(index for index in indexes if not _ends(index))


def _settled(
    plan: _Plan, current: CollectionState, wanted: CollectionState, policy: Policy
) -> tuple[CollectionState, Policy]:
    """The model with what stays though it is not declared, and the policy of this collection."""
    own = policy.of(wanted.name)
    settled, notes = _with_undeclared_options(current, wanted, own)
    plan.notes += notes
    if (notes and policy.undeclared_options == "agreed") or (
        policy.undeclared_indexes == "agreed" and _has_more_indexes(current, wanted)
    ):
        plan.left_alone |= {wanted.name} - policy.agreed
    return settled, own


def _has_more_indexes(current: CollectionState, wanted: CollectionState) -> bool:
    declared = {index.name for index in wanted.indexes}
    return any(index.name not in declared and index.name not in current.automatic for index in current.indexes)


def _with_undeclared_options(
    current: CollectionState, wanted: CollectionState, policy: Policy
) -> tuple[CollectionState, list[Note]]:
    """The model with the options that only the database has, and a remark for each; as it is where they are to go.

    ``policy`` is that of this collection. Indexes inherit a collation that is kept.
    """
    kept = {} if policy.undeclared_options == "drop" else _only_there(current, wanted)
    if not kept:
        return wanted, []
    indexes = wanted.indexes
    if "collation" in kept:
        indexes = tuple(normal_index(index, kept["collation"], wanted.kind) for index in indexes)
    notes = [Note(wanted.name, f"the option {name} is not declared; it stays as it is") for name in kept]
    return replace(wanted, options={**kept, **wanted.options}, indexes=indexes), notes


def _only_there(current: CollectionState, wanted: CollectionState) -> dict[str, Any]:
    if current.kind != wanted.kind:
        return {}
    return {name: value for name, value in current.options.items() if name not in wanted.options}


def _create(plan: _Plan, wanted: CollectionState) -> None:
    plan.creations.append(CreateCollection(wanted.name, wanted.options))
    if wanted.indexes:
        plan.indexes.append(CreateIndexes(wanted.name, wanted.indexes))
    plan.data += _insertion(wanted, ())


def _insertion(wanted: CollectionState, existing: Sequence[Mapping[str, Any]]) -> Iterator[Operation]:
    """The initial data that is missing by ``_id``; what is there may have been changed by users, and is theirs."""
    ids = {canonical(document["_id"]) for document in existing}
    missing = tuple(document for document in wanted.documents if canonical(document["_id"]) not in ids)
    if missing:
        yield InsertDocuments(wanted.name, missing)


def _compare_views(
    plan: _Plan, current: Mapping[str, CollectionState], wanted: DatabaseState, doomed: Sequence[CollectionState]
) -> None:
    pairs = []
    for state in wanted:
        existing = current.get(state.name)
        if state.kind == "view" and (existing is None or existing.kind == "view"):
            pairs.append((existing, state))
        elif state.kind == "view" and existing:
            plan.modifications.append(_rebuild(existing, state, option_difference(existing, state)))
    plan.views, drops = view_difference(pairs, doomed)
    plan.drops = [*drops, *plan.drops]


def _leave(
    plan: _Plan, current: Mapping[str, CollectionState], wanted: DatabaseState, policy: Policy
) -> list[CollectionState]:
    """What no model claims: noted, and dropped only where it is ours and may be. Returns the views that go."""
    doomed = []
    moved = {state.renamed_from for state in wanted}  # a remark tells of it already, and its documents are wanted
    for state in current.values():
        if state.name in wanted or state.name in moved:
            continue
        if not (policy.drop_collections and state.name in policy.owned):
            plan.notes.append(Note(state.name, f"this {KINDS[state.kind]} is in the database, and no model claims it"))
        elif state.kind == "view":
            doomed.append(state)
        else:
            plan.drops.append(DropCollection(state.name, was=state))
    return doomed
