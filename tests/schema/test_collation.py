"""All nine fields of a collation, by locale and level, as a real server fills them in."""

from __future__ import annotations

from typing import Any

import pytest
from bson import Int64
from pymongo.collation import Collation

from asyncmig import Index
from asyncmig.schema.collation import FIELDS, Level, expand
from asyncmig.schema.normal import definition, index_from_server, normal_index, signature

from ..oracles.notation import load

ORACLE = load("collation")
GENERIC = ORACLE["generic_defaults"]
SPECIAL = [
    (level, locale, defaults)
    for level in ("index", "collection")
    for locale, defaults in ORACLE[f"{level}_level_locale_defaults"].items()
]


@pytest.mark.parametrize(("level", "locale", "defaults"), SPECIAL)
def test_locale(level: Level, locale: str, defaults: dict[str, Any]) -> None:
    assert expand({"locale": locale}, level) == {"locale": locale, **GENERIC, **defaults}


@pytest.mark.parametrize("locale", sorted(ORACLE["index_level_locale_defaults"]))
def test_a_collection_has_generic_defaults(locale: str) -> None:
    special = ORACLE["collection_level_locale_defaults"].get(locale, {})
    assert expand({"locale": locale}, "collection") == {"locale": locale, **GENERIC, **special}


ASKED = [
    (None, None),
    ({"locale": "simple"}, None),
    ({"locale": "simple", "strength": 2}, None),
    ("en", GENERIC),
    ({"locale": "en"}, GENERIC),
    (Collation("en"), GENERIC),
    ({"locale": "en", "version": "57.1"}, GENERIC),
    ({"locale": "en", "strength": None, "caseLevel": None}, GENERIC),
    ({"locale": "en", "strength": 2.0}, GENERIC | {"strength": 2}),
    ({"locale": "en", "strength": Int64(2)}, GENERIC | {"strength": 2}),
    ({"strength": 2.5, "locale": "en"}, GENERIC | {"strength": 2}),
    (
        {"locale": "en", "backwards": True, "maxVariable": "space"},
        GENERIC | {"backwards": True, "maxVariable": "space"},
    ),
]


@pytest.mark.parametrize(("asked", "filled"), ASKED)
def test_expand(asked: Any, filled: dict[str, Any] | None) -> None:
    found = expand(asked, "index")
    assert found == (None if filled is None else {"locale": "en", **filled})
    if found is not None:
        assert tuple(found) == FIELDS
        assert type(found["strength"]) is int
        assert expand(found, "index") == expand(found, "collection") == found


SIMPLE = {"locale": "simple"}
EN = {"locale": "en", "strength": 2}
FULL = {"locale": "en", **GENERIC, "strength": 2}
TH = {"locale": "th"}

INHERITED = [
    (Index("a"), None, None),
    (Index("a"), EN, FULL),
    (Index("a"), TH, {"locale": "th", **GENERIC}),
    (Index("a", collation=TH), TH, {"locale": "th", **GENERIC, "alternate": "shifted", "normalization": True}),
    (Index("a", collation=SIMPLE), EN, SIMPLE),
    (Index("a", collation=SIMPLE), None, None),
    (Index("a"), SIMPLE, None),
    (Index("a", v=1), EN, SIMPLE),
    (Index([("a", "text")]), EN, SIMPLE),
    (Index([("a", "2d")]), EN, SIMPLE),
    (Index([("a", "2dsphere")]), EN, FULL),
    (Index([("a", "hashed")]), EN, FULL),
    (Index("$**"), EN, FULL),
]


@pytest.mark.parametrize(("index", "of_collection", "sent"), INHERITED)
def test_an_index_says_what_it_inherits(
    index: Index, of_collection: dict[str, Any] | None, sent: dict[str, Any] | None
) -> None:
    normal = normal_index(index, of_collection)
    assert normal.options.get("collation") == sent
    assert normal_index(normal, of_collection) == normal


def test_an_index_listed_without_collation_has_the_simple_one() -> None:
    spec = {"v": 2, "key": {"a": 1}, "name": "a_1"}
    listed = index_from_server(spec, expand(EN, "collection"))
    assert listed.options["collation"] == SIMPLE
    assert definition(listed) == definition(index_from_server(spec))
    assert signature(listed) != signature(normal_index(Index("a"), EN))
