"""One line of the log: no line breaks, no password, of bearable length."""

from __future__ import annotations

import pytest

from asyncmig import events
from asyncmig.application.log import one_line, reason, some, tell
from asyncmig.errors import ConfigurationError
from asyncmig.history import Revision

ONE, TWO = Revision("aaaa"), Revision("bbbb", message="two")


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


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (
            events.RevisionsOutOfOrder(((ONE, TWO),)),
            "out of order: aaaa; older than bbbb (two), which is applied already",
        ),
        (events.RangeTaken(TWO), "bbbb (two) counts as applied: all that it replaces is"),
    ],
)
def test_events(event: events.Event, line: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "asyncmig"):
        tell(event)
    assert caplog.messages == [line]


def test_an_error_of_others_says_its_type() -> None:
    assert reason(ConfigurationError("so")) == "so"
    assert reason(KeyError("so")) == "KeyError: 'so'"
    assert reason(TimeoutError()) == "TimeoutError"


def test_a_long_list_of_names_is_cut() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some([str(n) for n in range(12)]) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 2 more"
