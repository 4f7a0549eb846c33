"""Operations on the documents of a whole collection, done in batches that can be interrupted and go on later."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, final

from asyncmig.errors import IrreversibleOperation
from asyncmig.operations.base import Operation

__all__ = [
    "CONCURRENCY",
    "DataOperation",
    "Delete",
    "OnError",
    "Pace",
    "TransformBatches",
    "TransformDocuments",
    "Update",
    "UpdateInBatches",
    "shortened",
    "where",
]

Update = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""Operators, ``{"$set": ...}``, or the stages of a pipeline."""
OnError = Literal["fail", "collect"]

CONCURRENCY: Final = 4
"""How many batches of documents that go through a function are under way at once."""
TUNING: Final = {"tuning": True}
"""Marks a field that says how fast, or how gently, not what: with another value it is the same operation."""

_MAX_SHOWN_CHARACTERS = 60  # of a filter or an update in a description


@final
class _Delete:
    """What a function returns for a document that is to be deleted."""

    def __call__(self) -> _Delete:
        return self

    def __repr__(self) -> str:
        return "Delete"


Delete: Final = _Delete()
"""Returned by the function of ``transform_documents`` for a document that is to be deleted."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast to go: the largest batch, and what to spare the server.

    ``batch_size`` in documents; None is what measurements recommend for the operation.
    ``max_per_second`` in documents. ``max_lag``: wait while a secondary is further behind than so
    many seconds. ``max_queue``: wait while more operations than that queue for a lock on the server.
    """

    batch_size: int | None = None
    max_per_second: float | None = None
    max_lag: float | None = None
    max_queue: int | None = None


@dataclass(frozen=True, slots=True)
class DataOperation(Operation):
    """The root of those that go through a collection.

    ``on_error``: what to do about a document that cannot be changed: stop there (``fail``), or note
    its ``_id`` and go on (``collect``). ``note`` is a remark for the reviewer, rendered as a comment.
    ``was``: the operations that undo it, where more is known than the operation itself can tell.
    """

    pace: Pace = field(default=Pace(), kw_only=True, metadata=TUNING)
    on_error: Any = field(default="fail", kw_only=True, metadata=TUNING)
    note: str = field(default="", kw_only=True, compare=False)
    was: tuple[Operation, ...] | None = field(default=None, kw_only=True, compare=False)


@dataclass(frozen=True, slots=True)
class UpdateInBatches(DataOperation):
    """``update_many`` in ranges of ``_id``; ``options``: ``arrayFilters``, ``collation``, ``hint``.

    https://www.mongodb.com/docs/manual/reference/command/update/
    """

    filter: Mapping[str, Any]
    update: Update
    options: Mapping[str, Any] = field(default_factory=dict)

    def describe(self) -> str:
        return f"update {self.collection} in batches{where(self.filter)}: {shortened(self.update)}"

    def reverse(self) -> tuple[Operation, ...]:
        if self.was is not None:
            return self.was
        raise IrreversibleOperation(self, "what the documents were before is not kept; write the update that undoes it")


@dataclass(frozen=True, slots=True)
class TransformDocuments(DataOperation):
    """What a Python function makes of each document.

    ``version_field``: a field that every writer changes, by which a document that was changed
    meanwhile is told; without it, the document as a whole. ``concurrency``: how many batches are
    under way at once.
    """

    filter: Mapping[str, Any]
    function: Callable[[Any], Any]
    projection: Mapping[str, Any] | None = None
    version_field: str | None = None
    concurrency: int = field(default=CONCURRENCY, kw_only=True, metadata=TUNING)

    def describe(self) -> str:
        return f"transform {self.collection}{where(self.filter)} by {function_name(self.function)}"

    def reverse(self) -> tuple[Operation, ...]:
        raise IrreversibleOperation(self, "no function is known that undoes it")


@dataclass(frozen=True, slots=True)
class TransformBatches(DataOperation):
    """What a Python function makes of many documents at once: it is given a list, and returns one as long."""

    filter: Mapping[str, Any]
    function: Callable[[Any], Any]

    def describe(self) -> str:
        return f"transform {self.collection}{where(self.filter)} in batches by {function_name(self.function)}"

    def reverse(self) -> tuple[Operation, ...]:
        raise IrreversibleOperation(self, "no function is known that undoes it")


def function_name(function: Callable[..., Any]) -> str:
    """What a function is called in its source."""
    return str(getattr(function, "__name__", type(function).__name__))


def shortened(value: object) -> str:
    """A value as text of a readable length."""
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN_CHARACTERS else f"{text[: _MAX_SHOWN_CHARACTERS - 3]}..."


def where(filter_: Mapping[str, Any]) -> str:
    """A filter as a part of a description."""
    return f" where {shortened(dict(filter_))}" if filter_ else ""
