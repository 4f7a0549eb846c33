"""``Squashes``: revisions that replace a range of others, and what a database that has some of the range counts as.

A squashed revision stands for its range. Seen *folded*, the range is gone from the graph and
everything that named one of its members hangs on the squashed revision instead; seen *unfolded*,
it is the squashed revision that is gone. The history is folded, unless a database has a part of a
range, or a target names a member.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import Enum

from asyncmig.history.errors import IllegalReplacement
from asyncmig.history.revision import Revision

__all__ = ["Coverage", "Squashes"]


class Coverage(Enum):
    """How much of a squashed range a database has."""

    NONE = "none"
    PART = "part"
    ALL = "all"


class Squashes:
    """Who replaces whom, in a set of revisions."""

    def __init__(self, revisions: Mapping[str, Revision]) -> None:
        """Collect the squashed revisions.

        Raises:
            IllegalReplacement: when a revision replaces itself, or two replace the same one.
        """
        self.members: dict[str, tuple[str, ...]] = {}
        self.owner: dict[str, str] = {}
        for revision in revisions.values():
            if revision.replaces:
                self._add(revision, revisions)
        self._inner_first = self._nested(revisions)

    def __bool__(self) -> bool:
        return bool(self.members)

    def _add(self, revision: Revision, revisions: Mapping[str, Revision]) -> None:
        if revision.revision in revision.replaces:
            raise IllegalReplacement(revision, "replaces itself")
        # What a squashed member replaces may be listed beside it, and is to be once its file is gone.
        inner = {part for member in revision.replaces if member in revisions for part in revisions[member].replaces}
        self.members[revision.revision] = tuple(m for m in dict.fromkeys(revision.replaces) if m not in inner)
        for member in self.members[revision.revision]:
            other = self.owner.setdefault(member, revision.revision)
            if other != revision.revision:
                raise IllegalReplacement(revision, f"replaces {member}, which {other} replaces too")

    def _nested(self, revisions: Mapping[str, Revision]) -> list[str]:
        depths = {squash: len(self.around(squash, revisions)) for squash in self.members}
        return sorted(self.members, key=lambda squash: (-depths[squash], squash))

    def around(self, name: str, revisions: Mapping[str, Revision] | None = None) -> list[str]:
        """The squashed revisions that a revision is a part of, from the inside out."""
        chain: dict[str, None] = {}
        while name in self.owner:
            name = self.owner[name]
            if name in chain:
                raise IllegalReplacement(
                    (revisions or {})[name], f"is a part of what it replaces, by way of {next(reversed(chain))}"
                )
            chain[name] = None
        return list(chain)

    def within(self, name: str) -> tuple[str, ...]:
        """All that a squashed revision stands for, in order, each squashed member after its own; empty for others."""
        members: list[str] = []
        waiting = list(reversed(self.members.get(name, ())))
        seen: set[str] = set()
        while waiting:
            member = waiting[-1]
            if member in seen or member not in self.members:
                members.append(waiting.pop())
            else:
                seen.add(member)
                waiting += reversed(self.members[member])
        return tuple(members)

    def shares(self, applied: Collection[str]) -> dict[str, Coverage]:
        """How much of each range a database has. A squashed revision that is applied itself has all of it."""
        shares: dict[str, Coverage] = {}
        for squash in self._inner_first:
            coverages = {self._share(member, shares, applied) for member in self.members[squash]}
            coverage = coverages.pop() if len(coverages) == 1 else Coverage.PART
            shares[squash] = Coverage.ALL if squash in applied else coverage
        return shares

    def _share(self, member: str, shares: Mapping[str, Coverage], applied: Collection[str]) -> Coverage:
        if member in shares:
            return shares[member]
        return Coverage.ALL if member in applied else Coverage.NONE

    def split(self, squash: str, applied: Collection[str]) -> tuple[list[str], list[str]]:
        """The members of a range that are applied, and those that are not."""
        shares = self.shares(applied)
        has = {member: self._share(member, shares, applied) is Coverage.ALL for member in self.members[squash]}
        return [m for m, is_there in has.items() if is_there], [m for m, is_there in has.items() if not is_there]

    def visible(self, revisions: Iterable[str], unfolded: Collection[str]) -> list[str]:
        """Those of the revisions that are in the graph when the given squashed ones are unfolded."""
        return [i for i in revisions if i not in unfolded and (i not in self.owner or self.owner[i] in unfolded)]

    def tips(self, squash: str, revisions: Mapping[str, Revision]) -> tuple[str, ...]:
        """The members that no other member names as its parent: the upper end of the range."""
        members = self.members[squash]
        named = {parent for member in members if member in revisions for parent in revisions[member].down_revision}
        return tuple(member for member in members if member in revisions and member not in named)

    def places(self, name: str, revisions: Mapping[str, Revision], unfolded: Collection[str]) -> tuple[str, ...]:
        """Where a revision is in the graph: itself, the squashed one it is a part of, or the tips of its range."""
        while name in self.owner and self.owner[name] not in unfolded:
            name = self.owner[name]
        places = [name]
        while any(place in unfolded for place in places):
            places = [
                tip for place in places for tip in (self.tips(place, revisions) if place in unfolded else (place,))
            ]
        return tuple(dict.fromkeys(places))

    def counted(self, applied: frozenset[str], unfolded: Collection[str]) -> frozenset[str]:
        """What is applied, in terms of the graph with the given squashed revisions unfolded."""
        shares = self.shares(applied)
        whole = {squash for squash, share in shares.items() if share is Coverage.ALL}
        inside = {member for squash in whole for member in self.members[squash]}
        counted = applied | whole | inside
        return frozenset(self.visible(counted, unfolded))
