"""Renaming, removing and moving fields: on the server as in the plain Python model, there and back."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asyncmig.data import in_python
from asyncmig.errors import OperationRefused
from asyncmig.operations import Operation, Pace, RemoveField, RenameField, Tally

from ..running.applying_helpers import run

pytestmark = pytest.mark.servers

OFTEN = settings(
    max_examples=500 if os.environ.get("ASYNCMIG_CHAOS") else 25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


async def changed(database: Any, *operations: Operation, documents: Any) -> tuple[list[Any], Tally]:
    """The documents after the operations, and what came of the last one."""
    collection = database["c"]
    await collection.delete_many({})
    await collection.insert_many([{"_id": number, **one} for number, one in enumerate(documents)])
    results = await run(database, *operations)
    found = await collection.find({}).sort("_id").to_list(None)
    return [{name: value for name, value in one.items() if name != "_id"} for one in found], Tally.read(results[-1])


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        ("a", "b", {"a": 1}, {"b": 1}),
        ("a", "b", {"x": 1, "a": {"a": 1}, "y": 2}, {"x": 1, "y": 2, "b": {"a": 1}}),
        ("a", "b", {"x": 1}, {"x": 1}),
        ("a", "b", {"a": None}, {"b": None}),
        ("s.a", "s.b", {"s": {"a": 1, "c": 2}}, {"s": {"c": 2, "b": 1}}),
        (
            "s.a",
            "s.b",
            {"s": [{"a": 1}, {"c": 2}, 5, [{"a": 1}], {"a": 3}]},
            {"s": [{"b": 1}, {"c": 2}, 5, [{"a": 1}], {"b": 3}]},
        ),
        ("s.t.a", "s.t.b", {"s": [{"t": [{"a": 1}]}, {"t": {"a": 2}}]}, {"s": [{"t": [{"b": 1}]}, {"t": {"b": 2}}]}),
        ("s.0", "s.1", {"s": {"0": "x"}}, {"s": {"1": "x"}}),
        ("s.0", "s.1", {"s": ["x", "y"]}, {"s": ["x", "y"]}),
        ("a b", "ä", {"a b": 1}, {"ä": 1}),
        ("s.a", "t.b", {"s": {"a": 1, "c": 2}}, {"s": {"c": 2}, "t": {"b": 1}}),
        ("s.a", "t", {"s": {"a": 1}, "x": 1}, {"s": {}, "x": 1, "t": 1}),
        ("a", "s.t.b", {"a": 1, "s": {"c": 1}}, {"s": {"c": 1, "t": {"b": 1}}}),
        ("s.a", "t.b", {"s": 5}, {"s": 5}),
    ],
)
async def test_renamed(turn: Any, old: str, new: str, before: Any, after: Any) -> None:
    found, _ = await changed(turn, RenameField("c", old, new), documents=[before])
    assert found == [after]


@pytest.mark.parametrize(
    ("old", "new", "before", "words"),
    [
        ("a", "b", {"a": 1, "b": 2}, "it has both a and b"),
        ("s.a", "s.b", {"s": [{"a": 1}, {"a": 1, "b": 2}]}, "it has both s.a and s.b"),
        ("s.a", "b", {"s": {"a": 1}, "b": 2}, "it has both s.a and b"),
        ("s.a", "t.b", {"s": [{"a": 1}]}, "s.a cannot be moved to t.b, as one of them lies within an array or a value"),
        ("a", "t.b", {"a": 1, "t": [{"c": 1}]}, "a cannot be moved to t.b"),
        ("a", "t.b", {"a": 1, "t": 5}, "a cannot be moved to t.b"),
        ("a", "t.b", {"a": 1, "t": None}, "a cannot be moved to t.b"),
        ("a", "t.b", {"a": 1, "t": []}, "a cannot be moved to t.b"),
        ("a", "t.u.b", {"a": 1, "t": []}, "a cannot be moved to t.u.b"),
        ("a", "t.u.b", {"a": 1, "t": {"u": []}}, "a cannot be moved to t.u.b"),
        ("a", "t.u.b", {"a": {"c": []}, "t": [[]]}, "a cannot be moved to t.u.b"),
        ("a", "t.u.b", {"a": [], "t": [{"u": []}]}, "a cannot be moved to t.u.b"),
    ],
)
async def test_what_would_be_lost_stops_it(turn: Any, old: str, new: str, before: Any, words: str) -> None:
    with pytest.raises(OperationRefused, match=words) as caught:
        await changed(turn, RenameField("c", old, new, pace=Pace(batch_size=2)), documents=[{}, {"x": 1}, before, {}])
    assert caught.value.details["_id"] == 2
    assert await turn["c"].find_one({"_id": 2}) == {"_id": 2, **before}


@pytest.mark.parametrize(("on_conflict", "value"), [("overwrite", 1), ("keep", 2)])
async def test_one_of_two_by_choice(database: Any, on_conflict: Any, value: int) -> None:
    documents = [{"a": 1, "b": 2}, {"s": [{"a": 1, "b": 2}]}]
    top, below = (
        RenameField("c", "a", "b", on_conflict=on_conflict),
        RenameField("c", "s.a", "s.b", on_conflict=on_conflict),
    )
    found, _ = await changed(database, top, below, documents=documents)
    assert found == [{"b": value}, {"s": [{"b": value}]}]


@pytest.mark.parametrize(
    ("field", "before", "after"),
    [
        ("a", {"a": 1, "b": 2}, {"b": 2}),
        ("s.a", {"s": [{"a": 1}, {"b": 2}, 5, [{"a": 1}]]}, {"s": [{}, {"b": 2}, 5, [{"a": 1}]]}),
        ("s.t.a", {"s": [{"t": {"a": 1}}, {"t": 5}]}, {"s": [{"t": {}}, {"t": 5}]}),
        ("s.a", {"s": 5}, {"s": 5}),
    ],
)
async def test_removed(turn: Any, field: str, before: Any, after: Any) -> None:
    assert (await changed(turn, RemoveField("c", field), documents=[before]))[0] == [after]


# -- against the model --------------------------------------------------------------------------

NAMES = "abs"
leaves = st.sampled_from([None, 0, "x", True, 1.5])
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
)
documents = st.lists(st.dictionaries(st.sampled_from(NAMES), trees, max_size=3), min_size=1, max_size=12)
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3)


@OFTEN
@given(documents=documents, path=paths, new=st.sampled_from("xyab"), on_conflict=st.sampled_from(["overwrite", "keep"]))
async def test_renaming_is_what_the_model_does(
    turn: Any, documents: Any, path: Any, new: str, on_conflict: Any
) -> None:
    if new == path[-1]:
        return
    operation = RenameField("c", ".".join(path), ".".join([*path[:-1], new]), on_conflict=on_conflict)
    found, _ = await changed(turn, operation, documents=documents)
    assert list(map(ordered, found)) == [ordered(in_python.renamed(one, path, new, on_conflict)) for one in documents]


@OFTEN
@given(documents=documents, path=paths)
async def test_removing_is_what_the_model_does(turn: Any, documents: Any, path: Any) -> None:
    found, _ = await changed(turn, RemoveField("c", ".".join(path)), documents=documents)
    assert found == [in_python.removed(one, path) for one in documents]


@OFTEN
@given(documents=documents, old=paths, new=paths)
async def test_moving_is_what_the_model_does(turn: Any, documents: Any, old: Any, new: Any) -> None:
    if old[: len(new)] == new or new[: len(old)] == old or old[:-1] == new[:-1]:
        return
    operation = RenameField("c", ".".join(old), ".".join(new), on_error="collect")
    found, tally = await changed(turn, operation, documents=documents)
    conflicts = 0
    for one, other in zip(found, documents, strict=True):
        try:
            assert one == in_python.moved(other, old, new, "fail")
        except in_python.Conflict:
            conflicts += 1
            assert one == other
    assert tally.failed == conflicts


@OFTEN
@given(documents=documents, path=paths)
async def test_there_and_back(turn: Any, documents: Any, path: Any) -> None:
    """Kept in a field of a name that nobody has, and put back: what was there is there again."""
    forth = RemoveField("c", ".".join(path), keep_in=".".join([*path[:-1], "kept"]))
    found, _ = await changed(turn, forth, *forth.reverse(), documents=documents)
    assert found == list(documents)


def ordered(value: Any) -> Any:
    """A value with its sub-documents as pairs, for those keep an order."""
    if isinstance(value, dict):
        return [(name, ordered(inner)) for name, inner in value.items()]
    return [ordered(inner) for inner in value] if isinstance(value, list) else value


async def test_a_field_in_a_few_of_many_documents(database: Any) -> None:
    some = random.Random(3).sample(range(500), 30)
    documents = [{"a": number} if number in some else {"z": number} for number in range(500)]
    found, tally = await changed(database, RenameField("c", "a", "b", pace=Pace(batch_size=7)), documents=documents)
    assert tally == Tally(30, 30)
    assert [one["b"] for one in found if "b" in one] == sorted(some)
