"""What of a server's features an operation needs: for the planner, which writes nothing that this server refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import singledispatch
from typing import Any

from asyncmig.operations.base import Operation
from asyncmig.operations.collections import CreateCollection, ModifyCollection
from asyncmig.operations.indexes import CreateIndexes, ModifyIndex
from asyncmig.operations.known import KnownCollection, KnownState
from asyncmig.schema.capabilities import Feature
from asyncmig.schema.index import Index
from asyncmig.schema.value import truthy

__all__ = ["needs"]


@singledispatch
def needs(operation: Operation, known: KnownState) -> Iterator[tuple[Feature, str]]:
    """Each feature that not every server has, and what of the operation needs it."""
    yield from ()


@needs.register
def _create_collection(operation: CreateCollection, known: KnownState) -> Iterator[tuple[Feature, str]]:
    if operation.options.get("timeseries"):
        yield "time series", f"the time series {operation.collection}"
    if operation.options.get("clusteredIndex"):
        yield "clustered collection", f"the clustered index of {operation.collection}"
    yield from _images(operation.collection, operation.options)


@needs.register
def _modify_collection(operation: ModifyCollection, known: KnownState) -> Iterator[tuple[Feature, str]]:
    if {"cappedSize", "cappedMax"} & operation.options.keys():
        yield "capped size in place", f"another size of the capped collection {operation.collection}"
    if any(str(key).startswith("bucket") for key in operation.options.get("timeseries") or ()):
        yield "bucketing of a time series", f"another bucketing of the time series {operation.collection}"
    yield from _images(operation.collection, operation.options)


def _images(collection: str, options: Mapping[str, Any]) -> Iterator[tuple[Feature, str]]:
    if (options.get("changeStreamPreAndPostImages") or {}).get("enabled"):
        yield "pre- and post-images", f"pre- and post-images of {collection}"


@needs.register
def _modify_index(operation: ModifyIndex, known: KnownState) -> Iterator[tuple[Feature, str]]:
    standing = known.index(operation.collection, operation.name)
    if truthy(operation.options.get("unique")) or truthy(operation.options.get("prepareUnique")):
        yield "unique in place", f"making index {operation.name} of {operation.collection} unique in place"
    if "expireAfterSeconds" in operation.options and standing and "expireAfterSeconds" not in standing.options:
        yield "time to live in place", f"a time to live for the plain index {operation.name} of {operation.collection}"


@needs.register
def _create_indexes(operation: CreateIndexes, known: KnownState) -> Iterator[tuple[Feature, str]]:
    standing = known.get(operation.collection)
    seen = [*standing.indexes.values()]
    for index in operation.indexes:
        if len(index.keys) > 1 and any("$**" in field and kind != "text" for field, kind in index.keys):
            yield "compound wildcard index", f"the compound wildcard index {index.name} of {operation.collection}"
        if measured := _measurements(standing, index):
            yield (
                "index on a measurement of a time series",
                f"index {index.name} on {', '.join(measured)} of the time series {operation.collection}",
            )
        if any(other.keys == index.keys and other.name != index.name for other in seen):
            yield (
                "several indexes on the same keys",
                f"index {index.name} of {operation.collection} beside another one on the same keys",
            )
        seen.append(index)


def _measurements(collection: KnownCollection, index: Index) -> list[str]:
    """The fields of an index of a time series that are neither its time nor within its metadata."""
    series = collection.options.get("timeseries")
    if not series:
        return []
    taken = {series.get("timeField"), series.get("metaField")}
    return [field for field, _ in index.keys if field.partition(".")[0] not in taken]
