"""Operations on views: create, modify in place, drop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asyncmig.errors import IrreversibleOperation
from asyncmig.operations.base import Operation
from asyncmig.schema.state import CollectionState

__all__ = ["CreateView", "DropView", "ModifyView"]


@dataclass(frozen=True, slots=True)
class CreateView(Operation):
    """``create`` with ``viewOn`` and ``pipeline``; the only further option is ``collation``.

    https://www.mongodb.com/docs/manual/core/views/
    """

    view_on: str
    pipeline: Sequence[Mapping[str, Any]]
    options: Mapping[str, Any] = field(default_factory=dict)

    def describe(self) -> str:
        return f"create view {self.collection} on {self.view_on}"

    def reverse(self) -> tuple[Operation, ...]:
        return (DropView(self.collection),)


@dataclass(frozen=True, slots=True)
class ModifyView(Operation):
    """``collMod`` of a view's source and pipeline (always both)."""

    view_on: str
    pipeline: Sequence[Mapping[str, Any]]
    was: CollectionState | None = field(default=None, compare=False)

    def describe(self) -> str:
        return f"modify view {self.collection} on {self.view_on}"

    def reverse(self) -> tuple[Operation, ...]:
        if self.was is None:
            raise IrreversibleOperation(self, "the pipeline before it is not known")
        return (ModifyView(self.collection, self.was.options["viewOn"], self.was.options["pipeline"]),)


@dataclass(frozen=True, slots=True)
class DropView(Operation):
    """``drop`` of a view; no document is lost with it."""

    was: CollectionState | None = field(default=None, compare=False)

    def describe(self) -> str:
        return f"drop view {self.collection}"

    def reverse(self) -> tuple[Operation, ...]:
        if self.was is None:
            raise IrreversibleOperation(self, "its pipeline is not known")
        options = dict(self.was.options)
        return (CreateView(self.collection, options.pop("viewOn"), options.pop("pipeline"), options),)
