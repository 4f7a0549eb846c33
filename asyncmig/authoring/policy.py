"""What a comparison may do about things that the models do not mention, and what it says instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from asyncmig.schema.capabilities import Server
from asyncmig.schema.note import Note

__all__ = ["IndexNames", "Note", "Policy", "RemovedFields", "Undeclared", "UndeclaredOptions", "Usage"]

Undeclared = Literal["agreed", "drop", "hide", "ignore"]
UndeclaredOptions = Literal["agreed", "drop", "ignore"]

RemovedFields = Literal["suggest", "drop"]

IndexNames = Literal["exact", "ignore"]

Usage = Mapping[tuple[str, str], tuple[datetime, int]]
"""By collection and index: since when the server has counted (UTC), and how often it has used the index."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How far a comparison may go.

    ``undeclared_indexes``: what becomes of an index that a declared collection has and its model has
    not: ``drop``; ``hide`` (the planner no longer uses it; a later comparison drops what it finds
    hidden); ``ignore`` (noted only); ``agreed``: ``drop`` in a collection that is in ``agreed``, the names of
    those that an applied revision has created or an adopted baseline holds, and ``ignore`` in all others.
    ``undeclared_options``: the same for options of a collection. ``drop_collections`` lets a collection
    go that no model claims, if it is in ``owned``, the names of those that asyncmig itself has created.
    ``unseen``: index options that the database cannot show, and which are therefore no difference. ``removed_fields``:
    whether the removal of a field that models no longer declare is a suggestion, or done (``drop``).
    ``index_names``: whether an index that differs by its name only is built anew (``exact``) or let be (``ignore``).
    ``server``: what the server can do, None where that is not known; unique indexes on collections that
    are there are then built plain and made unique in place.
    """

    undeclared_indexes: Undeclared = "drop"
    undeclared_options: UndeclaredOptions = "drop"
    agreed: frozenset[str] = frozenset()
    drop_collections: bool = False
    owned: frozenset[str] = frozenset()
    unseen: frozenset[str] = frozenset()
    removed_fields: RemovedFields = "suggest"
    index_names: IndexNames = "exact"
    server: Server | None = None

    def of(self, collection: str) -> Policy:
        """The policy of one collection: ``agreed`` is decided."""
        if "agreed" not in (self.undeclared_indexes, self.undeclared_options):
            return self
        decided: Literal["drop", "ignore"] = "drop" if collection in self.agreed else "ignore"
        return replace(
            self,
            undeclared_indexes=decided if self.undeclared_indexes == "agreed" else self.undeclared_indexes,
            undeclared_options=decided if self.undeclared_options == "agreed" else self.undeclared_options,
        )

    def without(self, lost: frozenset[str]) -> Policy:
        """The same policy for a driver that loses these options of an index without a word."""
        return replace(self, unseen=self.unseen | lost) if lost else self
