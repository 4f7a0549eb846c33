"""Aggregation expressions that change a field wherever a dotted path leads: through sub-documents and arrays.

A path goes through an array as MongoDB's queries do: into each of its elements that is a document,
but not into an array within an array.

https://www.mongodb.com/docs/manual/tutorial/query-array-of-documents/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from asyncmig.data.failures import OUR_WORDS
from asyncmig.operations.fields import OnConflict

__all__ = ["conversion", "move", "removal", "renaming"]

Expression = Any
Leaf = Callable[[str], Expression]
"""Given the name of a variable that holds a document, the expression for what is to become of that document."""


def renaming(path: Sequence[str], new: str, on_conflict: OnConflict) -> list[Expression]:
    """The field at the path gets the name ``new``, beside the old one."""
    *above, old = path
    if not above:
        value = _chosen(f"${old}", f"${new}", f"{old} and {new}", on_conflict)
        return [{"$set": {new: value}}, {"$unset": old}]

    def leaf(at: str) -> Expression:
        value = _chosen(f"{at}.{old}", f"{at}.{new}", f"{'.'.join(path)} and {'.'.join([*above, new])}", on_conflict)
        renamed = {"$mergeObjects": [_without(at, old), {new: value}]}
        return {"$cond": [_is_there(f"{at}.{old}"), renamed, at]}

    return [{"$set": {above[0]: _inside(f"${above[0]}", above[1:], leaf)}}]


def move(old: Sequence[str], new: Sequence[str], on_conflict: OnConflict) -> list[Expression]:
    """The field goes elsewhere in its document, where neither path leads through an array.

    What stands against it is looked at in a stage of its own, on the field above the old one: the value
    of a path through an empty array is never computed, and what it would refuse would be lost instead.
    """
    source, target = ".".join(old), ".".join(new)
    guarded: Expression = f"${old[0]}"
    blocked = _blocked(old, new)
    if blocked:
        words = f"{source} cannot be moved to {target}, as one of them lies within an array or a value"
        guarded = {"$cond": [{"$or": blocked}, _refusal(words, f"${old[0]}"), guarded]}
    value = _chosen(f"${source}", f"${target}", f"{source} and {target}", on_conflict)
    return [{"$set": {old[0]: guarded}}, {"$set": {target: value}}, {"$unset": source}]


def _blocked(old: Sequence[str], new: Sequence[str]) -> list[Expression]:
    """What of a document stands in the way of moving a field: an array above it, or no sub-document where it goes."""
    above_it = [{"$isArray": [f"${path}"]} for path in _above(old)]
    return above_it + [{"$not": [{"$in": [{"$type": f"${path}"}, ["missing", "object"]]}]} for path in _above(new)]


def removal(path: Sequence[str]) -> list[Expression]:
    """The field goes."""
    *above, name = path
    if not above:
        return [{"$unset": name}]
    return [{"$set": {above[0]: _inside(f"${above[0]}", above[1:], lambda at: _without(at, name))}}]


def conversion(path: Sequence[str], to: str, origin: str | None, on_error: str) -> list[Expression]:
    """The field's value, or each element of it where it is an array, becomes another type."""
    *above, name = path
    if not above:
        return [{"$set": {name: _converted_all(f"${name}", to, origin, on_error)}}]

    def leaf(at: str) -> Expression:
        value = f"{at}.{name}"
        converted = {"$mergeObjects": [at, {name: _converted_all(value, to, origin, on_error)}]}
        return {"$cond": [_is_there(value), converted, at]}

    return [{"$set": {above[0]: _inside(f"${above[0]}", above[1:], leaf)}}]


def _inside(value: str, path: Sequence[str], leaf: Leaf, depth: int = 0) -> Expression:
    """``value`` with ``leaf`` applied to each document that the path leads to; anything else as it is."""
    element = f"e{depth}"
    return {
        "$switch": {
            "branches": [
                {"case": {"$eq": [{"$type": value}, "object"]}, "then": _below(value, path, leaf, depth)},
                {
                    "case": {"$isArray": [value]},
                    "then": {
                        "$map": {
                            "input": value,
                            "as": element,
                            "in": {
                                "$cond": [
                                    {"$eq": [{"$type": f"$${element}"}, "object"]},
                                    _below(f"$${element}", path, leaf, depth),
                                    f"$${element}",
                                ]
                            },
                        }
                    },
                },
            ],
            "default": value,
        }
    }


def _below(at: str, path: Sequence[str], leaf: Leaf, depth: int) -> Expression:
    if not path:
        return leaf(at)
    child = f"{at}.{path[0]}"
    changed = {"$mergeObjects": [at, {path[0]: _inside(child, path[1:], leaf, depth + 1)}]}
    return {"$cond": [_is_there(child), changed, at]}


def _chosen(old: str, new: str, both: str, on_conflict: OnConflict) -> Expression:
    """The value that is kept of a field's old and its new name."""
    if on_conflict == "overwrite":
        return old
    return {"$cond": [_is_there(new), new if on_conflict == "keep" else _refusal(f"it has both {both}", new), old]}


def _refusal(words: str, about: str) -> Expression:
    """Ends the update of the document with these words; depends on a value, or the server would do so at once."""
    return {"$toInt": {"$concat": [{"$literal": f"{OUR_WORDS}{words} ("}, {"$type": about}, ")"]}}


def _is_there(value: str) -> Expression:
    return {"$ne": [{"$type": value}, "missing"]}


def _without(at: str, name: str) -> Expression:
    kept = {"$filter": {"input": {"$objectToArray": at}, "cond": {"$ne": ["$$this.k", {"$literal": name}]}}}
    return {"$arrayToObject": kept}


def _converted_all(value: str, to: str, origin: str | None, on_error: str) -> Expression:
    converted = {"$map": {"input": value, "as": "x", "in": _converted("$$x", to, origin, on_error)}}
    return {"$cond": [{"$isArray": [value]}, converted, _converted(value, to, origin, on_error)]}


def _converted(value: str, to: str, origin: str | None, on_error: str) -> Expression:
    instead: dict[str, dict[str, Any]] = {"keep": {"onError": value}, "null": {"onError": None}}
    converted = {"$convert": {"input": value, "to": to, **instead.get(on_error, {})}}
    if origin is not None:
        return {"$cond": [{"$eq": [{"$type": value}, origin]}, converted, value]}
    return {"$cond": [{"$in": [{"$type": value}, [to, "null"]]}, value, converted]}


def _above(path: Sequence[str]) -> list[str]:
    return [".".join(path[:length]) for length in range(1, len(path))]
