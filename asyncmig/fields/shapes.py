"""Reading and rebuilding schemas: the types, the properties, a field that moves, a value that fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bson import Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from asyncmig.schema.fields import Schema
from asyncmig.schema.value import canonical

__all__ = ["bson_type", "element", "example", "loosened", "moved", "properties", "required", "types", "without_null"]

_NUMBERS: Final = ("int", "long", "double", "decimal")
_JSON_TYPES: Final = {"boolean": ("bool",), "number": _NUMBERS}
_EXAMPLES: Final[Mapping[str, Any]] = {
    "string": "",
    "int": 0,
    "long": 0,
    "double": 0.0,
    "bool": False,
    "decimal": Decimal128("0"),
    "date": datetime(1970, 1, 1),  # without a zone, as the drivers read a date
    "objectId": ObjectId("0" * 24),
    "binData": b"",
    "array": [],
    "object": {},
    "null": None,
    "regex": Regex(""),
    "timestamp": Timestamp(0, 0),
    "minKey": MinKey(),
    "maxKey": MaxKey(),
}
_PLAIN: Final = frozenset({"bsonType", "required", "properties", "additionalProperties", "title", "description"})


def properties(schema: Mapping[str, Any]) -> dict[str, Schema]:
    """The schemas of the fields that a path can lead to."""
    listed = schema.get("properties")
    named = listed.items() if isinstance(listed, Mapping) else ()
    return {name: dict(shape) for name, shape in named if isinstance(shape, Mapping) and _can_be_path(name)}


def _can_be_path(name: str) -> bool:
    return bool(name) and "." not in name and not name.startswith("$") and "\0" not in name


def required(schema: Mapping[str, Any]) -> list[str]:
    """The names of the fields that must be there."""
    named = schema.get("required")
    return list(named) if isinstance(named, list | tuple) else []


def types(schema: Mapping[str, Any]) -> frozenset[str] | None:
    """The BSON types of the values that a schema takes, as far as it says; None: any."""
    named = schema.get("bsonType", schema.get("type"))
    if named is not None:
        listed = [named] if isinstance(named, str) else named
        return frozenset(kind for name in listed for kind in _JSON_TYPES.get(name, (name,)))
    if isinstance(values := schema.get("enum"), list | tuple):
        return frozenset(kind for value in values for kind in _takes(value))
    if isinstance(members := schema.get("anyOf"), list | tuple):
        kinds_of_members = [types(member) for member in members]
        return (
            None if None in kinds_of_members else frozenset(kind for kinds in kinds_of_members for kind in kinds or ())
        )
    return None


def _takes(value: Any) -> tuple[str, ...]:
    """An ``enum`` of numbers takes the same number of any type."""
    kind = bson_type(value)
    return _NUMBERS if kind in _NUMBERS else (kind,)


_BY_CLASS: Final[Sequence[tuple[type, str]]] = (
    (type(None), "null"),
    (bool, "bool"),
    (Int64, "long"),
    (int, "int"),
    (float, "double"),
    (str, "string"),
    (Mapping, "object"),
    (list, "array"),
    (tuple, "array"),
    (datetime, "date"),
    (ObjectId, "objectId"),
    (Decimal128, "decimal"),
    (bytes, "binData"),
    (Regex, "regex"),
    (Timestamp, "timestamp"),
)


def bson_type(value: Any) -> str:
    """The BSON type of a value as the drivers hand it out; ``unknown`` for one that is not among the usual."""
    if type(value) is int and not -(2**31) <= value < 2**31:
        return "long"
    bson_type = next((kind for known, kind in _BY_CLASS if isinstance(value, known)), None)
    return bson_type or ("binData" if hasattr(value, "hex") and hasattr(value, "int") else "unknown")


def element(schema: Mapping[str, Any]) -> Schema | None:
    """The schema of an array's elements, where they all have one."""
    items = schema.get("items")
    return dict(items) if isinstance(items, Mapping) else None


def moved(schema: Mapping[str, Any], old: Sequence[str], new: Sequence[str]) -> Schema | None:
    """The schema with the field at one path as the field at another; None where there is no such field."""
    rest, leaf, needed = _taken(schema, old)
    return None if leaf is None else _put(rest, new, leaf, needed)


