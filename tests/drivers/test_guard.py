"""Asking for leave before each call that changes something: what such a call is, and when it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from asyncmig.drivers.guard import GuardedCollection, Late, changes, guarded_call
from asyncmig.errors import LockLost


class Leave:
    """Gives leave; ``late``: how often it has to be asked for again, as a call is sent."""

    def __init__(self, calls: list[str], late: int = 0, *, lost: bool = False) -> None:
        self.calls, self.late, self.lost = calls, late, lost

    async def ensure(self) -> None:
        self.calls.append("ensure")
        if self.lost:
            raise LockLost("another owner has taken it")

    def check_sending(self) -> None:
        self.calls.append("check")
        if self.late:
            self.late -= 1
            raise Late


@pytest.mark.parametrize("late", [0, 1, 2])
async def test_leave_is_asked_for_before_and_as_it_is_sent(late: int) -> None:
    """Whoever is late asks again, and only then is anything sent."""
    calls: list[str] = []

    async def send(more: Mapping[str, Any]) -> Mapping[str, Any]:
        encoded = dict(more["comment"])
        calls.append("sent")
        return encoded

    assert await guarded_call(Leave(calls, late), send, "mine") == {"by": "asyncmig", "comment": "mine"}
    assert calls == ["ensure", "check"] * (late + 1) + ["sent"]


async def test_nothing_is_sent_without_it() -> None:
    calls: list[str] = []

    class Collection:
        async def insert_one(self, document: Any, **options: Any) -> None:
            calls.append("sent")

        async def find_one(self) -> None:
            calls.append("read")

    collection = GuardedCollection(Collection(), Leave(calls, lost=True))
    with pytest.raises(LockLost):
        await collection.insert_one({})
    await collection.find_one()
    assert calls == ["ensure", "read"]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ({"find": "a"}, False),
        ({"listIndexes": "a"}, False),
        ({"aggregate": "a", "pipeline": [{"$match": {}}]}, False),
        ({"aggregate": "a", "pipeline": [{"$match": {}}, {"$merge": "b"}]}, True),
        ({"aggregate": "a", "pipeline": [{"$out": "b"}]}, True),
        ({"insert": "a"}, True),
        ({"what comes with a newer server": 1}, True),
    ],
)
def test_what_changes_something(command: Mapping[str, Any], expected: bool) -> None:
    assert changes(command) is expected
