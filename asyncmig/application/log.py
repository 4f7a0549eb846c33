"""A run in the log ``asyncmig``: one line for each event that an operator would want to see."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from asyncmig.errors import AsyncmigError
from asyncmig.printable import counted, printable

if TYPE_CHECKING:
    from asyncmig.events import Event

__all__ = ["logger", "reason", "some", "tell"]

logger = logging.getLogger("asyncmig")
_MAX_CHARACTERS = 1000  # of a message
_SHOWN = 10  # names


def tell(event: Event) -> None:
    """Log one event of a run."""
    from asyncmig import events
    from asyncmig.operations.advice import broken_validator

    match event:
        case events.LockWaiting():
            logger.info("waiting for the migration lock, held by %s (%.0f s)", event.holder, event.waited)
        case events.RevisionsOutOfOrder():
            late = some([str(revision) for revision, _ in event.pairs])
            logger.warning("out of order: %s; older than %s, which is applied already", late, event.pairs[0][1])
        case events.RangeTaken():
            logger.info("%s counts as applied: all that it replaces is", event.revision)
        case events.RevisionStarted():
            logger.info("%s %s (%d of %d)", event.direction, event.revision, event.number, event.total)
        case events.RevisionResumed():
            logger.warning(
                "going on with %s after %s%s",
                event.revision,
                counted(event.finished, "finished operation"),
                f": {one_line(event.error)}" if event.error else "",
            )
        case events.OperationFinished() if broken := broken_validator(event.operation, event.result):
            logger.warning("%s", one_line(broken))
        case events.RevisionFinished():
            logger.info("%s of %s done in %.0f ms", event.direction, event.revision, event.seconds * 1000)
        case events.ChecksumChanged():
            logger.warning("the file of %s is not the one that was applied", event.revision)
        case events.LoopBlocked():
            logger.warning("the event loop stood still for %.1f s during an upgrade", event.seconds)
        case events.IndexBuildStalled():
            logger.warning("%s", one_line(event.build.trouble))
        case events.OperationRetried():
            logger.warning("trying again to %s: %s", one_line(event.operation.describe()), one_line(event.error))
        case _:
            logger.debug("%s", event)


def reason(error: BaseException) -> str:
    """Why something failed, in one line; errors that are not our own say their type, for many say little else."""
    line = one_line(error)
    return line if isinstance(error, AsyncmigError) else f"{type(error).__name__}: {line}".rstrip(": ")


def one_line(text: object) -> str:
    """A message without line breaks and credentials, of bearable length."""
    from asyncmig.address import without_secrets

    line = printable(without_secrets(" ".join(str(text).split())))
    return line if len(line) <= _MAX_CHARACTERS else f"{line[:_MAX_CHARACTERS]}..."


def some(names: Sequence[str]) -> str:
    """Names for a line of the log: the first few, and how many more there are."""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
