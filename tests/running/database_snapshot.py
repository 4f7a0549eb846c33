"""All that is in a database, as one text: collections, options, indexes and documents, as the server tells them.

By commands of the drivers themselves, not by what is tested here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bson import json_util

from asyncmig.drivers import driver_for

OWN = ("asyncmig_revisions", "asyncmig_lock", "asyncmig_revisions_journal", "asyncmig_revisions_failed")


async def snapshot(database: Any) -> str:
    """A snapshot of the database of an asynchronous client, asyncmig's own collections left out."""
    driver = driver_for(database)
    contents = {}
    for info in _stored(await driver.read({"listCollections": 1})):
        is_view, name = info["type"] == "view", info["name"]
        indexes = [] if is_view else await driver.read({"listIndexes": name})
        documents = [] if is_view else await database[name].find({}).to_list(None)
        contents[name] = _told(info, indexes, documents)
    return _text(contents)


def sync_snapshot(database: Any) -> str:
    """The same of the database of a synchronous client, for the parents of processes."""
    contents = {}
    for info in _stored(database.list_collections()):
        is_view, name = info["type"] == "view", info["name"]
        indexes = [] if is_view else database[name].list_indexes()
        contents[name] = _told(info, indexes, [] if is_view else database[name].find())
    return _text(contents)


def _stored(infos: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    listed = [info for info in infos if info["name"] not in OWN and not info["name"].startswith("system.")]
    return sorted(listed, key=lambda info: str(info["name"]))


def _told(info: Mapping[str, Any], indexes: Iterable[Any], documents: Iterable[Any]) -> dict[str, Any]:
    return {
        "type": info["type"],
        "options": info["options"],
        "indexes": sorted(_text(dict(index)) for index in indexes),
        "documents": sorted(_text(document) for document in documents),
    }


def _text(value: Any) -> str:
    return json_util.dumps(value, indent=1)
