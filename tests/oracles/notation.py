"""What a real server (MongoDB 6.0.5) was asked and answered, as Python values.

The files beside this one write documents as the mongo shell does: ``{a.b: 1, n: 2L, x: 1.0}``.
Keys are not quoted and may hold anything but ``": "``; ``1L`` is an Int64; ``nan`` a double.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from bson import Decimal128, Int64
from bson.binary import Binary

HERE = Path(__file__).parent

MEGABYTE = [{"key": {"a": 1}, "name": "n" * 1024 * 1024}]
"""The one case that is not written out in full."""

_NUMBER = re.compile(r"-?(?:nan|inf|\d+(?:\.\d+)?(?:e[+-]?\d+)?)(L?)")
_WORDS = {"true": True, "false": False, "null": None}


def load(name: str) -> Any:
    """One of the files, its documents still as text."""
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def parse(text: str) -> Any:
    """The value that the notation stands for."""
    value, place = _value(text, 0)
    if text[place:].strip():
        raise ValueError(f"{text[place:]!r} is left over")
    return value


def _value(text: str, at: int) -> tuple[Any, int]:
    match text[at]:
        case "{":
            return _members(text, at + 1, "}", _pair, dict)
        case "[":
            return _members(text, at + 1, "]", _value, list)
        case '"':
            return json.JSONDecoder().raw_decode(text, at)
    for word, value in _WORDS.items():
        if text.startswith(word, at):
            return value, at + len(word)
    if text.startswith("BinData", at):
        return Binary(b"\0" * 16, 4), at + len("BinData")
    if found := re.compile(r"Decimal128\(Decimal128\('(.*?)'\)\)").match(text, at):
        return Decimal128(found[1]), found.end()
    return _number(text, at)


def _number(text: str, at: int) -> tuple[Any, int]:
    found = _NUMBER.match(text, at)
    if not found:
        raise ValueError(f"no value at {text[at : at + 20]!r}")
    digits = found[0].removesuffix("L")
    if found[1]:
        return Int64(digits), found.end()
    whole = digits.lstrip("-").isdigit()
    return int(digits) if whole else float(digits), found.end()


def _pair(text: str, at: int) -> tuple[tuple[str, Any], int]:
    end = text.index(": ", at)
    value, place = _value(text, end + 2)
    return (text[at:end], value), place


def _members(text: str, at: int, closing: str, read: Any, made: Any) -> tuple[Any, int]:
    found = []
    while text[at] != closing:
        member, at = read(text, at)
        found.append(member)
        at += 2 if text.startswith(", ", at) else 0
    return made(found), at + 1
