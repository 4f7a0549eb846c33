"""``DeclaredFields``: what the models of one collection say of its documents, and how a field was renamed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from asyncmig.schema.levels import LEVELS, Level

__all__ = ["DeclaredFields", "FieldSettings", "RenamedFrom", "Schema"]

Schema = dict[str, Any]
"""A ``$jsonSchema``, as MongoDB takes it."""


@dataclass(frozen=True, slots=True)
class RenamedFrom:
    """Says in a model what a field was called before: ``postcode: Annotated[str, RenamedFrom("zip")]``.

    The name is the stored one, without a path: the field stood beside where it stands now. One that
    has moved further is told by ``__renamed_fields__ = {"title": "title.en"}``, with whole paths.
    """

    name: str


@dataclass(frozen=True, slots=True)
class DeclaredFields:
    """The fields of one collection's documents, as its models declare them.

    ``schema``: what MongoDB takes. ``renames``: old path to new path, both dotted. ``defaults``: by
    path, the value that the model gives to a document that lacks the field, as it is stored.
    ``notes``: what the schema leaves open, and why.
    """

    schema: Schema
    level: Level = "record"
    renames: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldSettings:
    """What becomes of the fields that models declare.

    ``level`` for all collections but those in ``by_collection``, which outweighs a class's
    ``__fields__``, too. ``constraints``: whether bounds become part of the schemas.
    """

    level: Level = "ignore"
    by_collection: Mapping[str, Level] = field(default_factory=dict)
    constraints: bool = False

    def of(self, name: str, models: Sequence[type]) -> Level:
        """The level of one collection."""
        if name in self.by_collection:
            return self.by_collection[name]
        own = [vars(base)["__fields__"] for model in models for base in model.__mro__ if "__fields__" in vars(base)]
        named: list[Level] = [level for level in own if level in LEVELS]  # Pydantic has an attribute of that name, too
        return named[0] if named else self.level
