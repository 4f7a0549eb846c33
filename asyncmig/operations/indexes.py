"""Operations on indexes: create several at once, modify in place, drop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asyncmig.errors import IrreversibleOperation
from asyncmig.operations.base import Operation
from asyncmig.printable import counted
from asyncmig.schema.index import Index

__all__ = ["CreateIndexes", "DropIndex", "ModifyIndex"]


@dataclass(frozen=True, slots=True)
class CreateIndexes(Operation):
    """``createIndexes``: all of a collection's in one command, so that it is scanned once; all or nothing.

    https://www.mongodb.com/docs/manual/reference/command/createIndexes/
    """

    indexes: tuple[Index, ...]
    commit_quorum: str | int | None = field(default=None, kw_only=True, metadata={"tuning": True})
    """Which members have to have built them: ``majority``, ``votingMembers``, a number, a tag; None: as it is set."""
    max_time: float | None = field(default=None, kw_only=True, metadata={"tuning": True})
    """Seconds after which the server gives the build up."""

    def describe(self) -> str:
        names = ", ".join(index.name for index in self.indexes)
        return f"create {counted(len(self.indexes), 'index')} on {self.collection}: {names}"

    def reverse(self) -> tuple[Operation, ...]:
        return tuple(DropIndex(self.collection, index.name, was=index) for index in reversed(self.indexes))


@dataclass(frozen=True, slots=True)
class DropIndex(Operation):
    """``dropIndexes`` of one index, by name.

    https://www.mongodb.com/docs/manual/reference/command/dropIndexes/
    """

    name: str
    was: Index | None = field(default=None, compare=False)
    note: str = field(default="", compare=False)
    """A remark for the reviewer, rendered as a comment: how often the server has used the index."""

    def describe(self) -> str:
        return f"drop index {self.name} of {self.collection}"

    def reverse(self) -> tuple[Operation, ...]:
        if self.was is None:
            raise IrreversibleOperation(self, "its definition is not known")
        return (CreateIndexes(self.collection, (self.was,)),)


@dataclass(frozen=True, slots=True)
class ModifyIndex(Operation):
    """``collMod`` of one index: ``expireAfterSeconds``, ``hidden``, ``prepareUnique``, ``unique: True``.

    https://www.mongodb.com/docs/manual/reference/command/collMod/#change-index-properties
    """

    name: str
    options: Mapping[str, Any]
    was: tuple[Operation, ...] | None = field(default=None, compare=False)
    """The operations that put the index back: not always a ``collMod`` (unique cannot be taken away in place)."""

    def describe(self) -> str:
        changes = ", ".join(f"{key}={value!r}" for key, value in self.options.items())
        return f"modify index {self.name} of {self.collection} ({changes})"

    def reverse(self) -> tuple[Operation, ...]:
        if self.was is None:
            raise IrreversibleOperation(self, "the options before it are not known")
        return self.was
