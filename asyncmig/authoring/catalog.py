"""The indexes of all collections of a database: the whole catalogue in one command, or one command a collection."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import anyio
from pymongo.errors import OperationFailure

from asyncmig.drivers.base import Document, Driver
from asyncmig.errors import UnsupportedByDriver

__all__ = ["Listed", "each", "list_indexes"]

_log = logging.getLogger("asyncmig.introspect")

_WORTH_IT = 40  # collections; below, the catalogue of a large server takes longer than asking one by one
_GONE = {26, 166}  # NamespaceNotFound, CommandNotSupportedOnView: dropped, or dropped and made anew, meanwhile
_API_STRICT = 323


@dataclass(frozen=True, slots=True)
class Listed:
    """The indexes of one collection as the server lists them, and the names of those it is still building."""

    indexes: Sequence[Document]
    building: tuple[str, ...] = ()


async def list_indexes(driver: Driver, infos: Sequence[Document], limit: int) -> dict[str, Listed]:
    """The indexes of each collection of ``infos`` (as listCollections shows them), by name.

    A collection that vanishes meanwhile is left out. At most ``limit`` commands run at once.
    """
    found = await _catalogue(driver, infos) if len(infos) >= _WORTH_IT and driver.name != "mock" else {}
    rest = [info["name"] for info in infos if info["name"] not in found and info["type"] != "view"]
    _log.debug("indexes of %d collections from the catalogue, of %d one by one", len(found), len(rest))
    reader = _Reader(driver, found)
    await each(rest, reader.read, limit)
    return found


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


async def _catalogue(driver: Driver, infos: Sequence[Document]) -> dict[str, Listed]:
    """What ``$listCatalog`` says of the plain collections; nothing where the server has it not, or not for us.

    It needs readAnyDatabase and FCV 6.0, and is outside the Stable API. Time series are left out:
    their indexes stand in it in the words of their buckets. A clustered index is not in it; nor is
    the other on ``_id`` of any interest.
    """
    wanted = {info["name"] for info in infos if info["type"] == "collection"}
    try:
        documents = await driver.read(
            {
                "aggregate": 1,
                "pipeline": [
                    {"$listCatalog": {}},
                    {"$match": {"db": driver.database.name, "type": "collection"}},
                    {"$project": {"_id": 0, "name": 1, "specs": "$md.indexes.spec", "ready": "$md.indexes.ready"}},
                ],
                "cursor": {},
            },
            admin=True,
        )
    except (OperationFailure, UnsupportedByDriver) as refusal:
        _log.debug("no $listCatalog here: %s", refusal)
        return {}
    return {entry["name"]: _from_catalogue(entry) for entry in documents if entry["name"] in wanted}


def _from_catalogue(entry: Mapping[str, Any]) -> Listed:
    specs, ready = entry["specs"], entry["ready"]
    if all(ready):
        return Listed(specs)
    pairs = list(zip(specs, ready, strict=True))
    return Listed([spec for spec, done in pairs if done], tuple(spec["name"] for spec, done in pairs if not done))


class _Reader:
    """Reads the indexes of one collection after the other into ``found``."""

    def __init__(self, driver: Driver, found: dict[str, Listed]) -> None:
        self._driver, self._found = driver, found
        self._tells_builds = True

    async def read(self, name: str) -> None:
        try:
            documents = await self._list(name)
        except OperationFailure as error:
            if error.code not in _GONE:
                raise
        else:
            self._found[name] = _from_listing(documents)

    async def _list(self, name: str) -> list[Document]:
        if self._tells_builds:
            try:
                return await self._driver.read({"listIndexes": name, "includeBuildUUIDs": True})
            except OperationFailure as error:
                if error.code in _GONE:
                    raise
                _log.debug("listIndexes does not tell builds here: %s", error)
                self._tells_builds = False  # not under the Stable API, for one
        return await self._driver.read({"listIndexes": name})


def _from_listing(documents: Sequence[Document]) -> Listed:
    building = tuple(document["spec"]["name"] for document in documents if "buildUUID" in document)
    return Listed([document for document in documents if "buildUUID" not in document], building)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
