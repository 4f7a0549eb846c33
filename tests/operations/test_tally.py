"""What an operation on data has done, in numbers: added up, stored, read again, told."""

from __future__ import annotations

from typing import Any

import pytest

from asyncmig.operations.tally import NAMED, Tally

ONE = Tally(15, 1, 2, 4, 8, ("a",), "failed")
OTHER = Tally(240, 16, 32, 64, 128, ("b", "c"), "elsewhere")


def test_added_up() -> None:
    both = ONE + OTHER
    assert both == Tally(255, 17, 34, 68, 136, ("a", "b", "c"), "failed")
    assert [Tally() + OTHER, OTHER + Tally()] == [OTHER, OTHER]


def test_no_more_than_a_few_are_named() -> None:
    many = Tally(failed_ids=tuple(range(NAMED - 1)))
    assert (many + OTHER).failed_ids == (*range(NAMED - 1), "b")
    assert NAMED == 10


def test_one_more_that_failed() -> None:
    assert ONE.and_failed("z") == Tally(16, 1, 2, 4, 9, ("a", "z"), "failed")
    assert Tally().and_failed(7, "there") == Tally(1, failed=1, failed_ids=(7,), failed_in="there")


@pytest.mark.parametrize("tally", [Tally(), ONE, OTHER])
def test_stored_and_read_again(tally: Tally) -> None:
    assert Tally.read(tally.document) == tally


@pytest.mark.parametrize("document", [None, {}, {"failed_ids": None}, {"what a newer version has": 1}])
def test_of_nothing_zeros(document: Any) -> None:
    assert Tally.read(document) == Tally()


@pytest.mark.parametrize(
    ("tally", "words"),
    [
        (Tally(), "0 matched, 0 modified"),
        (Tally(2000, 1000, skipped=1000), "2,000 matched, 1,000 modified, 1,000 skipped"),
        (ONE, "15 matched, 1 modified, 2 deleted, 4 skipped, 8 failed, named in failed"),
        (Tally(1, failed=1), "1 matched, 0 modified, 1 failed"),
        (Tally(1, 1, failed_in="failed"), "1 matched, 1 modified"),
    ],
)
def test_told(tally: Tally, words: str) -> None:
    assert str(tally) == words
