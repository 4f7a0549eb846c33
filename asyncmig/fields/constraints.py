"""The bounds that a type is annotated with, as keywords of a ``$jsonSchema``.

https://docs.pydantic.dev/latest/concepts/fields/#field-constraints
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

from asyncmig.fields.stored import Unstorable, stored
from asyncmig.schema.fields import Schema
from asyncmig.schema.json_schema_rules import schema_faults
from asyncmig.schema.value import number

__all__ = ["constrained"]

_LENGTHS = {
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
    "string": ("minLength", "maxLength"),
}


def constrained(schema: Schema, metadata: Iterable[Any]) -> Schema:
    """The schema with what ``metadata`` (of ``Annotated``, of Pydantic's ``Field``) says of its bounds."""
    keywords: Schema = {}
    for bound in _flat(metadata):
        keywords |= _keywords(bound, schema.get("bsonType"))
    merged = {**schema, **keywords}
    return schema if any(schema_faults(merged)) else merged  # a pattern of Rust's that PCRE refuses, say


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for entry in metadata:
        if getattr(entry, "__is_annotated_types_grouped_metadata__", None):
            yield from entry
        elif hasattr(entry, "json_schema_extra"):  # Pydantic's Field(...), which holds them
            yield from _flat(entry.metadata)
        else:
            yield entry


def _keywords(bound: Any, kind: Any) -> Schema:
    """What one annotation says, as far as MongoDB can check it on a value of that type."""
    if isinstance(bound, type):
        return {}
    return {
        **_limit(bound, "minimum", "ge", "gt", "exclusiveMinimum"),
        **_limit(bound, "maximum", "le", "lt", "exclusiveMaximum"),
        **_lengths(bound, kind),
        **_step(bound),
        **_pattern(bound, kind),
    }


def _limit(bound: Any, keyword: str, inclusive: str, exclusive: str, flag: str) -> Schema:
    if (value := _number(getattr(bound, inclusive, None))) is not None:
        return {keyword: value}
    if (value := _number(getattr(bound, exclusive, None))) is not None:
        return {keyword: value, flag: True}
    return {}


def _lengths(bound: Any, kind: Any) -> Schema:
    least, most = _LENGTHS.get(_main(kind), ("", ""))
    pairs = ((least, getattr(bound, "min_length", None)), (most, getattr(bound, "max_length", None)))
    return {keyword: value for keyword, value in pairs if keyword and type(value) is int}


def _step(bound: Any) -> Schema:
    value = _number(getattr(bound, "multiple_of", None))
    return {"multipleOf": value} if value is not None else {}


def _pattern(bound: Any, kind: Any) -> Schema:
    pattern = getattr(bound, "pattern", None)
    text = getattr(pattern, "pattern", pattern)
    return {"pattern": text} if isinstance(text, str) and _main(kind) == "string" else {}


def _main(kind: Any) -> str:
    """The type that bounds are about: the only one there is, or the only one beside null."""
    kinds = [kind] if isinstance(kind, str) else [name for name in kind or () if name != "null"]
    return str(kinds[0]) if len(kinds) == 1 else ""


def _number(value: Any) -> Any:
    if not isinstance(value, int | float | Decimal | timedelta) or isinstance(value, bool):
        return None
    try:
        kept = stored(value)
    except (Unstorable, ArithmeticError):
        return None
    return kept if number(kept) is not None else None
