"""Ranges of ``_id``s: every value that an ``_id`` can have is in exactly one of them, and in the server's order."""

from __future__ import annotations

import random
from typing import Any

import bson
import pytest
from bson import Decimal128, MaxKey, MinKey, ObjectId

from asyncmig.data.ranges import KINDS, Place, Span, spans
from asyncmig.data.source import Source
from asyncmig.drivers import driver_for
from asyncmig.drivers.codec import EXACT

from .keys import KEYS


def same(one: Any, other: Any) -> bool:
    return bson.encode({"": one}) == bson.encode({"": other})


@pytest.fixture
async def source(database: Any) -> Source:
    shuffled = random.Random(5).sample(KEYS, len(KEYS))
    await database["c"].insert_many([{"_id": key} for key in shuffled])
    return Source(driver_for(database), "c")


async def test_the_kinds_hold_every_value_in_the_servers_order(source: Source) -> None:
    found = [key for span in spans(Place()) for key in await source.keys(span.filter, limit=0)]
    assert len(found) == len(KEYS)
    for one, other in zip(found, KEYS, strict=True):
        assert same(one, other), (one, other)


async def test_cut_anywhere_no_value_is_lost_or_met_twice(source: Source) -> None:
    """Behind any key come exactly those that are sorted behind it, and up to it exactly the others."""
    for span in spans(Place()):
        kind = await source.keys(span.filter, limit=0)
        for number, key in enumerate(kind if span.is_cut else (), 1):
            upto = await source.keys(span.head(key).filter, limit=0)
            behind = await source.keys(span.tail(key).filter, limit=0)
            assert len(upto) == number
            assert all(map(same, [*upto, *behind], kind)), key
            assert len(upto) + len(behind) == len(kind)


@pytest.mark.parametrize("key", KEYS, ids=repr)
async def test_the_end_of_a_collection_is_its_highest_id(turn: Any, key: Any) -> None:
    below = KEYS[: next(place for place, one in enumerate(KEYS) if one is key)]
    await turn["c"].insert_many([{"_id": one} for one in (*below, key)])
    source = Source(driver_for(turn), "c")
    end = await source.end()
    assert end is not None
    met = [one for span in spans(Place(), end) for one in await source.keys(span.filter, limit=0)]
    assert len(met) == len(below) + 1
    assert [one for span in spans(end.behind) for one in await source.keys(span.filter, limit=0)] == []
    assert Place.read(bson.decode(bson.encode(end.document), EXACT)).kind == end.kind


async def test_an_empty_collection_has_no_end(database: Any) -> None:
    assert await Source(driver_for(database), "c").end() is None


@pytest.mark.parametrize(
    ("type_name", "key", "kind"),
    [
        ("minKey", MinKey(), "minKey"),
        ("null", None, "null"),
        ("undefined", None, "null"),
        ("double", float("nan"), "nan"),
        ("decimal", Decimal128("NaN"), "nan"),
        ("decimal", Decimal128("sNaN"), "nan"),
        ("double", float("inf"), "number"),
        ("string", "nan", "string"),
        ("string", "NaN", "string"),
        ("symbol", "x", "string"),
        ("objectId", ObjectId(), "objectId"),
        ("maxKey", MaxKey(), "maxKey"),
    ],
)
def test_the_kind_of_a_key(type_name: str, key: Any, kind: str) -> None:
    place = Place.at(type_name, key)
    assert KINDS[place.kind].name == kind
    assert (place.key is not None) == KINDS[place.kind].is_cut


NUMBER, STRING = (
    next(number for number, kind in enumerate(KINDS) if kind.name == name) for name in ("number", "string")
)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (Place(NUMBER), Place(NUMBER, 5), [Span(NUMBER, None, 5)]),
        (Place(NUMBER, 1), Place(NUMBER, 5), [Span(NUMBER, 1, 5)]),
        (Place(NUMBER, 1), Place(STRING, "x"), [Span(NUMBER, 1), Span(STRING, None, "x")]),
        (Place(STRING, "a"), Place(NUMBER, 5), []),
        (Place(len(KINDS)), None, []),
        (Place(len(KINDS) - 1), None, [Span(len(KINDS) - 1)]),
    ],
)
def test_what_lies_between_two_places(start: Place, end: Place | None, expected: list[Span]) -> None:
    assert list(spans(start, end)) == expected


def test_behind_a_place() -> None:
    assert Place(NUMBER, 5).behind == Place(NUMBER, 5)
    assert Place(1).behind == Place(2)
    assert Place(len(KINDS)).document == {"kind": "end", "_id": None}
