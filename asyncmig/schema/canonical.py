"""Canonical forms: what MongoDB parses rather than compares (filters, JSON schemas, wildcard projections).

Two spellings that the server takes for one come out equal. Where it is not known to, they stay
different: a difference too many costs an index build, one too few would hide a change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from itertools import repeat
from typing import Any

from asyncmig.schema.value import canonical, exact, number, truthy

__all__ = ["canonical", "canonical_filter", "canonical_projection", "canonical_schema", "exact"]

TYPES = {
    1: "double",
    2: "string",
    3: "object",
    4: "array",
    5: "binData",
    6: "undefined",
    7: "objectId",
    8: "bool",
    9: "date",
    10: "null",
    11: "regex",
    12: "dbPointer",
    13: "javascript",
    14: "symbol",
    15: "javascriptWithScope",
    16: "int",
    17: "timestamp",
    18: "long",
    19: "decimal",
    -1: "minKey",
    127: "maxKey",
}
"""Numbers and aliases of BSON types: https://www.mongodb.com/docs/manual/reference/bson-types/"""


def canonical_filter(filter: Mapping[str, Any]) -> Hashable:
    """A hashable stand-in for a query filter.

    Out of the account are: the order of fields, of the members of ``$and``, ``$or`` and ``$in``,
    ``$eq`` spelled out, ``$and`` within ``$and``, ``$or`` over one field for ``$in``, a ``$in`` of
    one, ``$all``, numbers for type names, ``1`` for ``true`` in ``$exists``, ``$comment``. Order
    within a document that is compared as a whole counts.

    https://www.mongodb.com/docs/manual/core/index-partial/
    """
    return _joined("$and", _terms(filter))


def _terms(filter: Mapping[str, Any]) -> Iterator[Hashable]:
    """The conditions of a filter, all of which hold."""
    for key, value in filter.items():
        if key == "$and":
            for member in value:
                yield from _terms(member)
        elif key == "$or":
            yield from _members("$and", _joined("$or", _equalities_as_in(_alternatives(value))))
        elif key == "$nor":
            yield ("$nor", _bag(canonical_filter(member) for member in value))
        elif key == "$jsonSchema":
            yield ("$jsonSchema", canonical_schema(value))
        elif key == "$comment":
            continue
        elif key.startswith("$"):
            yield (key, canonical(value))
        else:
            yield from _conditions(key, value)


def _alternatives(members: Iterable[Mapping[str, Any]]) -> Iterator[Hashable]:
    """The members of ``$or``, those of a nested ``$or`` among them."""
    for member in members:
        yield from _members("$or", canonical_filter(member))


def _equalities_as_in(alternatives: Iterable[Hashable]) -> Iterator[Hashable]:
    """The server turns ``$or`` over equalities of one field into ``$in``."""
    wanted: dict[str, list[Hashable]] = {}
    for alternative in alternatives:
        match alternative:
            case ("$eq", str(path), value):
                wanted.setdefault(path, []).append(value)
            case _:
                yield alternative
    for path, values in wanted.items():
        yield ("$eq", path, values[0]) if len(values) == 1 else ("$in", path, frozenset(values))


def _conditions(path: str, value: Any) -> Iterator[Hashable]:
    """The conditions on one field."""
    if not _is_expression(value):
        yield ("$match" if _is_regex(value) else "$eq", path, canonical(value))
        return
    for operator, argument in value.items():
        if operator == "$all" and not any(_is_expression(item) or _is_regex(item) for item in argument):
            yield from (("$eq", path, canonical(item)) for item in argument)
        else:
            yield _OPERATORS.get(operator, _any_operator)(operator, path, argument)


def _any_operator(operator: str, path: str, argument: Any) -> Hashable:
    return (operator, path, canonical(argument))


def _in(operator: str, path: str, values: Iterable[Any]) -> Hashable:
    members = list(values)
    wanted = frozenset(canonical(value) for value in members)
    if len(wanted) == 1 and not _is_regex(members[0]):
        return ("$eq", path, next(iter(wanted)))
    return ("$in", path, wanted)


