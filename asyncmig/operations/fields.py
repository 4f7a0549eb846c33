"""Operations on one field of every document: rename it, remove it, convert it to another type."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from asyncmig.errors import IrreversibleOperation
from asyncmig.operations.base import Operation
from asyncmig.operations.data import DataOperation, function_name

__all__ = ["TYPES", "WAYS_BACK", "ConvertField", "OnConflict", "RemoveField", "RenameField", "Type"]

OnConflict = Literal["fail", "overwrite", "keep"]
Type = Literal["int", "long", "double", "decimal", "string", "bool", "date", "objectId"]
TYPES: Final[tuple[str, ...]] = ("int", "long", "double", "decimal", "string", "bool", "date", "objectId")

WAYS_BACK: Final[Mapping[str, frozenset[str]]] = {
    "int": frozenset({"long", "double", "decimal", "string"}),
    "long": frozenset({"int", "decimal", "string", "date"}),
    "double": frozenset({"string"}),
    "decimal": frozenset({"string"}),
    "string": frozenset({"int", "long", "double", "decimal", "date", "objectId"}),
    "bool": frozenset({"int", "long", "double", "decimal"}),
    "date": frozenset({"long", "string"}),
    "objectId": frozenset({"string"}),
}
"""By type, those that a value can be converted to and come back from.

From text the value comes back, in MongoDB's own spelling: ``"007"`` goes to 7 and comes back as ``"7"``.
Not in it: what drops a fraction, a date's or an ObjectId's rest, or everything but true and false.
"""


@dataclass(frozen=True, slots=True)
class RenameField(DataOperation):
    """A field gets another name; dotted paths reach into sub-documents, and into each element of an array.

    ``on_conflict``, of a document that has both: ``fail``; ``overwrite`` the one of the new name;
    or ``keep`` that one, and drop the one of the old name.
    """

    field: str
    new: str
    on_conflict: OnConflict = dataclasses.field(default="fail", kw_only=True)

    def describe(self) -> str:
        return f"rename field {self.field} of {self.collection} to {self.new}"

    def reverse(self) -> tuple[Operation, ...]:
        if self.was is not None:
            return self.was
        if self.on_conflict != "fail":
            raise IrreversibleOperation(self, f"of documents that had both fields one was lost ({self.on_conflict})")
        return (RenameField(self.collection, self.new, self.field, pace=self.pace, on_error=self.on_error),)


@dataclass(frozen=True, slots=True)
class RemoveField(DataOperation):
    """A field goes, from sub-documents and from each element of an array, too; with ``keep_in`` it moves there."""

    field: str
    keep_in: str | None = None

    def describe(self) -> str:
        kept = f", keeping it in {self.keep_in}" if self.keep_in else ""
        return f"remove field {self.field} of {self.collection}{kept}"

    def reverse(self) -> tuple[Operation, ...]:
        if self.was is not None:
            return self.was
        if self.keep_in is None:
            raise IrreversibleOperation(self, "its values are gone; keep_in=... would keep them in another field")
        return (RenameField(self.collection, self.keep_in, self.field, pace=self.pace, on_error=self.on_error),)


@dataclass(frozen=True, slots=True)
class ConvertField(DataOperation):
    """A field's values become another type, as ``$convert`` does it; null and missing stay what they are.

    ``from_``: convert only values of that type, and know the way back. ``on_error``, of a value that
    cannot be converted: ``fail``, ``collect``, ``keep`` it, put ``null`` in its place, or a function
    of Python that is given the value and returns another.

    https://www.mongodb.com/docs/manual/reference/operator/aggregation/convert/
    """

    field: str
    to: str
    from_: str | None = None
    on_error: Any = dataclasses.field(default="fail", kw_only=True)  # here it says what becomes of documents

    def describe(self) -> str:
        origin = f" from {self.from_}" if self.from_ else ""
        instead = f", else {function_name(self.on_error)}" if callable(self.on_error) else ""
        return f"convert field {self.field} of {self.collection}{origin} to {self.to}{instead}"

    def reverse(self) -> tuple[Operation, ...]:
        if self.was is not None:
            return self.was
        if self.from_ is None:
            raise IrreversibleOperation(self, "the type before it is not known; from_=... would tell")
        if self.to not in WAYS_BACK[self.from_]:
            raise IrreversibleOperation(self, f"{self.to} does not hold all that {self.from_} does")
        if self.on_error not in ("fail", "collect", "keep"):
            raise IrreversibleOperation(self, "values that could not be converted were replaced")
        return (
            ConvertField(
                self.collection, self.field, self.from_, from_=self.to, pace=self.pace, on_error=self.on_error
            ),
        )
