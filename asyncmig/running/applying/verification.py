"""Whether what the journal says is done is still so: asked before a revision that goes on builds on it.

Between two runs, or two operations, somebody else may have undone it. The usual case is an application of
the old release, which makes an index at its start that the revision has dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import singledispatch
from typing import Any

from pymongo.errors import OperationFailure

from asyncmig.drivers.transient import is_transient
from asyncmig.errors import UnsupportedByDriver
from asyncmig.operations import (
    CreateCollection,
    CreateCollections,
    CreateIndexes,
    CreateView,
    DropCollection,
    DropIndex,
    DropView,
    Operation,
)
from asyncmig.running.applying.context import Context

__all__ = ["is_undone"]


async def is_undone(operation: Operation, context: Context, *, by_hand: bool) -> bool:
    """Whether the server shows the contrary of what ``operation`` has done, and it may safely be done again.

    ``by_hand``: whether the revision has calls of its own, on ``env.db``; then what it has made and is not
    there may be gone by its own will. What the server does not tell, or not to this user, counts as done.
    """
    if by_hand and not isinstance(operation, DropIndex | DropView | DropCollection):
        return False
    try:
        return await _is_undone(operation, context)
    except UnsupportedByDriver:
        return False
    except OperationFailure as error:
        if is_transient(error):
            raise
        return False


@singledispatch
async def _is_undone(operation: Operation, context: Context) -> bool:
    return False


@_is_undone.register
async def _(operation: DropIndex, context: Context) -> bool:
    return operation.name in await _indexes(operation.collection, context)


@_is_undone.register
async def _(operation: DropView, context: Context) -> bool:
    return (await _listed([operation.collection], context)).get(operation.collection) == "view"


@_is_undone.register
async def _(operation: DropCollection, context: Context) -> bool:
    """Only where it is empty: documents that somebody has written since are not dropped unasked."""
    name = operation.collection
    if (await _listed([name], context)).get(name) != "collection":
        return False
    return await context.driver.database.get_collection(name).find_one({}, {"_id": 1}) is None


@_is_undone.register
async def _(operation: CreateIndexes, context: Context) -> bool:
    existing = await _indexes(operation.collection, context)
    return any(index.name not in existing for index in operation.indexes)


@_is_undone.register(CreateCollection)
@_is_undone.register(CreateView)
async def _(operation: CreateCollection | CreateView, context: Context) -> bool:
    return operation.collection not in await _listed([operation.collection], context)


@_is_undone.register
async def _(operation: CreateCollections, context: Context) -> bool:
    names = [collection.name for collection in operation.created]
    return not set(names) <= (await _listed(names, context)).keys()


async def _indexes(collection: str, context: Context) -> set[str]:
    listed: Iterable[Mapping[str, Any]] = await context.driver.read({"listIndexes": collection})
    return {info["name"] for info in listed}


async def _listed(names: Iterable[str], context: Context) -> dict[str, str]:
    """By name the kind of those collections and views that are there."""
    wanted = {"listCollections": 1, "filter": {"name": {"$in": list(names)}}, "nameOnly": True}
    return {info["name"]: info["type"] for info in await context.driver.read(wanted)}
