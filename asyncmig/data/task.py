"""``Task``: one thing to do with every document of a filter, batch by batch; the root of those that know how."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from asyncmig.data.ranges import Span
from asyncmig.data.source import Source
from asyncmig.drivers.base import Document
from asyncmig.operations import Tally

__all__ = ["Batch", "BatchRefused", "Changed", "Fault", "Task"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Why one document could not be changed."""

    key: Any
    cause: Exception
    code: int | None
    message: str
    details: Mapping[str, Any]


class BatchRefused(Exception):
    """Raised when the server refuses a batch.

    ``faults``: the documents that it is about, where they are known; ``done``: what was done all the
    same, outside a transaction.
    """

    def __init__(self, cause: Exception, faults: Sequence[Fault] = (), done: Tally | None = None) -> None:
        self.cause, self.faults, self.done = cause, faults, done or Tally()
        super().__init__(str(cause))


class Changed(Exception):
    """Raised when documents of a batch are not any more what was read: ``documents`` as they are now.

    ``done``: what was done all the same, outside a transaction.
    """

    def __init__(self, documents: list[bytes], done: Tally | None = None) -> None:
        self.documents, self.done = documents, done or Tally()
        super().__init__("documents were changed meanwhile")


@dataclass(frozen=True, slots=True)
class Batch:
    """What is done at once: all that matches in ``span``.

    ``size``: how many documents were to be in it. ``work``: what its task has prepared. ``fault``:
    what stops the operation once this batch is written. ``collected``: what is noted instead.
    ``is_last``: whether nothing of the kind of ``_id`` comes behind it. ``is_empty``: whether there
    is nothing to write.
    """

    span: Span
    size: int
    work: Any = None
    is_last: bool = False
    is_empty: bool = False
    fault: Fault | None = None
    collected: tuple[Fault, ...] = ()
    done: Tally = field(default_factory=Tally)
    """What an earlier attempt has done of it."""

    def noting(self, fault: Fault) -> Batch:
        """The same with one more document that is noted as failed."""
        return replace(self, collected=(*self.collected, fault))


class Task(ABC):
    """``filter``: the documents that it is about. ``is_counted``: whether its documents are in the tally.

    ``excludes``: True where a document that was dealt with cannot match the filter any more; None
    where that is to be found out. ``is_idempotent``: whether a document may be dealt with twice.
    """

    size: ClassVar[int]
    """Documents in a batch, unless the user says otherwise."""
    ahead: int = 2
    """How many batches are under way at once: the one that is written, and those that are prepared."""

    def __init__(self, source: Source, filter_: Mapping[str, Any], **traits: Any) -> None:
        self.source, self.filter = source, filter_
        self.excludes: bool | None = traits.get("excludes") if filter_ else False
        self.is_idempotent: bool = traits.get("is_idempotent", False)
        self.is_counted: bool = traits.get("is_counted", True)

    @abstractmethod
    async def fetch(self, span: Span, size: int) -> Batch | None:
        """The batch at the head of ``span``; None when nothing is left of it."""

    async def prepare(self, batch: Batch) -> Batch:
        """Make ready what can be before anything is written."""
        return batch

    @abstractmethod
    async def write(self, batch: Batch, session: Any) -> Tally:
        """Put a batch to the server. Raises BatchRefused, Changed, and what the driver raises."""

    @abstractmethod
    async def still_matches(self, batch: Batch, session: Any) -> bool:
        """Whether a document that was just dealt with matches the filter all the same."""

    @abstractmethod
    async def cut(self, batch: Batch, refusal: BatchRefused, *, collect: bool) -> Batch | None:
        """The batch without the documents that were refused: what comes before the first, or all others.

        None where it is not known which they are, and a smaller batch has to tell.
        """

    async def renew(self, batch: Batch, documents: list[bytes]) -> Batch:
        """The batch for these documents, which were changed meanwhile."""
        raise NotImplementedError

    def conjunction(self, span: Span) -> Document:
        """The filter, within a span."""
        return self.source.conjunction(self.filter, span.filter)
