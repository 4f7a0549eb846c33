"""The fields of a stored document with their exact BSON types, read without decoding it.

Decoding loses types (``undefined`` becomes null, a ``symbol`` text) and fails for dates that Python
has none for. https://bsonspec.org/spec.html
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

from asyncmig.schema.canonical import TYPES

__all__ = [
    "ARRAY",
    "DATE",
    "OBJECT",
    "OBJECT_ID",
    "members",
    "milliseconds",
    "seconds_of_object_id",
    "short_value",
    "type_name",
]

OBJECT: Final = 3
ARRAY: Final = 4
OBJECT_ID: Final = 7
DATE: Final = 9
_DBPOINTER: Final = 12
_REGEX: Final = 11
_FIXED: Final = {1: 8, 6: 0, 7: 12, 8: 1, 9: 8, 10: 0, 16: 4, 17: 8, 18: 8, 19: 16, 127: 0, 255: 0}
_TEXTS: Final = frozenset({2, 13, 14})
_WHOLE: Final = frozenset({OBJECT, ARRAY, 15})

_int32 = struct.Struct("<i").unpack_from
_int64 = struct.Struct("<q").unpack_from
_double = struct.Struct("<d").unpack_from

_MAX_TEXT_BYTES: Final = 40  # of a text that is worth remembering as a value


def members(data: bytes, start: int = 0) -> Iterator[tuple[str, int, int, int]]:
    """Each member of the document that begins at ``start``: name, type, and where its value begins and ends."""
    end = start + _int32(data, start)[0] - 1
    at = start + 4
    while at < end:
        kind = data[at]
        stop = data.index(0, at + 1)
        name = data[at + 1 : stop].decode("utf-8", "replace")
        at = stop + 1
        size = _FIXED.get(kind)
        after = at + (_size(data, kind, at) if size is None else size)
        yield name, kind, at, after
        at = after


def _size(data: bytes, kind: int, at: int) -> int:
    if kind in _TEXTS:
        return 4 + int(_int32(data, at)[0])
    if kind in _WHOLE:
        return int(_int32(data, at)[0])
    if kind == 5:
        return 5 + int(_int32(data, at)[0])
    if kind == _DBPOINTER:
        return 16 + int(_int32(data, at)[0])
    if kind == _REGEX:
        return data.index(0, data.index(0, at) + 1) + 1 - at
    raise ValueError(f"a document holds a value of type {kind}, which BSON does not have")


def type_name(kind: int) -> str:
    """The alias of a BSON type, as ``$type`` knows it."""
    return TYPES[-1 if kind == 255 else kind]


def short_value(data: bytes, kind: int, start: int, end: int) -> Any:
    """A value that might be one of an enumeration: a short text, a whole number, a bool; None for any other."""
    read = _READERS.get(kind)
    return None if read is None else read(data, start, end)


def _text(data: bytes, start: int, end: int) -> Any:
    return data[start + 4 : end - 1].decode("utf-8", "replace") if end - start <= _MAX_TEXT_BYTES else None


_READERS: Final[dict[int, Callable[[bytes, int, int], Any]]] = {
    2: _text,
    8: lambda data, start, end: bool(data[start]),
    16: lambda data, start, end: _int32(data, start)[0],
    18: lambda data, start, end: _int64(data, start)[0],
}


def milliseconds(data: bytes, start: int) -> int:
    """A date as it is stored: milliseconds since 1970."""
    return int(_int64(data, start)[0])


def seconds_of_object_id(data: bytes, start: int) -> int:
    """When an ObjectId was made, in seconds since 1970."""
    return int.from_bytes(data[start : start + 4], "big")
