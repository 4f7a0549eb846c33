"""Likely renames, told by when documents have a field and when they have another; pure.

A rename leaves traces that other changes do not: the two fields stand at the same place, (nearly)
never together, hold the same types, one of them is there whenever the other is not, the newest
documents have the new one alone, and a good part of the oldest have the old one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import permutations
from typing import Final

from asyncmig.profiling.profile import PathProfile, Profile, Row

__all__ = ["LikelyRename", "likely_renames"]

_MIN_DOCUMENTS: Final = 30  # documents that have each of the two
_TOGETHER: Final = 0.02  # of the documents that hold the place: while both were written, for a short time
_TOGETHER_OF_RARER: Final = 0.1  # of those that have the rarer one
_COVER: Final = 0.98  # of the documents that hold the place have one of the two
_NEW_HAVE_OLD: Final = 0.01  # of the newest tenth, at most
_NEW_HAVE_NEW: Final = 0.98  # of the newest tenth, at least
_OLD_HAVE_OLD: Final = 0.3  # of the oldest tenth, at least
_MAX_KINDS: Final = 20  # distinct values of a field that may tell kinds apart


@dataclass(frozen=True, slots=True)
class LikelyRename:
    """A field that seems to have become another one.

    ``left``: the share of documents that still have the old one. ``last_old`` and ``first_new``: when
    the newest document with the old one, and the oldest with the new one, were made. ``told_by``: another
    field whose values tell the two apart as well, so that it may be two kinds of documents instead.
    """

    old: str
    new: str
    left: float
    last_old: datetime | None
    first_new: datetime | None
    told_by: str = ""


def likely_renames(profile: Profile) -> list[LikelyRename]:
    """The renames that the documents speak of; none where it is not known when they were made."""
    rows = sorted((row for row in profile.rows if row.time is not None), key=lambda row: row.time or 0)
    if len(rows) < 2 * _MIN_DOCUMENTS or len(rows) < 0.98 * len(profile.rows):
        return []
    presence = _Presence(rows)
    pairs = [pair for pair in presence.candidates(profile.paths) if presence.speaks_for(*pair)]
    return [_told(profile, presence, old, new) for old, new in pairs]


class _Presence:
    """Which documents, counted from the oldest on, have which paths."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows, self.number = rows, len(rows)
        self.of: defaultdict[str, set[int]] = defaultdict(set)
        for place, row in enumerate(rows):
            for path in row.paths:
                self.of[path].add(place)
        edge = max(50, self.number // 10)
        self._newest = set(range(max(0, self.number - edge), self.number))
        self._oldest = set(range(min(edge, self.number)))

    def candidates(self, paths: Mapping[str, PathProfile]) -> Iterator[tuple[str, str]]:
        """Pairs at one place that hold the same types, each in some of the documents."""
        groups: defaultdict[str, list[str]] = defaultdict(list)
        for path, documents in self.of.items():
            if path != "_id" and not path.endswith("[]") and _MIN_DOCUMENTS <= len(documents) < self.number:
                groups[path.rpartition(".")[0]].append(path)
        for group in groups.values():
            kinds = {path: frozenset(paths[path].types) - {"null"} for path in group}
            yield from ((old, new) for old, new in permutations(group, 2) if kinds[old] == kinds[new])

    def speaks_for(self, old: str, new: str) -> bool:
        """Whether when they are there, and where, is what a rename leaves behind."""
        holders = self.holders(old)
        before, after = self.of[old], self.of[new]
        together, rarer = len(before & after), min(len(before), len(after))
        if together > _TOGETHER * len(holders) or together > _TOGETHER_OF_RARER * rarer:
            return False
        if len((before | after) & holders) < _COVER * len(holders):
            return False
        newest, oldest = self._newest & holders, self._oldest & holders
        return (
            bool(newest and oldest)
            and len(before & newest) <= _NEW_HAVE_OLD * len(newest)
            and len(after & newest) >= _NEW_HAVE_NEW * len(newest)
            and len(before & oldest) >= _OLD_HAVE_OLD * len(oldest)
        )

    def holders(self, path: str) -> set[int]:
        """The documents that have what the path is in."""
        above = path.rpartition(".")[0].removesuffix("[]")
        return self.of[above] if above else set(range(self.number))

    def told_by(self, old: str, new: str) -> str:
        """A field that (nearly) all documents have, and that never has the same value beside both; empty for none."""
        before, after = self.of[old] - self.of[new], self.of[new] - self.of[old]
        for path, places in self.of.items():
            if path in (old, new) or old.startswith(f"{path}.") or len(places) < _COVER * self.number:
                continue
            values = _values(self.rows, path, before), _values(self.rows, path, after)
            if all(0 < len(some) <= _MAX_KINDS for some in values) and not values[0] & values[1]:
                return path
        return ""


def _values(rows: Sequence[Row], path: str, places: set[int]) -> frozenset[str]:
    """The distinct values of a path in some documents; empty where they are not all known."""
    values = [rows[place].values.get(path) for place in places]
    return frozenset() if None in values else frozenset(map(repr, values))


def _told(profile: Profile, presence: _Presence, old: str, new: str) -> LikelyRename:
    paths, holders = profile.paths, presence.holders(old)
    return LikelyRename(
        paths[old].dotted,
        paths[new].dotted,
        len(presence.of[old]) / max(len(holders), 1),
        paths[old].last_seen,
        paths[new].first_seen,
        presence.told_by(old, new),
    )
