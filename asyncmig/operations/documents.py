"""Operations on single documents: the initial data of a collection, in and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asyncmig.errors import IrreversibleOperation
from asyncmig.operations.base import Operation
from asyncmig.printable import counted

__all__ = ["DeleteDocuments", "InsertDocuments"]


@dataclass(frozen=True, slots=True)
class InsertDocuments(Operation):
    """Insert what is missing by ``_id``; a document that is there already is left as it is."""

    documents: tuple[Mapping[str, Any], ...]

    def describe(self) -> str:
        return f"insert {counted(len(self.documents), 'document')} into {self.collection} where missing"

    def reverse(self) -> tuple[Operation, ...]:
        ids = tuple(document["_id"] for document in reversed(self.documents))
        return (DeleteDocuments(self.collection, ids, if_unchanged=True),)


@dataclass(frozen=True, slots=True)
class DeleteDocuments(Operation):
    """Delete documents by ``_id``.

    With ``if_unchanged`` (what autogenerate writes) only those go which this revision's upgrade
    has inserted, as its ledger entry tells, and which nobody has changed since.
    """

    ids: tuple[Any, ...]
    if_unchanged: bool = field(default=False, kw_only=True)

    def describe(self) -> str:
        which = " that nobody has changed" if self.if_unchanged else ""
        return f"delete {counted(len(self.ids), 'document')} of {self.collection}{which}"

    def reverse(self) -> tuple[Operation, ...]:
        raise IrreversibleOperation(self, "the documents are not known")
