"""What the operations on fields do to one document, in plain Python: the same as their expressions do on the server.

For the mock, which has no such expressions; and for tests, which hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from asyncmig.operations.fields import OnConflict

__all__ = ["Conflict", "moved", "removed", "renamed", "replaced"]

Change = Callable[[dict[str, Any]], dict[str, Any]]


class Conflict(ValueError):
    """Raised where a document has a field by both names, or where one of them cannot be reached."""


def renamed(document: Mapping[str, Any], path: Sequence[str], new: str, on_conflict: OnConflict) -> dict[str, Any]:
    """The field at the path gets the name ``new``, beside the old one."""
    *above, old = path

    def change(at: dict[str, Any]) -> dict[str, Any]:
        if old not in at:
            return at
        rest = {name: value for name, value in at.items() if name != old}
        return rest | {new: _chosen(at[old], new, rest, f"{'.'.join(path)} and {'.'.join([*above, new])}", on_conflict)}

    return _inside(document, above, change)


def moved(
    document: Mapping[str, Any], old: Sequence[str], new: Sequence[str], on_conflict: OnConflict
) -> dict[str, Any]:
    """The field goes elsewhere in its document; raises Conflict where a path leads through an array or a value."""
    if not _is_found(document, old):
        return dict(document)
    source: Any = document
    for name in old[:-1]:
        source = source[name]
        if isinstance(source, list):
            raise Conflict(f"{'.'.join(old)} lies within an array")
    target: Any = document
    for name in new[:-1]:
        target = target.get(name, {})
        if not isinstance(target, Mapping):
            raise Conflict(f"{'.'.join(new)} lies within an array or a value")
    value = _chosen(source[old[-1]], new[-1], target, f"{'.'.join(old)} and {'.'.join(new)}", on_conflict)
    return removed(_put(document, new, value), old)


def _is_found(value: Any, path: Sequence[str]) -> bool:
    """Whether a query for the path finds anything there: through sub-documents, and the elements of arrays."""
    if not path:
        return True
    if isinstance(value, list):
        return any(isinstance(item, Mapping) and _is_found(item, path) for item in value)
    return isinstance(value, Mapping) and path[0] in value and _is_found(value[path[0]], path[1:])


def removed(document: Mapping[str, Any], path: Sequence[str]) -> dict[str, Any]:
    """The field goes."""
    *above, name = path
    return _inside(document, above, lambda at: {key: value for key, value in at.items() if key != name})


def replaced(document: Mapping[str, Any], path: Sequence[str], function: Callable[[Any], Any]) -> dict[str, Any]:
    """The field's value, or each element of it where it is an array, becomes what the function makes of it."""
    *above, name = path

    def change(at: dict[str, Any]) -> dict[str, Any]:
        if name not in at:
            return at
        value = at[name]
        return at | {name: [function(item) for item in value] if isinstance(value, list) else function(value)}

    return _inside(document, above, change)


def _inside(document: Mapping[str, Any], path: Sequence[str], change: Change) -> dict[str, Any]:
    """The document with ``change`` applied to each document that the path leads to."""
    if not path:
        return change(dict(document))
    name, *rest = path
    if name not in document:
        return dict(document)
    value = document[name]
    if isinstance(value, list):
        value = [_inside(item, rest, change) if isinstance(item, Mapping) else item for item in value]
    elif isinstance(value, Mapping):
        value = _inside(value, rest, change)
    return {**document, name: value}


def _chosen(value: Any, new: str, siblings: Mapping[str, Any], both: str, on_conflict: OnConflict) -> Any:
    if new not in siblings or on_conflict == "overwrite":
        return value
    if on_conflict == "fail":
        raise Conflict(f"it has both {both}")
    return siblings[new]


def _put(document: Mapping[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    name, *rest = path
    return {**document, name: _put(document.get(name, {}), rest, value) if rest else value}
