"""Hypothesis strategies: every BSON value, every kind of index, every operation."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable
from datetime import timedelta, timezone
from functools import partial
from operator import attrgetter
from typing import Any

import pymongo
from bson import (
    SON,
    Binary,
    Code,
    DatetimeMS,
    DBRef,
    Decimal128,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
    encode,
)
from bson.raw_bson import RawBSONDocument
from hypothesis import strategies as st

from asyncmig.operations import (
    CreateCollection,
    CreateCollections,
    CreateIndexes,
    CreateView,
    DeleteDocuments,
    DropCollection,
    DropIndex,
    DropView,
    InsertDocuments,
    ModifyCollection,
    ModifyIndex,
    ModifyView,
    NewCollection,
    Operation,
    RenameCollection,
)
from asyncmig.schema.canonical import canonical
from asyncmig.schema.index import Index

LONG = 2**63 - 1
LAST_SUBTYPE = 255 if tuple(pymongo.version_tuple[:2]) >= (4, 18) else 254  # older ones cannot encode the last

words = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
index_names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda name: name != "*"
)
names = st.one_of(
    st.sampled_from(
        ["wallet", "top_up", "a.b", "кошелёк", "財布" * 12, "x" * 70, 'quo"te', "it's", "back\\slash", "new\nline"]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0$."), min_size=1, max_size=60),
)
longs = st.integers(-LONG - 1, LONG)
zones = st.one_of(
    st.none(),
    st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone),
    st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters))),
)
patterns = st.builds(
    re.compile,
    st.sampled_from(["", "^a", 'say "x"', "a\\d+\n", "(?i)b"]),
    st.sampled_from([0, re.I, re.M | re.S, re.A, re.X | re.I | re.M]),
)
floats = st.floats(allow_nan=False) | st.just(math.nan)  # one of the many, as to MongoDB all are equal
scalars = st.one_of(
    st.none(),
    st.booleans(),
    longs,
    longs.map(Int64),
    floats,
    st.binary(min_size=16, max_size=16).map(Decimal128.from_bid),
    st.decimals(-(10**30), 10**30, places=3).map(lambda number: Decimal128(str(number))),
    words,
    st.binary(max_size=60),
    st.builds(Binary, st.binary(max_size=20), st.integers(0, LAST_SUBTYPE)),
    st.uuids(),
    st.binary(min_size=12, max_size=12).map(ObjectId),
    st.datetimes(timezones=zones),
    st.integers(-LONG, LONG).map(DatetimeMS),
    st.builds(Regex, keys, st.sampled_from(["", "i", "im", "imsx", "u", "l"])),
    patterns,
    st.builds(Code, words),
    st.builds(Timestamp, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    st.builds(MinKey),
    st.builds(MaxKey),
)
plain_documents = st.dictionaries(keys, st.one_of(longs, words, st.none(), floats), max_size=3)


def _containers(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    documents = st.dictionaries(keys, values, max_size=5)
    return st.one_of(
        st.lists(values, max_size=5),
        # Of one item none: where a width is doubtful, no trailing comma can settle how such a tuple is laid out.
        st.lists(values, max_size=3).map(_tuple),
        documents,
        documents.map(SON),
        plain_documents.map(lambda document: RawBSONDocument(encode(document))),
        st.builds(Code, words, documents),
        st.builds(DBRef, names, longs | words | documents, st.none() | names),
        st.builds(partial(DBRef, "wallet", 1), st.just("shop"), documents.map(_no_reference)),
    )


def _tuple(items: list[Any]) -> Any:
    return items if len(items) == 1 else tuple(items)


def _no_reference(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if not key.startswith("$")}


def _index_name(index: Index) -> str:
    return index.name


def _document_id(document: dict[str, Any]) -> Hashable:
    return canonical(document["_id"])


values = st.recursive(scalars, _containers, max_leaves=25)
documents = st.dictionaries(keys, values, max_size=5)

directions = st.sampled_from([1, -1, 1.0, Int64(1), Int64(-1), 2, "text", "2d", "2dsphere", "hashed"])
fields = st.one_of(st.sampled_from(["uid", "org_id", "place.point", "$**", "a.$**", "naïve", "x" * 50]), keys)
index_keys = st.lists(st.tuples(fields, directions), min_size=1, max_size=4)
index_options = st.fixed_dictionaries(
    {},
    optional={
        "name": index_names,
        "unique": st.booleans(),
        "sparse": st.booleans(),
        "hidden": st.just(True),
        "expireAfterSeconds": st.sampled_from([0, 3600, 3600.0, Int64(3600)]),
        "partialFilterExpression": documents,
        "collation": st.just({"locale": "fr", "strength": 2, "backwards": True}),
        "weights": st.dictionaries(keys, st.integers(1, 99), max_size=3),
        "wildcardProjection": st.dictionaries(keys, st.booleans(), max_size=3),
        "min": st.floats(-180, 180),
        "class": longs,
        "not an identifier": longs,
    },
)
indexes = st.builds(lambda keys, options: Index(keys, **options), index_keys, index_options)

collection_options = st.dictionaries(
    st.sampled_from(
        ["validator", "validationLevel", "capped", "size", "timeseries", "collation", "$odd", "from", "é", ""]
    ),
    values,
    max_size=4,
)
new_collections = st.builds(
    NewCollection, names, collection_options, st.lists(indexes, max_size=3, unique_by=_index_name).map(tuple)
)
pipelines = st.lists(documents, max_size=3)
documents_with_id = st.builds(lambda key, rest: {"_id": key} | rest, values, documents)
operations: st.SearchStrategy[Operation] = st.one_of(
    st.builds(CreateCollection, names, collection_options),
    st.lists(new_collections, min_size=1, max_size=4, unique_by=attrgetter("name")).map(
        lambda created: CreateCollections(tuple(created))
    ),
    st.builds(DropCollection, names),
    st.lists(names, min_size=2, max_size=2, unique=True).map(lambda pair: RenameCollection(*pair)),
    st.builds(ModifyCollection, names, collection_options.map(lambda options: options or {"validator": {}})),
    st.builds(CreateView, names, names, pipelines, st.just({}) | st.just({"collation": {"locale": "en"}})),
    st.builds(ModifyView, names, names, pipelines),
    st.builds(DropView, names),
    st.builds(CreateIndexes, names, st.lists(indexes, min_size=1, max_size=4, unique_by=_index_name).map(tuple)),
    st.builds(ModifyIndex, names, index_names, st.just({"hidden": True}) | st.just({"expireAfterSeconds": Int64(7)})),
    st.builds(DropIndex, names, index_names, note=words),
    st.builds(
        InsertDocuments, names, st.lists(documents_with_id, min_size=1, max_size=4, unique_by=_document_id).map(tuple)
    ),
    st.builds(DeleteDocuments, names, st.lists(values, min_size=1, max_size=6).map(tuple), if_unchanged=st.booleans()),
)
