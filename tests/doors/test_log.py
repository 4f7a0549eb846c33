"""One line of the log: no line breaks, no password, of bearable length."""

from __future__ import annotations

import pytest

from asyncmig.application.log import one_line, reason, some
from asyncmig.errors import ConfigurationError


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("as it is", "as it is"),
        ("in\n  several\tlines\n", "in several lines"),
        ("mongodb://user:secret@host:27017/app is down", "mongodb://***@host:27017/app is down"),
        ("mongodb+srv://user:se/cret@host/app", "mongodb+srv://***@host/app"),
        (
            "see https://example.org/page and mail me@example.org",
            "see https://example.org/page and mail me@example.org",
        ),
        ("x" * 2000, "x" * 1000 + "..."),
    ],
)
def test_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_an_error_of_others_says_its_type() -> None:
    assert reason(ConfigurationError("so")) == "so"
    assert reason(KeyError("so")) == "KeyError: 'so'"
    assert reason(TimeoutError()) == "TimeoutError"


def test_a_long_list_of_names_is_cut() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some([str(n) for n in range(12)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
