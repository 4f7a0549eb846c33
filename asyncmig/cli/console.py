"""The two streams of a command: data goes to stdout, messages go to stderr.

Colour appears on a terminal only, unless ``FORCE_COLOR`` asks for it elsewhere; ``NO_COLOR`` takes
it away everywhere (https://no-color.org, https://force-color.org).
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TextIO

import asyncclick as click

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

__all__ = ["RICH_STYLES", "Console", "Stream", "Style", "drop"]

Style = Literal["id", "good", "bad", "warn", "faint", "strong"]

_STYLES: dict[Style, dict[str, str | bool]] = {
    "id": {"fg": "cyan"},
    "good": {"fg": "green"},
    "bad": {"fg": "red", "bold": True},
    "warn": {"fg": "yellow"},
    "faint": {"dim": True},
    "strong": {"bold": True},
}
RICH_STYLES: dict[Style, str] = {
    "id": "cyan",
    "good": "green",
    "bad": "bold red",
    "warn": "yellow",
    "faint": "dim",
    "strong": "bold",
}


@dataclass(frozen=True, slots=True)
class Stream:
    """stdout or stderr, and what it can show."""

    file: TextIO
    terminal: bool
    colour: bool

    def write(self, text: str = "", *, end: str = "\n") -> None:
        """Write one piece of text and flush it."""
        click.echo(text + end, file=self.file, nl=False, color=self.colour)

    def paint(self, text: str, style: Style) -> str:
        """``text`` in a style, or as it is where the stream shows no colour."""
        return click.style(text, **_STYLES[style]) if self.colour and text else text  # type: ignore[arg-type]

    def rich(self) -> RichConsole:
        """A rich console on this stream; asked for on a terminal only, because the import takes its time."""
        from rich.console import Console as RichConsole

        return RichConsole(file=self.file, no_color=not self.colour, highlight=False)


@dataclass(slots=True)
class Console:
    """The streams of one invocation, looked at when it is made."""

    out: Stream = field(default_factory=lambda: _stream(sys.stdout, os.environ))
    err: Stream = field(default_factory=lambda: _stream(sys.stderr, os.environ))
    _unfinished: int = 0

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to answer a question."""
        return sys.stdin.isatty() and self.err.terminal

    def begin(self, text: str) -> None:
        """A line that the next message takes the place of: what is going on just now. On a terminal only."""
        if self.err.terminal:
            line = text[: shutil.get_terminal_size().columns - 1]
            self._tell(line, end="\r")
            self._unfinished = len(line)

    def say(self, text: str = "", style: Style | None = None) -> None:
        """One message for people, on stderr."""
        if self._unfinished:
            self._tell(" " * self._unfinished, end="\r")
            self._unfinished = 0
        self._tell(self.err.paint(text, style) if style else text)

    def warn(self, text: str) -> None:
        """One warning, on stderr."""
        self.say(f"{self.err.paint('Warning:', 'warn')} {text}")

    def fail(self, text: str) -> None:
        """One error, on stderr."""
        self.say(f"{self.err.paint('Error:', 'bad')} {text}")

    def _tell(self, text: str, end: str = "\n") -> None:
        """Write to stderr. Where nobody reads on (``2>&1 | head``), what is being done goes on, untold."""
        try:
            self.err.write(text, end=end)
        except BrokenPipeError:
            drop(self.err.file)


def drop(file: TextIO) -> None:
    """Let what is still to be written to a pipe that nobody reads go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), file.fileno())


def _stream(file: TextIO, environment: Mapping[str, str]) -> Stream:
    terminal = file.isatty()
    forced = environment.get("FORCE_COLOR", "") not in ("", "0")
    colour = forced or (terminal and environment.get("TERM") != "dumb")
    return Stream(file, terminal, colour and not environment.get("NO_COLOR"))
