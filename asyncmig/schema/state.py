"""``DatabaseState``: what a server has, or what the models want, in one normal form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from asyncmig.schema.fields import DeclaredFields
from asyncmig.schema.index import Index

__all__ = ["CollectionKind", "CollectionState", "DatabaseState"]

CollectionKind = Literal["collection", "timeseries", "view"]


@dataclass(frozen=True, slots=True)
class CollectionState:
    """One collection, time series or view in normal form.

    ``options`` are spelled as ``create`` spells them and can be sent to it as they are (a view's
    hold ``viewOn`` and ``pipeline``); ``indexes`` are those besides the one on ``_id``,
    in the order of their declaration, or sorted by name where they come from a server;
    ``documents`` are the initial data: the ones declared, or those of the same ids found.
    ``building`` and ``automatic``, known of a live collection alone, name the indexes that are still
    being built (they are not among ``indexes``: they may yet fail) and those that the server has made
    of its own accord. ``implicit``, known of a declared one alone: it comes into being with its first
    document, as the collections of other libraries' models do; while it has neither index nor option,
    that it is not there is no difference. ``fields``, known of a declared one alone, is what lies behind
    the validator: renames, defaults, the level.
    """

    name: str
    kind: CollectionKind = "collection"
    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[Index, ...] = ()
    documents: tuple[Mapping[str, Any], ...] = ()
    renamed_from: str | None = None
    building: tuple[str, ...] = field(default=(), compare=False)
    automatic: tuple[str, ...] = field(default=(), compare=False)
    implicit: bool = field(default=False, compare=False)
    fields: DeclaredFields | None = field(default=None, compare=False)

    def index(self, name: str) -> Index | None:
        """The index of that name, if there is one."""
        return next((index for index in self.indexes if index.name == name), None)


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """All collections of one database by name; ``system.*`` and asyncmig's own are never in it.

    Models come in the order of their declaration, what a server has is sorted by name.
    """

    collections: Mapping[str, CollectionState] = field(default_factory=dict)

    def __iter__(self) -> Iterator[CollectionState]:
        return iter(self.collections.values())

    def __contains__(self, name: object) -> bool:
        return name in self.collections

    def get(self, name: str) -> CollectionState | None:
        """The collection of that name, if there is one."""
        return self.collections.get(name)
