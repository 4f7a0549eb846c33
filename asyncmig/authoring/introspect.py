"""What a live database has, as a ``DatabaseState`` in normal form."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from asyncmig.authoring.catalog import Listed, each, list_collections
from asyncmig.drivers import driver_for
from asyncmig.drivers.base import Document, Driver
from asyncmig.drivers.codec import decoded
from asyncmig.schema.index import Index
from asyncmig.schema.options import automatic_index
from asyncmig.schema.own_names import OwnNames
from asyncmig.schema.server import collection_from_server
from asyncmig.schema.state import CollectionState, DatabaseState

__all__ = ["OWN", "initial_ids", "introspect"]

OWN = OwnNames().all

_NONE: Mapping[str, Sequence[Any]] = MappingProxyType({})
_CHUNK_IDS = 1_000  # asked for at once
_MAKES_INDEXES = (
    20  # the wire version of MongoDB 6.3, which gives every time series an index on metaField and timeField
)


async def introspect(
    database: Any,
    *,
    include: Callable[[str, str], bool] | None = None,
    own: frozenset[str] = OWN,
    documents: Mapping[str, Sequence[Any]] = _NONE,
    limit: int = 16,
) -> DatabaseState:
    """Every collection, time series and view of ``database`` with its options and indexes.

    ``database``: Motor's, PyMongo's or mongomock-motor's. ``include(kind, name)`` says whether to
    look at a ``"collection"``, ``"timeseries"`` or ``"view"``. ``own`` are names that belong to
    asyncmig; they never appear, nor do ``system.*`` and ``enxcol_.*``. ``documents`` names ``_id``
    values by collection, whose documents are fetched too. At most ``limit`` commands run at once.

    An index that is being built may yet fail and vanish: it is named in ``building``, and is not
    among the ``indexes``. Raises PyMongoError as the driver does.

    https://www.mongodb.com/docs/manual/reference/command/listCollections/
    https://www.mongodb.com/docs/manual/reference/command/listIndexes/
    """
    driver = driver_for(database)
    infos, indexes = await list_collections(driver, lambda info: _is_of_interest(info, include, own), limit)
    fetched = await _fetch(driver, documents, {info["name"] for info in infos}, limit)
    states = _States(makes_indexes=await _makes_indexes(driver, infos))
    return DatabaseState(
        {
            info["name"]: states.state(info, indexes.get(info["name"], _NO_INDEXES), fetched.get(info["name"], ()))
            for info in infos
            if info["name"] in indexes or info["type"] == "view"
        }
    )


def initial_ids(wanted: DatabaseState) -> dict[str, list[Any]]:
    """The ``documents`` to ask for, to compare with ``wanted``, under the collections' earlier names too."""
    ids: dict[str, list[Any]] = {}
    for state in wanted:
        if state.documents:
            for name in filter(None, (state.name, state.renamed_from)):
                ids.setdefault(name, []).extend(document["_id"] for document in state.documents)
    return ids


_NO_INDEXES = Listed(())


def _is_of_interest(info: Document, include: Callable[[str, str], bool] | None, own: frozenset[str]) -> bool:
    name: str = info["name"]
    if name in own or name.startswith(("system.", "enxcol_.")):
        return False
    return include is None or include(info["type"], name)


class _States:
    """Makes states of what the server lists, and the indexes that several collections share but once."""

    def __init__(self, *, makes_indexes: bool) -> None:
        self._makes_indexes = makes_indexes
        self._known: dict[Listed, tuple[Index, ...]] = {}

    def state(self, info: Document, listed: Listed, documents: Sequence[Document]) -> CollectionState:
        """One collection, time series or view."""
        if info["type"] != "collection" or "collation" in info["options"]:
            state = collection_from_server(info, listed.indexes, documents)
        else:
            state = collection_from_server(info, documents=documents, known=self._indexes(info, listed))
        automatic = _automatic(state) if self._makes_indexes else ()
        return replace(state, building=listed.building, automatic=automatic) if listed.building or automatic else state

    def _indexes(self, info: Document, listed: Listed) -> tuple[Index, ...]:
        if listed not in self._known:
            self._known[listed] = collection_from_server(info, listed.indexes).indexes
        return self._known[listed]


async def _makes_indexes(driver: Driver, infos: Sequence[Document]) -> bool:
    """Whether the server is of the kind that does; asked only where there is a time series that it could do it to."""
    if not any("metaField" in info["options"].get("timeseries", {}) for info in infos):
        return False
    hello = await driver.command({"hello": 1}, admin=True)
    return bool(hello["maxWireVersion"] >= _MAKES_INDEXES)


def _automatic(state: CollectionState) -> tuple[str, ...]:
    made = automatic_index(state)
    return tuple(index.name for index in state.indexes if made and index.keys == made.keys and index.named_by_default)


async def _fetch(
    driver: Driver, asked: Mapping[str, Sequence[Any]], present: set[str], limit: int
) -> dict[str, list[Document]]:
    fetched: dict[str, list[Document]] = {name: [] for name in asked if name in present}
    chunks = [
        (name, asked[name][at : at + _CHUNK_IDS]) for name in fetched for at in range(0, len(asked[name]), _CHUNK_IDS)
    ]

    async def read(chunk: tuple[str, Sequence[Any]]) -> None:
        name, ids = chunk
        fetched[name].extend(map(decoded, await driver.stored(name, ids)))

    await each(chunks, read, limit)
    return fetched
