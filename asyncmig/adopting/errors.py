"""What can stand in the way of an adoption."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asyncmig.errors import AsyncmigError
from asyncmig.schema.names import suggestion

__all__ = ["AdoptionRefused", "NotAgreed", "UnknownLine"]


class AdoptionRefused(AsyncmigError):
    """Raised when a database cannot be taken over as it is; nothing was written."""


class NotAgreed(AdoptionRefused):
    """Raised when database and models differ, and nobody has said which of them is right; nothing was written."""

    exit_code = 3

    def __init__(self, lines: Sequence[str], example: str) -> None:
        self.lines = tuple(lines)
        self.found: Any = None  # what to show beside it, where somebody has looked
        count = f"{len(self.lines)} differences are open" if len(self.lines) != 1 else "1 difference is open"
        super().__init__(
            f"{count}, and nothing was written: say which side is right with --accept database or --accept models, "
            f"for all or by line (--accept {example})"
        )


class UnknownLine(AdoptionRefused):
    """Raised for a choice that names no side, or no line that is open."""

    def __init__(self, word: str, names: Sequence[str]) -> None:
        self.word, self.names = word, tuple(names)
        known = (
            f"the open ones are {', '.join(names[:5])}{' ...' if len(names) > 5 else ''}" if names else "none is open"
        )
        super().__init__(
            f"--accept {word}: write database or models, with :NAME behind it for one line"
            f"{suggestion(word.partition(':')[2], names)}; {known}"
        )
