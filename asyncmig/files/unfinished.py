"""What autogenerate has left to be done by hand in a revision file, and nobody has done yet.

The outline of a rebuild is written as comments. A run that passed over it would look as if it had been
done, so it is refused until the outline is code, or the comment is gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from asyncmig.errors import RevisionError
from asyncmig.history.revision import Revision

__all__ = ["BY_HAND", "OUTLINE_MARK", "Unfinished", "UnfinishedRevision", "unfinished"]

BY_HAND = " needs a rebuild by hand:"
"""How the comment above an outline ends in its first line."""
OUTLINE_MARK = "#     "
"""What stands before each line of an outline; taken away, the line is code."""

_HEADING = re.compile(rf"\s*# (?P<name>.+){re.escape(BY_HAND)}")
_FUNCTION = re.compile(r"async def (?P<name>\w+)\(")


class Unfinished(NamedTuple):
    """A rebuild that is still a comment: of which collection, in which function, in which line."""

    collection: str
    function: str
    line: int


class UnfinishedRevision(RevisionError):
    """Raised before the first step of a run that would pass over a rebuild which is still a comment."""

    def __init__(self, revision: Revision, left: list[Unfinished]) -> None:
        self.revision, self.left = revision, tuple(left)
        names = ", ".join(f"of {outline.collection} in line {outline.line}" for outline in left)
        where = f" ({revision.path})" if revision.path else ""
        super().__init__(
            f"revision {revision} is not finished: its {left[0].function} has the rebuild {names} as a comment, and a "
            f"comment does nothing{where}. Nothing was run. Take the outline in (remove the '#' before its lines), or "
            "delete the comment if the collection shall stay as it is"
        )


def unfinished(source: str, function: str) -> list[Unfinished]:
    """The rebuilds in ``function`` of a revision's source whose outline is a comment still."""
    if BY_HAND not in source:
        return []  # nearly always
    return [outline for outline in _outlines(source.splitlines()) if outline.function == function]


def _outlines(lines: list[str]) -> Iterator[Unfinished]:
    function, heading = "", None
    for number, line in enumerate(lines, 1):
        if match := _FUNCTION.match(line):
            function = match["name"]
        if match := _HEADING.fullmatch(line):
            heading = Unfinished(match["name"], function, number)
        elif not line.lstrip().startswith("#"):
            heading = None
        elif heading and line.lstrip().startswith(OUTLINE_MARK):
            yield heading
            heading = None
