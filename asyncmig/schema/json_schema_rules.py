"""What a server would refuse about a ``$jsonSchema``, told with the path of the field and the keyword.

https://www.mongodb.com/docs/manual/reference/operator/query/jsonSchema/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from math import isfinite
from typing import Any, Final, NamedTuple

from asyncmig.schema.canonical import TYPES
from asyncmig.schema.names import suggestion
from asyncmig.schema.value import canonical, number

__all__ = ["schema_faults", "validator_faults"]

Faults = Iterator[str]

_BSON_TYPES: Final = (*TYPES.values(), "number")
_JSON_TYPES: Final = ("array", "boolean", "null", "number", "object", "string")
_TYPE_MEANT: Final = {"integer": "int", "boolean": "bool", "datetime": "date", "float": "double", "str": "string"}
_INSTEAD: Final = {
    "$defs": "write each schema out where it is used",
    "$id": "leave it out",
    "$ref": "write the schema out where it is used",
    "$schema": "leave it out",
    "const": "write 'enum' with one value",
    "default": "MongoDB fills nothing in: the application does, or env.update_in_batches for what is stored",
    "definitions": "write each schema out where it is used",
    "else": "write 'anyOf'",
    "examples": "write them into 'description'",
    "format": "write a 'pattern', or a 'bsonType' such as 'date' or 'objectId'",
    "id": "leave it out",
    "if": "write 'anyOf'",
    "nullable": "name 'null' among the types",
    "then": "write 'anyOf'",
}
_NOT_IN_VALIDATORS: Final = ("$where", "$text", "$near", "$nearSphere", "$geoNear")
_BROKEN_PATTERNS: Final = (
    "bad escape (end of pattern)",
    "missing ), unterminated subpattern",
    "nothing to repeat",
    "unbalanced parenthesis",
    "unterminated character set",
)
"""What Python says of a regular expression that PCRE refuses, too; the two differ in much else."""


def validator_faults(validator: Any) -> Faults:
    """What is wrong with a collection's ``validator``: in each ``$jsonSchema``, and what no validator takes."""
    if not isinstance(validator, Mapping):
        return
    for operator, value in validator.items():
        if operator == "$jsonSchema":
            yield from (f"$jsonSchema: {fault}" for fault in schema_faults(value))
        elif operator in ("$and", "$or", "$nor") and isinstance(value, list | tuple):
            for member in value:
                yield from validator_faults(member)
        elif operator in _NOT_IN_VALIDATORS or (isinstance(value, Mapping) and set(value) & set(_NOT_IN_VALIDATORS)):
            forbidden = (
                operator if operator in _NOT_IN_VALIDATORS else next(k for k in value if k in _NOT_IN_VALIDATORS)
            )
            yield f"{forbidden} is not allowed in a validator"


class _Place(NamedTuple):
    """Where in a schema something stands: the field, and the way to it through ``anyOf`` and the like."""

    field: str = ""
    within: str = ""

    def below(self, name: str) -> _Place:
        return _Place(f"{self.field}.{name}" if self.field else name, self.within)

    def elements(self) -> _Place:
        return _Place(f"{self.field}[]", self.within)

    def inside(self, keyword: str) -> _Place:
        return _Place(self.field, f"{self.within}.{keyword}" if self.within else keyword)

    def __str__(self) -> str:
        field = f"field {self.field!r}" if self.field else "at the top"
        return f"{field}, in {self.within}" if self.within else field


def schema_faults(schema: Any) -> Faults:
    """Each thing in a JSON schema that MongoDB refuses, with the field's path and the keyword."""
    yield from _schema(schema, _Place())


def _schema(schema: Any, place: _Place) -> Faults:
    if not isinstance(schema, Mapping):
        yield f"{place}: a schema is a document, not {schema!r}"
        return
    for keyword, value in schema.items():
        if keyword in _KEYWORDS:
            yield from _KEYWORDS[keyword](str(keyword), value, place)
        else:
            yield f"{place}: {_unknown(str(keyword))}"
    yield from _together(schema, place)


def _unknown(keyword: str) -> str:
    if hint := _INSTEAD.get(keyword):
        return f"MongoDB does not know the keyword {keyword!r}; {hint}"
    return f"MongoDB does not know the keyword {keyword!r}{suggestion(keyword, _KEYWORDS)}"


