"""Which operations need a newer server, by what is known of the collection: a table."""

from __future__ import annotations

from typing import Any

import pytest

from asyncmig.operations import CreateCollection, CreateIndexes, ModifyCollection, ModifyIndex, Operation
from asyncmig.operations.known import KnownCollection, KnownState
from asyncmig.operations.needs import needs
from asyncmig.schema.index import Index

SERIES = {"timeseries": {"timeField": "t", "metaField": "m"}}
MORTAL = Index("b", name="ttl", expireAfterSeconds=1)
KNOWN = KnownState(
    {
        "c": KnownCollection(
            {}, {"plain": Index("a", name="plain"), "ttl": Index("b", name="ttl", expireAfterSeconds=1)}
        ),
        "s": KnownCollection(SERIES),
    }
)
TABLE: list[tuple[Operation, list[str]]] = [
    (CreateCollection("n", SERIES), ["time series"]),
    (CreateCollection("n", {"clusteredIndex": {"key": {"_id": 1}}}), ["clustered collection"]),
    (CreateCollection("n", {"changeStreamPreAndPostImages": {"enabled": True}}), ["pre- and post-images"]),
    (CreateCollection("n", {"changeStreamPreAndPostImages": {"enabled": False}}), []),
    (ModifyCollection("c", {"cappedSize": 1}), ["capped size in place"]),
    (ModifyCollection("c", {"cappedMax": 1}), ["capped size in place"]),
    (ModifyCollection("s", {"timeseries": {"bucketMaxSpanSeconds": 1}}), ["bucketing of a time series"]),
    (ModifyCollection("s", {"timeseries": {"granularity": "hours"}}), []),
    (ModifyCollection("c", {"validator": {}}), []),
    (ModifyIndex("c", "plain", {"unique": True}), ["unique in place"]),
    (ModifyIndex("c", "plain", {"prepareUnique": True}), ["unique in place"]),
    (ModifyIndex("c", "plain", {"unique": False}), []),
    (ModifyIndex("c", "plain", {"expireAfterSeconds": 5}), ["time to live in place"]),
    (ModifyIndex("c", "ttl", {"expireAfterSeconds": 5}), []),
    (ModifyIndex("c", "another", {"expireAfterSeconds": 5}), []),
    (ModifyIndex("c", "plain", {"hidden": True}), []),
    (CreateIndexes("c", (Index([("x", 1), ("y.$**", 1)]),)), ["compound wildcard index"]),
    (CreateIndexes("c", (Index([("y.$**", 1)]),)), []),
    (CreateIndexes("c", (Index([("$**", "text"), ("x", 1)]),)), []),
    (CreateIndexes("c", (Index("a", name="other"),)), ["several indexes on the same keys"]),
    (CreateIndexes("c", (Index("x", name="p"), Index("x", name="q"))), ["several indexes on the same keys"]),
    (CreateIndexes("c", (Index("a", name="plain"),)), []),
    (CreateIndexes("s", (Index([("t", 1), ("m.x", 1)]),)), []),
    (CreateIndexes("s", (Index([("m", 1), ("temperature", 1)]),)), ["index on a measurement of a time series"]),
    (CreateIndexes("another", (Index("temperature"),)), []),
]


def named(value: Any) -> str:
    return value.describe() if isinstance(value, Operation) else ""


@pytest.mark.parametrize(("operation", "features"), TABLE, ids=named)
def test_what_it_needs(operation: Operation, features: list[str]) -> None:
    found = list(needs(operation, KNOWN))
    assert [feature for feature, _ in found] == features
    assert all(operation.collection in what for _, what in found)
