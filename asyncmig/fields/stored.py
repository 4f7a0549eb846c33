"""A Python value as it is stored: what BSON has no type for becomes what the libraries make of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import PurePath
from typing import Any

from bson import DatetimeMS, DBRef, Decimal128, MaxKey, MinKey, ObjectId, Regex, Timestamp

__all__ = ["Unstorable", "stored"]

_AS_THEY_ARE = (
    bool,
    int,
    float,
    str,
    bytes,
    datetime,
    DatetimeMS,
    DBRef,
    Decimal128,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
    type(None),
)
_AS_TEXT = (PurePath, IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network)


class Unstorable(TypeError):
    """Raised for a value that BSON has no type for."""


def stored(value: Any) -> Any:
    """The value as MongoDB keeps it. Raises Unstorable."""
    if isinstance(value, Enum):
        return stored(value.value)
    if isinstance(value, time) and not isinstance(value, datetime):
        raise Unstorable(f"{value!r} has no type in BSON")
    if isinstance(value, _AS_THEY_ARE):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # without a zone, as the libraries store a date
    return _container(value)


def _container(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {_key(key): stored(item) for key, item in value.items()}
    if isinstance(value, list | tuple | deque):
        return [stored(item) for item in value]
    if isinstance(value, set | frozenset):
        return [stored(item) for item in sorted(value, key=repr)]
    if callable(getattr(value, "model_dump", None)):
        return stored(value.model_dump(by_alias=True))  # a RootModel's is its root
    return _other(value)


def _other(value: Any) -> Any:
    if isinstance(value, Decimal):
        return Decimal128(value)
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, _AS_TEXT) or type(value).__module__ == "pydantic.networks":
        return str(value)
    if hasattr(value, "hex") and hasattr(value, "int"):  # a UUID
        return value
    raise Unstorable(f"{value!r} has no type in BSON")


def _key(key: Any) -> str:
    return str(stored(key)) if isinstance(key, Enum) else str(key)
