"""``Group``: the operations that make sixteen new collections, or their indexes, carried out four at once.

Nothing in a new collection can stand in the way of another, so the order in which they are made is
nobody's concern; and the server makes four at once in less time than one after the other
(``benchmarks/introspect.py``). Where there are fewer, each is done by itself. In the journal a group
is one entry while it is under way, so that "started, unknown" is still one entry at most; each of its
operations has its own when it is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from time import perf_counter
from typing import Any

from asyncmig.errors import OperationRefused, UnsupportedByDriver
from asyncmig.operations import CreateCollection, CreateIndexes, Operation
from asyncmig.operations.fingerprint import fingerprint, subjects

__all__ = ["COLLECTIONS", "Group", "Outcome", "group_of"]

COLLECTIONS = 16
"""What a group makes: to write it down costs next to nothing beside that, and it is done in a moment."""
_AT_ONCE = 4

Do = Callable[[int, Operation], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one operation of a group ended; ``failure`` is None where it is done. ``seconds``: how long it took."""

    operation: Operation
    seconds: float = 0.0
    result: Any = None
    failure: Exception | None = None

    @property
    def is_known(self) -> bool:
        """Whether it is done, or was refused; after any other failure nobody knows."""
        return self.failure is None or isinstance(self.failure, OperationRefused | UnsupportedByDriver)


@dataclass(frozen=True, slots=True)
class Group:
    """``operations``, numbered from ``first`` on."""

    first: int
    operations: tuple[Operation, ...]

    @property
    def description(self) -> str:
        """One line for people."""
        names = list(dict.fromkeys(operation.collection for operation in self.operations))
        listed = f"{', '.join(names[:3])} and {len(names) - 3} more"
        last = self.first + len(self.operations) - 1
        return f"create {listed}, with what belongs to them (operations {self.first} to {last})"

    @property
    def subjects(self) -> list[str]:
        """All that it touches."""
        return [subject for operation in self.operations for subject in subjects(operation)]

    @property
    def others(self) -> tuple[str, ...]:
        """The fingerprints of all operations but the first."""
        return tuple(map(fingerprint, self.operations[1:]))

    async def carry_out(self, do: Do) -> dict[int, Outcome]:
        """Do all, those of a collection in their order; no further collection once one has failed.

        Returns how each ended, by its number; what was not begun is not in it.
        """
        outcomes: dict[int, Outcome] = {}
        waiting = self._by_collection()

        async def work() -> None:
            for operations in waiting:
                for number, operation in operations:
                    outcomes[number] = await _outcome(number, operation, do)
                    if outcomes[number].failure:
                        break
                if any(one.failure for one in outcomes.values()):
                    return

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))
        return outcomes

    def _by_collection(self) -> Iterator[list[tuple[int, Operation]]]:
        numbered = enumerate(self.operations, self.first)
        for _, found in groupby(numbered, key=lambda one: one[1].collection):
            yield list(found)


async def _outcome(number: int, operation: Operation, do: Do) -> Outcome:
    began = perf_counter()
    try:
        result = await do(number, operation)
    except Exception as error:  # noqa: BLE001  # raised where the revision asks for this very operation
        return Outcome(operation, perf_counter() - began, failure=error)
    return Outcome(operation, perf_counter() - began, result)


def group_of(operations: Sequence[Operation], there: Set[str]) -> tuple[Operation, ...]:
    """Those at the beginning of ``operations`` that are about collections not ``there`` yet, if that is many."""
    found: list[Operation] = []
    names: set[str] = set()
    for operation in operations:
        name = operation.collection
        begins = not found or found[-1].collection != name
        if not isinstance(operation, CreateCollection | CreateIndexes) or name in there:
            break
        if begins and (name in names or len(names) == COLLECTIONS):
            break
        names.add(name)
        found.append(operation)
    return tuple(found) if len(names) == COLLECTIONS else ()
