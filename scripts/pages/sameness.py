"""Whether an output is the one that a page shows, but for what varies from run to run. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["ELLIPSIS", "is_same", "plain"]

ELLIPSIS = "..."
"""A line of its own in a page: any number of lines."""

_VARIES = [
    (r"\b20\d\d-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d| UTC)?)?\b", "<date>"),
    (r"(?<!\d)20\d{12}(?!\d)", "<revision>"),
    (r"\b[0-9a-f]{64}\b|\b[0-9a-f]{40}\b", "<hash>"),
    (r"\b[0-9a-f]{24}\b", "<ObjectId>"),
    (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<UUID>"),
    (r"\b127\.0\.0\.1:\d+\b", "<address>"),
    (r"\blaptop:\d+\b", "<member>"),
    (r"\bpid \d+", "pid <pid>"),
    (r"[~≤<]?\b[\d,]+(?:\.\d+)? ?(?:ms|s|min|h|seconds?|minutes?|hours?)\b(?: ago)?", "<duration>"),
    (r"\b[\d,]+(?:\.\d+)?/s\b", "<rate>"),
    (r"\b[\d,]+(?:\.\d+)? (?:B|bytes|KiB|MiB|GiB|kB|KB|MB|GB)\b", "<size>"),
]
"""What varies, in the order in which it is looked for. A rule here hides a fault: keep them few."""

_PROGRESS = re.compile(r": \d+% \([\d,]+ of [\d,]+ documents\)")
"""A line that comes every few seconds: a slow machine has it, a fast one has not."""


def plain(line: str) -> str:
    """The line, with a word for each thing that varies, and without spaces at its end."""
    for pattern, word in _VARIES:
        line = re.sub(pattern, word, line)
    return line.rstrip()


def is_same(shown: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether the lines that a page shows say what was printed."""
    return _matches(_trimmed(shown), _trimmed(printed))


def _trimmed(lines: Sequence[str]) -> list[str]:
    """Without lines of progress, and without the empty lines at both ends."""
    kept = [plain(line) for line in lines if not _PROGRESS.search(line)]
    return "\n".join(kept).strip("\n").split("\n")


def _matches(shown: list[str], printed: list[str]) -> bool:
    if ELLIPSIS not in shown:
        return shown == printed
    gap = shown.index(ELLIPSIS)
    if printed[:gap] != shown[:gap]:
        return False
    rest = shown[gap + 1 :]
    return not rest or any(_matches(rest, printed[start:]) for start in range(gap, len(printed) + 1))
