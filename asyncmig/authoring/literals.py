"""Write a value as Python source that evaluates to exactly that value, type included.

``repr`` alone will not do: it loses Int64's type, prints nan and inf as names that do not exist,
and time zones as a class of the driver's. Every type that BSON has is covered; a value that BSON
has no type for is refused, with the path that leads to it.

https://www.mongodb.com/docs/manual/reference/bson-types/
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import singledispatch
from itertools import groupby
from keyword import iskeyword
from typing import Any
from unicodedata import normalize
from uuid import UUID

from bson import Binary, Code, DatetimeMS, DBRef, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp

from asyncmig.authoring.imports import Imports
from asyncmig.authoring.layout import LINE_LENGTH, Node, call, lay_out, listing, mapping, text, tuple_
from asyncmig.errors import AsyncmigError

__all__ = ["Imports", "Unwritable", "keywords", "literal", "node", "quoted"]

_REGEX_LETTERS = {re.I: "i", re.L: "l", re.M: "m", re.S: "s", re.U: "u", re.X: "x"}
_PATTERN_FLAGS = (re.IGNORECASE, re.LOCALE, re.MULTILINE, re.DOTALL, re.ASCII, re.VERBOSE)
_INSTEAD = {
    complex: "MongoDB has no complex numbers",
    bytearray: "use bytes",
    memoryview: "use bytes",
    Decimal: "use bson.Decimal128",
    date: "BSON has no dates without a time: use datetime.datetime",
    Enum: "use the member's `.value`",
    set: "use a list",
    frozenset: "use a list",
}


class Unwritable(AsyncmigError, TypeError):
    """Raised when a value cannot be written into a revision file, as BSON has no type for it."""

    def __init__(self, path: str, what: str, fault: str) -> None:
        self.path, self.what, self.fault = path, what, fault
        where = f"{path}: " if path else ""
        super().__init__(f"{where}{what} cannot be written into a revision file: {fault}")


def literal(value: Any, imports: Imports, *, room: int = LINE_LENGTH) -> str:
    """Python source for ``value``, broken to lines of ``room`` columns; ``imports`` learns what it needs.

    Documents of any mapping type become dictionaries, and subclasses of ``str`` and ``int``
    (members of a ``StrEnum``, say) the plain value that the drivers store for them. Raises
    Unwritable where BSON has no type for the value or for one inside it.
    """
    return "\n".join(lay_out(node(value, imports), room))


def quoted(value: str, path: str = "") -> str:
    """A string literal; double quotes unless single ones save escapes. Raises Unwritable for lone surrogates."""
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise Unwritable(path, f"the string {value!a}", "it holds a lone surrogate, which UTF-8 cannot encode")
    return _quote("".join(value), str.isprintable)


def keywords(options: Mapping[str, Any], imports: Imports, path: str = "") -> list[Node]:
    """Arguments ``key=value``, in their order; those whose key is no identifier as ``**{"key": value}``."""
    arguments: list[Node] = []
    for plain, keys in groupby(options, _is_keyword):
        if plain:
            arguments += [node(options[key], imports, _join(path, key)).prefixed(f"{key}=") for key in keys]
        else:
            arguments.append(node({key: options[key] for key in keys}, imports, path).prefixed("**"))
    return arguments


@singledispatch
def node(value: Any, imports: Imports, path: str = "") -> Node:
    """The value as an expression to lay out; ``path`` says where it stands, for messages."""
    hint = next((hint for kind, hint in _INSTEAD.items() if isinstance(value, kind)), "BSON has no type for it")
    raise Unwritable(path, f"a value of type {type(value).__qualname__}", hint)


@node.register(type(None))
@node.register(bool)
def _constant(value: bool | None, imports: Imports, path: str = "") -> Node:
    return text(repr(value))


@node.register(int)
def _int(value: int, imports: Imports, path: str = "") -> Node:
    if not -(2**63) <= value < 2**63:
        raise Unwritable(path, f"the number {value:d}", "BSON's integers have 64 bits")
    return text(int.__repr__(value))


@node.register(Int64)
def _int64(value: Int64, imports: Imports, path: str = "") -> Node:
    return call(imports.name("bson", "Int64"), _int(value, imports, path))


@node.register(float)
def _float(value: float, imports: Imports, path: str = "") -> Node:
    plain = float.__repr__(value).replace("e+", "e")
    return text(plain) if math.isfinite(value) else call("float", text(f'"{plain}"'))


@node.register(Decimal128)
def _decimal128(value: Decimal128, imports: Imports, path: str = "") -> Node:
    name = imports.name("bson", "Decimal128")
    spelled = next((s for s in (_printed(value), "-NaN", "sNaN", "-sNaN") if _spells(s, value)), None)
    return call(f"{name}.from_bid", text(_bytes(value.bid))) if spelled is None else call(name, text(f'"{spelled}"'))


def _printed(value: Decimal128) -> str:
    """As the driver prints it; PyMongo 4.6 raises for bit patterns that later versions read as 0."""
    try:
        return str(value)
    except ArithmeticError:
        return ""


def _spells(spelling: str, value: Decimal128) -> bool:
    """Whether the driver reads the spelling as that value; not every bit pattern that can be stored has one."""
    try:
        return Decimal128(spelling).bid == value.bid
    except ArithmeticError:
        return False


@node.register(str)
def _str(value: str, imports: Imports, path: str = "") -> Node:
    return text(quoted(value, path))


@node.register(bytes)
def _plain_bytes(value: bytes, imports: Imports, path: str = "") -> Node:
    return text(_bytes(value))


@node.register(Binary)
def _binary(value: Binary, imports: Imports, path: str = "") -> Node:
    subtype = [text(str(value.subtype))] if value.subtype else []
    return call(imports.name("bson", "Binary"), text(_bytes(value)), *subtype)


@node.register(UUID)
def _uuid(value: UUID, imports: Imports, path: str = "") -> Node:
    return call(imports.name("uuid", "UUID"), text(f'"{value}"'))


@node.register(ObjectId)
def _object_id(value: ObjectId, imports: Imports, path: str = "") -> Node:
    return call(imports.name("bson", "ObjectId"), text(f'"{value}"'))


@node.register(datetime)
def _datetime(value: datetime, imports: Imports, path: str = "") -> Node:
    clock = [value.hour, value.minute, value.second, value.microsecond]
    while clock and not clock[-1]:
        clock.pop()
    fields = [text(str(number)) for number in (value.year, value.month, value.day, *clock)]
    offset = value.utcoffset()
    zone = [] if offset is None else [_zone(offset, imports).prefixed("tzinfo=")]
    return call(imports.name("datetime", "datetime"), *fields, *zone)


@node.register(DatetimeMS)
def _datetime_ms(value: DatetimeMS, imports: Imports, path: str = "") -> Node:
    return call(imports.name("bson", "DatetimeMS"), text(str(int(value))))


@node.register(Regex)
def _regex(value: Regex[Any], imports: Imports, path: str = "") -> Node:
    letters = "".join(letter for flag, letter in _REGEX_LETTERS.items() if value.flags & flag)
    known = value.flags == sum(flag for flag in _REGEX_LETTERS if value.flags & flag)
    flags = [text(f'"{letters}"' if known else str(int(value.flags)))] if value.flags else []
    return call(imports.name("bson", "Regex"), node(value.pattern, imports, path), *flags)


@node.register(re.Pattern)
def _pattern(value: re.Pattern[Any], imports: Imports, path: str = "") -> Node:
    module = imports.module("re")
    names = [f"{module}.{flag.name}" for flag in _PATTERN_FLAGS if value.flags & flag]
    flags = [text(" | ".join(names))] if names else []
    return call(f"{module}.compile", node(value.pattern, imports, path), *flags)


@node.register(Code)
def _code(value: Code, imports: Imports, path: str = "") -> Node:
    scope = [] if value.scope is None else [node(value.scope, imports, _join(path, "scope"))]
    return call(imports.name("bson", "Code"), _str(str(value), imports, path), *scope)


@node.register(DBRef)
def _dbref(value: DBRef, imports: Imports, path: str = "") -> Node:
    extra = {key: held for key, held in value.as_doc().items() if key not in ("$ref", "$id", "$db")}
    where = [] if value.database is None else [_str(value.database, imports, path)]
    rest = [node(extra, imports, path).prefixed("_extra=")] if extra else []
    first = _str(value.collection, imports, path), node(value.id, imports, _join(path, "$id"))
    return call(imports.name("bson", "DBRef"), *first, *where, *rest)


@node.register(Timestamp)
def _timestamp(value: Timestamp, imports: Imports, path: str = "") -> Node:
    return call(imports.name("bson", "Timestamp"), text(str(value.time)), text(str(value.inc)))


@node.register(MinKey)
@node.register(MaxKey)
def _end_key(value: MinKey | MaxKey, imports: Imports, path: str = "") -> Node:
    return call(imports.name("bson", "MinKey" if isinstance(value, MinKey) else "MaxKey"))


@node.register(list)
def _list(value: list[Any], imports: Imports, path: str = "") -> Node:
    return listing(node(item, imports, f"{path}[{place}]") for place, item in enumerate(value))


@node.register(tuple)
def _tuple(value: tuple[Any, ...], imports: Imports, path: str = "") -> Node:
    return tuple_(node(item, imports, f"{path}[{place}]") for place, item in enumerate(value))


@node.register(Mapping)
def _mapping(value: Mapping[Any, Any], imports: Imports, path: str = "") -> Node:
    return mapping(
        node(item, imports, _join(path, key)).prefixed(f"{_key(key, path)}: ") for key, item in value.items()
    )


def _key(key: Any, path: str) -> str:
    if not isinstance(key, str):
        raise Unwritable(path, f"the key {key!r}", "BSON's keys are strings")
    if "\0" in key:
        raise Unwritable(path, f"the key {key!r}", "BSON's keys hold no null characters")
    return quoted(key, path)


def _zone(offset: timedelta, imports: Imports) -> Node:
    if not offset:
        return text(imports.name("datetime", "UTC"))
    sign = -1 if offset < timedelta(0) else 1
    minutes, rest = divmod(abs(offset), timedelta(minutes=1))
    parts = {
        "hours": minutes // 60,
        "minutes": minutes % 60,
        "seconds": rest.seconds,
        "microseconds": rest.microseconds,
    }
    given = [text(f"{unit}={sign * number}") for unit, number in parts.items() if number]
    delta = call(imports.name("datetime", "timedelta"), *given)
    return call(imports.name("datetime", "timezone"), delta)


def _bytes(value: bytes) -> str:
    return "b" + _quote(value.decode("latin-1"), lambda character: " " <= character <= "~")


def _quote(value: str, printable: Callable[[str], bool]) -> str:
    mark = "'" if value.count('"') > value.count("'") else '"'
    return mark + "".join(_escape(character, mark, printable) for character in value) + mark


def _escape(character: str, mark: str, printable: Callable[[str], bool]) -> str:
    if character in (mark, "\\"):
        return "\\" + character
    if printable(character):
        return character
    return character.encode("unicode_escape").decode("ascii")


def _is_keyword(key: str) -> bool:
    return key.isidentifier() and not iskeyword(key) and normalize("NFKC", key) == key  # as Python would change it


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)
