"""The arguments of an operation as a document: kept in the journal, for a run that goes on with it.

A filter such as ``{"at": {"$lt": datetime.now()}}`` is another one in each run; what was begun with one is
ended with the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any, TypeVar

from asyncmig.operations.base import Operation
from asyncmig.operations.collections import RenameCollection
from asyncmig.operations.data import DataOperation
from asyncmig.operations.documents import DeleteDocuments
from asyncmig.operations.functions import surroundings
from asyncmig.operations.indexes import DropIndex

__all__ = ["KEEPING", "arguments", "differ_by_chance", "with_arguments"]

_Kind = TypeVar("_Kind", bound=Operation)
_PLAIN = (str, bool, int, float)
KEEPING = (DataOperation, DeleteDocuments, DropIndex, RenameCollection)
"""Operations whose arguments are kept: with others, which a revision has computed anew, they do something else."""
_MODULES = frozenset({"bson", "datetime", "uuid"})


def arguments(operation: Operation) -> dict[str, Any]:
    """Every argument that says what is done; of a function what it closes over, for it cannot be kept itself."""
    given = {field.name: getattr(operation, field.name) for field in fields(operation) if _tells(field)}
    return {name: _around(value) if callable(value) else value for name, value in given.items()}


def _around(function: Any) -> dict[str, Any]:
    return {name: value if _is_plain(value) else repr(type(value)) for name, value in surroundings(function).items()}


def _is_plain(value: Any) -> bool:
    """Whether it is a value of BSON's, all through."""
    if isinstance(value, Mapping):
        return all(isinstance(name, str) for name in value) and all(map(_is_plain, value.values()))
    if _is_list(value):
        return all(map(_is_plain, value))
    module = type(value).__module__.partition(".")[0]
    return value is None or isinstance(value, (*_PLAIN, bytes)) or module in _MODULES


def with_arguments(operation: _Kind, kept: Mapping[str, Any]) -> _Kind:
    """The operation with these arguments; what an older or a newer asyncmig kept besides is left alone."""
    known = {
        field.name for field in fields(operation) if _tells(field) and not callable(getattr(operation, field.name))
    }
    changed = {name: value for name, value in kept.items() if name in known}
    lists = {name: tuple(value) for name, value in changed.items() if isinstance(getattr(operation, name), tuple)}
    return replace(operation, **changed | lists)


def _tells(field: Any) -> bool:
    return field.init and field.compare and field.name != "collection" and not field.metadata.get("tuning")


def differ_by_chance(value: Any, other: Any) -> bool:
    """Whether two arguments differ in nothing but times, generated ids, and the order of a list's elements.

    These are another in each run, and say nothing of whether the same operation is meant.
    """
    if isinstance(value, Mapping) and isinstance(other, Mapping):
        return list(value) == list(other) and all(differ_by_chance(value[name], other[name]) for name in value)
    if _is_list(value) and _is_list(other):
        alike = len(value) == len(other) and all(map(differ_by_chance, value, other))
        return alike or sorted(map(repr, value)) == sorted(map(repr, other))
    if isinstance(value, _PLAIN) or isinstance(other, _PLAIN) or value is None or other is None:
        return bool(value == other)
    return True  # a time, an ObjectId, a UUID, a regular expression


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))
