"""A schema for what may have one shape or another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from asyncmig.schema.canonical import canonical_schema
from asyncmig.schema.fields import Schema
from asyncmig.schema.value import canonical

__all__ = ["either", "type_names"]

_TYPES_ALONE = frozenset({"bsonType"})


def either(schemas: Iterable[Schema]) -> Schema:
    """What takes whatever one of the schemas takes, as short as can be: ``{}`` takes anything.

    Alternatives of types alone become one list of types, those of values alone one list of values;
    null joins the types of the only other alternative; else ``anyOf``.
    """
    distinct = {canonical_schema(schema): schema for schema in schemas}
    members = list(distinct.values())
    if len(members) == 1:
        return members[0]
    if not members or {} in members:
        return {}
    if all(schema.keys() == _TYPES_ALONE for schema in members):
        return {"bsonType": _one_or_list(kind for schema in members for kind in type_names(schema))}
    if all(schema.keys() == {"enum"} or schema == {"bsonType": "null"} for schema in members):
        return {"enum": _joined_values(members)}
    others = [schema for schema in members if schema != {"bsonType": "null"}]
    if len(others) == 1 and len(members) == 2 and "bsonType" in others[0]:
        return {**others[0], "bsonType": _one_or_list([*type_names(others[0]), "null"])}
    return {"anyOf": members}


def type_names(schema: Schema) -> list[str]:
    """The BSON types that a schema names, in its order."""
    named = schema.get("bsonType", [])
    return [named] if isinstance(named, str) else list(named)


def _one_or_list(kinds: Iterable[str]) -> str | list[str]:
    distinct = list(dict.fromkeys(kinds))
    return distinct[0] if len(distinct) == 1 else distinct


def _joined_values(schemas: Iterable[Schema]) -> list[Any]:
    values = [value for schema in schemas for value in schema.get("enum", [None])]
    return list({canonical(value): value for value in values}.values())
