"""What a revision finds where it would create something: noted before, and never dropped by its downgrade."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pymongo.errors import OperationFailure

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
from asyncmig.operations.fingerprint import subjects
from asyncmig.running.applying.context import Context, JournalData

__all__ = ["carried_on", "drops_only", "found_before", "preexisting", "was_cut_short"]

_KEY = "existed"
_NOT_FOUND = 26
_ON_VIEW = 166


async def found_before(operation: Operation, context: Context) -> JournalData:
    """``existed``: the subjects of a creation that are there already, before this revision has touched them."""
    match operation:
        case CreateCollection() | CreateView():
            existing = await _collections(context, {operation.collection})
        case CreateCollections():
            existing = await _collections(context, set(subjects(operation)))
            for collection in operation.created:
                if collection.name in existing and collection.indexes:
                    existing |= await _indexes(context, CreateIndexes(collection.name, collection.indexes))
        case CreateIndexes():
            existing = await _indexes(context, operation)
        case _:
            existing = set()
    return {_KEY: sorted(existing)}


async def _collections(context: Context, names: set[str]) -> set[str]:
    listed = await context.driver.read({"listCollections": 1, "nameOnly": True})
    return names & {info["name"] for info in listed}


async def _indexes(context: Context, operation: CreateIndexes) -> set[str]:
    try:
        listed = await context.driver.read({"listIndexes": operation.collection})
    except OperationFailure as error:
        if error.code not in (_NOT_FOUND, _ON_VIEW):
            raise
        return set()
    names = {spec["name"] for spec in listed}
    return {f"{operation.collection}/i/{index.name}" for index in operation.indexes if index.name in names}


def was_cut_short(operation: Operation, made: Iterable[str]) -> bool:
    """Whether of several creations only those ``made`` were carried out, before one was refused."""
    return isinstance(operation, CreateCollections) and set(made) < set(subjects(operation))


def carried_on(intent: Mapping[str, Any], fresh: Mapping[str, Any], made: Iterable[str]) -> JournalData:
    """What was there at first, and what others have put since where nothing was ``made``."""
    return {_KEY: sorted({*intent.get(_KEY, ()), *(set(fresh.get(_KEY, ())) - set(made))})}


def preexisting(intents: Iterable[Mapping[str, Any] | None]) -> frozenset[str]:
    """The subjects that an upgrade found where it would have created them, by the intents of its journal."""
    return frozenset(subject for intent in intents for subject in (intent or {}).get(_KEY, ()))


def drops_only(operation: Operation, kept: frozenset[str]) -> bool:
    """Whether an operation would drop something that is to stay: it was there before."""
    return isinstance(operation, DropCollection | DropView | DropIndex) and kept.issuperset(subjects(operation))
