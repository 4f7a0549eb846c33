"""Whether an update may be applied twice: told from the update alone, and only where it is certain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from asyncmig.operations.data import Update

__all__ = ["is_idempotent"]

_OPERATORS = frozenset(
    {"$addToSet", "$currentDate", "$max", "$min", "$pull", "$pullAll", "$rename", "$set", "$setOnInsert", "$unset"}
)
_SETTING = frozenset({"$addFields", "$set"})
_WHOLE = ("$$ROOT", "$$CURRENT")


def is_idempotent(update: Update) -> bool:
    """Whether applying ``update`` once more changes nothing: True only where that is certain.

    Of a pipeline: when it only sets and removes fields, and reads none that it writes.
    """
    if isinstance(update, Mapping):
        return _OPERATORS.issuperset(update)
    written = {path for stage in update for path in _written(stage)}
    if "" in written:
        return False
    read = {path for stage in update for value in stage.values() for path in _read(value)}
    return not any(_overlap(one, other) for one in read for other in written)


def _written(stage: Mapping[str, Any]) -> Iterator[str]:
    """The paths that a stage writes; an empty one stands for the whole document."""
    for name, operand in stage.items():
        if name in _SETTING and isinstance(operand, Mapping):
            yield from operand
        elif name == "$unset":
            yield from [operand] if isinstance(operand, str) else operand
        else:
            yield ""


def _read(value: Any) -> Iterator[str]:
    """The paths that an expression reads; an empty one stands for the whole document."""
    if isinstance(value, str) and value.startswith("$$"):
        yield from [""] if value.startswith(_WHOLE) else []
    elif isinstance(value, str) and value.startswith("$"):
        yield value[1:]
    elif isinstance(value, Mapping):
        for name, operand in value.items():
            if name in ("$rand", "$function", "$sampleRate", "$getField"):
                yield ""
            if name != "$literal":
                yield from _read(operand)
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        for item in value:
            yield from _read(item)


def _overlap(one: str, other: str) -> bool:
    return not one or one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")
