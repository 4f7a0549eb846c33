"""``Suggestion``: operations that somebody who knows the data has to decide on."""

from __future__ import annotations

from dataclasses import dataclass, field

from asyncmig.operations.base import Operation
from asyncmig.operations.reversal import reverse

__all__ = ["Suggestion"]


@dataclass(frozen=True, slots=True)
class Suggestion(Operation):
    """What might be done at this place; rendered as comments that work when taken in as they are, never applied.

    ``reason``: why it is not done without being asked, in one sentence.
    """

    operations: tuple[Operation, ...]
    reason: str = field(default="", compare=False)

    def describe(self) -> str:
        return f"suggested: {'; '.join(operation.describe() for operation in self.operations)}"

    def reverse(self) -> tuple[Operation, ...]:
        return (Suggestion(self.collection, reverse(self.operations), "Take this in, too, if upgrade does it."),)
