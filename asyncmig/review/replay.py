"""The operations of a revision as its file alone tells: for a squash, which needs them without any database."""

from __future__ import annotations

from asyncmig.errors import RevisionError
from asyncmig.events import Direction
from asyncmig.files.calling import call
from asyncmig.files.module import RevisionModule
from asyncmig.operations import Operation
from asyncmig.review.unconnected import NeedsDatabase, unconnected_env

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

    function = module.upgrade if direction == "upgrade" else module.downgrade
    revision = module.revision
    try:
        await call(function, unconnected_env(perform))
    except NeedsDatabase as error:
        raise NotReplayable(revision.revision, revision.path, f"its {direction} uses {error}") from None
    except Exception as error:
        reason = f"its {direction} raises {type(error).__name__}: {error}"
        raise NotReplayable(revision.revision, revision.path, reason) from error
    return tuple(operations)
