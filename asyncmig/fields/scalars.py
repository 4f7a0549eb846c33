"""The BSON type in which a value of a Python class is stored.

https://www.mongodb.com/docs/manual/reference/bson-types/
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, Flag
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from pathlib import PurePath
from typing import Any, Final
from uuid import UUID

from bson import DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from bson.binary import Binary
from bson.code import Code

from asyncmig.fields.stored import stored
from asyncmig.schema.fields import Schema

__all__ = ["enumeration", "scalar"]

_INT: Final = ["int", "long"]
_FLOAT: Final = ["double", "int", "long"]

_BY_CLASS: Final[Mapping[type, str | list[str]]] = {
    bool: "bool",
    Int64: _INT,
    int: _INT,
    float: _FLOAT,
    str: "string",
    bytes: "binData",
    Binary: "binData",
    Code: ["javascript", "javascriptWithScope"],
    datetime: "date",
    DatetimeMS: "date",
    date: "date",
    timedelta: _FLOAT,
    Decimal: "decimal",
    Decimal128: "decimal",
    UUID: "binData",
    ObjectId: "objectId",
    Regex: "regex",
    re.Pattern: "regex",
    Timestamp: "timestamp",
    MinKey: "minKey",
    MaxKey: "maxKey",
    DBRef: "object",
    PurePath: "string",
    IPv4Address: "string",
    IPv4Interface: "string",
    IPv4Network: "string",
    IPv6Address: "string",
    IPv6Interface: "string",
    IPv6Network: "string",
    dict: "object",
    list: "array",
    tuple: "array",
    set: "array",
    frozenset: "array",
    deque: "array",
    type(None): "null",
}
_OF_PYDANTIC: Final[Mapping[str, str | list[str]]] = {
    "AwareDatetime": "date",
    "NaiveDatetime": "date",
    "PastDatetime": "date",
    "FutureDatetime": "date",
    "PastDate": "date",
    "FutureDate": "date",
    "EmailStr": "string",
    "NameEmail": "string",
    "IPvAnyAddress": "string",
    "IPvAnyInterface": "string",
    "IPvAnyNetwork": "string",
    "SecretStr": "string",
    "SecretBytes": "binData",
    "_BaseUrl": "string",
    "_BaseMultiHostUrl": "string",
}
"""Types of Pydantic that are classes of their own, and not subclasses of what they hold."""


def scalar(kind: type) -> Schema | None:
    """The schema of a class's values; None where BSON has no type for them."""
    if issubclass(kind, Flag):
        return _schema(_INT)  # the members' values, and all that they make together
    if issubclass(kind, Enum):
        return enumeration(member.value for member in kind)
    for base in kind.__mro__:
        if base in _BY_CLASS:
            return _schema(_BY_CLASS[base])
        if base.__module__.startswith("pydantic.") and base.__name__ in _OF_PYDANTIC:
            return _schema(_OF_PYDANTIC[base.__name__])
    return None


def enumeration(values: Any) -> Schema:
    """The schema of one of these values; raises Unstorable for one that BSON has no type for."""
    distinct = {(type(value).__name__, repr(value)): value for value in map(stored, values)}
    return {"enum": _distinct_numbers(list(distinct.values()))}


def _distinct_numbers(values: list[Any]) -> list[Any]:
    """MongoDB refuses an ``enum`` with 1 and 1.0 in it."""
    kept: list[Any] = []
    for value in values:
        if not any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in kept):
            kept.append(value)
    return kept


def _schema(kinds: str | list[str]) -> Schema:
    return {"bsonType": kinds if isinstance(kinds, str) else list(kinds)}
