"""Dictionaries of ``create_index`` arguments: ``{"user": [("email", {"unique": True}), [("a", 1), ("b", -1)]]}``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asyncmig.sources.portable.parts import index_document
from asyncmig.sources.portable.places import lines_of_calls, shown_file
from asyncmig.sources.portable.values import plain

__all__ = ["CallsError", "call_parts", "looks_like_calls"]

_OF_THE_CALL = ("session", "comment", "maxTimeMS", "commitQuorum", "writeConcern")
"""Arguments that say how the call is made, and nothing about the index."""


_OF_AN_INDEX = frozenset(
    {
        "name",
        "unique",
        "sparse",
        "background",
        "expireAfterSeconds",
        "partialFilterExpression",
        "collation",
        "hidden",
        "weights",
        "default_language",
        "language_override",
        "wildcardProjection",
        "storageEngine",
        "bits",
        "min",
        "max",
        *_OF_THE_CALL,
    }
)


class CallsError(Exception):
    """An entry that no ``create_index`` would take."""


def call_parts(calls: Mapping[Any, Any], module: str, attribute: str) -> list[dict[str, Any]]:
    """A part for each collection; ``module`` and ``attribute`` tell where the dictionary stands.

    An entry is what ``create_index`` takes first (a field name, a list of pairs, of names, a document),
    ``(keys, options)``, an ``IndexModel``, or a document with ``key`` (or ``keys``) and the options.
    Raises CallsError.
    """
    lines = lines_of_calls(module, attribute)
    return [_part(name, entries, module, attribute, lines) for name, entries in calls.items()]


def looks_like_calls(value: Any) -> bool:
    """Whether a module's value is a dictionary of calls beyond doubt, though nobody has named it.

    That is: names of collections, and lists of ``(keys, options)`` and IndexModels, with options of an index.
    """
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(name, str) and isinstance(entries, list) for name, entries in value.items())
        and any(value.values())
        and all(_looks_like_call(entry) for entries in value.values() for entry in entries)
    )


def _looks_like_call(entry: Any) -> bool:
    if isinstance(getattr(entry, "document", None), Mapping):
        return "key" in entry.document
    return (
        isinstance(entry, tuple)
        and len(entry) == 2
        and isinstance(entry[0], (str, list))
        and isinstance(entry[1], dict)
        and entry[1].keys() <= _OF_AN_INDEX
    )


def _part(name: Any, entries: Any, module: str, attribute: str, lines: dict[str, list[int]]) -> dict[str, Any]:
    where = f"{module}:{attribute}" if module else "a dictionary"
    if not isinstance(name, str) or not name:
        raise CallsError(f"the key {name!r} in {where} is no collection's name")
    if not isinstance(entries, (list, tuple)):
        raise CallsError(
            f"{name!r} in {where} holds {entries!r}; write a list of indexes: {{{name!r}: [(keys, options), ...]}}"
        )
    indexes = [_index(entry, f"entry {place} of {name!r} in {where}") for place, entry in enumerate(entries)]
    known = lines.get(name, [])
    return {
        "collection": name,
        "kind": "collection",
        "options": {},
        "indexes": indexes,
        "framework": "create_index",
        "model": where,
        "file": shown_file(module),
        "line": known[0] if known else 0,
        "lines": known if len(known) == len(indexes) else [],
        "alias": None,
        "notes": [],
        "declares": True,
    }


def _index(entry: Any, where: str) -> dict[str, Any]:
    if isinstance(getattr(entry, "document", None), Mapping):
        return index_document(entry)
    keys, options = _arguments(entry)
    pairs = _key_pairs(keys, where)
    asked = {str(key): value for key, value in options.items() if key not in _OF_THE_CALL and value is not None}
    collation: Any = asked.get("collation")
    if hasattr(collation, "document"):  # pymongo's Collation
        asked["collation"] = collation.document
    name = asked.pop("name", None) or "_".join("{}_{}".format(*pair) for pair in pairs)
    return {"key": [[field, plain(direction)] for field, direction in pairs], "name": name, **plain(asked)}


def _arguments(entry: Any) -> tuple[Any, Mapping[Any, Any]]:
    if isinstance(entry, Mapping):
        for key in ("key", "keys"):
            if isinstance(entry.get(key), (Mapping, list, tuple)):
                return entry[key], {name: value for name, value in entry.items() if name != key}
        return entry, {}
    if isinstance(entry, (list, tuple)) and len(entry) == 2 and isinstance(entry[1], Mapping):
        return entry[0], entry[1]
    if isinstance(entry, tuple) and len(entry) == 1:
        return entry[0], {}
    return entry, {}


def _key_pairs(keys: Any, where: str) -> list[tuple[str, Any]]:
    if isinstance(keys, str):
        return [(keys, 1)]
    if isinstance(keys, tuple) and len(keys) == 2 and isinstance(keys[0], str) and _is_direction(keys[1]):
        return [(keys[0], keys[1])]
    items = list(keys.items()) if isinstance(keys, Mapping) else keys
    if not isinstance(items, (list, tuple)) or not items:
        raise CallsError(f"{where}: {keys!r} is neither a field name nor a list of (field, direction)")
    return [_pair(item, where) for item in items]


def _pair(item: Any, where: str) -> tuple[str, Any]:
    if isinstance(item, str):
        return (item, 1)
    if not isinstance(item, (list, tuple)) or len(item) != 2 or not isinstance(item[0], str):
        raise CallsError(f"{where}: {item!r} is no (field, direction)")
    return (item[0], item[1])


def _is_direction(value: Any) -> bool:
    return (isinstance(value, (int, float)) and not isinstance(value, bool)) or value in (
        "text",
        "2d",
        "2dsphere",
        "hashed",
        "geoHaystack",
    )
