"""``Names``: what a revision may be called: its id, the beginning of it, or a branch label."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from functools import cached_property

from asyncmig.history.errors import AmbiguousRevision, IllegalLabel, IllegalRevision, IllegalRevisionId, UnknownRevision
from asyncmig.history.revision import Revision

__all__ = ["RESERVED", "Names", "check_id", "check_labels"]

RESERVED = frozenset({"head", "heads", "base", "current"})
_MIN_PREFIX_CHARACTERS = 4  # of an id that goes by its beginning, too; as in Alembic

# Targets and ranges need @ + - and :, file names need / and \, and lists on the command line need spaces.
_FORBIDDEN_IN_ID = re.compile(r"[@+:/\\\s\x00-\x1f-]")
# A dash is welcome in a label ("feature-x"): a whole name always wins over a name and a step.
_FORBIDDEN_IN_LABEL = re.compile(r"[@+:\s\x00-\x1f]")
_MAX_IDS_TO_SUGGEST_FROM = 2_000


def check_id(revision: Revision) -> None:
    """Refuse an id that could not be told from a target.

    Raises:
        IllegalRevision: when it is no string.
        IllegalRevisionId: when it is empty, reserved, or has a forbidden character.
    """
    name = revision.revision
    if not isinstance(name, str):
        raise IllegalRevision(revision, f"its id must be a string, not {name!r:.100}")
    if fault := _fault(name, _FORBIDDEN_IN_ID):
        raise IllegalRevisionId(revision, fault)


def check_labels(revision: Revision) -> None:
    """Refuse a label that could not be told from a target.

    Raises:
        IllegalLabel: when it is empty, reserved, or has a forbidden character.
    """
    for label in revision.branch_labels:
        if fault := _fault(label, _FORBIDDEN_IN_LABEL):
            raise IllegalLabel(label, revision, fault)


def _fault(name: str, forbidden: re.Pattern[str]) -> str:
    if not name:
        return "is empty"
    if name in RESERVED:
        return "is a word that targets use"
    characters = sorted(set(forbidden.findall(name)))
    return f"has characters that are not allowed there: {' '.join(map(repr, characters))}" if characters else ""


class Names:
    """Finds the id behind a name. A whole id wins over a label, and both over the beginning of either."""

    def __init__(self, ids: Mapping[str, object], labels: Mapping[str, str]) -> None:
        self._ids, self.labels = ids, labels

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._ids or name in self.labels)

    def __call__(self, name: str, target: str = "") -> str:
        """The id behind a name.

        Raises:
            UnknownRevision: when there is none.
            AmbiguousRevision: when there are several.
        """
        if not isinstance(name, str):
            raise UnknownRevision(str(name), target)
        if name in self._ids:
            return name
        if name in self.labels:
            return self.labels[name]
        return self._one(name, self.starting(name), target)

    def among(self, name: str, counts: Callable[[str], bool], target: str = "") -> str:
        """The id behind a name; of several ids that begin with it, only those that count."""
        if name in self:
            return self(name, target)
        return self._one(name, [known for known in self.starting(name) if counts(self(known))], target)

    def starting(self, prefix: str) -> list[str]:
        """The ids and labels of four characters or more that begin so, in order."""
        if not prefix:
            return []
        first = bisect_left(self._sorted, prefix)
        last = first
        while last < len(self._sorted) and self._sorted[last].startswith(prefix):
            last += 1
        return [name for name in self._sorted[first:last] if len(name) >= _MIN_PREFIX_CHARACTERS]

    def near(self, name: str) -> list[str]:
        """Names that look alike, for a message."""
        if len(self._sorted) > _MAX_IDS_TO_SUGGEST_FROM or not 2 < len(name) < 200:
            return []
        # Imported here: only messages need it.
        from difflib import get_close_matches

        return get_close_matches(name, self._sorted, n=3, cutoff=0.75)

    def _one(self, name: str, fitting: list[str], target: str) -> str:
        if not fitting:
            raise UnknownRevision(name, target, self.near(name))
        if len(fitting) > 1:
            raise AmbiguousRevision(name, fitting, target)
        return self(fitting[0])

    @cached_property
    def _sorted(self) -> list[str]:
        return sorted({*self._ids, *self.labels})
