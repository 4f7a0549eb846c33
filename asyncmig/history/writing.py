"""Writes files so that a crash leaves the old one or the new one, never half of it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["create_file", "replace_file"]

_MODE = 0o666


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
    handle, draft = tempfile.mkstemp(prefix=".asyncmig-", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes it private; a source file has the rights that the user's umask leaves.
        os.chmod(draft, _MODE & ~_umask())
        yield draft
    finally:
        with suppress(FileNotFoundError):
            os.unlink(draft)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
