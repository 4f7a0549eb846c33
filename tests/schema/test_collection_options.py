"""The normal form of collection options, held to what a real server listed for 91 of them."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Decimal128, Int64

from asyncmig.schema.options import automatic_index, changed_options, normal_options, options_definition
from asyncmig.schema.server import collection_from_server
from asyncmig.schema.state import CollectionKind, CollectionState

from .index_cases import CREATED, OPTIONS


def kind_of(options: dict[str, Any]) -> CollectionKind:
    if "viewOn" in options:
        return "view"
    return "timeseries" if "timeseries" in options else "collection"


def asked(name: str) -> CollectionState:
    options = OPTIONS[name]["asked"]
    return CollectionState(name, kind_of(options), normal_options(options, kind_of(options)))


@pytest.mark.parametrize("name", CREATED)
def test_asked_and_listed_are_one(name: str) -> None:
    listed = collection_from_server({"name": name, **CREATED[name]})
    assert listed.kind == asked(name).kind
    assert options_definition(listed) == options_definition(asked(name))
    assert changed_options(listed, asked(name)) == {}


@pytest.mark.parametrize("name", CREATED)
def test_the_normal_form_is_its_own(name: str) -> None:
    state = asked(name)
    assert normal_options(state.options, state.kind) == state.options


def test_the_clustered_and_the_id_index_are_not_listed() -> None:
    for name, listed in CREATED.items():
        indexes = [
            {"v": 2, "key": {"_id": 1}, "name": "cl", "unique": True, "clustered": True},
            {"v": 2, "key": {"_id": 1.0}, "name": "_id_"},
            {"v": 2, "key": {"_id": "hashed"}, "name": "h"},
            {"v": 2, "key": {"_id": 1, "a": 1}, "name": "c"},
        ]
        found = collection_from_server({"name": name, **listed}, indexes)
        if found.kind == "collection":
            assert [index.name for index in found.indexes] == ["c", "h"]


NORMAL: list[tuple[CollectionKind, dict[str, Any], dict[str, Any]]] = [
    ("collection", {"capped": 1, "size": 1, "max": 0}, {"capped": True, "size": 256}),
    (
        "collection",
        {"capped": True, "size": Int64(257), "max": Decimal128("7")},
        {"capped": True, "size": 512, "max": 7},
    ),
    *(
        ("collection", {"capped": True, "size": 256, "max": most}, {"capped": True, "size": 256, **kept})
        for most, kept in ((2**31 - 2, {"max": 2**31 - 2}), (2**31 - 1, {}), (-1, {}))
    ),
    ("collection", {"capped": False}, {}),
    ("collection", {"validator": {}, "validationLevel": "strict", "validationAction": "error"}, {}),
    ("collection", {"validationLevel": "off"}, {"validationLevel": "off"}),
    ("collection", {"validator": None, "collation": None, "size": None}, {}),
    ("collection", {"storageEngine": {"wiredTiger": {}}, "indexOptionDefaults": {"storageEngine": {}}}, {}),
    ("collection", {"flags": 1, "comment": "x", "idIndex": {}, "autoIndexId": True, "uuid": 1}, {}),
    (
        "collection",
        {"clusteredIndex": {"v": 2, "key": {"_id": 1.0}, "unique": 1, "name": None}, "expireAfterSeconds": Int64(5)},
        {"clusteredIndex": {"key": {"_id": 1}, "unique": True}, "expireAfterSeconds": 5},
    ),
    (
        "timeseries",
        {"timeseries": {"timeField": "t"}, "expireAfterSeconds": float("nan")},
        {"timeseries": {"timeField": "t", "granularity": "seconds"}, "expireAfterSeconds": 0},
    ),
    (
        "timeseries",
        {"timeseries": {"timeField": "t", "granularity": None, "bucketMaxSpanSeconds": 3600}},
        {"timeseries": {"timeField": "t", "granularity": "seconds"}},
    ),
    (
        "timeseries",
        {"timeseries": {"timeField": "t", "bucketMaxSpanSeconds": 60.0, "bucketRoundingSeconds": Int64(60)}},
        {"timeseries": {"timeField": "t", "bucketMaxSpanSeconds": 60, "bucketRoundingSeconds": 60}},
    ),
    ("view", {"viewOn": "a"}, {"viewOn": "a", "pipeline": []}),
]


REFUSED: list[tuple[CollectionKind, dict[str, Any], dict[str, Any]]] = [
    ("collection", {"capped": True, "size": 256, "max": most}, {"capped": True, "size": 256})
    for most in (2**31, 2**63 - 1)
]


@pytest.mark.parametrize(("kind", "options", "normal"), [*NORMAL, *REFUSED])
def test_normal(kind: CollectionKind, options: dict[str, Any], normal: dict[str, Any]) -> None:
    assert normal_options(options, kind) == normal


SERIES = {"timeField": "t", "granularity": "seconds"}
FULL = {
    "locale": "en",
    "caseLevel": False,
    "caseFirst": "off",
    "strength": 3,
    "numericOrdering": False,
    "alternate": "non-ignorable",
    "maxVariable": "punct",
    "normalization": False,
    "backwards": False,
}
CLUSTERED = {"key": {"_id": 1}, "unique": True}

CHANGED: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({}, {}, {}),
    ({}, {"validator": {"a": 1}}, {"validator": ({}, {"a": 1})}),
    ({"validator": {"a": 1}}, {"validator": {"a": {"$eq": 1.0}}}, {}),
    ({"validationLevel": "off"}, {}, {"validationLevel": ("off", "strict")}),
    ({"validationLevel": "strict"}, {}, {}),
    ({}, {"validationAction": "warn"}, {"validationAction": ("error", "warn")}),
    ({"capped": True, "size": 300}, {"capped": True, "size": 512}, {}),
    ({"capped": True, "size": 512}, {"capped": True, "size": 513, "max": 2}, {"size": (512, 768), "max": (None, 2)}),
    ({}, {"capped": True, "size": 1}, {"capped": (False, True), "size": (None, 256)}),
    ({}, {"collation": {"locale": "en"}}, {"collation": (None, FULL)}),
    ({"collation": FULL | {"version": "57.1"}}, {"collation": {"locale": "en"}}, {}),
    (
        {},
        {"changeStreamPreAndPostImages": {"enabled": True}},
        {"changeStreamPreAndPostImages": ({"enabled": False}, {"enabled": True})},
    ),
    ({"timeseries": SERIES}, {"timeseries": {"timeField": "t"}}, {}),
    (
        {"timeseries": SERIES},
        {"timeseries": {"timeField": "t", "granularity": "hours"}},
        {"timeseries": (SERIES, {"timeField": "t", "granularity": "hours"})},
    ),
    (
        {"timeseries": SERIES, "expireAfterSeconds": 5},
        {"timeseries": SERIES},
        {"expireAfterSeconds": (5, None)},
    ),
    ({"clusteredIndex": {**CLUSTERED, "name": "_id_", "v": 2}}, {"clusteredIndex": CLUSTERED}, {}),
    ({"clusteredIndex": CLUSTERED}, {}, {"clusteredIndex": (CLUSTERED, None)}),
    ({"viewOn": "a"}, {"viewOn": "a", "pipeline": []}, {}),
    ({"viewOn": "a"}, {"viewOn": "b", "pipeline": []}, {"viewOn": ("a", "b")}),
    (
        {"viewOn": "a", "pipeline": [{"$set": {"x": 1}}]},
        {"viewOn": "a", "pipeline": [{"$set": {"x": 1.0}}]},
        {"pipeline": ([{"$set": {"x": 1}}], [{"$set": {"x": 1.0}}])},
    ),
    ({"viewOn": "a"}, {}, {"type": ("view", "collection")}),
    ({"storageEngine": {"wiredTiger": {"configString": "x"}}}, {}, {}),
    (
        {},
        {"storageEngine": {"wiredTiger": {"configString": "x"}}},
        {"storageEngine": (None, {"wiredTiger": {"configString": "x"}})},
    ),
    (
        {"encryptedFields": {"escCollection": "enxcol_.a.esc", "fields": [{"keyId": 1, "path": "a"}]}},
        {"encryptedFields": {"fields": [{"path": "a", "keyId": 1}]}},
        {},
    ),
    (
        {"encryptedFields": {"escCollection": "enxcol_.a.esc", "fields": [{"keyId": 1, "path": "a"}]}},
        {"encryptedFields": {"fields": [{"path": "b", "keyId": 1}]}},
        {"encryptedFields": ({"fields": [{"keyId": 1, "path": "a"}]}, {"fields": [{"path": "b", "keyId": 1}]})},
    ),
    ({"encryptedFields": {"fields": [{"path": "a"}]}}, {}, {}),  # the server's own, or somebody else's: not asked for
    (
        {},
        {"encryptedFields": {"fields": [{"path": "a"}]}},
        {"encryptedFields": (None, {"fields": [{"path": "a"}]})},
    ),
    ({"recordPreImages": True}, {}, {"recordPreImages": (True, False)}),
    ({}, {"recordPreImages": True}, {"recordPreImages": (False, True)}),
    ({"recordPreImages": False}, {}, {}),
    ({"recordPreImages": True}, {"recordPreImages": 1}, {}),
]


@pytest.mark.parametrize(("current", "wanted", "changed"), CHANGED)
def test_changed_options(current: dict[str, Any], wanted: dict[str, Any], changed: dict[str, Any]) -> None:
    one, other = (
        CollectionState("a", kind_of(options), normal_options(options, kind_of(options)))
        for options in (current, wanted)
    )
    assert changed_options(one, other) == changed
    assert changed_options(one, one) == changed_options(other, other) == {}


def test_the_index_of_a_time_series_that_makes_itself() -> None:
    with_meta = CollectionState("a", "timeseries", {"timeseries": {"timeField": "t", "metaField": "m"}})
    made = automatic_index(with_meta)
    assert made is not None
    assert (made.name, made.keys) == ("m_1_t_1", (("m", 1), ("t", 1)))
    assert automatic_index(CollectionState("a", "timeseries", {"timeseries": {"timeField": "t"}})) is None
    assert automatic_index(CollectionState("a")) is None
