"""Values that models hold, as plain ones; and as JSON that comes back as it was."""

from __future__ import annotations

import base64
import datetime
import enum
import math
import uuid
from collections.abc import Mapping
from typing import Any

__all__ = ["LITERAL", "WRAPPERS", "encoded", "plain"]

WRAPPERS = frozenset(
    {
        "$binary",
        "$code",
        "$date",
        "$maxKey",
        "$minKey",
        "$numberDecimal",
        "$numberDouble",
        "$numberLong",
        "$oid",
        "$regularExpression",
        "$timestamp",
    }
)
"""The keys by which MongoDB Extended JSON tells its types: a document of these alone is a value of BSON."""
LITERAL = "$document"
"""The key of a list of pairs that stands for a document whose own keys would be taken for a type."""

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_INT32 = 2**31


def plain(value: Any) -> Any:
    """The same with dictionaries, lists and values of enumerations for what only looks like them."""
    if isinstance(value, enum.Enum):
        return plain(value.value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def encoded(value: Any) -> Any:
    """A value as MongoDB Extended JSON holds it: types that JSON lacks are written out.

    Raises TypeError for a value that MongoDB cannot store.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, enum.Enum):
        return encoded(value.value)
    if isinstance(value, Mapping):
        return _document(value)
    if isinstance(value, (list, tuple)):
        return [encoded(item) for item in value]
    if isinstance(value, int):
        is_long = type(value).__name__ == "Int64" or not -_INT32 <= value < _INT32
        return {"$numberLong": str(int(value))} if is_long else int(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$numberDouble": _not_finite(value)}
    return _of_bson(value)


def _document(value: Mapping[Any, Any]) -> Any:
    items = [(str(key), encoded(item)) for key, item in value.items()]
    if items and items[0][0] in WRAPPERS | {LITERAL}:
        return {LITERAL: [[key, item] for key, item in items]}
    return dict(items)


def _not_finite(value: float) -> str:
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _of_bson(value: Any) -> Any:
    name = type(value).__name__
    if isinstance(value, datetime.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        return {"$date": {"$numberLong": str((moment - _EPOCH) // datetime.timedelta(milliseconds=1))}}
    if isinstance(value, uuid.UUID):
        return _binary(value.bytes, 4)
    if isinstance(value, bytes):
        return _binary(value, getattr(value, "subtype", 0))
    if hasattr(value, "pattern") and hasattr(value, "flags"):
        return {"$regularExpression": {"pattern": _text(value.pattern), "options": _flags(value.flags)}}
    if name == "Timestamp":
        return {"$timestamp": {"t": value.time, "i": value.inc}}
    if name in ("MinKey", "MaxKey"):
        return {"$minKey" if name == "MinKey" else "$maxKey": 1}
    if name in ("ObjectId", "Decimal128"):
        return {"$oid" if name == "ObjectId" else "$numberDecimal": str(value)}
    if name == "DBRef":
        return _document(value.as_doc())
    raise TypeError(f"{value!r} is no value that MongoDB stores")


def _binary(data: bytes, subtype: int) -> Any:
    return {"$binary": {"base64": base64.b64encode(data).decode("ascii"), "subType": f"{subtype:02x}"}}


def _text(pattern: Any) -> str:
    return pattern.decode("utf-8") if isinstance(pattern, bytes) else str(pattern)


def _flags(flags: int) -> str:
    """As MongoDB writes them, in the order of the alphabet."""
    return "".join(
        letter for letter, bit in (("i", 2), ("l", 4), ("m", 8), ("s", 16), ("u", 32), ("x", 64)) if flags & bit
    )
