"""Why an application does not start; leaves of the tree in :mod:`asyncmig.errors`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from asyncmig.errors import AsyncmigError, PendingRevisions

__all__ = ["FailedElsewhere", "StillPending"]


class FailedElsewhere(AsyncmigError):
    """Raised by the policy ``upgrade`` when the process that this one has waited for was stopped by an error."""

    exit_code = 7

    def __init__(self, revision: str, who: str, trouble: str) -> None:
        self.revision, self.who, self.trouble = revision, who, trouble
        super().__init__(
            f"revision {revision} failed in {who}: {trouble}; the next start, or `asyncmig upgrade`, tries again"
        )


class StillPending(PendingRevisions, TimeoutError):
    """Raised by the policy ``wait`` when nobody has upgraded in time."""

    def __init__(self, pending: Sequence[str], stopped: Collection[str], seconds: float) -> None:
        self.stopped, self.seconds = tuple(stopped), seconds
        super().__init__(pending)
        failed = f"; an error has stopped {', '.join(stopped)}, see `asyncmig status`" if stopped else ""
        self.args = (f"after {seconds:g} s of waiting for another process, {self}{failed}",)
