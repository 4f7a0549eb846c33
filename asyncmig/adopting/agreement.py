"""What database and models have in common, and what only one of them has: pure, line by line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from asyncmig.adopting.errors import UnknownLine
from asyncmig.authoring.collection_diff import KINDS
from asyncmig.schema.index import Index
from asyncmig.schema.normal import agree, normal_index
from asyncmig.schema.options import changed_options
from asyncmig.schema.state import CollectionState, DatabaseState

__all__ = ["Agreement", "Choices", "Column", "Line", "Side", "agreement", "supplement"]

Column = Literal["both", "database", "models", "differs"]
"""Who has it: both of them alike, only one, or both but not alike."""
Side = Literal["database", "models"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that the database, the models or both have: an index, an option, a collection.

    ``name`` is what ``--accept`` calls it: ``user.email_1``, ``user.validator``, ``user``.
    """

    name: str
    collection: str
    what: str
    column: Column
    index: Index | None = None
    option: str | None = None
    facts: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether somebody has to say which side is right."""
        return self.column != "both"


@dataclass(frozen=True, slots=True)
class Agreement:
    """All the lines; the collections that only the database has, which are nobody's; and those yet to come.

    ``expected`` are collections of models that come into being with their first document: other libraries
    create a collection when something is put into it.
    """

    lines: tuple[Line, ...] = ()
    unclaimed: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()

    @property
    def open(self) -> tuple[Line, ...]:
        """The lines that are not alike."""
        return tuple(line for line in self.lines if line.is_open)


def agreement(current: DatabaseState, wanted: DatabaseState, passive: Iterable[str] = ()) -> Agreement:
    """Compare what is there with what the models say, both in normal form.

    ``passive`` are collections whose models ask for nothing as long as nothing is stored.
    """
    quiet = frozenset(passive)
    lines = [line for model in wanted for line in _lines(current.get(model.name), model, quiet)]
    return Agreement(
        tuple(lines),
        tuple(collection.name for collection in current if collection.name not in wanted),
        tuple(collection.name for collection in wanted if collection.name not in current and collection.name in quiet),
    )


def _lines(current: CollectionState | None, wanted: CollectionState, quiet: frozenset[str]) -> Iterator[Line]:
    if current is None:
        if wanted.name not in quiet:
            yield Line(wanted.name, wanted.name, KINDS[wanted.kind], "models")
        return
    yield from _options(current, wanted)
    yield from _indexes(current, wanted)


def _options(current: CollectionState, wanted: CollectionState) -> Iterator[Line]:
    for option in changed_options(current, wanted):
        sides = (option in current.options, option in wanted.options)
        column: Column = "database" if sides == (True, False) else "models" if sides == (False, True) else "differs"
        yield Line(f"{wanted.name}.{option}", wanted.name, option, column, option=option)


def _indexes(current: CollectionState, wanted: CollectionState) -> Iterator[Line]:
    """An index inherits the collation that only the database has: that is one difference, and has its own line."""
    left = {index.name: index for index in current.indexes if index.name not in current.automatic}
    inherited = None if "collation" in wanted.options else current.options.get("collation")
    for new in (normal_index(index, inherited, wanted.kind) for index in wanted.indexes):
        old = left.pop(new.name, None) or current.index(new.name)
        column: Column = "models" if old is None else "both" if agree(old, new) else "differs"
        yield _line(wanted.name, old or new, column)
    for old in left.values():
        yield _line(wanted.name, old, "database")


def _line(collection: str, index: Index, column: Column) -> Line:
    facts = tuple(flag for flag in ("unique", "sparse", "hidden") if index.options.get(flag))
    expiry = index.options.get("expireAfterSeconds")
    if expiry is not None:
        facts = (*facts, f"TTL {expiry} s")
    return Line(f"{collection}.{index.name}", collection, f"index {index.name}", column, index, facts=facts)


@dataclass(frozen=True, slots=True)
class Choices:
    """Which side is right: for every open line, or for those named. The last word counts."""

    general: Side | None = None
    lines: Mapping[str, Side] = field(default_factory=dict)

    @classmethod
    def parse(cls, words: Sequence[str], lines: Sequence[Line], collections: Iterable[str] = ()) -> Choices:
        """From ``database``, ``models``, ``database:user.email_1``, ``models:user`` (all of one collection).

        Raises UnknownLine for a name that no open line has.
        """
        general: Side | None = None
        chosen: dict[str, Side] = {}
        for word in words:
            side, colon, name = word.partition(":")
            if side not in ("database", "models"):
                raise UnknownLine(word, [line.name for line in lines])
            accepted: Side = "database" if side == "database" else "models"
            if not colon:
                general = accepted
                continue
            meant = [line.name for line in lines if name in (line.name, line.collection)]
            if not meant and name not in collections:
                raise UnknownLine(word, [line.name for line in lines])
            chosen |= dict.fromkeys(meant or [name], accepted)
        return cls(general, chosen)

    def of(self, line: Line) -> Side | None:
        """The side that is right for a line; None where nobody has said."""
        chosen = self.lines.get(line.name)
        return self.general if chosen is None else chosen


def supplement(current: DatabaseState, accepted: Iterable[Line], whole: Iterable[str] = ()) -> DatabaseState:
    """What has to be declared besides the models, so that they say what the database has.

    ``accepted`` are lines that only the database has, and ``whole`` collections of which it has everything.
    Where models and database say different things of one option or index, no addition helps: such lines
    are for the caller to refuse.
    """
    collections = {name: _bare(state) for name in whole if (state := current.get(name))}
    for line in accepted:
        state = current.get(line.collection)
        if state is None or line.column != "database":
            continue
        part = collections.get(line.collection, CollectionState(line.collection, state.kind))
        collections[line.collection] = _added(part, line, state)
    return DatabaseState(dict(sorted(collections.items())))


def _bare(state: CollectionState) -> CollectionState:
    kept = tuple(index for index in state.indexes if index.name not in state.automatic)
    return CollectionState(state.name, state.kind, state.options, kept)


def _added(part: CollectionState, line: Line, state: CollectionState) -> CollectionState:
    if line.index is not None:
        return replace(part, indexes=(*part.indexes, line.index))
    options: dict[str, Any] = {**part.options, line.option or "": state.options[line.option or ""]}
    return replace(part, options=options)
