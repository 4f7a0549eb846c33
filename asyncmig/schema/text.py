"""Text indexes in users' terms: the server replaces their fields by two of its own and keeps them as weights.

Asked for ``{z: 1, b: "text", a: "text"}``, it lists ``{z: 1, _fts: "text", _ftsx: 1}`` with
``weights: {a: 1, b: 1}``; fields that stand only in ``weights`` are text fields, too.

https://www.mongodb.com/docs/manual/core/indexes/index-types/index-text/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from asyncmig.schema.value import number

__all__ = ["DEFAULTS", "all_weights", "in_server_terms", "in_user_terms", "is_text"]

Keys = tuple[tuple[str, Any], ...]

DEFAULTS: Final[Mapping[str, Any]] = {"default_language": "english", "language_override": "language"}
"""What the server fills in for a text index, and lists."""

_EVERYTHING = "$**"
_LITERAL: Keys = (("_fts", "text"), ("_ftsx", 1))
"""The server's own keys, which it also takes from others: for text fields that are all plain keys besides."""


def is_text(keys: Keys) -> bool:
    """Whether these are a text index's keys, in either terms."""
    return any(direction == "text" for _, direction in keys)


def all_weights(keys: Keys, weights: Mapping[str, Any]) -> dict[str, int]:
    """The weight of every text field, sorted by field: 1 unless given."""
    named = {field: 1 for field, direction in keys if direction == "text" and field != "_fts"}
    given = {field: int(number(weight) or 0) for field, weight in weights.items()}
    return dict(sorted((named | given).items()))


def in_user_terms(keys: Keys, weights: Mapping[str, Any], *, single: bool) -> tuple[Keys, dict[str, int]]:
    """The keys as a user writes them, text fields sorted, and the weights that have to be said besides.

    ``$**`` stands alone, as it covers every field; what is a key besides stands in the weights
    alone. With ``single`` one text field stands for all, as the server takes no time to live on an
    index of several fields.
    """
    weighted = all_weights(keys, weights)
    before, after = _around(keys)
    besides = {field for field, _ in (*before, *after)}
    fields = [_EVERYTHING] if _EVERYTHING in weighted else [field for field in weighted if field not in besides]
    fields = fields[:1] if single else fields
    said = {field: weight for field, weight in weighted.items() if weight != 1 or field not in fields}
    text = tuple((field, "text") for field in fields) or _LITERAL
    return (*before, *text, *after), said


def in_server_terms(keys: Keys) -> Keys:
    """The keys with the text fields as the one entry that the server makes of them."""
    before, after = _around(keys)
    return (*before, ("_fts", "text"), *after)


def _around(keys: Keys) -> tuple[Keys, Keys]:
    first = next(place for place, (_, direction) in enumerate(keys) if direction == "text")
    others = tuple(pair for pair in keys[first:] if pair[1] != "text" and pair[0] != "_ftsx")
    return keys[:first], others
