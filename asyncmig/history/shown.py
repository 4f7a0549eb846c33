"""How messages name revisions: alone, and as a list that is cut where it is long."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

__all__ = ["Named", "listed", "named_ids", "shown"]

_MAX_SHOWN = 20


class Named(Protocol):
    """What an error prints of a :class:`~asyncmig.history.Revision`: its id, and its file if it has one."""

    @property
    def revision(self) -> str:
        """The id."""
        ...

    @property
    def path(self) -> Path | None:
        """The file."""
        ...


def shown(revision: Named) -> str:
    """A revision as messages name it: the id, and the file where there is one."""
    return f"{revision.revision} ({revision.path})" if revision.path else str(revision.revision)


def listed(revisions: Iterable[Named], limit: int = _MAX_SHOWN) -> str:
    """Revisions as an indented list, one to a line; a long one is cut, and says so."""
    everything = tuple(revisions)
    lines = [f"\n  {shown(revision)}" for revision in everything[:limit]]
    return "".join(lines) + (f"\n  … and {len(everything) - limit} more" if len(everything) > limit else "")


def named_ids(ids: Iterable[str]) -> str:
    """Ids in one line; a long list is cut, and says so."""
    everything = tuple(ids)
    more = f", … ({len(everything)} in all)" if len(everything) > _MAX_SHOWN else ""
    return ", ".join(everything[:_MAX_SHOWN]) + more
