"""The renames of an upgrade that stopped half-way, as its downgrade takes them back: each once, the last one first."""

from __future__ import annotations

from collections.abc import Iterable

from asyncmig.operations import RenameCollection
from asyncmig.running.ledger.record import JournalEntry

__all__ = ["Joined", "Moves", "renames"]


def renames(entries: Iterable[JournalEntry]) -> list[tuple[str, str]]:
    """The old and the new name of each rename that is done, or may be, in their order."""
    named = (entry.subjects for entry in entries if entry.operation == RenameCollection.__name__ and entry.may_be_done)
    return [(old, new) for old, new in (subjects for subjects in named if len(subjects) == 2)]


class Moves:
    """Where collections are after ``done`` renames, given by their old and new names."""

    def __init__(self, done: Iterable[tuple[str, str]]) -> None:
        self._left = list(done)

    def take_back(self, name: str, former: str) -> bool:
        """Whether what is at ``name`` now was at ``former`` before: then it counts as moved back there."""
        chain, at = list[int](), name
        for place in reversed(range(len(self._left))):
            old, new = self._left[place]
            if new == at:
                chain.append(place)
                at = old
                if at == former:
                    for taken in chain:
                        del self._left[taken]
                    return True
            elif old == at:
                return False  # it has moved on
        return False


class Joined:
    """Names of collections, of which a rename makes two one: their documents are the same ones."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._groups: dict[str, frozenset[str]] = {}
        for pair in pairs:
            both = self.of(pair[0]) | self.of(pair[1])
            self._groups |= dict.fromkeys(both, both)

    def of(self, name: str) -> frozenset[str]:
        """All names that this one is joined to, with itself."""
        return self._groups.get(name, frozenset({name}))