def _nin(operator: str, path: str, values: Iterable[Any]) -> Hashable:
    return ("$not", path, _in("$in", path, values))


def _not(operator: str, path: str, argument: Any) -> Hashable:
    return ("$not", path, _joined("$and", _conditions(path, argument)))


def _exists(operator: str, path: str, argument: Any) -> Hashable:
    return ("$exists", path, truthy(argument))


def _type(operator: str, path: str, argument: Any) -> Hashable:
    return ("$type", path, _type_names(argument))


def _element(operator: str, path: str, argument: Mapping[str, Any]) -> Hashable:
    parts = _conditions("", argument) if _is_expression(argument) else _terms(argument)
    return ("$elemMatch", path, _joined("$and", parts))


_OPERATORS: Mapping[str, Callable[[str, str, Any], Hashable]] = {
    "$in": _in,
    "$nin": _nin,
    "$not": _not,
    "$exists": _exists,
    "$type": _type,
    "$elemMatch": _element,
}


def _joined(operator: str, parts: Iterable[Hashable]) -> Hashable:
    members = list(parts)
    return members[0] if len(members) == 1 else (operator, _bag(members))


def _members(operator: str, part: Hashable) -> Iterator[Hashable]:
    """The members of a part that has this operator on top; else the part itself."""
    match part:
        case (str(top), frozenset(members)) if top == operator:
            for member, times in members:
                yield from repeat(member, times)
        case _:
            yield part


def _bag(members: Iterable[Hashable]) -> Hashable:
    """Unordered, but a member that stands twice counts twice, as it does for the server."""
    return frozenset(Counter(members).items())


def _is_expression(value: Any) -> bool:
    """Whether the document is made of operators; one that starts like a DBRef is a value."""
    first = next(iter(value), "") if isinstance(value, Mapping) else ""
    return first.startswith("$") and first not in ("$ref", "$id", "$db")


def _is_regex(value: Any) -> bool:
    return hasattr(value, "pattern") and hasattr(value, "flags")


def _type_names(types: Any) -> Hashable:
    listed = types if isinstance(types, list | tuple) else [types]
    numeric = ((kind, number(kind)) for kind in listed)
    return frozenset(TYPES.get(int(code), kind) if code is not None else kind for kind, code in numeric)


def canonical_schema(schema: Any) -> Hashable:
    """A hashable stand-in for a JSON schema: its keywords in any order, its sets as sets.

    https://www.mongodb.com/docs/manual/reference/operator/query/jsonSchema/
    """
    if not isinstance(schema, Mapping):
        return canonical(schema)
    return frozenset((keyword, _keyword(keyword, value)) for keyword, value in schema.items())


def _keyword(keyword: str, value: Any) -> Hashable:
    if keyword in ("properties", "patternProperties", "dependencies") and isinstance(value, Mapping):
        kinds = {name: "required" if isinstance(item, list | tuple) else "" for name, item in value.items()}
        return frozenset((name, _keyword(kinds[name], item)) for name, item in value.items())
    if keyword in ("bsonType", "type", "required", "enum"):
        return frozenset(canonical(item) for item in (value if isinstance(value, list | tuple) else [value]))
    if isinstance(value, list | tuple):
        return tuple(canonical_schema(item) for item in value)
    return canonical_schema(value)


def canonical_projection(projection: Mapping[str, Any]) -> Hashable:
    """A hashable stand-in for a wildcard projection: dotted paths, in or out; ``_id`` is out unless it is in.

    https://www.mongodb.com/docs/manual/reference/command/createIndexes/#std-label-createIndexes-wildcard-projection
    """
    return frozenset((path, kept) for path, kept in _paths(projection) if kept or path != "_id")


def _paths(projection: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, bool]]:
    for field, value in projection.items():
        if isinstance(value, Mapping):
            yield from _paths(value, f"{prefix}{field}.")
        else:
            yield prefix + field, truthy(value)