def _together(schema: Mapping[str, Any], place: _Place) -> Faults:
    """Keywords that need, or exclude, each other."""
    for bound in ("Minimum", "Maximum"):
        if f"exclusive{bound}" in schema and bound.lower() not in schema:
            yield (
                f"{place}: 'exclusive{bound}' is True or False beside {bound.lower()!r}, which is missing; "
                f"write {{{bound.lower()!r}: ..., 'exclusive{bound}': True}}"
            )
    types = [keyword for keyword in ("bsonType", "type", "encrypt") if keyword in schema]
    if len(types) > 1:
        yield f"{place}: {types[0]!r} and {types[1]!r} cannot stand beside each other; keep one"


def _types(keyword: str, value: Any, place: _Place) -> Faults:
    known = _BSON_TYPES if keyword == "bsonType" else _JSON_TYPES
    listed = value if isinstance(value, list | tuple) else [value]
    if not listed:
        yield f"{place}: {keyword!r} names no type"
    for kind in listed:
        if not isinstance(kind, str):
            yield f"{place}: {keyword!r} is the name of a type or a list of names, not {value!r}"
            return
        if kind not in known:
            yield f"{place}: {keyword!r} has no type {kind!r}{_meant(keyword, kind, known)}"
    yield from _twice(keyword, listed, place)


def _meant(keyword: str, kind: str, known: tuple[str, ...]) -> str:
    if keyword == "type" and (kind == "integer" or (kind in _BSON_TYPES and kind not in known)):
        return f"; write 'bsonType': {_TYPE_MEANT.get(kind, kind)!r}"
    if meant := _TYPE_MEANT.get(kind.lower()):
        return f"; did you mean {meant!r}?"
    return suggestion(kind, known)


def _twice(keyword: str, values: Any, place: _Place) -> Faults:
    seen: set[Hashable] = set()
    for value in values:
        if (form := _unordered(value)) in seen:
            yield f"{place}: {keyword!r} has {value!r} twice"
        seen.add(form)


