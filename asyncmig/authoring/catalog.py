"""The indexes of all collections of a database: the whole catalogue in one command, or one command a collection."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import anyio
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure

from asyncmig.drivers.base import Document, Driver
from asyncmig.drivers.codec import decoded, stored_bytes
from asyncmig.errors import UnsupportedByDriver

__all__ = ["Listed", "each", "list_collections"]

_log = logging.getLogger("asyncmig.introspect")

_MIN_COLLECTIONS = 40  # collections; below, the catalogue of a large server takes longer than asking one by one
_CATALOGUE_MS = 1_000  # the catalogue is that of the whole server, which may have a hundred times our collections
_GONE = {26, 166}  # NamespaceNotFound, CommandNotSupportedOnView: dropped, or dropped and made anew, meanwhile


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """The indexes of a collection as the server lists them, and the names of those it is still building.

    Collections whose indexes are listed alike to the byte share one of these, so that tens of
    thousands of them (a database with a set of collections per tenant) are decoded and normalised once.
    """

    indexes: Sequence[Document]
    building: tuple[str, ...] = ()


async def list_collections(
    driver: Driver, keep: Callable[[Document], bool], limit: int
) -> tuple[list[Document], dict[str, Listed]]:
    """What ``keep`` lets in of what is in the database, by name, and the indexes of each, by its name.

    Of a collection there are ``name``, ``type`` and ``options``, as listCollections shows them. One
    that vanishes meanwhile is left out of the indexes. At most ``limit`` commands run at once.
    """
    documents = await driver.read({"listCollections": 1}, raw=True)
    indexes: dict[str, Listed] = {}
    if len(documents) < _MIN_COLLECTIONS or not driver.has_server:
        infos = _infos(documents, keep)
    else:
        asking = asyncio.ensure_future(_catalogue(driver, len(documents)))
        try:
            await anyio.sleep(0.001)  # the question goes out, and the server is at work on it meanwhile
            infos = _infos(documents, keep)
            indexes = _listed(await asking, infos)
        finally:
            asking.cancel()
    rest = [info["name"] for info in infos if info["name"] not in indexes and info["type"] != "view"]
    _log.debug("indexes of %d collections from the catalogue, of %d one by one", len(indexes), len(rest))
    await each(rest, _Reader(driver, indexes).read, limit)
    return infos, indexes


def _infos(documents: Iterable[Any], keep: Callable[[Document], bool]) -> list[Document]:
    options: dict[bytes, Document] = {}

    def info(document: Any) -> Document:
        if not isinstance(document, RawBSONDocument):
            return dict(document)
        spelling = stored_bytes(document["options"])
        if spelling not in options:
            options[spelling] = decoded(document["options"])
        return {"name": document["name"], "type": document["type"], "options": options[spelling]}

    return sorted(filter(keep, map(info, documents)), key=itemgetter("name"))


async def each(items: Iterable[Any], work: Callable[[Any], Awaitable[None]], limit: int) -> None:
    """Await ``work(item)`` for every item, at most ``limit`` at once; the first error stops all and is raised bare.

    As few tasks as that share the items among them: thousands of tasks that wait for each other
    would cost more than the work.
    """
    queue = iter(items)

    async def take() -> None:
        for item in queue:
            await work(item)

    try:
        async with anyio.create_task_group() as tasks:
            for _ in range(limit):
                tasks.start_soon(take)
    except BaseExceptionGroup as group:
        raise _first(group) from None


async def _catalogue(driver: Driver, count: int) -> list[Any]:
    """What ``$listCatalog`` says of the collections; nothing where the server has it not, or not for us.

    It needs readAnyDatabase and FCV 6.0, and is outside the Stable API. Time series are left out:
    their indexes stand in it in the words of their buckets. A clustered index is not in it; nor is
    the other on ``_id`` of any interest.
    """
    try:
        return await driver.read(_command(driver.database.name, _CATALOGUE_MS + count), admin=True, raw=True)
    except (OperationFailure, UnsupportedByDriver) as refusal:
        _log.debug("no $listCatalog here: %s", refusal)
        return []


def _command(database: str, milliseconds: int) -> Document:
    fields = {"specs": "$md.indexes.spec", "ready": "$md.indexes.ready"}
    pipeline = [
        {"$listCatalog": {}},
        {"$match": {"db": database, "type": "collection"}},
        {"$project": {"_id": 0, "name": 1, "found": fields}},
    ]
    return {"aggregate": 1, "pipeline": pipeline, "cursor": {}, "maxTimeMS": milliseconds}


def _listed(entries: Iterable[Any], infos: Iterable[Document]) -> dict[str, Listed]:
    wanted = {info["name"] for info in infos if info["type"] == "collection"}
    known: dict[bytes, Listed] = {}
    return {entry["name"]: _from_catalogue(entry["found"], known) for entry in entries if entry["name"] in wanted}


def _from_catalogue(value: Any, known: dict[bytes, Listed]) -> Listed:
    spelling = stored_bytes(value)
    if spelling not in known:
        listed = decoded(spelling)
        pairs = list(zip(listed["specs"], listed["ready"], strict=True))
        building = tuple(spec["name"] for spec, ready in pairs if not ready)
        known[spelling] = Listed([spec for spec, ready in pairs if ready], building)
    return known[spelling]


class _Reader:
    """Reads the indexes of one collection after the other into ``indexes``."""

    def __init__(self, driver: Driver, indexes: dict[str, Listed]) -> None:
        self._driver, self._found = driver, indexes
        self._known: dict[bytes, Listed] = {}
        self._tells_builds = True

    async def read(self, name: str) -> None:
        try:
            documents = await self._list(name)
        except OperationFailure as error:
            if error.code not in _GONE:
                raise
        else:
            self._found[name] = self._listed(documents)

    async def _list(self, name: str) -> list[Any]:
        if self._tells_builds:
            try:
                return await self._driver.read({"listIndexes": name, "includeBuildUUIDs": True}, raw=True)
            except OperationFailure as error:
                if error.code in _GONE:
                    raise
                _log.debug("listIndexes does not tell builds here: %s", error)
                self._tells_builds = False  # not under the Stable API, for one
        return await self._driver.read({"listIndexes": name}, raw=True)

    def _listed(self, documents: Sequence[Any]) -> Listed:
        if not all(isinstance(document, RawBSONDocument) for document in documents):
            return Listed(documents)
        spelling = b"".join(map(stored_bytes, documents))
        if spelling not in self._known:
            self._known[spelling] = _from_listing([decoded(document) for document in documents])
        return self._known[spelling]


def _from_listing(documents: Sequence[Document]) -> Listed:
    building = tuple(document["spec"]["name"] for document in documents if "buildUUID" in document)
    return Listed([document for document in documents if "buildUUID" not in document], building)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
