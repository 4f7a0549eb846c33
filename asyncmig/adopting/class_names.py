"""Names for the classes and modules that are written from the names of collections: pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from keyword import iskeyword, issoftkeyword
from unicodedata import normalize

__all__ = ["ALL", "class_names", "module_names"]

ALL = "ALL_COLLECTIONS"
OTHERS = "others"

_IMPORTED = frozenset(
    (
        "Binary",
        "Code",
        "Collection",
        "DBRef",
        "DatetimeMS",
        "Decimal128",
        "Index",
        "Int64",
        "MaxKey",
        "MinKey",
        "ObjectId",
        "Regex",
        "Timestamp",
        "UTC",
        "UUID",
        "View",
        "datetime",
        "float",
        "re",
        "timedelta",
        "timezone",
    )
)
"""What a written module may import or call: a class of that name would hide it."""
_WORD_ENDS = re.compile(r"\W+|_+")
_PREFIX = re.compile(r"[^\W_]+(?=[\W_])")


def class_names(collections: Iterable[str]) -> dict[str, str]:
    """A class name for each collection: its words, capitalised; what would clash gets a number.

    The names are valid identifiers in the form that Python gives them (NFKC), none is a keyword, and
    none hides what the module imports. The same collections get the same names, whatever their order.
    """
    taken: set[str] = {ALL}
    names = {}
    for collection in sorted(collections):
        names[collection] = _free(_class_name(collection), taken)
    return names


def module_names(collections: Iterable[str]) -> dict[str, str]:
    """A module for each collection: the first word of its name, where two or more share it; else ``others``."""
    prefixes = {name: _prefix(name) for name in collections}
    shared = [prefix for prefix in prefixes.values() if prefix]
    return {name: prefix if shared.count(prefix) > 1 else OTHERS for name, prefix in prefixes.items()}


def _class_name(collection: str) -> str:
    words = [_identifying(word) for word in _WORD_ENDS.split(normalize("NFKC", collection))]
    name = normalize("NFKC", "".join(word[:1].upper() + word[1:] for word in words)) or "Unnamed"
    if not name.isidentifier():
        name = f"C{name}"
    return f"{name}Collection" if name in _IMPORTED or iskeyword(name) else name


def _free(name: str, taken: set[str]) -> str:
    candidate, number = name, 2
    while candidate in taken:
        candidate, number = f"{name}{number}", number + 1
    taken.add(candidate)
    return candidate


def _prefix(collection: str) -> str:
    match = _PREFIX.match(normalize("NFKC", collection))
    word = normalize("NFKC", _identifying(match[0]).lower()) if match else ""
    if not word:
        return ""
    name = word if word.isidentifier() else f"c{word}"
    return f"{name}_" if iskeyword(name) or issoftkeyword(name) or name == OTHERS else name


def _identifying(word: str) -> str:
    """The characters of a word that an identifier can hold."""
    return "".join(character for character in word if f"a{character}".isidentifier())
