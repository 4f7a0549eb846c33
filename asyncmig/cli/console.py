"""The two streams of a command: data goes to stdout, messages go to stderr.

All that is printed goes through :meth:`Stream.write`, the one door to the terminal: whatever is not to
be printed is escaped there, and only the styles of :meth:`Stream.paint` become escape sequences. They
travel between marks that no text from elsewhere can hold, as they are made anew for each process.

Colour appears on a terminal only, unless ``FORCE_COLOR`` asks for it elsewhere; ``NO_COLOR`` takes
it away everywhere (https://no-color.org, https://force-color.org).
"""

from __future__ import annotations

import errno
import io
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TextIO

import asyncclick as click

from asyncmig.printable import one_line, printable

if TYPE_CHECKING:
    from rich.console import Console as RichConsole

__all__ = ["RICH_STYLES", "Console", "OutputLost", "Stream", "Style", "drop", "open_closed_streams", "styled"]

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


_MARK = f"\0{os.urandom(8).hex()}:"
_MARKS = re.compile(rf"({_MARK}[0-9;]*m)")
_SEQUENCES = r"\x1b\[([0-9;]*m)"


class OutputLost(Exception):
    """Raised when a stream cannot be written: its reader is gone, its disk is full, or it was closed from the start."""

    def __init__(self, error: OSError | ValueError) -> None:
        self.errno = getattr(error, "errno", None)
        super().__init__(getattr(error, "strerror", None) or str(error))


@dataclass(frozen=True, slots=True)
class Stream:
    """stdout or stderr, and what it can show."""

    file: TextIO
    terminal: bool
    colour: bool

    def write(self, text: str = "", *, end: str = "\n") -> None:
        """Write one piece of text and flush it. Raises OutputLost."""
        parts = _MARKS.split(text)
        shown = [f"\x1b[{part[len(_MARK) :]}" if number % 2 else printable(part) for number, part in enumerate(parts)]
        try:
            click.echo("".join(shown) + end, file=self.file, nl=False, color=self.colour)
        except (OSError, ValueError) as error:
            drop(self.file)
            raise OutputLost(error) from error

    def paint(self, text: str, style: Style) -> str:
        """``text`` in a style, for :meth:`write`; as it is where the stream shows no colour."""
        if not self.colour or not text:
            return text
        before, _, after = click.style("\0", **_STYLES[style]).partition("\0")  # type: ignore[arg-type]
        return f"{styled(before)}{text}{styled(after)}"

    def rich(self) -> RichConsole:
        """A rich console on this stream; asked for on a terminal only, because the import takes its time."""
        from rich.console import Console as RichConsole

        return RichConsole(file=self.file, no_color=not self.colour, highlight=False)


@dataclass(slots=True)
class Console:
    """The streams of one invocation, looked at when it is made."""

    out: Stream = field(default_factory=lambda: _stream(sys.stdout, os.environ))
    err: Stream = field(default_factory=lambda: _stream(sys.stderr, os.environ))
    has_answered: bool = False
    """Whether the one JSON document is on stdout."""
    _unfinished: int = 0

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to answer a question."""
        return sys.stdin is not None and sys.stdin.isatty() and self.err.terminal

    def ask(self, text: str) -> bool:
        """A question that stays open at the end of its line; False where it cannot be shown."""
        return self._tell(text, end="")

    def begin(self, text: str) -> None:
        """A line that the next message takes the place of: what is going on just now. On a terminal only."""
        if self.err.terminal:
            import shutil  # this module is loaded at each start: 2 ms

            line = one_line(text)[: shutil.get_terminal_size().columns - 1]
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

    def _tell(self, text: str, end: str = "\n") -> bool:
        """Write to stderr. Where that is not possible (``2>&1 | head``), what is being done goes on, untold."""
        try:
            self.err.write(text, end=end)
        except OutputLost:
            return False
        return True


def styled(text: str) -> str:
    """Text of our own with escape sequences for styles, as :meth:`Stream.write` takes it."""
    return re.sub(_SEQUENCES, lambda match: _MARK + match[1], text)


def drop(file: TextIO) -> None:
    """Let what is still to be written to a file that takes nothing more go nowhere."""
    try:
        descriptor = file.fileno()
    except (OSError, ValueError):
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _stream(file: TextIO, environment: Mapping[str, str]) -> Stream:
    terminal = file.isatty()
    forced = environment.get("FORCE_COLOR", "") not in ("", "0")
    colour = forced or (terminal and environment.get("TERM") != "dumb")
    return Stream(file, terminal, colour and not environment.get("NO_COLOR"))


class _Closed(io.TextIOBase):
    """A stream that says at each write that it is closed."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.EBADF, "it is closed")

    def isatty(self) -> bool:
        return False


def open_closed_streams() -> None:
    """Give each stream that was closed before the command began (``asyncmig upgrade >&-``) a file that takes nothing.

    Else a socket or a data file would get its number.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
        setattr(sys, name, io.StringIO() if name == "stdin" else _Closed())
