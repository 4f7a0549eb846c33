"""Retry: which errors are asked again after, how often, how long, after which pauses, and who hears of it."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.errors import AutoReconnect, OperationFailure

from asyncmig.drivers.retry import Backoff, retry
from asyncmig.errors import DriverError

BROKEN, REFUSED = AutoReconnect("gone"), OperationFailure("no", 2)
WRAPPED = DriverError("reading the ledger: gone")
WRAPPED.__cause__ = BROKEN
NO_PAUSE = Backoff(0.0)


@pytest.mark.parametrize(
    ("backoff", "pauses"),
    [
        (Backoff(0.2), [0.2, 0.2, 0.2]),
        (Backoff(0.2, 3.0, factor=5), [0.2, 1.0, 3.0, 3.0]),
        (Backoff(0.05, 1.0, factor=1.5), [0.05, 0.075, 0.1125]),
    ],
)
def test_pauses_grow_up_to_the_longest(backoff: Backoff, pauses: list[float]) -> None:
    assert [backoff.pause_seconds(failures) for failures in range(1, len(pauses) + 1)] == pytest.approx(pauses)
    assert backoff.pause_seconds(10**6) <= backoff.longest_seconds


def test_jitter_stays_within_its_part() -> None:
    backoff = Backoff(1.0, jitter=0.5)
    pauses = [backoff.pause_seconds(1) for _ in range(200)]
    assert min(pauses) >= 0.5
    assert max(pauses) <= 1.5
    assert len(set(pauses)) > 100


class Work:
    """Raises these errors one after the other, then returns how often it was called."""

    def __init__(self, *errors: Exception) -> None:
        self.errors, self.calls = list(errors), 0

    async def __call__(self) -> int:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return self.calls


@pytest.mark.parametrize(
    ("errors", "options", "calls", "raised"),
    [
        ([], {}, 1, None),
        ([BROKEN] * 5, {}, 6, None),
        ([WRAPPED], {}, 2, None),
        ([REFUSED], {}, 1, REFUSED),
        ([BROKEN, REFUSED], {}, 2, REFUSED),
        ([BROKEN] * 3, {"times": 3}, 4, None),
        ([BROKEN] * 4, {"times": 3}, 4, BROKEN),
        ([BROKEN], {"times": 0}, 1, BROKEN),
        ([BROKEN], {"seconds": -1.0}, 1, BROKEN),
        ([BROKEN] * 4, {"seconds": 60.0}, 5, None),
        ([REFUSED], {"is_retryable": lambda error: error is REFUSED}, 2, None),
        ([BROKEN], {"is_retryable": lambda error: False}, 1, BROKEN),
    ],
)
async def test_what_is_asked_again(
    errors: list[Exception], options: dict[str, Any], calls: int, raised: Exception | None
) -> None:
    work = Work(*errors)
    if raised is None:
        assert await retry(work, NO_PAUSE, **options) == calls
    else:
        with pytest.raises(type(raised)) as caught:
            await retry(work, NO_PAUSE, **options)
        assert caught.value is raised
    assert work.calls == calls


async def test_who_is_told_and_what_comes_before() -> None:
    heard: list[Any] = []

    async def before() -> None:
        heard.append("before")

    await retry(Work(BROKEN, WRAPPED), tell=heard.append, before=before)
    assert heard == [BROKEN, "before", WRAPPED, "before"]


async def test_the_last_error_is_raised_and_not_told() -> None:
    heard: list[Any] = []
    with pytest.raises(AutoReconnect):
        await retry(Work(BROKEN, BROKEN), times=1, tell=heard.append)
    assert heard == [BROKEN]
