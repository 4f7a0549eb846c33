"""What a transform's function writes by itself is told apart from what it returns."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from asyncmig.review.own_writes import own_writes


def plain(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "insert_one": 1}


async def writing(database: Any, document: dict[str, Any]) -> None:
    await database["other"].insert_one(document)


async def by_way_of(document: dict[str, Any]) -> None:
    await writing(None, document)


def within(env: Any) -> Callable[..., Any]:
    async def split(document: dict[str, Any]) -> None:
        await env.db.lines.bulk_write(list(document["lines"]))
        await env.db.orders.aggregate([{"$merge": "sums"}])

    return split


class Stateful:
    async def __call__(self, document: dict[str, Any]) -> None:
        await document["x"].update_many({}, {})


@pytest.mark.parametrize(
    ("function", "writes"),
    [
        (plain, ()),
        (lambda document: None, ()),
        (writing, ("insert_one",)),
        (partial(writing, None), ("insert_one",)),
        (by_way_of, ("insert_one",)),
        (within(None), ("$merge", "bulk_write")),
        (Stateful(), ("update_many",)),
        (len, ()),
    ],
)
def test_own_writes(function: Callable[..., Any], writes: tuple[str, ...]) -> None:
    assert own_writes(function) == writes
