"""The operations of a revision as its file alone tells: for a squash, which needs them without any database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from asyncmig.drivers.base import Driver
from asyncmig.errors import RevisionError
from asyncmig.events import Direction
from asyncmig.files.calling import call
from asyncmig.files.module import RevisionModule
from asyncmig.operations import Operation
from asyncmig.running.env.env import Env

__all__ = ["NotReplayable", "replay"]


class NotReplayable(RevisionError, ValueError):
    """Raised when a revision does more than its operations on env say, so that they alone cannot stand for it."""

    def __init__(self, revision: str, path: object, reason: str) -> None:
        self.revision, self.reason = revision, reason
        super().__init__(
            f"revision {revision} ({path}) cannot be squashed: {reason}. Only the operations of env can be replayed; "
            "squash the ranges before and after it, or put its work into operations"
        )


async def replay(module: RevisionModule, direction: Direction) -> tuple[Operation, ...]:
    """The operations that ``upgrade`` or ``downgrade`` would perform, in order; no database is needed.

    Raises NotReplayable when the code looks at the database, writes to it by itself, or fails.
    """
    operations: list[Operation] = []

    async def perform(operation: Operation) -> None:
        operations.append(operation)

    nothing = _Nothing()
    env = Env(cast("Driver", nothing), perform, database=nothing, client=nothing, collections=_Unseen())
    function = module.upgrade if direction == "upgrade" else module.downgrade
    revision = module.revision
    try:
        await call(function, env)
    except _LookedError as error:
        raise NotReplayable(revision.revision, revision.path, f"its {direction} uses {error}") from None
    except Exception as error:
        reason = f"its {direction} raises {type(error).__name__}: {error}"
        raise NotReplayable(revision.revision, revision.path, reason) from error
    return tuple(operations)


class _LookedError(Exception):
    """The code asks for what only a database could tell."""


class _Nothing:
    """Stands where a database would be."""

    def __getattr__(self, name: str) -> Any:
        raise _LookedError("env.db or env.client")

    def __getitem__(self, name: str) -> Any:
        raise _LookedError("env.db or env.client")


class _Unseen(set[str]):
    """The names of the collections: kept up by env, and nobody may look."""

    def __contains__(self, name: object) -> bool:
        raise _LookedError("env.collections")

    def __iter__(self) -> Iterator[str]:
        raise _LookedError("env.collections")
