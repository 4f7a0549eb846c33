"""``Snapshot``: the revision files as they were at one moment, read no further than a question needs."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from asyncmig.files.directory import Directory
from asyncmig.history.graph import RevisionGraph

__all__ = ["Snapshot"]


class Snapshot:
    """The files of a directory: their checksums when first asked for, their graph only when that is not enough."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    @cached_property
    def checksums(self) -> list[str]:
        """The checksums of all files, sorted. Raises RevisionFileError for a file that cannot be read."""
        return sorted(self._directory.checksums())

    @cached_property
    def graph(self) -> RevisionGraph:
        """The revisions as a graph. Raises as ``Listing.graph`` does."""
        return self._directory.read().graph()

    def is_exactly(self, checksums: Collection[str | None]) -> bool:
        """Whether the files are those that these are the checksums of: each there once, and no other.

        What a file declares follows from its content, so that nothing has to be parsed to know it.
        """
        return len(checksums) == len(self.checksums) and sorted(map(str, checksums)) == self.checksums
