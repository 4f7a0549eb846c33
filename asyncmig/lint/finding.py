"""``Finding``: what a rule has to say about one place in a revision file; and the catalogue of the rules' codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from asyncmig.errors import ConfigurationError

__all__ = [
    "CATALOGUE",
    "DOCUMENTATION",
    "SEVERITIES",
    "Entry",
    "Finding",
    "Severity",
    "selected",
]

Severity = Literal["error", "warning", "information"]
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)
"""Worst first."""

DOCUMENTATION: Final = "https://asyncmig.readthedocs.io/en/latest/reference/lint.html"
"""The page that has an anchor for each code."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A code of the catalogue: how bad it is unless the rule says otherwise, and what it is about."""

    severity: Severity
    title: str

    def url(self, code: str) -> str:
        """Where the rule is explained."""
        return f"{DOCUMENTATION}#{code.lower()}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a rule has found.

    ``line`` and ``end_line`` count from 1. ``subject`` says what it is about, whatever line that
    stands on: it takes part in the fingerprint by which a finding is known again.
    """

    code: str
    severity: Severity
    message: str
    path: Path
    line: int
    end_line: int
    revision: str
    subject: str

    @property
    def title(self) -> str:
        """The rule in a few words."""
        return CATALOGUE[self.code].title

    @property
    def url(self) -> str:
        """Where the rule is explained."""
        return CATALOGUE[self.code].url(self.code)


def selected(asked: Iterable[str]) -> frozenset[str]:
    """The codes that are asked for, each in full or by its beginning; all of them where nothing is.

    Raises ConfigurationError for a code that no rule has.
    """
    words = [word.upper() for text in asked for word in re.split(r"[\s,]+", text) if word]
    for word in words:
        if not any(code.startswith(word) for code in CATALOGUE):
            raise ConfigurationError(
                f"there is no rule {word!r}; there are {', '.join(CATALOGUE)}, and L1 stands for L10 to L19"
            )
    return frozenset(code for code in CATALOGUE if not words or code.startswith(tuple(words)))


CATALOGUE: Final[Mapping[str, Entry]] = {
    "L00": Entry("warning", "A silence that silences nothing, or gives no reason"),
    "L01": Entry("warning", "Unique index on a collection that has documents"),
    "L02": Entry("warning", "Time to live on documents that are there"),
    "L03": Entry("error", "Index dropped before its replacement is built"),
    "L04": Entry("error", "Change of a wildcard index that ends a MongoDB 6.0 server"),
    "L05": Entry("warning", "Index dropped without having been hidden before"),
    "L06": Entry("error", "Data taken away for good"),
    "L07": Entry("information", "New form and end of the old one in one deployment"),
    "L08": Entry("information", "Rename under a running application"),
    "L09": Entry("warning", "Stricter validator on documents that are there"),
    "L10": Entry("error", "Field required that nothing has filled in"),
    "L11": Entry("warning", "All documents in one raw call"),
    "L12": Entry("warning", "Raw write that cannot be repeated"),
    "L13": Entry("error", "Change of the schema in a transaction"),
    "L14": Entry("information", "Index that another one includes"),
    "L15": Entry("information", "Many indexes on one collection"),
    "L16": Entry("information", "Index on a field of few values"),
    "L17": Entry("error", "The server refuses this"),
    "L18": Entry("warning", "Index build that waits for every member"),
    "L19": Entry("warning", "Newer than the oldest server in use"),
    "L20": Entry("warning", "Downgrade that does not undo the upgrade"),
    "L21": Entry("error", "History rewritten, forked or entered late"),
    "L22": Entry("error", "Blocking call in async code"),
    "L23": Entry("warning", "The client's clock in stored data"),
    "L24": Entry("warning", "Live models in a revision"),
    "L25": Entry("error", "Secret in a revision"),
}
