"""Values as Python source."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
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
from bson.tz_util import FixedOffset, utc
from hypothesis import given, settings

from asyncmig.authoring.imports import Imports
from asyncmig.authoring.literals import Unwritable, literal
from asyncmig.errors import AsyncmigError

from .exact_values import exact
from .strategies import values


class Colour(Enum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Status(StrEnum):
    ACTIVE = "active"


def evaluated(source: str, imports: Imports) -> Any:
    names: dict[str, Any] = {}
    exec("\n".join(imports.lines()), names)
    return eval(source, names)


HELD = {"a": 1, "b": [Int64(2)]}

CASES: list[tuple[Any, str]] = [
    (None, "None"),
    (True, "True"),
    (0, "0"),
    (-(2**63), "-9223372036854775808"),
    (Level.HIGH, "3"),
    (Int64(5), "Int64(5)"),
    (Int64(-5), "Int64(-5)"),
    (1.0, "1.0"),
    (-0.0, "-0.0"),
    (1e300, "1e300"),
    (-2.5e-7, "-2.5e-07"),
    (math.nan, 'float("nan")'),
    (math.inf, 'float("inf")'),
    (-math.inf, 'float("-inf")'),
    (Decimal128("1.10"), 'Decimal128("1.10")'),
    (Decimal128("-0E+3"), 'Decimal128("-0E+3")'),
    (Decimal128("Infinity"), 'Decimal128("Infinity")'),
    (Decimal128("NaN"), 'Decimal128("NaN")'),
    (Decimal128("-NaN"), 'Decimal128("-NaN")'),
    (Decimal128("sNaN"), 'Decimal128("sNaN")'),
    (Decimal128.from_bid(b"\xff" * 16), r'Decimal128.from_bid(b"%s")' % (r"\xff" * 16)),
    (Decimal128.from_bid(b"\xff" * 14 + b"A0"), r'Decimal128.from_bid(b"%sA0")' % (r"\xff" * 14)),
    ("plain", '"plain"'),
    ('say "hi"', """'say "hi"'"""),
    ("it's", '"it' + "'" + 's"'),
    ('it\'s "so"', r"""'it\'s "so"'"""),
    ("a'\"", r'''"a'\""'''),
    ("a\nb\tc\0d\\e", r'"a\nb\tc\x00d\\e"'),
    ("naïve 財布 🙂", '"naïve 財布 🙂"'),
    ("\u200b\ufeff\u2028\x85", r'"\u200b\ufeff\u2028\x85"'),
    (Status.ACTIVE, '"active"'),
    (b"a\xff\n'\"", r'''b"a\xff\n'\""'''),
    (Binary(b"ab", 0), 'Binary(b"ab")'),
    (Binary(b"ab", 5), 'Binary(b"ab", 5)'),
    (UUID(int=7), 'UUID("00000000-0000-0000-0000-000000000007")'),
    (ObjectId("65a000000000000000000001"), 'ObjectId("65a000000000000000000001")'),
    (datetime(2024, 1, 2), "datetime(2024, 1, 2)"),
    (datetime(2024, 1, 2, 0, 30), "datetime(2024, 1, 2, 0, 30)"),
    (datetime(2024, 1, 2, 3, 4, 5, 678000), "datetime(2024, 1, 2, 3, 4, 5, 678000)"),
    (datetime(2024, 1, 2, tzinfo=UTC), "datetime(2024, 1, 2, tzinfo=UTC)"),
    (datetime(2024, 1, 2, tzinfo=utc), "datetime(2024, 1, 2, tzinfo=UTC)"),
    (
        datetime(2024, 1, 2, tzinfo=FixedOffset(330, "")),
        "datetime(2024, 1, 2, tzinfo=timezone(timedelta(hours=5, minutes=30)))",
    ),
    (
        datetime(2024, 1, 2, tzinfo=timezone(-timedelta(seconds=5401))),
        "datetime(2024, 1, 2, tzinfo=timezone(timedelta(hours=-1, minutes=-30, seconds=-1)))",
    ),
    (
        datetime(2024, 7, 2, tzinfo=ZoneInfo("Europe/Berlin")),
        "datetime(2024, 7, 2, tzinfo=timezone(timedelta(hours=2)))",
    ),
    (DatetimeMS(-5), "DatetimeMS(-5)"),
    (Regex("^a", "im"), 'Regex("^a", "im")'),
    (Regex("^a"), 'Regex("^a")'),
    (Regex("^a", re.A), 'Regex("^a", 256)'),
    (re.compile("^a"), 're.compile("^a")'),
    (re.compile("(?x)^a", re.I | re.M), 're.compile("(?x)^a", re.IGNORECASE | re.MULTILINE | re.VERBOSE)'),
    (re.compile(b"^a", re.S), 're.compile(b"^a", re.DOTALL)'),
    (Code("f()"), 'Code("f()")'),
    (Code("f()", {}), 'Code("f()", {})'),
    (Code("f()", {"x": Int64(1)}), 'Code("f()", {"x": Int64(1)})'),
    (DBRef("wallet", 1), 'DBRef("wallet", 1)'),
    (DBRef("wallet", 1, "shop", {"id": Int64(2)}), 'DBRef("wallet", 1, "shop", _extra={"id": Int64(2)})'),
    (Timestamp(1, 2), "Timestamp(1, 2)"),
    (MinKey(), "MinKey()"),
    (MaxKey(), "MaxKey()"),
    ([], "[]"),
    ({}, "{}"),
    ((), "()"),
    ((1,), "(1,)"),
    ([1, (2, "x")], '[1, (2, "x")]'),
    (HELD, '{"a": 1, "b": [Int64(2)]}'),
    (SON(HELD), '{"a": 1, "b": [Int64(2)]}'),
    (MappingProxyType(HELD), '{"a": 1, "b": [Int64(2)]}'),
    (RawBSONDocument(encode(HELD)), '{"a": 1, "b": [Int64(2)]}'),
]


@pytest.mark.parametrize(("value", "source"), CASES, ids=[source[:40] for _, source in CASES])
def test_a_value_is_written_as_its_author_would(value: Any, source: str) -> None:
    imports = Imports()
    assert literal(value, imports) == source
    assert exact(evaluated(source, imports)) == exact(value)


@settings(max_examples=500, deadline=None)
@given(values)
def test_any_value_comes_back_exactly(value: Any) -> None:
    imports = Imports()
    back = evaluated(literal(value, imports), imports)
    assert exact(back) == exact(value)
    assert kinds(back) == kinds(value)


def kinds(value: Any) -> Any:
    """The classes of a value and of those in it, where they are not to change: those of numbers, above all."""
    if isinstance(value, Mapping):
        return [kinds(held) for held in value.values()]
    if isinstance(value, list | tuple):
        return [type(value), *map(kinds, value)]
    return type(value)


@pytest.mark.parametrize(
    "pattern", [re.compile("a", flag) for flag in (0, re.A, re.I | re.X)] + [re.compile(b"a", re.L)]
)
def test_a_pattern_keeps_its_flags(pattern: re.Pattern[Any]) -> None:
    imports = Imports()
    assert evaluated(literal(pattern, imports), imports) == pattern


REFUSED: list[tuple[Any, str, str]] = [
    (Colour.RED, "a value of type Colour", "use the member's `.value`"),
    ({"a": {1}}, "a: a value of type set", "use a list"),
    (
        {"a": [{"b.c": Decimal(1)}]},
        "a[0].b.c: a value of type Decimal",
        "use bson.Decimal128",
    ),
    (
        [date(2024, 1, 1)],
        "[0]: a value of type date",
        "BSON has no dates without a time: use datetime.datetime",
    ),
    ((timedelta(1),), "[0]: a value of type timedelta", "BSON has no type for it"),
    (bytearray(), "a value of type bytearray", "use bytes"),
    (
        {"n": 2**63},
        "n: the number 9223372036854775808",
        "BSON's integers have 64 bits",
    ),
    (
        "a\ud800",
        "the string 'a\\ud800'",
        "it holds a lone surrogate, which UTF-8 cannot encode",
    ),
    (
        {"a\udfff": 1},
        "the string 'a\\udfff'",
        "it holds a lone surrogate, which UTF-8 cannot encode",
    ),
    ({"a": {5: 1}}, "a: the key 5", "BSON's keys are strings"),
    ({"a\0": 1}, "the key 'a\\x00'", "BSON's keys hold no null characters"),
    (
        Code("f", {"x": object()}),
        "scope.x: a value of type object",
        "BSON has no type for it",
    ),
    (DBRef("w", {"x": {1}}), "$id.x: a value of type set", "use a list"),
]


@pytest.mark.parametrize(("value", "what", "fault"), REFUSED, ids=[ascii(what) for _, what, _ in REFUSED])
def test_what_bson_has_no_type_for_is_refused_by_its_path(value: Any, what: str, fault: str) -> None:
    with pytest.raises(Unwritable) as caught:
        literal(value, Imports())
    assert str(caught.value) == f"{what} cannot be written into a revision file: {fault}"
    assert isinstance(caught.value, AsyncmigError)
    assert isinstance(caught.value, TypeError)


def test_only_what_is_used_is_imported() -> None:
    imports = Imports()
    literal([1, "a", {"b": 2.0}], imports)
    assert imports.lines() == []
    literal(
        [re.compile("a"), datetime(2024, 1, 1, tzinfo=UTC), Int64(1), ObjectId(), DBRef("a", 1), DatetimeMS(1)], imports
    )
    assert imports.lines() == [
        "import re",
        "from datetime import UTC, datetime",
        "",
        "from bson import DatetimeMS, DBRef, Int64, ObjectId",
    ]


def test_a_long_value_is_broken_where_a_formatter_would() -> None:
    assert literal({"aaaaaaaa": [1, 2], "bbbbbbbb": {"c": Int64(3)}, "d": ()}, Imports(), room=40).splitlines() == [
        "{",
        '    "aaaaaaaa": [1, 2],',
        '    "bbbbbbbb": {"c": Int64(3)},',
        '    "d": (),',
        "}",
    ]


@pytest.mark.parametrize("depth", [50, 150])
def test_deep_documents_are_written(depth: int) -> None:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    imports = Imports()
    assert evaluated(literal(value, imports), imports) == value
