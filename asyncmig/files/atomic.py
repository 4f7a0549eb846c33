"""Writes files so that a crash leaves the old one or the new one, never half of it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["create_file", "replace_file"]


def replace_file(path: Path, text: str) -> None:
    """Write a file, in place of an earlier one.

    Raises:
        OSError: when that is not possible; the earlier one is still there then.
    """
    with _draft(path, text) as draft:
        os.replace(draft, path)


def create_file(path: Path, text: str) -> None:
    """Write a file that does not exist yet.

    Raises:
        FileExistsError: when it does; it is left as it is.
        OSError: when writing is not possible.
    """
    with _draft(path, text) as draft:
        try:
            # Unlike a rename, a link never replaces what is there.
            os.link(draft, path)
        except FileExistsError:
            raise
        except OSError:
            # No hard links on this file system.
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)


@contextmanager
def _draft(path: Path, text: str) -> Iterator[str]:
    draft = str(path.parent / f".asyncmig-{os.getpid()}-{time.monotonic_ns()}.tmp")
    try:
        with open(draft, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield draft
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft)
