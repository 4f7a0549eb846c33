"""Names of collections that MongoDB takes, and what somebody may have meant by one that is not known.

Each start of the command line loads this module: what only a fault needs is imported where it is needed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

__all__ = ["database_name_fault", "name_fault", "suggestion"]

_MAX_NAMESPACE_BYTES: Final = 253
"""Bytes: 255 for database, point and collection together, and a database's name has one at least."""
_MAX_DATABASE_BYTES: Final = 63


def name_fault(name: Any) -> str | None:
    """What is wrong with a collection's name, if anything is.

    https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions
    """
    if not isinstance(name, str):
        return f"a collection's name is a string, not {name!r}"
    if not name:
        return "a collection's name cannot be empty"
    if "$" in name or "\0" in name:
        return f"{name!r} has a character in it ($ or NUL) that no collection's name can have"
    if name.startswith("."):
        return f"{name!r} starts with a point, which no collection's name can"
    if name.startswith("system.") or ".system." in name:
        return f"{name!r} is among MongoDB's own (system.*), which nobody else creates"
    if len(name.encode()) > _MAX_NAMESPACE_BYTES:
        return (
            f"a name of {len(name.encode())} bytes: database and collection together have 255, with the point "
            "between them (and less where the server is older or sharded)"
        )
    return None


def database_name_fault(name: str) -> str | None:
    """What is wrong with a database's name as a place for collections, if anything is.

    https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions
    """
    from asyncmig.address import RESERVED

    if name.lower() in RESERVED:
        return f"{name!r} is MongoDB's own, where no application keeps its collections; name yours"
    if characters := sorted(set(name) & set('/\\. "$\0')):
        return f"{name!r} has {characters[0]!r} in it, which no database's name can have"
    if len(name.encode()) > _MAX_DATABASE_BYTES:
        return f"a name of {len(name.encode())} bytes, and a database's has {_MAX_DATABASE_BYTES} at most"
    return None


def suggestion(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'unique'?`` where something known is near, else an empty string."""
    from difflib import get_close_matches

    plain = {_plain(candidate): candidate for candidate in known}
    near = get_close_matches(_plain(word), plain, n=1, cutoff=0.7)
    return f"; did you mean {plain[near[0]]!r}?" if near else ""


def _plain(word: str) -> str:
    return word.replace("_", "").casefold()
