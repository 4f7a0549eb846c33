"""``ForeignHistory``: another tool's history of one database, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = ["Document", "ForeignFile", "ForeignHistory", "ForeignStep", "latest", "moment", "when"]

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """One file in the other tool's folder: its name there, and what is in it."""

    name: str
    content: bytes = b""

    @property
    def text(self) -> str:
        """The content as text; bytes that are no UTF-8 become replacement characters."""
        return self.content.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class ForeignStep:
    """One migration that the other tool has applied.

    ``applied_at`` is as the tool wrote it, and None where it wrote none; ``parents`` are names of other
    steps, and None for a tool whose history is a plain list.
    """

    name: str
    applied_at: datetime | None = None
    message: str = ""
    parents: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class ForeignHistory:
    """What a tool's log and its folder say together, each in the order in which the tool would run them.

    ``applied``: done, by the tool's own rule. ``pending``: the tool would run these next. ``skipped``:
    in the folder, never run, and the tool will not run them any more. ``missing``: applied, and no file is
    left. ``faults``: why the log cannot be taken over as it is. ``notes``: what else is worth knowing.
    """

    applied: tuple[ForeignStep, ...] = ()
    pending: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def when(document: Document, field: str) -> datetime | None:
    """The date in a field; None where there is none, or something else stands there."""
    value = document.get(field)
    return value if isinstance(value, datetime) else None


def moment(document: Document, field: str) -> datetime:
    """The date in a field, to sort by; what has none comes first. Time zones are left out: one log has one kind."""
    return (when(document, field) or datetime.min).replace(tzinfo=None)


def latest(documents: Sequence[Document], key: str) -> dict[str, Document]:
    """The last document for each string under ``key``; those without one are left out."""
    return {name: document for document in documents if isinstance(name := document.get(key), str)}
