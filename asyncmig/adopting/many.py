"""Several databases of one kind, as one per tenant: what most of them have, and who has it otherwise. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sized
from dataclasses import dataclass
from math import ceil
from typing import Any

from asyncmig.schema.index import Index
from asyncmig.schema.normal import definition
from asyncmig.schema.options import options_definition
from asyncmig.schema.state import CollectionKind, CollectionState, DatabaseState

__all__ = ["Majority", "Outlier", "majority"]


@dataclass(frozen=True, slots=True)
class Outlier:
    """Something that not all databases have alike: ``name`` is ``user``, ``user.email_1`` or ``user: options``.

    ``wanted`` says whether it went into the models; then ``databases`` are those that lack it, else those that have it.
    """

    name: str
    wanted: bool
    databases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Majority:
    """What at least the asked share of the databases has, and everything that is not alike in all of them."""

    state: DatabaseState
    outliers: tuple[Outlier, ...] = ()


def majority(states: Mapping[str, DatabaseState], quorum: float = 0.5) -> Majority:
    """The collections, options and indexes that at least ``quorum`` (0 to 1) of the databases have.

    Indexes are compared by name and definition, options as a whole: of several the commonest, if it has
    the quorum. What a minority has is told, and never asked to go.
    """
    least = _least(states, quorum)
    names = sorted({collection.name for state in states.values() for collection in state})
    collections: dict[str, CollectionState] = {}
    outliers: list[Outlier] = []
    for name in names:
        having = {database: state.collections[name] for database, state in states.items() if name in state}
        _note(outliers, name, len(having) >= least, set(having), set(states))
        if len(having) >= least:
            collections[name] = _common(name, having, quorum, outliers)
    return Majority(DatabaseState(collections), tuple(outliers))


def _least(databases: Sized, quorum: float) -> int:
    return max(1, ceil(len(databases) * quorum))


def _common(
    name: str, having: Mapping[str, CollectionState], quorum: float, outliers: list[Outlier]
) -> CollectionState:
    """Of the databases that have the collection at all, what the asked share of them has."""
    least = _least(having, quorum)
    kind, options = _commonest_options(name, having, outliers)
    votes: dict[tuple[str, Hashable], dict[str, Index]] = {}
    for database, state in having.items():
        for index in state.indexes:
            if index.name not in state.automatic:
                votes.setdefault((index.name, definition(index)), {})[database] = index
    kept: dict[str, Index] = {}
    for (index_name, _), holders in sorted(votes.items(), key=lambda vote: (vote[0][0], -len(vote[1]))):
        wanted = len(holders) >= least and index_name not in kept
        if wanted:
            kept[index_name] = next(iter(holders.values()))
        _note(outliers, f"{name}.{index_name}", wanted, set(holders), set(having))
    return CollectionState(name, kind, options, tuple(kept.values()))


def _commonest_options(
    name: str, having: Mapping[str, CollectionState], outliers: list[Outlier]
) -> tuple[CollectionKind, Mapping[str, Any]]:
    counted = Counter({database: options_definition(state) for database, state in having.items()}.values())
    ((common, _),) = counted.most_common(1)
    alike = {database for database, state in having.items() if options_definition(state) == common}
    _note(outliers, f"{name}: options", True, alike, set(having))
    chosen = having[min(alike)]
    return chosen.kind, chosen.options


def _note(outliers: list[Outlier], name: str, wanted: bool, having: set[str], all_of_them: set[str]) -> None:
    if having != all_of_them:
        odd = all_of_them - having if wanted else having
        outliers.append(Outlier(name, wanted, tuple(sorted(odd))))
