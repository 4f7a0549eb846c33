"""Whether an update may be applied twice: told from the update alone, and only where it is certain.

What is not known here (an operator or a variable of a newer server) counts as not repeatable. The tables
are held against a real server by ``tests/data/test_repeatability.py``, which applies random updates once
and twice.

https://www.mongodb.com/docs/manual/reference/mql/update/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import singledispatch
from itertools import combinations
from typing import Any

from asyncmig.operations.base import Operation
from asyncmig.operations.data import TransformBatches, TransformDocuments, Update, UpdateInBatches
from asyncmig.operations.documents import InsertDocuments
from asyncmig.operations.expressions import DETERMINISTIC
from asyncmig.operations.generated import is_generated

__all__ = ["is_idempotent", "is_repeatable"]

_OPERATORS = frozenset({"$addToSet", "$max", "$min", "$pull", "$pullAll", "$rename", "$set", "$setOnInsert", "$unset"})
"""Those after which a document is as it is after the second time.

Not so: ``$inc``, ``$mul``, ``$push``, ``$pop``, and ``$currentDate``, which writes another time.
"""
_BITS = frozenset({"and", "or"})
_SETTING = frozenset({"$addFields", "$set"})
_WHOLE = frozenset({"ROOT", "CURRENT"})
_CHANGING = frozenset({"NOW", "CLUSTER_TIME", "USER_ROLES", "SEARCH_META"})
"""Variables with another value each time. All others are ``REMOVE``, or those of ``$let``, ``$map`` and ``let``."""


def is_idempotent(update: Update, options: Mapping[str, Any] | None = None) -> bool:
    """Whether applying ``update`` once more changes nothing: True only where that is certain.

    Of operators: when each of them is so, and each path leads to the same place the second time. Of a
    pipeline: when it only sets and removes fields, computes the same each time, and reads none that it
    writes. ``options``: those of the update; the variables of ``let`` have to be plain values.
    """
    variables = (options or {}).get("let") or {}
    if any(_is_computed(value) for value in variables.values()):
        return False
    if isinstance(update, Mapping):
        return all(map(_is_repeatable, update, update.values())) and _lead_to_the_same(_paths(update))
    return _is_repeatable_pipeline(update)


@singledispatch
def is_repeatable(operation: Operation) -> bool:
    """Whether an operation that is done may be done once more, and nothing is another way than after the first time."""
    return True


@is_repeatable.register
def _(operation: UpdateInBatches) -> bool:
    return is_idempotent(operation.update, operation.options)


@is_repeatable.register(TransformDocuments)
@is_repeatable.register(TransformBatches)
def _(operation: TransformDocuments | TransformBatches) -> bool:
    return False


@is_repeatable.register
def _(operation: InsertDocuments) -> bool:
    """Not where the next run would give other ids to the same documents."""
    return not any(is_generated(document["_id"]) for document in operation.documents)


# -- operators ------------------------------------------------------------------------------------


def _is_repeatable(operator: str, operand: Any) -> bool:
    if operator == "$bit":
        masks = operand.values() if isinstance(operand, Mapping) else [None]
        return all(isinstance(mask, Mapping) and _BITS.issuperset(mask) for mask in masks)
    return operator in _OPERATORS and isinstance(operand, Mapping)


def _paths(update: Mapping[str, Any]) -> list[list[str]]:
    """Every path that operators write, as names."""
    paths = [path for operand in update.values() for path in operand]
    return [path.split(".") for path in (*paths, *_targets(update.get("$rename")))]


def _targets(renamed: Any) -> Iterator[str]:
    if isinstance(renamed, Mapping):
        yield from (target for target in renamed.values() if isinstance(target, str))


def _lead_to_the_same(paths: Sequence[Sequence[str]]) -> bool:
    """Whether each path leads to the same places the second time.

    ``$`` is the first element that fits the filter, which may be the next one then. ``$[name]`` are
    those that fit its own filter: the same or fewer, unless something else is written into the array.
    """
    if any("$" in path for path in paths):
        return False
    return not any(_is_open(path, other) for path, other in combinations(paths, 2))


def _is_open(first: Sequence[str], other: Sequence[str]) -> bool:
    """Whether what one path writes may decide which elements the other one is about."""
    if first[0] != other[0]:
        return False
    chosen = [_chosen(path) for path in (first, other)]
    return any(chosen) and chosen[0] != chosen[1]


def _chosen(path: Sequence[str]) -> Sequence[str]:
    """The beginning of a path, up to the last name that stands for elements chosen by a filter; or nothing."""
    places = [place for place, name in enumerate(path) if name.startswith("$[") and name != "$[]"]
    return list(path[: places[-1] + 1]) if places else []


# -- pipelines ------------------------------------------------------------------------------------


def _is_repeatable_pipeline(pipeline: Iterable[Mapping[str, Any]]) -> bool:
    stages = list(pipeline)
    written = {path for stage in stages for path in _written(stage)}
    if "" in written:
        return False
    values = [operand for stage in stages for name, operand in stage.items() if name in _SETTING]
    if not all(_is_computed_alike(value) for operand in values for value in operand.values()):
        return False
    read = {path for operand in values for path in _read(operand)}
    return not any(_overlap(path, other) for path in read for other in written)


def _written(stage: Mapping[str, Any]) -> Iterator[str]:
    """The paths that a stage writes; an empty one stands for the whole document."""
    for name, operand in stage.items():
        if name in _SETTING and isinstance(operand, Mapping):
            yield from operand
        elif name == "$unset":
            yield from [operand] if isinstance(operand, str) else operand
        else:
            yield ""


def _is_computed_alike(value: Any) -> bool:
    """Whether an expression has the same value whenever the fields that it reads have theirs."""
    if isinstance(value, str):
        return not value.startswith("$$") or _variable(value) not in _CHANGING
    if isinstance(value, Mapping):
        if "$literal" in value:
            return len(value) == 1
        known = all(name in DETERMINISTIC for name in value if name.startswith("$"))
        return known and all(map(_is_computed_alike, value.values()))
    return not _is_list(value) or all(map(_is_computed_alike, value))


def _read(value: Any) -> Iterator[str]:
    """The paths that an expression reads; an empty one stands for the whole document."""
    if isinstance(value, str) and value.startswith("$$"):
        yield from [""] if _variable(value) in _WHOLE else []
    elif isinstance(value, str) and value.startswith("$"):
        yield value[1:]
    elif isinstance(value, Mapping):
        for name, operand in value.items():
            if name == "$getField":  # a name may be computed, and is no path
                yield ""
            if name != "$literal":
                yield from _read(operand)
    elif _is_list(value):
        for item in value:
            yield from _read(item)


def _variable(value: str) -> str:
    return value[2:].partition(".")[0]


def _is_computed(value: Any) -> bool:
    """Whether a value holds an expression."""
    if isinstance(value, Mapping):
        return any(name.startswith("$") or _is_computed(item) for name, item in value.items())
    return any(map(_is_computed, value)) if _is_list(value) else isinstance(value, str) and value.startswith("$")


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _overlap(path: str, other: str) -> bool:
    return not path or path == other or path.startswith(f"{other}.") or other.startswith(f"{path}.")
