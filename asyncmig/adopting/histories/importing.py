"""Another tool's applied migrations as revisions of ours: empty ones, which only keep the history's place."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from asyncmig.adopting.histories.history import ForeignHistory, ForeignStep
from asyncmig.authoring.revision_file import revision_source
from asyncmig.files.directory import new_id
from asyncmig.history.revision import Revision

__all__ = ["Imported", "imported"]

_NOTHING = "Applied by the other tool before asyncmig took over; there is nothing to do."
_DATED = re.compile(r"\d{8,}")
_MAX_ID_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class Imported:
    """One applied migration of another tool and the revision that stands for it; ``source`` is None where it exists."""

    tool: str
    step: ForeignStep
    revision: Revision
    source: str | None = None

    @property
    def origin(self) -> dict[str, Any]:
        """What the tool's log says, for the ledger; the time is as the tool wrote it."""
        return {"tool": self.tool, "name": self.step.name, "applied_at": self.step.applied_at}


def imported(tool: str, history: ForeignHistory, known: Sequence[Revision], heads: Collection[str]) -> list[Imported]:
    """A revision for each applied step, in their order: the one there is, or a new one behind ``heads``.

    The id is the number that the file's name begins with, or the tool's own id, where that is free.
    """
    by_message = {revision.message: revision for revision in known}
    taken = {revision.revision for revision in known}
    parents: tuple[str, ...] = tuple(sorted(heads))
    imported: dict[str, Imported] = {}
    for step in history.applied:
        message = f"{step.name} (from {tool})"
        if message in by_message:
            imported[step.name] = Imported(tool, step, by_message[message])
            continue
        below = _below(step, imported) or parents
        revision = Revision(_id(step, taken), below, message=message)
        taken.add(revision.revision)
        imported[step.name] = Imported(tool, step, revision, _source(tool, step, revision))
        parents = _new_heads(parents, revision)
    return list(imported.values())


def _below(step: ForeignStep, imported: Mapping[str, Imported]) -> tuple[str, ...]:
    """The parents that the tool itself names, as far as they are imported."""
    return tuple(imported[name].revision.revision for name in step.parents or () if name in imported)


def _new_heads(heads: Iterable[str], revision: Revision) -> tuple[str, ...]:
    return (*(head for head in heads if head not in revision.down_revision), revision.revision)


def _id(step: ForeignStep, taken: Collection[str]) -> str:
    dated = _DATED.match(PurePath(step.name).name)
    wanted = dated[0] if dated else step.name if step.parents is not None else ""
    if wanted and wanted not in taken and re.fullmatch(rf"\w{{4,{_MAX_ID_CHARACTERS}}}", wanted):
        return wanted
    return new_id(step.applied_at, taken)


def _source(tool: str, step: ForeignStep, revision: Revision) -> str:
    when = f" on {step.applied_at:%Y-%m-%d %H:%M:%S}" if step.applied_at else ""
    said = f"\n\n{step.message}" if step.message else ""
    return revision_source(
        revision=revision.revision,
        down_revision=revision.down_revision,
        message=f"{revision.message}\n\nApplied by {tool}{when}.{said}",
        empty=_NOTHING,
    )
