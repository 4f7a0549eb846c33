"""What an operation takes away for good, told from the operation alone.

A collection that turns out to be empty loses nothing: whoever asks looks at the documents as well. An
operation that keeps what it takes away (``keep_in``, ``if_unchanged``) loses nothing either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import singledispatch
from types import CodeType
from typing import Any

from asyncmig.operations.base import Operation
from asyncmig.operations.between import Deduplicate, MergeInto, MoveDocuments
from asyncmig.operations.collections import DropCollection, ModifyCollection
from asyncmig.operations.data import Delete, TransformBatches, TransformDocuments, UpdateInBatches
from asyncmig.operations.documents import DeleteDocuments
from asyncmig.operations.fields import ConvertField, RemoveField, RenameField
from asyncmig.operations.indexes import DropIndex

__all__ = ["deletes", "loss"]

_TAKING = frozenset({"$pop", "$pull", "$pullAll", "$unset"})
_TAKING_STAGES = frozenset({"$project", "$replaceRoot", "$replaceWith", "$unset"})
_SETTING_STAGES = frozenset({"$addFields", "$set"})


@singledispatch
def loss(operation: Operation) -> str:
    """What of the documents would be gone afterwards; empty where nothing is, or nothing that is certain."""
    return ""


@loss.register
def _(operation: DropCollection) -> str:
    return f"drop collection {operation.collection} with its documents"


@loss.register
def _(operation: DropIndex) -> str:
    """If it is a unique one, which the database knows: nothing refuses duplicates from then on."""
    return f"drop unique index {operation.name} of {operation.collection}: nothing refuses duplicates any more"


@loss.register
def _(operation: DeleteDocuments) -> str:
    return "" if operation.if_unchanged else f"delete documents of {operation.collection}"


@loss.register
def _(operation: RemoveField) -> str:
    return f"remove a field from the documents of {operation.collection}" if operation.keep_in is None else ""


@loss.register
def _(operation: RenameField) -> str:
    if operation.on_conflict == "fail":
        return ""
    return f"drop one of two fields where documents of {operation.collection} have both ({operation.on_conflict})"


@loss.register
def _(operation: ConvertField) -> str:
    if operation.on_error != "null":
        return ""
    return f"put null in the place of values of {operation.collection} that cannot be converted"


@loss.register
def _(operation: ModifyCollection) -> str:
    before = operation.was or {}
    shrinking = [
        option
        for option in ("cappedSize", "cappedMax")
        if option in operation.options and _is_less(operation.options[option], before.get(option))
    ]
    return f"make the capped collection {operation.collection} smaller: its oldest documents go" if shrinking else ""


@loss.register
def _(operation: UpdateInBatches) -> str:
    taken = sorted(set(_taken(operation.update)))
    return f"take fields or values from documents of {operation.collection} ({', '.join(taken)})" if taken else ""


@loss.register
def _(operation: Deduplicate) -> str:
    return f"delete documents of {operation.collection} that stand twice" if operation.keep_in is None else ""


@loss.register
def _(operation: MergeInto) -> str:
    if operation.when_matched != "replace":
        return ""
    return f"replace documents of {operation.collection} by what is made of {operation.source}"


@loss.register
def _(operation: MoveDocuments) -> str:
    taken = sorted(set(_taken(operation.pipeline)))
    return f"move documents of {operation.collection} without all that they hold ({', '.join(taken)})" if taken else ""


@loss.register(TransformDocuments)
@loss.register(TransformBatches)
def _(operation: TransformDocuments | TransformBatches) -> str:
    return deletes(operation.collection) if _names_delete(operation.function) else ""


def deletes(collection: str) -> str:
    """What a function is said to do that returns ``Delete`` for a document."""
    return f"delete documents of {collection} for which a function returns Delete"


def _is_less(new: Any, before: Any) -> bool:
    """Whether a limit may cut something off: 0 is none; one that is not known is taken for larger."""
    if not isinstance(new, int) or new == 0:
        return False
    return not isinstance(before, int) or before == 0 or new < before


def _taken(update: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The operators of an update, or the stages of a pipeline, that take something away."""
    if isinstance(update, Mapping):
        yield from _TAKING & update.keys()
        return
    for stage in update:
        yield from _TAKING_STAGES & stage.keys()
        yield from ("$$REMOVE" for name in _SETTING_STAGES & stage.keys() if _removes(stage[name]))


def _removes(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_removes(inner) for inner in value.values())
    if isinstance(value, list | tuple):
        return any(_removes(inner) for inner in value)
    return bool(value == "$$REMOVE")


def _names_delete(function: Any) -> bool:
    """Whether the function's own code names ``Delete``, by whatever name its module or an outer function has it."""
    code = getattr(getattr(function, "__wrapped__", function), "__code__", None)
    if not isinstance(code, CodeType):
        return False
    known = {name for name, value in getattr(function, "__globals__", {}).items() if value is Delete} | {"Delete"}
    if any(_content(cell) is Delete for cell in getattr(function, "__closure__", None) or ()):
        return True
    return any(known & {*part.co_names} for part in _codes(code))


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return None


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
