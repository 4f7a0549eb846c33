"""Carrying out operations on collections and views: each may be run again at any time, and changes nothing twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymongo.errors import OperationFailure

from asyncmig.drivers.refusal import refused
from asyncmig.errors import OperationRefused
from asyncmig.operations import (
    CreateCollection,
    CreateView,
    DropCollection,
    DropView,
    ModifyCollection,
    ModifyView,
    Operation,
    RenameCollection,
)
from asyncmig.running.applying.context import Context, JournalData
from asyncmig.schema.collation import SIMPLE, expand
from asyncmig.schema.options import changed_options, normal_options
from asyncmig.schema.server import collection_from_server
from asyncmig.schema.state import CollectionKind, CollectionState

__all__ = [
    "create_collection",
    "create_view",
    "drop_collection",
    "drop_view",
    "modify_collection",
    "modify_view",
    "rename_collection",
]

_NOT_FOUND = 26
_EXISTS = 48
_LOOK_MS = 2_000  # for a document that breaks a new validator; a large collection may take longer


async def create_collection(operation: CreateCollection, context: Context) -> None:
    """``create``; one that stands there with the same options is left as it is."""
    kind: CollectionKind = "timeseries" if "timeseries" in operation.options else "collection"
    await _create(operation, context, operation.options, kind)


async def create_view(operation: CreateView, context: Context) -> None:
    """``create`` with ``viewOn``; a view that stands there with the same definition is left as it is."""
    options = {"viewOn": operation.view_on, "pipeline": list(operation.pipeline), **operation.options}
    await _create(operation, context, options, "view")


async def drop_collection(operation: DropCollection, context: Context) -> None:
    """``drop``; one that is not there has been dropped."""
    try:
        await context.driver.command({"drop": operation.collection})
    except OperationFailure as error:
        if error.code != _NOT_FOUND:
            raise


async def drop_view(operation: DropView, context: Context) -> None:
    """``drop`` of a view, after a look that it is one: a collection's documents would be gone."""
    listed = await _listed(context, operation.collection)
    if listed is None:
        return
    if listed["type"] != "view":
        raise OperationRefused(
            operation,
            None,
            f"{operation.collection} is a {listed['type']}, not a view",
            "env.drop_collection drops a collection, together with its documents",
        )
    await drop_collection(DropCollection(operation.collection), context)


async def rename_collection(operation: RenameCollection, context: Context) -> None:
    """``renameCollection``; where only the new name is there, it has been done."""
    database = context.driver.database.name
    old, new = operation.collection, operation.new
    try:
        await context.driver.command({"renameCollection": f"{database}.{old}", "to": f"{database}.{new}"}, admin=True)
    except OperationFailure as error:
        if error.code not in {_NOT_FOUND, _EXISTS}:
            raise
        if not await _is_renamed(context, old, new):
            raise refused(operation, error, _rename_advice(error, old, new)) from error


async def modify_collection(operation: ModifyCollection, context: Context) -> JournalData | None:
    """``collMod`` of options; an index among them is refused, :class:`ModifyIndex` knows the dangers.

    Returns ``{"breaks": _id}`` of a document that breaks a strict validator that goes on, where there is one.
    """
    if "index" in operation.options:
        raise OperationRefused(operation, None, "`index` is no option of a collection", "use env.modify_index")
    broken = await _first_breaking(operation, context) if operation.options.get("validator") else []
    await context.driver.command({"collMod": operation.collection, **_sendable(operation.options, "collection")})
    return {"breaks": broken[0]["_id"]} if broken else None


async def _first_breaking(operation: ModifyCollection, context: Context) -> list[dict[str, Any]]:
    """A document that the new validator would refuse, if one is found in a moment, and it is going to be strict."""
    listed = await _listed(context, operation.collection) if context.driver.has_server else None
    options = {**(listed or {}).get("options", {}), **operation.options}
    is_strict = options.get("validationLevel", "strict") == "strict" and options.get("validationAction") != "warn"
    if listed is None or not is_strict:
        return []
    pipeline = [{"$match": {"$nor": [options["validator"]]}}, {"$limit": 1}, {"$project": {"_id": 1}}]
    command = {"aggregate": operation.collection, "pipeline": pipeline, "maxTimeMS": _LOOK_MS}
    try:
        return await context.driver.read(command)
    except OperationFailure:  # it takes too long, or the validator is none: collMod says so
        return []


async def modify_view(operation: ModifyView, context: Context) -> None:
    """``collMod`` of source and pipeline."""
    view = {"viewOn": operation.view_on, "pipeline": list(operation.pipeline)}
    await context.driver.command({"collMod": operation.collection, **view})


async def _create(operation: Operation, context: Context, options: Mapping[str, Any], kind: CollectionKind) -> None:
    name = operation.collection
    try:
        await context.driver.command({"create": name, **_sendable(options, kind)})
    except OperationFailure as error:
        if error.code != _EXISTS:
            raise
        listed = await _listed(context, name)
        if listed is None:
            raise
        wanted = CollectionState(name, kind, normal_options(options, kind))
        if changes := changed_options(collection_from_server(listed), wanted):
            advice = f"{_told(changes)}; drop or rename that one first, or choose another name"
            raise refused(operation, error, advice) from error


def _told(changes: Mapping[str, tuple[Any, Any]]) -> str:
    listed = "; ".join(f"{option}: {old!r} there, {new!r} wanted" for option, (old, new) in changes.items())
    return f"what is there differs in {listed}"


def _sendable(options: Mapping[str, Any], kind: CollectionKind) -> dict[str, Any]:
    """The options with all nine fields of a collation, so that no default of the server's takes part."""
    if "collation" not in options:
        return dict(options)
    return {**options, "collation": expand(options["collation"], "collection") or dict(SIMPLE)}


async def _listed(context: Context, name: str) -> Mapping[str, Any] | None:
    answer = await context.driver.read({"listCollections": 1, "filter": {"name": name}})
    return answer[0] if answer else None


async def _is_renamed(context: Context, old: str, new: str) -> bool:
    return await _listed(context, old) is None and await _listed(context, new) is not None


def _rename_advice(error: OperationFailure, old: str, new: str) -> str:
    if error.code == _EXISTS:
        return f"both {old} and {new} are there: bring their documents together, or drop one, before this revision runs"
    return f"neither {old} nor {new} is there: mind the spelling"
