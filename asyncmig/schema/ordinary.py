"""The index that most indexes are: nothing in it that a rule could object to, or that the normal form would change.

Declarations and databases hold thousands of these; they are told at a glance, and all others looked at rule by rule.
"""

from __future__ import annotations

import re
from typing import Final

from asyncmig.schema.index import Index

__all__ = ["is_ordinary"]

_FIELD: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_FLAGS: Final = frozenset({"unique", "sparse", "hidden"})
_MAX_KEYS: Final = 32
_INT32_MAX: Final = 2**31 - 1


def is_ordinary(index: Index) -> bool:
    """Whether an index has plain fields, each up or down, and no option but flags that are set and whole seconds.

    Such an index of an ordinary collection has no fault, and without a collation to inherit it is in
    normal form as it stands.
    """
    keys = index.keys
    if not keys or (len(keys) > 1 and ("expireAfterSeconds" in index.options or not _are_distinct(index))):
        return False
    for field, direction in keys:
        if type(direction) is not int or direction not in (1, -1) or field == "_id" or not _FIELD.fullmatch(field):
            return False
    return all(_is_ordinary_option(key, value) for key, value in index.options.items())


def _are_distinct(index: Index) -> bool:
    return len({field for field, _ in index.keys}) == len(index.keys) <= _MAX_KEYS


def _is_ordinary_option(key: str, value: object) -> bool:
    if key == "name":
        return type(value) is str and "\0" not in value and value not in ("", "_id_", "*")
    if key == "expireAfterSeconds":
        return type(value) is int and 0 <= value <= _INT32_MAX
    return value is True and key in _FLAGS
