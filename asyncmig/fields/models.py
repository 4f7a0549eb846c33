"""The fields of a collection's documents, from the classes that declare it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from asyncmig.fields.alternatives import either
from asyncmig.fields.library import library_of
from asyncmig.fields.mongoengine import MongoEngineWalker
from asyncmig.fields.walker import At, Walker
from asyncmig.schema.fields import DeclaredFields, Schema
from asyncmig.schema.levels import Level

__all__ = ["fields_of", "has_fields"]


def has_fields(model: Any) -> bool:
    """Whether the class says what its documents hold: a Pydantic model, or a MongoEngine document."""
    return isinstance(model, type) and (
        _is_mongoengine(model) or isinstance(getattr(model, "model_fields", None), dict)
    )


def fields_of(
    models: Sequence[Any],
    level: Level = "record",
    *,
    renamed: Mapping[str, str] | None = None,
    constraints: bool = False,
) -> DeclaredFields:
    """What these classes say of the documents of the one collection that they share.

    ``renamed``: old paths to new ones, besides what the models themselves say. ``constraints``:
    whether bounds (``minLength``, ``maximum``, ``pattern``) become part of the schema. Raises
    DeclarationError, with class and field, for a type that BSON has none for.
    """
    walkers = [_walker(model, constraints) for model in models]
    schemas = [
        _completed(model, walker.model(model, At(model.__qualname__)))
        for model, walker in zip(models, walkers, strict=True)
    ]
    defaults = [walker.defaults for walker in walkers]
    return DeclaredFields(
        _united(schemas),
        level,
        {old: new for walker in walkers for old, new in walker.renames.items()}
        | {old: new for model in models for old, new in getattr(model, "__renamed_fields__", {}).items()}
        | dict(renamed or {}),
        {path: value for path, value in defaults[0].items() if all(path in other for other in defaults)},
        tuple(dict.fromkeys(note for walker in walkers for note in walker.notes)),
    )


def _walker(model: Any, constraints: bool) -> Walker | MongoEngineWalker:
    if _is_mongoengine(model):
        return MongoEngineWalker(constraints=constraints)
    return Walker(library_of(model), constraints=constraints)


def _is_mongoengine(model: Any) -> bool:
    return hasattr(model, "_meta") and any(base.__module__.startswith("mongoengine.") for base in model.__mro__)


def _completed(model: Any, schema: Schema) -> Schema:
    """With what the library stores besides the declared fields; it matters where no others are allowed."""
    properties = schema.setdefault("properties", {})
    if schema.get("additionalProperties") is False:
        properties.setdefault("_id", {})
        if hasattr(model, "_class_id") or hasattr(model, "get_settings"):  # Beanie's mark of inheritance
            settings = getattr(model, "Settings", None)
            properties.setdefault(getattr(settings, "class_id", "_class_id"), {"bsonType": "string"})
    return schema


def _united(schemas: Sequence[Schema]) -> Schema:
    """One schema that takes the documents of all: what each requires, and either form of what they share."""
    if len(schemas) == 1:
        return schemas[0]
    names = dict.fromkeys(name for schema in schemas for name in schema["properties"])
    required = [name for name in names if all(name in schema.get("required", ()) for schema in schemas)]
    shapes = {
        name: [schema["properties"][name] for schema in schemas if name in schema["properties"]] for name in names
    }
    united: Schema = {"bsonType": "object", **({"required": required} if required else {})}
    united["properties"] = {name: either(kinds) for name, kinds in shapes.items()}
    if all(schema.get("additionalProperties") is False for schema in schemas):
        united["additionalProperties"] = False
    return united
