"""The JSON documents that a report is made of: which command a document is of, and several joined to one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["COMMANDS_OF", "joined", "part_of"]

Document = Mapping[str, Any]
_MARKS: Final[Mapping[str, frozenset[str]]] = {
    "report": frozenset({"made_at", "version"}),
    "status": frozenset({"at_head", "current", "pending"}),
    "lint": frozenset({"findings", "silenced"}),
    "plan": frozenset({"direction", "revisions"}),
    "difference": frozenset({"operations", "notes"}),
    "graph": frozenset({"revisions"}),
}
"""By part, the fields by which its document is known; the first that fits."""
COMMANDS_OF: Final[Mapping[str, tuple[str, ...]]] = {
    "report": ("report",),
    "status": ("status",),
    "lint": ("lint",),
    "plan": ("upgrade", "downgrade"),
    "difference": ("diff",),
    "graph": ("graph", "history"),
}
"""By part, the commands whose document it may be."""


def part_of(document: Any) -> str | None:
    """Which part of a report a document is: ``status``, ``plan``, ...; ``report`` for a whole one; None for no such."""
    if not isinstance(document, Mapping):
        return None
    name = next((part for part, fields in _MARKS.items() if fields <= document.keys()), None)
    return None if name == "plan" and "target" in document else name  # which is what a run did


def joined(documents: Iterable[Document]) -> dict[str, Any]:
    """One document of several; a later one takes the place of what an earlier one has said of the same part."""
    made: dict[str, Any] = {}
    for document in documents:
        part = part_of(document)
        if part == "report":
            made |= {name: value for name, value in document.items() if value is not None and name != "error"}
        elif part is not None:
            made[part] = _without_error(document)
    if (graph := made.get("graph")) is not None:
        made["graph"] = {"revisions": [{"state": "unknown", **revision} for revision in graph["revisions"]]}
    return made


def _without_error(document: Document) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "error"}
