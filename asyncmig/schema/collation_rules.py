"""What a server would refuse about a collation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from asyncmig.schema.collation import FIELDS, Level, expand
from asyncmig.schema.names import suggestion
from asyncmig.schema.value import number

__all__ = ["collation_fault"]

_FLAGS: Final = ("caseLevel", "numericOrdering", "normalization", "backwards")
_WORDS: Final = {
    "caseFirst": ("upper", "lower", "off"),
    "alternate": ("non-ignorable", "shifted"),
    "maxVariable": ("punct", "space"),
}


def collation_fault(collation: Mapping[str, Any], level: Level) -> str | None:
    """What is wrong with a collation, if anything is. Which locales there are is the server's to know.

    https://www.mongodb.com/docs/manual/reference/collation/
    """
    given = {field: value for field, value in collation.items() if value is not None}
    for field in given:
        if field not in (*FIELDS, "version"):
            return f"collation has an unknown field {field!r}{suggestion(field, FIELDS)}"
    if not isinstance(given.get("locale"), str) or not given["locale"]:
        return 'collation needs a locale, such as "en", or "simple" for none'
    return _value_fault(given) or _mixture_fault(given, level)


def _value_fault(given: Mapping[str, Any]) -> str | None:
    for field in _FLAGS:
        if field in given and not isinstance(given[field], bool):
            return f"collation's {field} is True or False, not {given[field]!r}"
    for field, words in _WORDS.items():
        if field in given and given[field] not in words:
            return f"collation's {field} is one of {', '.join(map(repr, words))}, not {given[field]!r}"
    strength = number(given.get("strength", 3))
    if strength is None or not 1 <= strength < 6:
        return f"collation's strength is from 1 to 5, not {given['strength']!r}"
    return None


def _mixture_fault(given: Mapping[str, Any], level: Level) -> str | None:
    full = expand(given, level)
    if full is None:
        return None
    if full["caseFirst"] != "off" and not full["caseLevel"] and full["strength"] < 3:
        default = "" if "caseFirst" in given else f" (the default of {given['locale']!r})"
        return f"collation's caseFirst {full['caseFirst']!r}{default} goes only with caseLevel or a strength above 2"
    if full["backwards"] and full["strength"] == 1:
        return "collation's backwards goes only with a strength above 1"
    return None
