"""``Checkpoint``: how far an operation on data has got, as its entry in the journal keeps it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asyncmig.data.ranges import Place
from asyncmig.drivers.base import Document
from asyncmig.operations import Tally

__all__ = ["Checkpoint"]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Everything up to ``at`` is done, in this round of this task, and has come to ``tally`` so far.

    ``end``: how far the round goes; what was the highest ``_id`` when it began; None of an empty
    collection. ``excludes``: whether documents that were dealt with have been found not to match the
    filter any more; None before the first one. ``transactional``: whether the work was begun in
    transactions.
    """

    transactional: bool
    task: int = 0
    is_last_round: bool = False
    at: Place = field(default_factory=Place)
    end: Place | None = None
    is_open: bool = False
    """Whether ``end`` has been looked up, and the round has begun."""
    excludes: bool | None = None
    tally: Tally = field(default_factory=Tally)

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Checkpoint:
        """The checkpoint that a document holds."""
        return cls(
            transactional=document["transactional"],
            task=document["task"],
            is_last_round=document["round"] == "last",
            at=Place.read(document["at"]),
            end=Place.read(document["end"]) if document["end"] else None,
            is_open=document["open"],
            excludes=document["excludes"],
            tally=Tally.read(document["tally"]),
        )

    @property
    def document(self) -> Document:
        """As the journal stores it."""
        return {
            "transactional": self.transactional,
            "task": self.task,
            "round": "last" if self.is_last_round else "main",
            "at": self.at.document,
            "end": self.end.document if self.end else None,
            "open": self.is_open,
            "excludes": self.excludes,
            "tally": self.tally.document,
        }
