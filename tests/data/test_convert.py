"""Converting fields: on the server as in the plain Python model, and what becomes of values that do not convert."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import Decimal128, Int64, ObjectId
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncmig.data import in_python
from asyncmig.data.types import is_type
from asyncmig.errors import IrreversibleOperation, OperationRefused
from asyncmig.operations import ConvertField, Pace, Tally
from asyncmig.operations.fields import TYPES, WAYS_BACK

from ..running.applying_helpers import run
from .test_fields import changed

DAY = datetime(2024, 2, 29, 12, 30)
OID = ObjectId("507f1f77bcf86cd799439011")


@pytest.mark.parametrize(
    ("to", "before", "after"),
    [
        ("int", "5", 5),
        ("int", 5.9, 5),
        ("int", True, 1),
        ("int", Int64(5), 5),
        ("int", Decimal128("5.9"), 5),
        ("int", None, None),
        ("int", ["1", "2", 3], [1, 2, 3]),
        ("int", [], []),
        ("long", "5", Int64(5)),
        ("long", DAY, Int64(1709209800000)),
        ("double", "1e3", 1000.0),
        ("decimal", "1.10", Decimal128("1.10")),
        ("string", 5, "5"),
        ("string", 1.5, "1.5"),
        ("string", OID, str(OID)),
        ("string", DAY, "2024-02-29T12:30:00.000Z"),
        ("bool", 0, False),
        ("bool", "", True),
        ("date", "2024-02-29T12:30:00Z", DAY),
        ("date", OID, OID.generation_time.replace(tzinfo=None)),
        ("objectId", str(OID), OID),
    ],
)
async def test_converted(turn: Any, to: str, before: Any, after: Any) -> None:
    documents = [{"v": before}, {"s": {"v": before}}, {"s": [{"v": before}, 5, {"w": 1}]}, {"x": 1}]
    both = ConvertField("c", "v", to), ConvertField("c", "s.v", to)
    found, _ = await changed(turn, *both, documents=documents)
    assert found == [{"v": after}, {"s": {"v": after}}, {"s": [{"v": after}, 5, {"w": 1}]}, {"x": 1}]
    assert type(found[0]["v"]) is type(after)


BAD = ["5", "five", "6"]


@pytest.mark.parametrize(
    ("on_error", "after"),
    [("keep", [5, "five", 6]), ("null", [5, None, 6]), (len, [5, 4, 6]), (lambda value: value.upper(), [5, "FIVE", 6])],
)
async def test_what_does_not_convert_by_choice(database: Any, on_error: Any, after: list[Any]) -> None:
    found, _ = await changed(
        database, ConvertField("c", "v", "int", on_error=on_error), documents=[{"v": v} for v in BAD]
    )
    assert [one["v"] for one in found] == after


async def test_what_does_not_convert_stops_it(database: Any) -> None:
    with pytest.raises(OperationRefused, match=r"the document with _id 1.*Failed to parse number 'five'") as caught:
        await changed(
            database, ConvertField("c", "v", "int", pace=Pace(batch_size=2)), documents=[{"v": v} for v in BAD]
        )
    assert (caught.value.details["_id"], caught.value.code) == (1, 241)
    assert await database["c"].distinct("v") == [5, "6", "five"]


async def test_or_is_collected(database: Any) -> None:
    wanted = ConvertField("c", "v", "int", on_error="collect")
    found, tally = await changed(database, wanted, documents=[{"v": v} for v in BAD])
    assert [one["v"] for one in found] == [5, "five", 6]
    assert tally == Tally(3, 2, failed=1, failed_ids=(1,), failed_in="asyncmig_revisions_failed")


async def test_a_function_that_raises_stops_it(database: Any) -> None:
    def function(value: Any) -> Any:
        raise KeyError(value)

    with pytest.raises(OperationRefused, match=r"the document with _id 1: KeyError: 'five'"):
        await changed(database, ConvertField("c", "v", "int", on_error=function), documents=[{"v": v} for v in BAD])


async def test_only_of_one_type_and_back(database: Any) -> None:
    documents = [{"v": 5}, {"v": "7"}, {"v": True}, {"v": [1, "2"]}]
    forth = ConvertField("c", "v", "string", from_="int")
    found, _ = await changed(database, forth, documents=documents)
    assert [one["v"] for one in found] == ["5", "7", True, ["1", "2"]]
    (back,) = forth.reverse()
    await run(database, back)
    assert [one["v"] for one in await database["c"].find().sort("_id").to_list(None)] == [5, 7, True, [1, 2]]


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (ConvertField("c", "v", "int"), "from_=... would tell"),
        (ConvertField("c", "v", "int", "double"), "int does not hold all that double does"),
        (ConvertField("c", "v", "int", "string", on_error="null"), "were replaced"),
        (ConvertField("c", "v", "int", "string", on_error=len), "were replaced"),
    ],
)
def test_where_there_is_no_way_back_it_says_so(operation: ConvertField, words: str) -> None:
    with pytest.raises(IrreversibleOperation, match=words):
        operation.reverse()


# -- against the model --------------------------------------------------------------------------


class Impossible(Exception):
    """Raised for a value that has no equal of the other type."""


def whole(value: Any, bits: int) -> int:
    """A number without its fraction, if it fits."""
    if isinstance(value, float) and not math.isfinite(value):
        raise Impossible
    number = int(value)
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise Impossible
    return number


def to_integer(value: Any, bits: int, kind: Callable[[int], Any]) -> Any:
    if isinstance(value, str):
        if not value.lstrip("-").isdigit() or not value.isascii():
            raise Impossible
        return kind(whole(int(value), bits))
    if isinstance(value, datetime) and bits == 64:
        return kind(round((value - datetime(1970, 1, 1)) / timedelta(milliseconds=1)))
    if isinstance(value, (bool, int, float)):
        return kind(whole(value, bits))
    raise Impossible


def to_date(value: Any) -> Any:
    if isinstance(value, ObjectId):
        return value.generation_time.astimezone(UTC).replace(tzinfo=None)
    if isinstance(value, float) or (isinstance(value, int) and is_type(value, "long")):
        return datetime(1970, 1, 1) + timedelta(milliseconds=whole(value, 64))
    raise Impossible


def converted(value: Any, to: str) -> Any:
    """What ``$convert`` makes of a value; raises Impossible."""
    if value is None or is_type(value, to):
        return value
    if isinstance(value, dict) and to != "bool":
        raise Impossible
    match to:
        case "int":
            return to_integer(value, 32, int)
        case "long":
            return to_integer(value, 64, Int64)
        case "bool":
            return bool(value) if isinstance(value, (int, float)) else True
        case "date":
            return to_date(value)
        case "string" if isinstance(value, ObjectId):
            return str(value)
        case "string" if isinstance(value, datetime):
            return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"
        case "string" if isinstance(value, bool):
            return str(value).lower()
        case "string" if isinstance(value, int):
            return str(int(value))
        case "objectId" if isinstance(value, str) and len(value) == 24 and all(c in "0123456789abcdef" for c in value):
            return ObjectId(value)
    raise Impossible


single = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**62), 2**62).map(Int64),
    st.sampled_from(["5", "-12", "99999999999", "x", "", "507f1f77bcf86cd799439011", OID, {"a": 1}]),
    st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(
        lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000, fold=0)
    ),
)
whole_numbers = st.one_of(single, st.sampled_from([1.5, -2.0, 1e30, math.inf, 0.0]))
places = st.one_of(whole_numbers, st.lists(whole_numbers, max_size=3))


@settings(
    max_examples=500 if os.environ.get("ASYNCMIG_CHAOS") else 30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    values=st.lists(st.one_of(places, st.lists(st.fixed_dictionaries({"v": places}))), min_size=1, max_size=8),
    to=st.sampled_from(["int", "long", "bool", "objectId"]),
    path=st.sampled_from(["v", "s.v"]),
)
async def test_converting_is_what_the_model_does(turn: Any, values: Any, to: str, path: str) -> None:
    documents = [{"v": value} if path == "v" else {"s": [{"v": value}, value]} for value in values]
    found, tally = await changed(turn, ConvertField("c", path, to, on_error="collect"), documents=documents)
    failed = 0
    for one, before in zip(found, documents, strict=True):
        try:
            expected = in_python.replaced(before, path.split("."), lambda value: converted(value, to))
        except (Impossible, TypeError):
            failed += 1
            expected = before
        assert repr(one) == repr(expected), before
    assert tally.failed == failed


@pytest.mark.parametrize("origin", TYPES)
async def test_there_and_back(turn: Any, origin: str) -> None:
    """Each way back that is promised is one, for values in MongoDB's own spelling."""
    samples: dict[str, list[Any]] = {
        "int": [0, -5, 2**31 - 1],
        "long": [Int64(0), Int64(5)],
        "double": [0.5, -1e-9, 1e300],
        "decimal": [Decimal128("1.10"), Decimal128("-5")],
        "string": ["5"],
        "bool": [True, False],
        "date": [DAY, datetime(1969, 5, 5)],
        "objectId": [OID],
    }
    for to in sorted(WAYS_BACK[origin] - ({"date", "objectId"} if origin == "string" else set())):
        forth = ConvertField("c", "v", to, from_=origin)
        values = samples[origin]
        found, _ = await changed(turn, forth, *forth.reverse(), documents=[{"v": value} for value in values])
        assert [repr(one["v"]) for one in found] == list(map(repr, values)), to
