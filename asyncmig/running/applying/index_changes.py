"""Carrying out operations on indexes: all or nothing, safe to run again, and never one that could stop the server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pymongo.errors import OperationFailure

from asyncmig.drivers.refusal import is_refusal, refused
from asyncmig.errors import OperationRefused
from asyncmig.operations import CreateIndexes, DropIndex, ModifyIndex
from asyncmig.running.applying.context import Context, JournalData
from asyncmig.running.applying.duplicates import duplicates, violations
from asyncmig.running.applying.index_build import build
from asyncmig.schema.collation import SIMPLE, expand
from asyncmig.schema.index import Index
from asyncmig.schema.normal import agree, index_from_server, normal_index

__all__ = ["create_indexes", "drop_index", "modify_index", "prepare_modify_index"]

_NOT_FOUND = 26
_NO_INDEX = 27
_TWICE, _EQUIVALENT, _SAME_NAME = 68, 85, 86
_NOT_UNIQUE = 359
_DUPLICATE = 11000
_UNKNOWN_OPTION = frozenset({72, 40415})  # InvalidOptions, and a field that the command does not know
_NEEDS_6 = (
    "making an index unique in place needs MongoDB 6.0, and its featureCompatibilityVersion; raise that, or drop the "
    "index and create it with unique=True"
)
_DEADLY = frozenset({"expireAfterSeconds", "prepareUnique", "unique"})
_IN_PLACE = frozenset({"expireAfterSeconds", "hidden", "prepareUnique", "unique"})


async def create_indexes(operation: CreateIndexes, context: Context) -> None:
    """``createIndexes``, all in one command, so that the collection is scanned once.

    The server says nothing where an index of the name is there and differs only in ``hidden`` or
    in its version; so what it did not create is compared with what was wanted.
    """
    wanted = [_sendable(index) for index in operation.indexes]
    try:
        reply = await build(operation, context, wanted)
    except OperationFailure as error:
        raise await _explained(operation, context, error) from error
    if reply.get("numIndexesAfter", 0) - reply.get("numIndexesBefore", 0) != len(wanted):
        _require_alike(operation, await _listed(context, operation.collection))


async def drop_index(operation: DropIndex, context: Context) -> None:
    """``dropIndexes`` of one index; one that is not there has been dropped."""
    if operation.name == "*":
        raise OperationRefused(operation, None, "`*` would drop every index", "drop them one by one, by name")
    try:
        await context.driver.command({"dropIndexes": operation.collection, "index": operation.name})
    except OperationFailure as error:
        if error.code not in {_NOT_FOUND, _NO_INDEX}:
            raise


async def prepare_modify_index(operation: ModifyIndex, context: Context) -> JournalData | None:
    """``prepare_unique``: whether the index is prepared already, so that a failure puts back what was there."""
    if not operation.options.get("unique"):
        return None
    return {"prepare_unique": bool((await _require_index(operation, context)).get("prepareUnique"))}


async def modify_index(operation: ModifyIndex, context: Context, intent: JournalData | None) -> None:
    """``collMod`` of one index; what cannot be done in place, or would crash the server, is refused before."""
    spec = await _require_index(operation, context)
    _require_possible(operation, spec)
    if operation.options.get("unique") and not spec.get("unique"):
        was_prepared = bool(spec.get("prepareUnique")) if intent is None else bool(intent["prepare_unique"])
        await _make_unique(operation, context, was_prepared)
    rest = {key: value for key, value in operation.options.items() if key != "unique"}
    if operation.options.get("unique"):
        rest.pop("prepareUnique", None)  # it has served its purpose, and the server knows it no more
    if rest:
        await _modify(operation, context, rest)


async def _make_unique(operation: ModifyIndex, context: Context, was_prepared: bool) -> None:
    """Stop new duplicates, look for old ones, convert; where that fails, let the index be as it was.

    https://www.mongodb.com/docs/manual/core/index-unique/convert-to-unique/
    """
    try:
        await _modify(operation, context, {"prepareUnique": True})
    except OperationFailure as error:
        if error.code in _UNKNOWN_OPTION:
            raise refused(operation, error, _NEEDS_6) from error
        raise
    try:
        await _modify(operation, context, {"unique": True}, dryRun=True)
        await _modify(operation, context, {"unique": True})
    except OperationFailure as error:
        if is_refusal(error) and not was_prepared:
            await _modify(operation, context, {"prepareUnique": False})
        if error.code == _NOT_UNIQUE:
            raise refused(operation, error, violations((error.details or {}).get("violations", ()))) from error
        raise


async def _modify(operation: ModifyIndex, context: Context, options: Mapping[str, Any], **flags: bool) -> None:
    index = {"name": operation.name, **options}
    await context.driver.command({"collMod": operation.collection, "index": index, **flags})


def _require_possible(operation: ModifyIndex, spec: Mapping[str, Any]) -> None:
    options = operation.options
    fault = ""
    if unknown := sorted(set(options) - _IN_PLACE):
        fault = f"{', '.join(unknown)} cannot be changed in place"
    elif _is_wildcard(spec) and (deadly := sorted(_DEADLY & set(options))):
        fault = f"{', '.join(deadly)} of a wildcard index cannot be changed, and asking stops some servers (6.0.5)"
    elif "unique" in options and options["unique"] is not True:
        fault = "a unique index cannot be made an ordinary one in place"
    elif "expireAfterSeconds" in options and options["expireAfterSeconds"] is None:
        fault = "the time to live cannot be taken off in place"
    if fault:
        raise OperationRefused(operation, None, fault, "drop the index and create it anew")


def _is_wildcard(spec: Mapping[str, Any]) -> bool:
    fields = [*spec["key"], *spec.get("weights", ())]
    return any(field == "$**" or field.endswith(".$**") for field in fields)


async def _require_index(operation: ModifyIndex, context: Context) -> Mapping[str, Any]:
    listed = await _listed(context, operation.collection)
    for spec in listed:
        if spec["name"] == operation.name:
            return spec
    names = ", ".join(spec["name"] for spec in listed) or "no index at all"
    raise OperationRefused(
        operation, _NO_INDEX, "index not found", f"{operation.collection} has: {names}; mind the spelling"
    )


async def _listed(context: Context, collection: str) -> list[dict[str, Any]]:
    try:
        return await context.driver.read({"listIndexes": collection})
    except OperationFailure as error:
        if error.code != _NOT_FOUND:
            raise
        return []


def _sendable(index: Index) -> dict[str, Any]:
    """The specification with all nine fields of a collation, so that no default of the server's takes part.

    Its fields come in the order in which the drivers send them: of a time series, the server takes an index for
    another one where they do not, and a library that makes its own indexes at start-up would fail.
    """
    others = {name: value for name, value in index.options.items() if name not in ("name", "collation")}
    document: dict[str, Any] = {**others, "name": index.name, "key": dict(index.keys)}
    if "collation" in index.options:
        document["collation"] = expand(index.options["collation"], "index") or dict(SIMPLE)
    return document


def _require_alike(operation: CreateIndexes, listed: Iterable[Mapping[str, Any]]) -> None:
    """What is there under each name is what was wanted (the one on ``_id`` is there whatever its name)."""
    existing = {spec["name"]: index_from_server(spec) for spec in listed}
    for index in operation.indexes:
        same_name = existing.get(index.name)
        if same_name is not None and not agree(same_name, _as_wanted(index, same_name)):
            raise OperationRefused(
                operation,
                _EQUIVALENT,
                f"an index named {index.name} is there already, and differs in {_differences(same_name, index)}",
                "env.modify_index changes some of it in place; else drop that one in the same revision, before",
            )


def _as_wanted(index: Index, existing: Index) -> Index:
    """In normal form; one that names no collation has inherited its collection's, which the server has checked."""
    inherited = existing.options.get("collation") if "collation" not in index.options else None
    return normal_index(index, inherited)


