"""``Reports``: what a listener is told of the operations of one revision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asyncmig.data.progress import Advance
from asyncmig.events import (
    DataProgress,
    Direction,
    Event,
    IndexBuildProgress,
    IndexBuildStalled,
    JournalDiverged,
    OperationEdited,
    OperationFinished,
    OperationRetried,
    OperationSkipped,
    OperationStarted,
)
from asyncmig.history.revision import Revision
from asyncmig.operations import Operation
from asyncmig.operations.build_progress import BuildProgress

__all__ = ["Reports"]

_OF_A_BUILD = (
    *("collection", "indexes", "phase", "elapsed", "done", "total", "unit", "rate", "remaining", "members", "note"),
)


@dataclass(frozen=True, slots=True)
class Reports:
    """One event for each of its methods, about the ``number``-th operation of ``revision``."""

    revision: Revision
    direction: Direction
    tell: Callable[[Event], None]

    def started(self, number: int, operation: Operation) -> None:
        """It begins."""
        self.tell(OperationStarted(self.revision, self.direction, number, operation))

    def finished(self, number: int, operation: Operation, seconds: float, result: Any) -> None:
        """It is done."""
        self.tell(OperationFinished(self.revision, self.direction, number, operation, seconds, result))

    def skipped(self, number: int, operation: Operation, reason: str) -> None:
        """It is left out."""
        self.tell(OperationSkipped(self.revision, self.direction, number, operation, reason))

    def retried(self, number: int, operation: Operation, error: Exception) -> None:
        """It is applied again."""
        self.tell(OperationRetried(self.revision, self.direction, number, operation, str(error)))

    def diverged(self, number: int, journalled: str, operation: Operation) -> None:
        """It is another one than the journal has."""
        self.tell(JournalDiverged(self.revision, number, journalled, operation))

    def edited(self, number: int, journalled: str, operation: Operation, *, is_done: bool) -> None:
        """It was edited since it was done, or done in part."""
        self.tell(OperationEdited(self.revision, number, journalled, operation, is_done))

    def advanced(self, number: int, operation: Operation, advance: Advance) -> None:
        """It is so far."""
        self.tell(
            DataProgress(
                self.revision,
                self.direction,
                number,
                operation,
                advance.done,
                advance.total,
                advance.rate,
                advance.remaining,
                advance.tally,
            )
        )

    def building(self, number: int, operation: Operation, build: BuildProgress) -> None:
        """Its index build is so far."""
        known = {name: getattr(build, name) for name in _OF_A_BUILD}
        self.tell(IndexBuildProgress(self.revision, self.direction, number, operation, **known))

    def stalled(self, number: int, operation: Operation, build: BuildProgress) -> None:
        """Its index build does not move."""
        self.tell(IndexBuildStalled(self.revision, self.direction, number, operation, build))
