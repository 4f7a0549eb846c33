"""``Snapshot``: the revision files as they were at one moment, read no further than a question needs."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from asyncmig.history.directory import Directory
from asyncmig.history.graph import RevisionGraph

__all__ = ["Snapshot"]


class Snapshot:
    """The files of a directory: their checksums at once, their graph when it is first asked for.

    Raises RevisionFileError for a file that cannot be read; ``graph`` raises as ``Listing.graph`` does.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._checksums = sorted(directory.checksums())

    @cached_property
    def graph(self) -> RevisionGraph:
        """The revisions as a graph."""
        return self._directory.read().graph()

    def is_exactly(self, checksums: Collection[str | None]) -> bool:
        """Whether the files are those that these are the checksums of: each there once, and no other.

        What a file declares follows from its content, so that nothing has to be parsed to know it.
        """
        return len(checksums) == len(self._checksums) and sorted(map(str, checksums)) == self._checksums
