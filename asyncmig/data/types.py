"""The BSON type that a value of Python is stored as."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bson import DatetimeMS, Decimal128, Int64, ObjectId

__all__ = ["is_type"]

_INT = range(-(2**31), 2**31)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, (bool, Int64)) and value in _INT


def _is_long(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and not _is_int(value)


_CHECKS: Mapping[str, Callable[[Any], bool]] = {
    "int": _is_int,
    "long": _is_long,
    "double": lambda value: isinstance(value, float),
    "decimal": lambda value: isinstance(value, Decimal128),
    "string": lambda value: isinstance(value, str),
    "bool": lambda value: isinstance(value, bool),
    "date": lambda value: isinstance(value, (datetime, DatetimeMS)),
    "objectId": lambda value: isinstance(value, ObjectId),
}


def is_type(value: Any, name: str) -> bool:
    """Whether MongoDB's ``$type`` calls the value's type so."""
    return _CHECKS[name](value)
