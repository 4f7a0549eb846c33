"""Standard streams that were closed before the command began (``asyncmig upgrade >&-``)."""

from __future__ import annotations

import errno
import io
import os
import sys

__all__ = ["open_closed_streams"]

_NAMES = ("stdin", "stdout", "stderr")


class _Closed(io.TextIOBase):
    """A stream that says at each write that it is closed."""

    def write(self, text: str, /) -> int:
        raise OSError(errno.EBADF, "it is closed")

    def isatty(self) -> bool:
        return False


def open_closed_streams() -> None:
    """Give each closed stream a file that takes nothing, so that no socket or data file gets its number."""
    for number, name in enumerate(_NAMES):
        if getattr(sys, name) is not None:
            continue
        nowhere = os.open(os.devnull, os.O_RDWR)
        if nowhere != number:
            os.dup2(nowhere, number)
            os.close(nowhere)
        setattr(sys, name, io.StringIO() if name == "stdin" else _Closed())
