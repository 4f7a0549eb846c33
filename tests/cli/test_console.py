"""Colour on a terminal only, unless it is asked for or forbidden."""

from __future__ import annotations

import io

import pytest

from asyncmig.cli.console import Stream, _stream


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("file", "environment", "terminal", "colour"),
    [
        (io.StringIO(), {}, False, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, False, True),
        (io.StringIO(), {"FORCE_COLOR": "0"}, False, False),
        (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        (Terminal(), {}, True, True),
        (Terminal(), {"TERM": "dumb"}, True, False),
        (Terminal(), {"NO_COLOR": "1"}, True, False),
        (Terminal(), {"NO_COLOR": ""}, True, True),
    ],
)
def test_what_a_stream_shows(file, environment, terminal: bool, colour: bool) -> None:
    found = _stream(file, environment)
    assert (found.terminal, found.colour) == (terminal, colour)


@pytest.mark.parametrize(("colour", "written"), [(True, "\x1b[32mfine\x1b[0m\n"), (False, "fine\n")])
def test_painting(colour: bool, written: str) -> None:
    stream = Stream(io.StringIO(), terminal=False, colour=colour)
    stream.write(stream.paint("fine", "good"))
    assert stream.file.getvalue() == written
