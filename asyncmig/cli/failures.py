"""What a command answers with when it fails: one clear message on stderr, and the exit code.

Each start loads this module: what only a signal or a fault needs is imported where it is needed.
"""

from __future__ import annotations

import errno
import sys

import asyncclick as click

from asyncmig.cli.console import Console, OutputLost, drop
from asyncmig.errors import AsyncmigError

__all__ = ["Answer", "Interrupted", "report"]


class Answer(Exception):
    """Raised by a command that ends with an exit code other than 0 and nothing more to say."""

    def __init__(self, exit_code: int) -> None:
        self.exit_code = exit_code
        super().__init__(exit_code)


class Interrupted(Exception):
    """Raised in the place of whatever a command was doing when a signal told it to stop."""

    def __init__(self, number: int) -> None:
        import signal

        self.signal = signal.Signals(number)
        super().__init__(self.signal.name)

    @property
    def exit_code(self) -> int:
        """What shells answer with for a process that a signal has ended."""
        return 128 + self.signal


def report(error: BaseException, console: Console, *, verbose: bool) -> int:
    """Tell the user about ``error``, with its traceback where ``verbose``; the exit code for it."""
    error = _plain(error)
    if verbose and not isinstance(error, Answer | click.ClickException):
        _show_traceback(error, console)
    match error:
        case click.ClickException():
            _tell_usage(error, console)
        case Interrupted():
            console.warn(f"interrupted by {error.signal.name}")
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
            pass
        case _ if not verbose:
            console.fail(f"internal error: {type(error).__name__}: {error}; run with -v for the traceback")
    return int(getattr(error, "exit_code", 1))


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
