"""The remaining time can be believed: within a third of the truth whenever it is told at all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from asyncmig.data.rate import RateWindow


def steady(step: float, documents: int) -> Iterator[tuple[float, int]]:
    """One batch after the other."""
    yield from ((number * step, documents) for number in range(1, 100_000 // documents + 1))


def bursts(step: float, documents: int, at_once: int) -> Iterator[tuple[float, int]]:
    """Batches that a slow function works on at once, and which end at (nearly) the same moment."""
    for number in range(100_000 // documents):
        yield (1 + number // at_once) * step + (number % at_once) * 0.001, documents


@pytest.mark.parametrize(
    ("results", "step"),
    [
        (list(steady(0.05, 1_000)), 0.05),
        (list(steady(0.5, 1_000)), 0.5),
        (list(steady(7.0, 2_000)), 7.0),
        (list(bursts(30.0, 2_000, 4)), 30.0),
        (list(bursts(2.0, 500, 8)), 2.0),
    ],
)
def test_work_that_goes_on_evenly(results: list[tuple[float, int]], step: float) -> None:
    told = dict(estimates(results))
    end = results[-1][0]
    assert told, "nothing was told at all"
    assert min(told) <= 0.6 * end, "it was told too late"
    for now, remaining in told.items():
        truth = end - now
        assert abs(remaining - truth) <= truth / 3 + step, (now, remaining, truth)


def test_nothing_before_there_is_a_window() -> None:
    window = RateWindow(0.0)
    for now, done in ((26.0, 2_000), (26.5, 8_000), (52.0, 10_000), (52.4, 16_000)):
        window.add(now, done)
        assert window.rate() is None, "the time that the first batches took says nothing about the rate"
    window.add(78.0, 18_000)
    assert window.rate() == pytest.approx(8_000 / 26)


def test_what_was_long_ago_does_not_count() -> None:
    window, now, done = RateWindow(0.0), 0.0, 0
    for step in [0.1] * 300 + [1.0] * 20:
        now, done = now + step, done + 100
        window.add(now, done)
    assert window.rate() == pytest.approx(100, rel=0.15)


def estimates(results: Iterable[tuple[float, int]]) -> Iterator[tuple[float, float]]:
    """The remaining time, as it was told at each result."""
    window, done = RateWindow(0.0), 0
    for now, documents in results:
        done += documents
        window.add(now, done)
        if (rate := window.rate()) is not None:
            yield now, (100_000 - done) / rate
