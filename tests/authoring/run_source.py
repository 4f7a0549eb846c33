"""Run a revision's source against an ``Env`` that only records what it is asked to do."""

from __future__ import annotations

from typing import Any

from asyncmig.operations import Operation
from asyncmig.running.env.env import Env


async def replay(source: str, function: str = "upgrade") -> list[Operation]:
    """The operations that ``function`` of the source asks for, in order."""
    performed: list[Operation] = []

    async def perform(operation: Operation) -> None:
        performed.append(operation)

    driver: Any = None
    await module(source)[function](Env(driver, perform, database=object(), client=object(), collections=set()))
    return performed


def module(source: str) -> dict[str, Any]:
    """The names that the source defines."""
    names: dict[str, Any] = {}
    exec(compile(source, "revision.py", "exec"), names)
    return names