def _differences(existing: Index, wanted: Index) -> str:
    wanted = _as_wanted(wanted, existing)
    options = sorted({*existing.options, *wanted.options} - {"name"})
    differing = [name for name in options if existing.options.get(name) != wanted.options.get(name)]
    return ", ".join(["its key"] * (existing.keys != wanted.keys) + differing) or "its definition"


async def _explained(operation: CreateIndexes, context: Context, error: OperationFailure) -> Exception:
    """The refusal, with what stands in the way: the index that is there, or the documents that share a value."""
    if not is_refusal(error):
        return error
    counsel = ""
    if error.code in {_EQUIVALENT, _SAME_NAME}:
        counsel = _in_the_way(operation.indexes, await _listed(context, operation.collection))
    elif error.code == _DUPLICATE:
        counsel = await duplicates(operation, context, error)
    return refused(operation, error, counsel)


def _in_the_way(wanted: Sequence[Index], listed: Sequence[Mapping[str, Any]]) -> str:
    """Which of the wanted indexes meets which of those there, and what to do."""
    for index in wanted:
        for spec in listed:
            existing = index_from_server(spec)
            if existing.name == index.name and not agree(existing, _as_wanted(index, existing)):
                differing = _differences(existing, index)
                return f"{existing!r} is there and differs in {differing}; drop it before, or use another name"
    keys = {index.keys: index for index in wanted}
    for spec in listed:
        existing = index_from_server(spec)
        if existing.keys in keys and existing.name != keys[existing.keys].name:
            return f"{existing!r} is there, and MongoDB keeps no two such indexes; drop it before creating this one"
    return ""
