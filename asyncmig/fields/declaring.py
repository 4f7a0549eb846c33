"""The fields that models declare, as validators of their collections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from asyncmig.errors import DeclarationError
from asyncmig.fields.models import fields_of, has_fields
from asyncmig.schema.fields import DeclaredFields, FieldSettings
from asyncmig.schema.levels import level_options
from asyncmig.schema.state import CollectionState, DatabaseState

__all__ = ["FieldSettings", "declared_schemas", "with_fields"]


def with_fields(state: DatabaseState, models: Mapping[str, Sequence[type]], settings: FieldSettings) -> DatabaseState:
    """The declared state with a validator for each collection whose models say what its documents hold.

    ``models``: by collection, the classes that declare it. Raises DeclarationError for a type that
    BSON has none for, and where a ``$jsonSchema`` is written by hand as well.
    """
    return DatabaseState(
        {
            collection.name: _with_fields(collection, tuple(models.get(collection.name, ())), settings)
            for collection in state
        }
    )


def declared_schemas(state: DatabaseState, models: Mapping[str, Sequence[type]]) -> dict[str, Mapping[str, Any]]:
    """What models say of the documents, by collection: their validator's schema, else that of the model's fields."""
    schemas: dict[str, Mapping[str, Any]] = {}
    for collection in state:
        described = list(dict.fromkeys(kind for model in models.get(collection.name, ()) for kind in _described(model)))
        schema = collection.options.get("validator", {}).get("$jsonSchema")
        if schema is None and described and collection.kind != "view":
            schema = fields_of(described).schema
        if schema is not None:
            schemas[collection.name] = schema
    return schemas


def _with_fields(state: CollectionState, models: Sequence[Any], settings: FieldSettings) -> CollectionState:
    renamed = {old: new for model in models for old, new in getattr(model, "__renamed_fields__", {}).items()}
    described = list(dict.fromkeys(kind for model in models for kind in _described(model)))
    level = settings.of(state.name, models)
    if state.kind != "collection" or level == "ignore" or not described:
        return _by_hand(state, renamed)
    if "validator" in state.options:
        raise DeclarationError(
            models[0].__qualname__,
            "__options__",
            f"has a validator, and {described[0].__qualname__} says what the fields of {state.name!r} are, too; "
            'keep one of them (__fields__ = "ignore" leaves the model out)',
        )
    constraints = settings.constraints or any(getattr(model, "__field_constraints__", False) for model in models)
    fields = fields_of(described, level, renamed=renamed, constraints=constraints)
    return replace(state, options={**state.options, **level_options(fields.schema, level)}, fields=fields)


def _described(model: Any) -> list[Any]:
    """The classes that say what the documents hold: the one that ``__model__`` names, else the model itself."""
    named = getattr(model, "__model__", None)
    if named is not None:
        return [named]
    return [model] if has_fields(model) else []


def _by_hand(state: CollectionState, renamed: Mapping[str, str]) -> CollectionState:
    """With a schema that is written by hand, renames are told all the same."""
    schema = state.options.get("validator", {}).get("$jsonSchema")
    return replace(state, fields=DeclaredFields(schema, renames=renamed)) if schema and renamed else state
