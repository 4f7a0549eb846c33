"""Operations on whole collections: create, drop, rename, modify, and the rebuild that nobody can do in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asyncmig.errors import IrreversibleOperation
from asyncmig.operations.base import Operation
from asyncmig.operations.indexes import CreateIndexes
from asyncmig.schema.state import CollectionState

__all__ = ["CreateCollection", "DropCollection", "ModifyCollection", "NeedsRebuild", "RenameCollection"]


@dataclass(frozen=True, slots=True)
class CreateCollection(Operation):
    """``create``, with options as MongoDB's command spells them.

    https://www.mongodb.com/docs/manual/reference/command/create/
    """

    options: Mapping[str, Any] = field(default_factory=dict)

    def describe(self) -> str:
        listed = f" ({', '.join(self.options)})" if self.options else ""
        return f"create collection {self.collection}{listed}"

    def reverse(self) -> tuple[Operation, ...]:
        return (DropCollection(self.collection),)


@dataclass(frozen=True, slots=True)
class DropCollection(Operation):
    """``drop``, documents and indexes included.

    https://www.mongodb.com/docs/manual/reference/command/drop/
    """

    was: CollectionState | None = field(default=None, compare=False)

    def describe(self) -> str:
        return f"drop collection {self.collection}"

    def reverse(self) -> tuple[Operation, ...]:
        if self.was is None:
            raise IrreversibleOperation(self, "its options and indexes are not known")
        made = CreateCollection(self.collection, self.was.options)
        return (made, CreateIndexes(self.collection, self.was.indexes)) if self.was.indexes else (made,)


@dataclass(frozen=True, slots=True)
class RenameCollection(Operation):
    """``renameCollection`` within one database; indexes and options go along.

    https://www.mongodb.com/docs/manual/reference/command/renameCollection/
    """

    new: str

    def describe(self) -> str:
        return f"rename collection {self.collection} to {self.new}"

    def reverse(self) -> tuple[Operation, ...]:
        return (RenameCollection(self.new, self.collection),)


@dataclass(frozen=True, slots=True)
class ModifyCollection(Operation):
    """``collMod`` of a collection's options, spelled as ``collMod`` spells them, in one command.

    https://www.mongodb.com/docs/manual/reference/command/collMod/
    """

    options: Mapping[str, Any]
    was: Mapping[str, Any] | None = field(default=None, compare=False)
    state: CollectionState | None = field(default=None, compare=False)
    """The collection as it was, where a way back may be a rebuild."""

    def describe(self) -> str:
        return f"modify collection {self.collection} ({', '.join(self.options)})"

    def reverse(self) -> tuple[Operation, ...]:
        if self.was is None:
            raise IrreversibleOperation(self, "the options before it are not known")
        back = dict(self.was)
        finer = back.pop("timeseries", None)
        steps: list[Operation] = [ModifyCollection(self.collection, back, was=self.options)] if back else []
        if finer:
            reasons = (_coarser_only(finer, self.options["timeseries"]),)
            steps.append(NeedsRebuild(self.collection, reasons, target=self.state, was=self.state))
        return tuple(steps)


def _coarser_only(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    return (
        f"timeseries.granularity: it was {before['granularity']} and is {after['granularity']} now; "
        "MongoDB makes it coarser only"
    )


@dataclass(frozen=True, slots=True)
class NeedsRebuild(Operation):
    """A difference that MongoDB cannot change in place; reported, rendered as a comment, never applied.

    ``waiting``: what else differs, and comes with the rebuild or has to wait for it: not before it can it
    be done. ``back``: why the way back is a rebuild, too.
    """

    reasons: tuple[str, ...]
    target: CollectionState | None = field(default=None, compare=False)
    was: CollectionState | None = field(default=None, compare=False)
    waiting: tuple[Operation, ...] = field(default=(), compare=False)
    back: tuple[str, ...] = field(default=(), compare=False)

    def describe(self) -> str:
        return f"collection {self.collection} needs a rebuild by hand: {'; '.join(self.told)}"

    @property
    def told(self) -> tuple[str, ...]:
        """The reasons, and what comes with the rebuild."""
        return (*self.reasons, *(f"with it: {operation.describe()}" for operation in self.waiting))

    def reverse(self) -> tuple[Operation, ...]:
        if not self.back:
            return ()
        return (NeedsRebuild(self.collection, self.back, target=self.was, was=self.target, back=self.reasons),)
