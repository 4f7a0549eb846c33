"""``RecordedFiles``: revisions without a file, read from the source that a database's ledger has kept of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from asyncmig.errors import DatabaseAhead
from asyncmig.files.directory import Directory, checksum
from asyncmig.files.header import read_header
from asyncmig.files.module import RevisionModule, executed_header, load
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision

__all__ = ["RecordedFiles"]


class RecordedFiles:
    """The files of ``directory``, and beside them revisions from ``sources``: id and text of each.

    Raises RevisionError for a source that is faulty, DatabaseAhead for ids in ``missing`` that have none.
    """

    def __init__(self, directory: Directory, missing: Iterable[str], sources: Mapping[str, str]) -> None:
        if lost := sorted(set(missing) - sources.keys()):
            raise DatabaseAhead(lost, why="the ledger has no source of them, as they were stamped and not run")
        self._directory = directory
        self._sources = {name: sources[name] for name in missing}
        recorded = [_revision(name, source) for name, source in self._sources.items()]
        self.graph = RevisionGraph([*directory.read().sound(), *recorded])

    def load(self, revision: Revision) -> RevisionModule:
        """Run a revision's file, or what the ledger has of it, and take out its functions."""
        source = self._sources.get(revision.revision)
        return self._directory.load(revision) if source is None else load(source, revision, _place(revision.revision))

    def source(self, revision: Revision) -> str:
        """The text of a revision."""
        return self._sources.get(revision.revision) or self._directory.source(revision)


def _revision(name: str, source: str) -> Revision:
    place = _place(name)
    header = read_header(source, place) or executed_header(source, place)
    return replace(header.revision(checksum(source.encode())), path=None)


def _place(name: str) -> Path:
    """What a traceback calls the text."""
    return Path("ledger") / f"{name}.py"
