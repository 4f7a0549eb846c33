"""Which probes an operation gets: by its type."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from functools import singledispatch
from typing import Any

from asyncmig.operations import (
    CreateCollections,
    CreateIndexes,
    DataOperation,
    DropCollection,
    DropIndex,
    ModifyCollection,
    ModifyIndex,
    Operation,
    RemoveField,
    RenameCollection,
    RenameField,
)
from asyncmig.operations.several import spread
from asyncmig.preflight.asking import Asker
from asyncmig.preflight.builds import build, catalogue, failing, members
from asyncmig.preflight.course import both_fields, oplog, scan, target_is_there, uses_of_collection, uses_of_index
from asyncmig.preflight.documents import dropped, expiring, field_values, violators
from asyncmig.preflight.duplicates import duplicates
from asyncmig.preflight.probe import Probe
from asyncmig.schema.value import number, truthy

__all__ = ["probes"]


@singledispatch
def probes(operation: Operation, asker: Asker) -> AsyncIterator[Probe | None]:
    """What can be known of an operation beforehand: nothing, of those that add what is new."""
    return _nothing()


async def _nothing() -> AsyncIterator[Probe | None]:
    return
    yield


@probes.register
async def _create_collections(operation: CreateCollections, asker: Asker) -> AsyncIterator[Probe | None]:
    for part in spread([operation]):
        async for probe in probes(part, asker):
            yield probe


@probes.register
async def _create_indexes(operation: CreateIndexes, asker: Asker) -> AsyncIterator[Probe | None]:
    for fault in catalogue(asker, operation):
        yield fault
    if asker.now(operation.collection) is None:
        return
    yield await members(asker)
    standing = asker.collection(operation.collection).indexes
    new = [index for index in operation.indexes if standing.get(index.name) != index]
    if not new:
        return
    yield await build(asker, CreateIndexes(operation.collection, tuple(new)))
    for probe in await failing(asker, CreateIndexes(operation.collection, tuple(new))):
        yield probe
    for index in new:
        if truthy(index.options.get("unique")):
            yield await duplicates(asker, operation.collection, index)
        if (seconds := number(index.options.get("expireAfterSeconds"))) is not None:
            partial = index.options.get("partialFilterExpression")
            for probe in await expiring(asker, operation.collection, index.keys[0][0], float(seconds), partial):
                yield probe


@probes.register
async def _modify_index(operation: ModifyIndex, asker: Asker) -> AsyncIterator[Probe | None]:
    known = asker.collection(operation.collection).indexes.get(operation.name)
    if known is None:
        yield Probe("P04", "problem", f"there is no index {operation.name} on {operation.collection}")
        return
    if truthy(operation.options.get("unique")) and not known.options.get("unique"):
        yield await duplicates(asker, operation.collection, known.replace(unique=True))
    if (seconds := number(operation.options.get("expireAfterSeconds"))) is not None:
        partial = known.options.get("partialFilterExpression")
        for probe in await expiring(asker, operation.collection, known.keys[0][0], float(seconds), partial):
            yield probe


@probes.register
async def _modify_collection(operation: ModifyCollection, asker: Asker) -> AsyncIterator[Probe | None]:
    known = asker.collection(operation.collection)
    if any(option.startswith("valid") for option in operation.options):
        yield await violators(asker, operation.collection, {**known.options, **operation.options})
    seconds = number(operation.options.get("expireAfterSeconds"))
    if seconds is not None:
        series: Mapping[str, Any] = known.options.get("timeseries") or {}
        for probe in await expiring(asker, operation.collection, series.get("timeField", "_id"), float(seconds)):
            yield probe


@probes.register
async def _drop_index(operation: DropIndex, asker: Asker) -> AsyncIterator[Probe | None]:
    for probe in await uses_of_index(asker, operation):
        yield probe


@probes.register
async def _drop_collection(operation: DropCollection, asker: Asker) -> AsyncIterator[Probe | None]:
    yield await dropped(asker, operation.collection)
    yield await uses_of_collection(asker, operation.collection)


@probes.register
async def _rename_collection(operation: RenameCollection, asker: Asker) -> AsyncIterator[Probe | None]:
    yield target_is_there(asker, operation)
    yield await uses_of_collection(asker, operation.collection)


@probes.register
async def _data(operation: DataOperation, asker: Asker) -> AsyncIterator[Probe | None]:
    filter_: Mapping[str, Any] = getattr(operation, "filter", None) or {}
    field = getattr(operation, "field", None)
    if isinstance(operation, RemoveField) and operation.keep_in is None:
        yield await field_values(asker, operation.collection, operation.field)
    if isinstance(operation, RenameField):
        yield await both_fields(asker, operation)
    asked = filter_ or ({field: {"$exists": True}} if isinstance(field, str) else {})
    course = await scan(asker, operation.collection, asked)
    yield course
    if course is not None:
        yield await oplog(asker, int(course.figures.get("documents", 0)))
