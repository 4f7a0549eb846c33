"""``HeadFile``: the heads of the history in one small file, so that two branches that both add a
revision conflict in git instead of silently making two heads.

It is a safeguard for people, not a source: no path is ever computed from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from asyncmig.files.atomic import replace_file
from asyncmig.files.errors import HeadFileConflict, HeadFileError, UnreadableFile

__all__ = ["HeadFile"]

_CONFLICT_MARKS = ("<<<<<<<", "=======", ">>>>>>>", "|||||||")


class HeadFile:
    """A file with one head id to a line, sorted."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> tuple[str, ...] | None:
        """The ids in it; None where there is no such file.

        Raises:
            HeadFileConflict: when git left its conflict marks in it.
            UnreadableFile: when it cannot be read.
        """
        try:
            lines = [line.strip() for line in self.path.read_text(encoding="utf-8").splitlines()]
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise UnreadableFile(self.path, f"it cannot be read: {error}") from error
        ids = [line for line in lines if line and not line.startswith(_CONFLICT_MARKS)]
        if any(line.startswith(_CONFLICT_MARKS) for line in lines):
            raise HeadFileConflict(self.path, ids)
        return tuple(ids)

    def write(self, heads: Iterable[str]) -> None:
        """Put the heads into it, at once or not at all.

        Raises:
            UnreadableFile: when it cannot be written.
        """
        text = "".join(f"{head}\n" for head in sorted(heads))
        try:
            replace_file(self.path, text)
        except OSError as error:
            raise UnreadableFile(self.path, f"it cannot be written: {error}") from error

    def verify(self, heads: Sequence[str]) -> None:
        """Compare it with the heads of the revision files. No file at all is right as long as there are no revisions.

        Raises:
            HeadFileError: when it says something else, or is missing.
            HeadFileConflict: when git left its conflict marks in it.
        """
        recorded = self.read()
        if sorted(recorded or ()) != sorted(heads):
            raise HeadFileError(self.path, recorded, sorted(heads))
