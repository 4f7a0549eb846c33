"""``Revision``: one step of the history, as its file's header declares it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from asyncmig.history.errors import IllegalRevision

__all__ = ["Revision"]

Ids = Iterable[str] | str | None


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision: its id, where it stands in the graph, and what its file says about itself.

    The fields that name other revisions, and ``branch_labels``, take None, one string, or several,
    and always hold a tuple. ``checksum`` is the SHA-256 of the file's source, ``path`` the file;
    both are None for a revision that has no file. A ``baseline`` makes what an adopted database had
    before its first revision, and so is irreversible.

    Raises:
        IllegalRevision: when one of these is not made of strings.
    """

    revision: str
    down_revision: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    message: str = ""
    transactional: bool = False
    irreversible: bool = False
    baseline: bool = False
    path: Path | None = field(default=None, compare=False)
    checksum: str | None = field(default=None, compare=False)

    def __init__(
        self,
        revision: str,
        down_revision: Ids = (),
        depends_on: Ids = (),
        branch_labels: Ids = (),
        replaces: Ids = (),
        message: str = "",
        transactional: bool = False,
        irreversible: bool = False,
        baseline: bool = False,
        path: Path | None = None,
        checksum: str | None = None,
    ) -> None:
        # Thousands are made at each start, and a frozen dataclass's own way is twice as slow.
        put = object.__setattr__
        put(self, "revision", revision)
        put(self, "down_revision", _tuple("down_revision", down_revision, revision))
        put(self, "depends_on", _tuple("depends_on", depends_on, revision))
        put(self, "branch_labels", _tuple("branch_labels", branch_labels, revision))
        put(self, "replaces", _tuple("replaces", replaces, revision))
        put(self, "message", message)
        put(self, "transactional", transactional)
        put(self, "irreversible", irreversible or baseline)
        put(self, "baseline", baseline)
        put(self, "path", path)
        put(self, "checksum", checksum)

    def __str__(self) -> str:
        return f"{self.revision} ({self.message})" if self.message else self.revision


def _tuple(name: str, value: Ids, revision: object) -> tuple[str, ...]:
    if value is None or value == ():
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Iterable):
        given = tuple(value)
        ids = tuple([name for name in given if isinstance(name, str)])
        if len(ids) == len(given):
            return ids
    raise IllegalRevision(revision, f"its {name} must be None, a string or several strings, not {value!r:.100}")
