"""What a server answers about a collection, as a state in normal form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from asyncmig.schema.index import Index
from asyncmig.schema.normal import index_from_server
from asyncmig.schema.options import normal_options
from asyncmig.schema.state import CollectionKind, CollectionState

__all__ = ["collection_from_server", "is_id_index"]

_by_name = attrgetter("name")


def collection_from_server(
    info: Mapping[str, Any],
    indexes: Iterable[Mapping[str, Any]] = (),
    documents: Sequence[Mapping[str, Any]] = (),
    *,
    known: tuple[Index, ...] | None = None,
) -> CollectionState:
    """The state of one collection, time series or view.

    ``info``: a document of ``listCollections``, of which ``name``, ``type`` and ``options`` are
    read. ``indexes``: what ``listIndexes`` says of it (or ``$listCatalog``'s ``md.indexes.spec``).
    ``documents``: those found of the initial data. ``known``: the indexes in normal form, where they are known.
    """
    kind: CollectionKind = info.get("type", "collection")
    options = normal_options(info.get("options", {}), kind)
    if known is None:
        collation = options.get("collation")
        named = (index_from_server(spec, collation, kind) for spec in indexes if not is_id_index(spec["key"], kind))
        known = tuple(sorted(named, key=_by_name))
    return CollectionState(info["name"], kind, options, known, tuple(documents))


def is_id_index(key: Mapping[str, Any], kind: CollectionKind) -> bool:
    """Whether it is the index that every collection has by itself (on a time series it is one like any other)."""
    return len(key) == 1 and key.get("_id") == 1 and kind != "timeseries"
