"""Reading documents for a profile: a sample, or all of them, within a rate and a budget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from pymongo.errors import OperationFailure
from pymongo.read_preferences import ReadPreference

from asyncmig.data.source import split
from asyncmig.drivers import driver_for
from asyncmig.drivers.base import Driver
from asyncmig.profiling.profile import Collector, Profile

__all__ = ["Reading", "count_breaking", "profile"]

_CURSOR_SHARE: Final = 0.05  # of the collection: up to it `$sample` walks a cursor at random, above it sorts
_SMALL_COLLECTION: Final = 100  # documents: in a smaller collection it sorts as well
_BATCH_DOCUMENTS: Final = 1_000
_MOCK_BATCH_DOCUMENTS: Final = 200


@dataclass(frozen=True, slots=True)
class Reading:
    """How much to read of a collection, and how gently.

    ``sample``: documents. ``scan``: all of them, in the order of ``_id``; ``rate``: so many per second
    at most. ``budget``: seconds after which the reading ends with what there is. ``max_paths``: how
    many distinct paths are followed. ``examples``: whether values are remembered to be shown: they may be
    personal data. ``by``: the top-level date field that tells when a document was made, where its
    ``_id`` does not. ``secondary``: read from a secondary where there is one.
    """

    sample: int = 2_000
    scan: bool = False
    rate: float | None = None
    budget: float | None = None
    max_paths: int = 2_000
    examples: bool = False
    by: str | None = None
    secondary: bool = False


async def profile(
    collection: Any, reading: Reading | None = None, *, on_progress: Callable[[int, int], None] | None = None
) -> Profile:
    """What the documents of a collection hold; only reads.

    ``collection``: Motor's, PyMongo's or mongomock-motor's. ``on_progress`` is called with how many
    documents are read, of about how many. Raises what the driver raises.

    https://www.mongodb.com/docs/manual/reference/operator/aggregation/sample/
    """
    reading = reading or Reading()
    driver = driver_for(collection.database)
    began = monotonic()
    total = await _count(collection)
    collector = Collector(max_paths=reading.max_paths, examples=reading.examples, by=reading.by)
    stopped = False
    async with aclosing(_batches(driver, collection.name, reading, total)) as batches:
        async for batch in batches:
            for document in batch:
                collector.add(document)
            if on_progress is not None:
                on_progress(collector.documents, total if reading.scan else min(total, reading.sample))
            if reading.budget is not None and monotonic() - began >= reading.budget:
                stopped = True
                break
            await _pace(reading, collector.documents, began)
    is_whole = not stopped and (reading.scan or total <= reading.sample)
    total = max(total, collector.documents)
    how = {"stopped": stopped, "seconds": monotonic() - began, "is_sample": not reading.scan}
    return collector.profile(collection.name, total, is_whole=is_whole, **how)


async def _count(collection: Any) -> int:
    return int(await collection.estimated_document_count())


async def _pace(reading: Reading, documents: int, began: float) -> None:
    ahead = documents / reading.rate - (monotonic() - began) if reading.rate else 0.0
    await asyncio.sleep(max(ahead, 0.0))


async def _batches(driver: Driver, name: str, reading: Reading, total: int) -> AsyncGenerator[Sequence[bytes], None]:
    if not driver.has_server:
        async for batch in _of_the_mock(driver, name, reading):
            yield batch
        return
    documents = _collection(driver, name, secondary=reading.secondary)
    size = _MOCK_BATCH_DOCUMENTS if reading.rate and reading.rate < _BATCH_DOCUMENTS else _BATCH_DOCUMENTS
    if reading.scan or total <= reading.sample:
        cursor = documents.find_raw_batches({}, sort=[("_id", 1)] if reading.scan else None, batch_size=size)
    else:
        asked = documents.aggregate_raw_batches(_pipeline(reading.sample, total), batchSize=size, allowDiskUse=True)
        cursor = asked if hasattr(asked, "__aiter__") else await asked
    try:
        async for raw in cursor:
            yield split(raw)
    finally:
        await cursor.close()


def _collection(driver: Driver, name: str, *, secondary: bool) -> Any:
    preference = ReadPreference.SECONDARY_PREFERRED if secondary else None
    return driver.database.get_collection(name, read_preference=preference)


def _pipeline(sample: int, total: int) -> list[Mapping[str, Any]]:
    """``$sample`` where it walks a cursor at random; where it would sort, documents are drawn as they come by."""
    if total > _SMALL_COLLECTION and sample < _CURSOR_SHARE * total:
        return [{"$sample": {"size": sample}}]
    return [{"$match": {"$sampleRate": min(sample / total, 1.0)}}]


async def _of_the_mock(driver: Driver, name: str, reading: Reading) -> AsyncGenerator[Sequence[bytes], None]:
    cursor = driver.database[name].find({})
    documents = await cursor.to_list(None if reading.scan else reading.sample)
    yield [driver.encode(document) for document in documents]


async def count_breaking(collection: Any, schema: Mapping[str, Any], *, seconds: float | None = None) -> int | None:
    """How many documents break a schema, counted exactly; None where that takes longer than ``seconds``."""
    limit = {} if seconds is None else {"maxTimeMS": max(int(seconds * 1000), 1)}
    try:
        return int(await collection.count_documents({"$nor": [{"$jsonSchema": schema}]}, **limit))
    except OperationFailure as error:
        if error.code != 50:  # MaxTimeMSExpired
            raise
        return None
