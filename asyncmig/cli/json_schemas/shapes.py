"""The parts that a JSON Schema is written with: each takes what the value is for, which becomes its description."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Schema", "anything", "either", "flag", "group", "listing", "moment", "number", "record", "text", "whole"]

Schema = dict[str, Any]


def text(about: str, *choices: str, null: bool = False) -> Schema:
    """A string, one of ``choices`` where there are any; ``null``: or null."""
    limits: Schema = {"enum": [*choices, *([None] if null else [])]} if choices else {}
    return _value("string", about, null) | limits


def whole(about: str, *, null: bool = False) -> Schema:
    """An integer."""
    return _value("integer", about, null)


def number(about: str, *, null: bool = False) -> Schema:
    """A number."""
    return _value("number", about, null)


def flag(about: str) -> Schema:
    """True or false."""
    return _value("boolean", about, False)


def moment(about: str) -> Schema:
    """A time as ISO 8601, or null."""
    return _value("string", about, True) | {"format": "date-time"}


def anything(about: str) -> Schema:
    """A value of any kind."""
    return {"description": about}


def group(about: str) -> Schema:
    """An object whose names are not fixed."""
    return _value("object", about, False)


def listing(about: str, items: Schema) -> Schema:
    """An array of ``items``."""
    return {"type": "array", "description": about, "items": items}


def either(about: str, shape: Schema) -> Schema:
    """The shape, or null."""
    return {"description": about, "anyOf": [shape, {"type": "null"}]}


def record(
    title: str,
    fields: Mapping[str, Schema],
    *,
    optional: Sequence[str] = (),
    base: Schema | None = None,
    about: str = "",
) -> Schema:
    """An object with exactly these fields, those in ``optional`` at times left out; with all those of ``base``, too.

    A record with a title has a table of its own in the reference; what is built on it has its additions only.
    """
    inherited: Mapping[str, Schema] = base["properties"] if base else {}
    needed = [*(base["required"] if base else ()), *(name for name in fields if name not in optional)]
    made: Schema = {
        "type": "object",
        "properties": {**inherited, **fields},
        "required": needed,
        "additionalProperties": False,
    }
    if title:
        made["title"] = title
    if about:
        made["description"] = about
    if base:
        made["x-base"] = base.get("title") or base.get("x-base")
        made["x-added"] = list(fields)
    return made


def _value(kind: str, about: str, null: bool) -> Schema:
    return {"type": [kind, "null"] if null else kind, "description": about}
