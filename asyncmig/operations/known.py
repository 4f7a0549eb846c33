"""What the revisions so far have made of a database, as far as their operations tell: the rules' memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Any

from asyncmig.operations import (
    ConvertField,
    CreateCollection,
    CreateCollections,
    CreateIndexes,
    CreateView,
    DataOperation,
    DropCollection,
    DropIndex,
    DropView,
    ModifyCollection,
    ModifyIndex,
    ModifyView,
    Operation,
    RenameCollection,
    RenameField,
    UpdateInBatches,
)
from asyncmig.operations.several import spread
from asyncmig.schema.index import Index
from asyncmig.schema.state import CollectionKind, DatabaseState

__all__ = ["ANY_FIELD", "KnownCollection", "KnownState", "created_by", "written_fields"]

ANY_FIELD = "*"
"""Stands for the fields that a function writes: nobody can tell which."""


@dataclass(frozen=True, slots=True)
class KnownCollection:
    """What is known of one collection. ``filled``: the fields that operations have written to its documents."""

    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: Mapping[str, Index] = field(default_factory=dict)
    filled: frozenset[str] = frozenset()

    @property
    def kind(self) -> CollectionKind:
        """A plain collection, unless it was created as a time series."""
        return "timeseries" if self.options.get("timeseries") else "collection"


@dataclass(frozen=True, slots=True)
class KnownState:
    """The collections that operations have named, by name; of others nothing is known."""

    collections: Mapping[str, KnownCollection] = field(default_factory=dict)
    views: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Of the views, ``viewOn`` and ``pipeline``."""

    @classmethod
    def of(cls, live: DatabaseState) -> KnownState:
        """What stands in a database."""
        return cls(
            {
                state.name: KnownCollection(state.options, {index.name: index for index in state.indexes})
                for state in live
                if state.kind != "view"
            },
            {state.name: state.options for state in live if state.kind == "view"},
        )

    def get(self, name: str) -> KnownCollection:
        """What is known of a collection: nothing, where no operation has named it."""
        return self.collections.get(name) or KnownCollection()

    def index(self, collection: str, name: str) -> Index | None:
        """An index that operations have created and not dropped."""
        return self.get(collection).indexes.get(name)

    def after(self, operation: Operation) -> KnownState:
        """The state when the operation is done."""
        return _after(operation, self)

    def after_all(self, operations: Iterable[Operation]) -> KnownState:
        """The state when all of them are done."""
        state = self
        for operation in operations:
            state = state.after(operation)
        return state

    def joined(self, other: KnownState) -> KnownState:
        """What two branches know together."""
        if not other.collections and not other.views:
            return self
        both = self.collections.keys() & other.collections.keys()
        mixed = {name: _joined(self.collections[name], other.collections[name]) for name in both}
        return KnownState({**self.collections, **other.collections, **mixed}, {**self.views, **other.views})

    def with_(self, name: str, **changes: Any) -> KnownState:
        """The same with something else known of one collection."""
        return replace(self, collections={**self.collections, name: replace(self.get(name), **changes)})

    def without(self, name: str) -> KnownState:
        """The same without one collection."""
        kept = {other: known for other, known in self.collections.items() if other != name}
        return KnownState(kept, {other: shown for other, shown in self.views.items() if other != name})


def _joined(first: KnownCollection, other: KnownCollection) -> KnownCollection:
    return KnownCollection(
        {**first.options, **other.options}, {**first.indexes, **other.indexes}, first.filled | other.filled
    )


@singledispatch
def _after(operation: Operation, state: KnownState) -> KnownState:
    if isinstance(operation, DataOperation):
        filled = state.get(operation.collection).filled | written_fields(operation)
        return state.with_(operation.collection, filled=filled)
    return state


@_after.register
def _(operation: CreateCollection, state: KnownState) -> KnownState:
    return state.with_(operation.collection, options=dict(operation.options))


@_after.register
def _(operation: CreateCollections, state: KnownState) -> KnownState:
    for part in spread([operation]):
        state = state.after(part)
    return state


@_after.register(DropCollection)
@_after.register(DropView)
def _(operation: Operation, state: KnownState) -> KnownState:
    return state.without(operation.collection)


@_after.register(CreateView)
@_after.register(ModifyView)
def _(operation: CreateView | ModifyView, state: KnownState) -> KnownState:
    shown = {"viewOn": operation.view_on, "pipeline": operation.pipeline}
    others = state.without(operation.collection)
    return replace(others, views={**others.views, operation.collection: shown})


@_after.register
def _(operation: RenameCollection, state: KnownState) -> KnownState:
    known = state.get(operation.collection)
    others = state.without(operation.collection)
    return replace(others, collections={**others.collections, operation.new: known})


@_after.register
def _(operation: ModifyCollection, state: KnownState) -> KnownState:
    return state.with_(operation.collection, options={**state.get(operation.collection).options, **operation.options})


@_after.register
def _(operation: CreateIndexes, state: KnownState) -> KnownState:
    made = {index.name: index for index in operation.indexes}
    return state.with_(operation.collection, indexes={**state.get(operation.collection).indexes, **made})


@_after.register
def _(operation: DropIndex, state: KnownState) -> KnownState:
    left = {name: index for name, index in state.get(operation.collection).indexes.items() if name != operation.name}
    return state.with_(operation.collection, indexes=left)


@_after.register
def _(operation: ModifyIndex, state: KnownState) -> KnownState:
    known = state.get(operation.collection).indexes
    if operation.name not in known:
        return state
    changes = {key: None if value is False else value for key, value in operation.options.items()}
    return state.with_(
        operation.collection, indexes={**known, operation.name: known[operation.name].replace(**changes)}
    )


def written_fields(operation: Operation) -> frozenset[str]:
    """The top-level fields that an operation gives values to; ``ANY_FIELD`` where only running it could tell."""
    if isinstance(operation, UpdateInBatches):
        stages = [operation.update] if isinstance(operation.update, Mapping) else operation.update
        return frozenset(name for stage in stages for name in _set_by(stage))
    if isinstance(operation, RenameField):
        return frozenset({operation.new.partition(".")[0]})
    if isinstance(operation, ConvertField):
        return frozenset({operation.field.partition(".")[0]})
    fields = getattr(operation, "function", None)
    return frozenset({ANY_FIELD}) if fields is not None else frozenset()


def _set_by(stage: Any) -> Iterable[str]:
    if not isinstance(stage, Mapping):
        return (ANY_FIELD,)
    names: list[str] = []
    for operator, body in stage.items():
        if operator in ("$replaceWith", "$replaceRoot"):
            names.append(ANY_FIELD)
        elif operator == "$rename" and isinstance(body, Mapping):
            names += [str(name) for name in body.values()]
        elif operator != "$unset" and isinstance(body, Mapping):
            names += [str(name) for name in body]
    return [name.partition(".")[0] for name in names]


def created_by(operation: Operation) -> frozenset[str]:
    """The collections that an operation creates."""
    return frozenset(part.collection for part in spread([operation]) if isinstance(part, CreateCollection))
