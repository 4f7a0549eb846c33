"""Collations written out: all nine fields, as the server would fill them in.

The server fills in what a request leaves open, and not in the same way: by the locale for an
index, by and large generically for a collection. So asyncmig fills in everything itself and
always sends all nine fields; what the server would have taken is then of no account.

https://www.mongodb.com/docs/manual/reference/collation/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from asyncmig.schema.value import number

__all__ = ["FIELDS", "SIMPLE", "expand"]

Level = Literal["index", "collection"]

_GENERIC: Final[Mapping[str, Any]] = {
    "caseLevel": False,
    "caseFirst": "off",
    "strength": 3,
    "numericOrdering": False,
    "alternate": "non-ignorable",
    "maxVariable": "punct",
    "normalization": False,
    "backwards": False,
}

FIELDS: Final = ("locale", *_GENERIC)
"""The nine fields, in the server's order."""

SIMPLE: Final[Mapping[str, Any]] = {"locale": "simple"}
"""Binary comparison: what there is without a collation, and how to ask for it where a collection has one."""

_NORMALIZING = (
    "as bn my el gu he hi ig kn km kok mr or ps fa fa_AF pa si ta te vi yi yo en@collation=search "
    "si@collation=dictionary ca@collation=search ko@collation=searchjl bn@collation=traditional"
)
_BY_LOCALE: Final[Mapping[Level, Mapping[str, Mapping[str, Any]]]] = {
    "index": {locale: {"normalization": True} for locale in _NORMALIZING.split()}
    | {
        "da": {"caseFirst": "upper"},
        "mt": {"caseFirst": "upper"},
        "fr_CA": {"backwards": True},
        "th": {"alternate": "shifted", "normalization": True},
    },
    "collection": {"fr_CA": {"backwards": True}},
}


def expand(asked: Mapping[str, Any] | str | None, level: Level) -> dict[str, Any] | None:
    """All nine fields of a collation, in the server's order; None where it is the simple one.

    ``asked``: a document, its locale alone, or a pymongo ``Collation``. ``level`` says whose it is:
    a collection's (or view's, or time series'), or an index's.
    """
    given = _document(asked)
    locale = given.get("locale")
    if locale is None or locale == "simple":
        return None
    defaults = {**_GENERIC, **_BY_LOCALE[level].get(locale, {})}
    filled = {field: given[field] if given.get(field) is not None else default for field, default in defaults.items()}
    strength = number(filled["strength"])
    return {"locale": locale, **filled, "strength": filled["strength"] if strength is None else int(strength)}


def _document(asked: Any) -> Mapping[str, Any]:
    if asked is None:
        return {}
    if isinstance(asked, str):
        return {"locale": asked}
    document: Mapping[str, Any] = asked if isinstance(asked, Mapping) else asked.document
    return document
