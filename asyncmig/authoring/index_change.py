"""What the server can change about an index without building it anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asyncmig.schema.capabilities import Server
from asyncmig.schema.index import Index
from asyncmig.schema.normal import agree
from asyncmig.schema.state import CollectionKind

__all__ = ["changed", "in_place", "same"]

_CHANGEABLE = ("expireAfterSeconds", "hidden", "prepareUnique", "unique")
_WITHOUT = dict.fromkeys(_CHANGEABLE)
_NESTED = frozenset({"collation", "partialFilterExpression", "storageEngine", "weights", "wildcardProjection"})

Changes = tuple[Mapping[str, Any], ...]


def same(old: Index, new: Index, unseen: frozenset[str] = frozenset()) -> bool:
    """Whether ``old`` is what ``new`` asks for; ``unseen`` are options that do not count, nor do names."""
    if unseen:
        old, new = (index.replace(**dict.fromkeys(unseen)) for index in (old, new))
    if old.keys == new.keys and old.options == new.options and _NESTED.isdisjoint(old.options):
        return True  # plain values: Python's equality is the server's
    return agree(old, new)


def in_place(old: Index, new: Index, kind: CollectionKind, server: Server | None = None) -> Changes | None:
    """The options of the ``collMod`` commands that turn ``old`` into ``new``, in order; None where none can.

    ``unique: True`` stands for all of its steps (``prepareUnique``, a dry run, ``unique``).
    ``prepareUnique`` comes alone, as the server demands. Nothing but ``hidden`` is ever changed on a
    key with ``$**``: a ``collMod`` of the others there ends a MongoDB 6.0 server. Nothing at all is
    changed on a time series: listIndexes would go on to show the index as it was made.

    https://www.mongodb.com/docs/manual/reference/command/collMod/#change-index-properties
    """
    if kind == "timeseries" or not agree(old.replace(**_WITHOUT), new.replace(**_WITHOUT)):
        return None
    differing = {option for option in _CHANGEABLE if old.options.get(option) != new.options.get(option)}
    if differing != {"hidden"} and _is_wildcard(new):
        return None
    if server is not None and not _is_able(server, differing, old):
        return None
    if "expireAfterSeconds" in differing and not _can_expire(new):
        return None
    if "unique" in differing and not _can_become_unique(new):
        return None
    return tuple(change for change in (_quiet(new, differing), _uniqueness(new, differing)) if change)


def _is_able(server: Server, differing: set[str], old: Index) -> bool:
    """Whether the server has the ``collMod`` for it."""
    if differing & {"unique", "prepareUnique"} and not server.has("unique in place"):
        return False
    begins = "expireAfterSeconds" in differing and "expireAfterSeconds" not in old.options
    return not begins or server.has("time to live in place")


def changed(index: Index, options: Mapping[str, Any]) -> Index:
    """The index after a ``collMod`` with these options."""
    if options.get("unique"):
        options = {**options, "prepareUnique": None}
    return index.replace(**{option: None if value is False else value for option, value in options.items()})


def _quiet(new: Index, differing: set[str]) -> Mapping[str, Any]:
    """Time to live and hiding: nobody's writes can fail for them, and one command does both."""
    change: dict[str, Any] = {}
    if "expireAfterSeconds" in differing:
        change["expireAfterSeconds"] = new.options["expireAfterSeconds"]
    if "hidden" in differing:
        change["hidden"] = bool(new.options.get("hidden"))
    return change


def _uniqueness(new: Index, differing: set[str]) -> Mapping[str, Any]:
    if "unique" in differing:
        return {"unique": True}
    if "prepareUnique" in differing:
        return {"prepareUnique": bool(new.options.get("prepareUnique"))}
    return {}


def _can_expire(new: Index) -> bool:
    """A time to live can be set, not taken away, and only on a single field other than ``_id``."""
    single = len(new.keys) == 1 and new.keys[0][0] != "_id" and new.keys[0][1] != "text"
    return single and "expireAfterSeconds" in new.options


def _can_become_unique(new: Index) -> bool:
    """Uniqueness can be given, not taken away; a hashed index cannot have it."""
    return bool(new.options.get("unique")) and all(direction != "hashed" for _, direction in new.keys)


def _is_wildcard(index: Index) -> bool:
    return any("$**" in field for field, _ in index.keys) or "$**" in index.options.get("weights", {})
