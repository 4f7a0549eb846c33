"""What might become of the documents that are there when a validator begins to speak of other fields.

A ``$jsonSchema`` says what fields there are to be, not what the old ones have become: so these are
suggestions, which are written as comments and wait for somebody who knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asyncmig.operations import (
    ConvertField,
    DataOperation,
    ModifyCollection,
    RemoveField,
    RenameField,
    UpdateInBatches,
)
from asyncmig.operations.fields import TYPES

__all__ = ["SUGGESTION", "suggestions"]

SUGGESTION = "The validator speaks of other fields now. What is to become of those in the documents that are there"

Schema = Mapping[str, Any]

_EMPTY: Mapping[str, Any] = {"string": "", "int": 0, "double": 0.0, "bool": False, "array": [], "object": {}}


def suggestions(operation: ModifyCollection) -> tuple[DataOperation, ...]:
    """What might be done with the documents of the collection; nothing where neither validator is a schema."""
    before, after = _schema(operation.was or {}), _schema(operation.options)
    return tuple(_level(operation.collection, "", before, after)) if before and after else ()


def _schema(options: Mapping[str, Any]) -> Schema:
    validator = options.get("validator")
    schema = validator.get("$jsonSchema") if isinstance(validator, Mapping) else None
    return schema if isinstance(schema, Mapping) else {}


def _level(collection: str, above: str, before: Schema, after: Schema) -> Iterator[DataOperation]:
    """The fields of one document or sub-document."""
    old, new = _properties(before), _properties(after)
    gone, come = [name for name in old if name not in new], [name for name in new if name not in old]
    if len(gone) == len(come) == 1 and _type(old[gone[0]]) == _type(new[come[0]]):
        yield RenameField(collection, above + gone[0], above + come[0])
    else:
        yield from (RemoveField(collection, above + name, keep_in=f"{above}{name}_removed") for name in gone)
        yield from (_filled(collection, above, name, new[name]) for name in come if name in _required(after))
    for name in [name for name in old if name in new]:
        origin, to = _type(old[name]), _type(new[name])
        if origin != to and origin in TYPES and to in TYPES:
            yield ConvertField(collection, above + name, str(to), str(origin))
        yield from _level(collection, f"{above}{name}.", _inner(old[name]), _inner(new[name]))


def _filled(collection: str, above: str, name: str, schema: Schema) -> UpdateInBatches:
    path = above + name
    return UpdateInBatches(collection, {path: {"$exists": False}}, {"$set": {path: _EMPTY.get(str(_type(schema)))}})


def _properties(schema: Schema) -> Mapping[str, Schema]:
    found = schema.get("properties")
    names = found.items() if isinstance(found, Mapping) else ()
    return {name: one for name, one in names if isinstance(one, Mapping) and _can_be_path(name)}


def _can_be_path(name: str) -> bool:
    return bool(name) and name != "_id" and "." not in name and not name.startswith("$")


def _required(schema: Schema) -> list[Any]:
    required = schema.get("required")
    return list(required) if isinstance(required, list | tuple) else []


def _type(schema: Schema) -> Any:
    """The one type that a schema allows; its list of types where there are several."""
    return schema.get("bsonType", schema.get("type"))


def _inner(schema: Schema) -> Schema:
    """The schema of the sub-documents: of the field itself, or of an array's elements."""
    items = schema.get("items")
    return items if isinstance(items, Mapping) else schema
