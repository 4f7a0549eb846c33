"""Where the collections of an upgrade that stopped half-way are, and which it has made; as its downgrade goes on."""

from __future__ import annotations

from collections.abc import Iterable

from asyncmig.operations import (
    CreateCollection,
    CreateCollections,
    CreateView,
    DropCollection,
    DropView,
    RenameCollection,
)
from asyncmig.running.ledger.record import JournalEntry

__all__ = ["Joined", "Moves"]

_CREATE = frozenset(kind.__name__ for kind in (CreateCollection, CreateCollections, CreateView))
_DROP = frozenset(kind.__name__ for kind in (DropCollection, DropView))


class Moves:
    """After the ``done`` entries of a journal, in their order; what was there before, ``kept``, it has not made."""

    def __init__(self, done: Iterable[JournalEntry], kept: frozenset[str] = frozenset()) -> None:
        self.renames = list[tuple[str, str]]()
        self.made, self.gone = set[str](), set[str]()
        for entry in done:
            if entry.operation == RenameCollection.__name__ and len(entry.subjects) == 2:
                self.renames.append((entry.subjects[0], entry.subjects[1]))
                self._move(*entry.subjects)
            elif entry.operation in _CREATE:
                for name in frozenset(entry.subjects) - kept:
                    self.create(name)
            elif entry.operation in _DROP:
                self.drop(entry.collection)

    def create(self, name: str) -> None:
        """A collection is made."""
        self.made.add(name)
        self.gone.discard(name)

    def drop(self, name: str) -> None:
        """A collection is gone."""
        self.made.discard(name)
        self.gone.add(name)

    def _move(self, old: str, new: str) -> None:
        is_made = old in self.made
        self.drop(old)
        self.gone.discard(new)
        if is_made:
            self.made.add(new)

    def take_back(self, name: str, former: str) -> bool:
        """Whether what is at ``name`` now was at ``former`` before: then it counts as moved back there."""
        chain, at = list[int](), name
        for place in reversed(range(len(self.renames))):
            old, new = self.renames[place]
            if new == at:
                chain.append(place)
                at = old
                if at == former:
                    self._move(name, former)
                    self.renames = [rename for number, rename in enumerate(self.renames) if number not in chain]
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