def _unordered(value: Any) -> Hashable:
    """As ``$jsonSchema`` compares values: the order of a sub-document's fields does not count."""
    if isinstance(value, Mapping):
        return ("document", frozenset((key, _unordered(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return ("list", tuple(_unordered(item) for item in value))
    return canonical(value)


def _strings(keyword: str, value: Any, place: _Place) -> Faults:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        hint = ""
        if keyword == "required" and isinstance(value, bool):
            hint = "; it stands beside 'properties' and lists the names of those that must be there"
        yield f"{place}: {keyword!r} is a list of field names, not {value!r}{hint}"
        return
    if not value:
        yield f"{place}: {keyword!r} is empty, which MongoDB refuses; leave it out"
    yield from _twice(keyword, value, place)


def _enum(keyword: str, value: Any, place: _Place) -> Faults:
    if not isinstance(value, list | tuple):
        yield f"{place}: 'enum' is a list of values, not {value!r}"
        return
    if not value:
        yield f"{place}: 'enum' is empty, which MongoDB refuses; list the values"
    yield from _twice(keyword, value, place)


def _text(keyword: str, value: Any, place: _Place) -> Faults:
    if not isinstance(value, str):
        yield f"{place}: {keyword!r} is a string, not {value!r}"


def _flag(keyword: str, value: Any, place: _Place) -> Faults:
    if not isinstance(value, bool):
        hint = f"; the bound itself goes into {keyword[9:].lower()!r}" if keyword.startswith("exclusive") else ""
        yield f"{place}: {keyword!r} is True or False, not {value!r}{hint}"


def _bound(keyword: str, value: Any, place: _Place) -> Faults:
    if number(value) is None:
        yield f"{place}: {keyword!r} is a number, not {value!r}"


def _multiple(keyword: str, value: Any, place: _Place) -> Faults:
    numeric = number(value)
    if numeric is None:
        yield f"{place}: 'multipleOf' is a number, not {value!r}"
    elif numeric <= 0 or (place.field and not isfinite(numeric)):
        yield f"{place}: 'multipleOf' is a number greater than 0, not {value!r}"


def _count(keyword: str, value: Any, place: _Place) -> Faults:
    numeric = number(value)
    if numeric is None or not isfinite(numeric) or numeric != int(numeric) or not 0 <= numeric < 2**63:
        yield f"{place}: {keyword!r} is a whole number from 0 on, not {value!r}"


def _pattern(keyword: str, value: Any, place: _Place) -> Faults:
    if not isinstance(value, str):
        yield f"{place}: 'pattern' is a string, not {value!r}"
    elif place.field and (fault := _pattern_fault(value)):
        yield f"{place}: 'pattern' {value!r} is no regular expression: {fault}"


def _pattern_fault(pattern: str) -> str | None:
    if "\0" in pattern:
        return "it has a null character in it"
    if r"\Q" in pattern or "(?" in pattern:  # quotation, comments, conditions: here Python and PCRE part
        return None
    try:
        re.compile(pattern)
    except re.error as error:
        return error.msg if error.msg in _BROKEN_PATTERNS else None
    return None


def _nested(keyword: str, value: Any, place: _Place) -> Faults:
    yield from _schema(value, place.inside(keyword))


def _list_of_schemas(keyword: str, value: Any, place: _Place) -> Faults:
    if not isinstance(value, list | tuple) or not value:
        yield f"{place}: {keyword!r} is a list of schemas with one at least, not {value!r}"
        return
    for number_, member in enumerate(value):
        yield from _schema(member, place.inside(f"{keyword}[{number_}]"))


def _properties(keyword: str, value: Any, place: _Place) -> Faults:
    if not isinstance(value, Mapping):
        yield f"{place}: {keyword!r} is a document of field names and schemas, not {value!r}"
        return
    for name, member in value.items():
        if keyword == "patternProperties" and isinstance(name, str) and (fault := _pattern_fault(name)):
            yield f"{place}: 'patternProperties' {name!r} is no regular expression: {fault}"
        yield from _schema(member, place.below(str(name)))


def _items(keyword: str, value: Any, place: _Place) -> Faults:
    for member in value if isinstance(value, list | tuple) else [value]:
        yield from _schema(member, place.elements())


def _additional(keyword: str, value: Any, place: _Place) -> Faults:
    if isinstance(value, bool):
        return
    if isinstance(value, Mapping):
        yield from _schema(value, place.inside(keyword))
    else:
        yield f"{place}: {keyword!r} is True, False or a schema, not {value!r}"


def _dependencies(keyword: str, value: Any, place: _Place) -> Faults:
    if not isinstance(value, Mapping):
        yield f"{place}: 'dependencies' is a document of field names, not {value!r}"
        return
    for name, member in value.items():
        within = place.inside(f"dependencies.{name}")
        if isinstance(member, Mapping):
            yield from _schema(member, within)
        else:
            yield from _strings("dependencies", member, within)


def _document(keyword: str, value: Any, place: _Place) -> Faults:
    """What encryption on the client's side knows: https://www.mongodb.com/docs/manual/core/csfle/."""
    if not isinstance(value, Mapping) or (keyword == "encryptMetadata" and not value):
        yield f"{place}: {keyword!r} is a document, not {value!r}"


_KEYWORDS: Final[Mapping[str, Callable[[str, Any, _Place], Faults]]] = {
    "additionalItems": _additional,
    "additionalProperties": _additional,
    "allOf": _list_of_schemas,
    "anyOf": _list_of_schemas,
    "bsonType": _types,
    "dependencies": _dependencies,
    "description": _text,
    "encrypt": _document,
    "encryptMetadata": _document,
    "enum": _enum,
    "exclusiveMaximum": _flag,
    "exclusiveMinimum": _flag,
    "items": _items,
    "maxItems": _count,
    "maxLength": _count,
    "maxProperties": _count,
    "maximum": _bound,
    "minItems": _count,
    "minLength": _count,
    "minProperties": _count,
    "minimum": _bound,
    "multipleOf": _multiple,
    "not": _nested,
    "oneOf": _list_of_schemas,
    "pattern": _pattern,
    "patternProperties": _properties,
    "properties": _properties,
    "required": _strings,
    "title": _text,
    "type": _types,
    "uniqueItems": _flag,
}
