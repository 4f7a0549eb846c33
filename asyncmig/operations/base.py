"""What every operation is: a frozen value with a description and a reverse."""

from __future__ import annotations

from dataclasses import dataclass

from asyncmig.errors import IrreversibleOperation

__all__ = ["Operation"]


@dataclass(frozen=True, slots=True)
class Operation:
    """One change of a database, as data.

    What is *done* with operations (apply, render, preflight, ...) is a function per concern that
    dispatches on their type; an operation itself knows its fields, its reverse and one line that
    describes it. Fields called ``was`` remember what an operation replaces, for the reverse alone:
    they take no part in comparison and are never rendered.
    """

    collection: str

    def describe(self) -> str:
        """One line for people, without the trailing period."""
        raise AssertionError(f"{type(self).__name__} has no description")  # every leaf has one

    def reverse(self) -> tuple[Operation, ...]:
        """The operations that put back what was before, in the order to run them.

        Raises IrreversibleOperation where nothing can.
        """
        raise IrreversibleOperation(self, "it has no reverse")
