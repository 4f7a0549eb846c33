"""``Revision``: one step of the history, as its file's header declares it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Revision"]

Ids = tuple[str, ...] | str | None


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision: its id, where it stands in the graph, and what its file says about itself.

    The three fields that name other revisions take None, one id, or a sequence of ids, and always
    hold a tuple. ``checksum`` is the SHA-256 of the file's source, ``path`` the file; both are None
    for a revision that has no file.
    """

    revision: str
    down_revision: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    message: str = ""
    transactional: bool = False
    irreversible: bool = False
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
        path: Path | None = None,
        checksum: str | None = None,
    ) -> None:
        values = {
            "revision": revision,
            "down_revision": _tuple(down_revision),
            "depends_on": _tuple(depends_on),
            "branch_labels": _tuple(branch_labels),
            "replaces": _tuple(replaces),
            "message": message,
            "transactional": transactional,
            "irreversible": irreversible,
            "path": path,
            "checksum": checksum,
        }
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __str__(self) -> str:
        return f"{self.revision} ({self.message})" if self.message else self.revision


def _tuple(value: Ids) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
