"""BSON values as MongoDB compares them.

Python's own equality is not the server's: ``1 == True``, ``nan != nan``, a dict has no order, a list
cannot be hashed. Everything here returns plain tuples, strings, numbers and frozensets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from math import isnan
from typing import Any
from uuid import UUID

__all__ = ["canonical", "exact", "number", "truthy"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_UUID_SUBTYPE = 4

Tagger = Callable[[Any], Hashable]


def canonical(value: Any) -> Hashable:
    """A hashable stand-in for a BSON value: equal exactly where MongoDB's comparison says equal.

    Numbers of all types compare by value, NaN equals itself, a bool is no number, dates count in
    milliseconds, and the order of fields in a sub-document counts.

    https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
    """
    return _walk(value, _by_value)


def exact(value: Any) -> Hashable:
    """As :func:`canonical`, but numbers are equal only if their BSON type is, too.

    For what is stored and returned rather than compared: a view's pipeline, a document.
    """
    return _walk(value, _by_type)


def number(value: Any) -> int | float | Decimal | None:
    """The value as a Python number, or None where it is none in BSON (a bool, a string)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    decimal = getattr(value, "to_decimal", None)  # bson's Decimal128
    if decimal is None:
        return None
    held: Decimal = decimal()
    return Decimal("NaN") if held.is_snan() else held  # Python refuses to compare a signalling one


def truthy(value: Any) -> bool:
    """Whether MongoDB takes the value for true: every number but zero, and everything but false and null."""
    numeric = number(value)
    if numeric is not None:
        return numeric != 0
    return value is not None and value is not False


def _walk(value: Any, numeral: Tagger) -> Hashable:
    if isinstance(value, Mapping):
        return ("object", tuple((key, _walk(item, numeral)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return ("array", tuple(_walk(item, numeral) for item in value))
    if number(value) is not None:
        return numeral(value)
    for kind in type(value).__mro__:
        if tagger := _taggers().get(kind):
            return tagger(value)
    return (type(value).__qualname__, repr(value))


def _by_value(value: Any) -> Hashable:
    numeric = number(value)
    return ("number", "nan") if numeric is None or isnan(numeric) else ("number", numeric)


def _by_type(value: Any) -> Hashable:
    if isinstance(value, float):
        return ("double", repr(value))
    if isinstance(value, int):
        wide = type(value).__name__ == "Int64" or not -(2**31) <= value < 2**31
        return ("long" if wide else "int", int(value))
    return ("decimal", str(value))


@cache
def _taggers() -> Mapping[type, Tagger]:
    """How each type that is neither number, document nor array is told from the others."""
    from bson import DatetimeMS, DBRef, MaxKey, MinKey, ObjectId, Regex, Timestamp
    from bson.binary import Binary
    from bson.code import Code

    return {
        type(None): lambda value: ("null",),
        bool: lambda value: ("bool", value),
        str: lambda value: ("string", str.__str__(value)),
        bytes: lambda value: ("binary", 0, value),
        Binary: lambda value: ("binary", value.subtype, bytes(value)),
        UUID: lambda value: ("binary", _UUID_SUBTYPE, value.bytes),
        datetime: lambda value: ("date", _milliseconds(value)),
        DatetimeMS: lambda value: ("date", int(value)),
        ObjectId: lambda value: ("objectId", value.binary),
        Timestamp: lambda value: ("timestamp", value.time, value.inc),
        re.Pattern: _pattern,
        Regex: _pattern,
        Code: lambda value: ("javascript", str.__str__(value), canonical(value.scope)),
        DBRef: lambda value: canonical(value.as_doc()),
        MinKey: lambda value: ("minKey",),
        MaxKey: lambda value: ("maxKey",),
    }


def _milliseconds(moment: datetime) -> int:
    """What BSON keeps of a moment; one without a zone is meant in UTC."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MILLISECOND


def _pattern(value: Any) -> Hashable:
    pattern = value.pattern
    return ("regex", pattern.decode() if isinstance(pattern, bytes) else pattern, value.flags)
