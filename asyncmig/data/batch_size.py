"""``BatchSize``: how many documents the next batch is to have."""

from __future__ import annotations

__all__ = ["BatchSize"]

_LONG_SECONDS, _SHORT_SECONDS = 5.0, 2.0  # a batch that takes longer is halved, one that takes less may grow


class BatchSize:
    """At most ``most``; less while batches are in conflict with other writers, take long, or are refused.

    Of a batch that was refused for a document that the server does not name, that document is found
    by halving what it can be in, and only there.
    """

    def __init__(self, most: int) -> None:
        self._most = self.now = most
        self._suspect = 0

    def refused(self, size: int) -> None:
        """A document among the next ``size`` is refused."""
        self._suspect = size
        self.now = max(size // 2, 1)

    def conflicted(self) -> None:
        """Another writer was in the way, or the batch was too much for the server."""
        self.now = max(self.now // 2, 1)

    def written(self, size: int, seconds: float) -> None:
        """A batch of this size is done."""
        if self._suspect:
            self._suspect = max(self._suspect - size, 0)
            self.now = max(self._suspect // 2, 1)
        elif seconds > _LONG_SECONDS:
            self.now = max(self.now // 2, 1)
        elif seconds < _SHORT_SECONDS:
            self.now = min(self.now * 2, self._most)

    def found(self) -> None:
        """The document that was looked for is known."""
        self._suspect = 0
