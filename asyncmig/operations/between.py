"""Operations that bring documents from one collection into another, or take those away that stand twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from asyncmig.errors import IrreversibleOperation
from asyncmig.operations.base import Operation
from asyncmig.operations.data import DataOperation, where

__all__ = ["PER_DOCUMENT", "Deduplicate", "MergeInto", "MoveDocuments", "WhenMatched", "split_pipeline"]

WhenMatched = Literal["replace", "merge", "keepExisting", "fail"]
PER_DOCUMENT: Final = frozenset(
    {
        *("$addFields", "$graphLookup", "$lookup", "$match", "$project", "$redact"),
        *("$replaceRoot", "$replaceWith", "$set", "$unset", "$unwind"),
    }
)
"""Stages whose result for a document depends on that document alone, so that they may be run range by range."""


@dataclass(frozen=True, slots=True)
class MergeInto(DataOperation):
    """What a pipeline makes of ``source`` goes into the collection, by ``$merge``.

    https://www.mongodb.com/docs/manual/reference/operator/aggregation/merge/
    """

    source: str
    pipeline: Sequence[Mapping[str, Any]] = ()
    on: str | Sequence[str] = "_id"
    when_matched: WhenMatched = "replace"

    @property
    def is_per_document(self) -> bool:
        """Whether it may be done range by range; else the server has to see all documents at once."""
        return all(next(iter(stage), "") in PER_DOCUMENT for stage in self.pipeline)

    def describe(self) -> str:
        stages = ", ".join(next(iter(stage), "") for stage in self.pipeline)
        return f"merge {self.source} into {self.collection}{f' by {stages}' if stages else ''} ({self.when_matched})"

    def reverse(self) -> tuple[Operation, ...]:
        raise IrreversibleOperation(self, f"what of {self.collection} was there before is not known")


@dataclass(frozen=True, slots=True)
class MoveDocuments(DataOperation):
    """Documents of the collection go into another one: copied, found there, and then deleted here."""

    filter: Mapping[str, Any]
    into: str
    pipeline: Sequence[Mapping[str, Any]] = ()

    def describe(self) -> str:
        changed = ", changed by a pipeline" if self.pipeline else ""
        return f"move documents of {self.collection}{where(self.filter)} into {self.into}{changed}"

    def reverse(self) -> tuple[Operation, ...]:
        if self.pipeline:
            raise IrreversibleOperation(self, "a pipeline has changed the documents")
        return (MoveDocuments(self.into, self.filter, self.collection, pace=self.pace, on_error=self.on_error),)


@dataclass(frozen=True, slots=True)
class Deduplicate(DataOperation):
    """Of documents that have the same values in the fields ``by`` one is kept: the first in the order ``keep``.

    ``keep_in``: the collection that the others are moved to. Null and missing are the same, as in a unique index.
    """

    by: tuple[str, ...]
    keep: tuple[tuple[str, int], ...]
    keep_in: str | None = field(default=None)

    def describe(self) -> str:
        kept = ", ".join(f"{name} {'descending' if way < 0 else 'ascending'}" for name, way in self.keep)
        others = f", the others move to {self.keep_in}" if self.keep_in else ""
        return f"keep one document of {self.collection} for each {', '.join(self.by)}: the first by {kept}{others}"

    def reverse(self) -> tuple[Operation, ...]:
        if self.keep_in is None:
            raise IrreversibleOperation(self, "the documents are gone; keep_in=... would keep them elsewhere")
        return (MoveDocuments(self.keep_in, {}, self.collection, pace=self.pace, on_error=self.on_error),)


def split_pipeline(field_: str, document: Mapping[str, Any] | None) -> tuple[dict[str, Any], ...]:
    """The stages that make a document of each element of an array, with an ``_id`` that a second run makes again."""
    given: Mapping[str, Any] = document if document is not None else {"value": f"${field_}"}
    made = {"_id": {"of": "$_id", "position": "$__position"}, **given}
    return (
        {"$unwind": {"path": f"${field_}", "includeArrayIndex": "__position"}},
        {"$replaceWith": made},
    )