def _taken(schema: Mapping[str, Any], path: Sequence[str]) -> tuple[Schema, Schema | None, bool]:
    """The schema without the field, the field's, and whether it was required all the way."""
    name, *below = path
    inner = _inside(schema)
    known = properties(inner)
    if name not in known:
        return dict(schema), None, False
    needed = name in required(inner)
    if below:
        rest, leaf, deeper = _taken(known[name], below)
        return (
            _with_inside(schema, {**inner, "properties": {**inner["properties"], name: rest}}),
            leaf,
            needed and deeper,
        )
    left = {key: value for key, value in inner["properties"].items() if key != name}
    return _with_inside(schema, _requiring({**inner, "properties": left}, name, needed=False)), known[name], needed


def _put(schema: Mapping[str, Any], path: Sequence[str], leaf: Schema, needed: bool) -> Schema:
    name, *below = path
    inner = _inside(schema)
    known = dict(inner.get("properties") or {})
    if below:
        parent = known.get(name, {"bsonType": "object", "properties": {}})
        if "object" not in (types(parent) or ()) and "array" not in (types(parent) or ()):
            parent = {"bsonType": "object", "properties": {}}
        known[name] = _put(parent, below, leaf, needed)
        needed = needed or name in required(inner)
    else:
        known[name] = leaf
    return _with_inside(schema, _requiring({**inner, "properties": known}, name, needed=needed))


def _inside(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Where paths go on: in an array, its elements."""
    items = element(schema)
    return items if items is not None else dict(schema)


def _with_inside(schema: Mapping[str, Any], inner: Schema) -> Schema:
    return inner if element(schema) is None else {**schema, "items": inner}


def _requiring(schema: Schema, name: str, *, needed: bool) -> Schema:
    names = [other for other in required(schema) if other != name] + ([name] if needed else [])
    rest = {key: value for key, value in schema.items() if key != "required"}
    return {**rest, "required": names} if names else rest


def without_null(schema: Mapping[str, Any]) -> frozenset[str]:
    """The types besides null."""
    return (types(schema) or frozenset()) - {"null"}


def example(schema: Mapping[str, Any]) -> Any:
    """A plain value that the schema takes, for a hole that somebody has to fill; plain bounds are met."""
    if isinstance(values := schema.get("enum"), list | tuple) and values:
        return values[0]
    if isinstance(members := schema.get("anyOf"), list | tuple) and members:
        return example(members[0])
    named = schema.get("bsonType", schema.get("type", "null"))
    kind = named if isinstance(named, str) else next((candidate for candidate in named if candidate != "null"), "null")
    if kind == "object":
        known = properties(schema)
        return {name: example(known.get(name, {})) for name in required(schema)}
    return _bounded(schema, _EXAMPLES.get({"boolean": "bool", "number": "int"}.get(kind, kind)))


def _bounded(schema: Mapping[str, Any], value: Any) -> Any:
    if isinstance(value, str):
        return value.ljust(int(schema.get("minLength", 0)), "-")
    if isinstance(value, list):
        return [example(element(schema) or {})] * int(schema.get("minItems", 0))
    if type(value) in (int, float) and "minimum" in schema and schema["minimum"] > value:
        return type(value)(schema["minimum"]) + (1 if schema.get("exclusiveMinimum") else 0)
    return value


def loosened(old: Mapping[str, Any], new: Mapping[str, Any]) -> Schema:
    """A schema that takes the documents of both, and all that lies between them.

    What both say of a field stays; a field that they tell apart may hold anything, or be missing.
    """
    before, after = properties(old), properties(new)
    names = dict.fromkeys([*before, *after])
    shapes = {name: before[name] if _same(before.get(name), after.get(name)) else {} for name in names}
    needed = [name for name in required(old) if name in required(new) and (shapes.get(name) or not before.get(name))]
    schema: Schema = {"bsonType": "object", **({"required": needed} if needed else {}), "properties": shapes}
    for keyword in sorted((old.keys() | new.keys()) - _PLAIN):
        if keyword in old and keyword in new and canonical(old[keyword]) == canonical(new[keyword]):
            schema[keyword] = old[keyword]
    return schema


def _same(schema: Schema | None, other: Schema | None) -> bool:
    return schema is not None and other is not None and canonical(schema) == canonical(other)
