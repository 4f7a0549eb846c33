"""What a command answers with when it fails: one clear message on stderr, and the exit code.

Each start loads this module: what only a signal or a fault needs is imported where it is needed.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Mapping
from typing import Any

import asyncclick as click

from asyncmig.cli.console import Console, OutputLost, drop
from asyncmig.cli.error_document import error_document
from asyncmig.cli.json_text import as_json
from asyncmig.errors import AsyncmigError

__all__ = ["Answer", "Interrupted", "report"]


class Answer(Exception):
    """Raised by a command that ends with an exit code other than 0 and has nothing more to say than ``message``."""

    def __init__(self, exit_code: int, message: str = "") -> None:
        self.exit_code = exit_code
        super().__init__(message)


class Interrupted(Exception):
    """Raised in the place of whatever a command was doing when a signal told it to stop."""

    def __init__(self, number: int) -> None:
        import signal

        self.signal = signal.Signals(number)
        super().__init__(f"interrupted by {self.signal.name}")

    @property
    def exit_code(self) -> int:
        """What shells answer with for a process that a signal has ended."""
        return 128 + self.signal


def report(
    error: BaseException, console: Console, *, verbose: bool, json: bool = False, done: Mapping[str, Any] | None = None
) -> int:
    """Tell the user about ``error``, with its traceback where ``verbose``; the exit code for it.

    With ``json`` programs are told, too, unless they have their document already; ``done``: what else it is to hold.
    """
    error = _plain(error)
    if json and not console.has_answered and not isinstance(error, OutputLost):
        error = _answer(error, console, done or {})
    if verbose and not isinstance(error, Answer | click.ClickException):
        _show_traceback(error, console)
    match error:
        case click.ClickException():
            _tell_usage(error, console)
        case Interrupted():
            console.warn(str(error))
        case AsyncmigError():
            console.fail(str(error))
            for note in getattr(error, "__notes__", ()):
                console.say(note)
        case OutputLost(errno=errno.EPIPE) | OSError(errno=errno.EPIPE):
            drop(sys.stdout)  # `asyncmig history | head`
        case OutputLost():
            console.fail(f"standard output cannot be written: {error}. What was to be done is done; the answer is lost")
        case OSError(filename=None):
            drop(sys.stdout)  # `asyncmig --help > /dev/full`
            console.fail(f"standard output cannot be written: {error.strerror or error}")
        case Answer():
            if str(error):
                console.say(str(error))
        case _ if not verbose:
            console.fail(f"internal error: {type(error).__name__}: {error}; run with -v for the traceback")
    return int(getattr(error, "exit_code", 1))


def _answer(error: BaseException, console: Console, done: Mapping[str, Any]) -> BaseException:
    """Print the error as a JSON document; the error to tell of: that one, or that it could not be printed."""
    console.has_answered = True
    try:
        console.out.write(as_json({**done, "error": error_document(error)}))
    except OutputLost as lost:
        return lost if isinstance(error, Answer) else error
    return error


def _tell_usage(error: click.ClickException, console: Console) -> None:
    """What click would print itself, through our own door."""
    context = getattr(error, "ctx", None)
    if context is not None:
        console.say(context.get_usage())
        console.say(f"Try '{context.command_path} --help' for help.\n")
    console.say(f"Error: {error.format_message()}")


def _plain(error: BaseException) -> BaseException:
    """The error that matters: out of the groups that task groups wrap errors in, a Ctrl-C as Interrupted."""
    while isinstance(error, BaseExceptionGroup):
        ours = [inner for inner in error.exceptions if isinstance(inner, AsyncmigError | click.ClickException)]
        error = (ours or error.exceptions)[0]
    if not isinstance(error, KeyboardInterrupt | click.Abort):
        return error
    import signal

    return Interrupted(signal.SIGINT)


def _show_traceback(error: BaseException, console: Console) -> None:
    import traceback

    console.say("".join(traceback.format_exception(error)).rstrip(), "faint")
