"""``Proposal``: what an adoption would write and record, worked out from values alone before anything is touched."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from keyword import iskeyword
from pathlib import Path

from asyncmig.adopting.agreement import Agreement, Choices, Line, agreement, supplement
from asyncmig.adopting.class_names import ALL
from asyncmig.adopting.errors import AdoptionRefused, NotAgreed
from asyncmig.adopting.models_writer import INDEXES, indexes_source, models_package, models_source
from asyncmig.authoring.diff import Difference, difference
from asyncmig.schema.state import CollectionState, DatabaseState

__all__ = ["Proposal", "Wish", "from_database", "from_models"]

_WRITTEN = "Collections of {database}, as they were when asyncmig took the database over."
_BESIDE = "What {database} has besides what the models declare: read together with them."


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asks for.

    ``root`` is the project's folder, from which modules are imported; ``write`` is the file, or with
    ``split`` the folder, that models go to. ``accept`` says which side is right where the two differ.
    """

    root: Path
    write: Path | None = None
    split: bool = False
    accept: tuple[str, ...] = ()
    database: str = "the database"

    @property
    def target(self) -> Path:
        """Where models are written: ``app_collections.py`` unless said otherwise."""
        asked = self.write or Path("app_collections.py")
        asked = asked.with_suffix("") if self.split and asked.suffix == ".py" else asked
        return asked if asked.is_absolute() else self.root / asked

    @property
    def module(self) -> str:
        """The written module, as Python imports it.

        Raises AdoptionRefused for a place that cannot be imported from the project's folder.
        """
        if not self.split and self.target.suffix != ".py":
            raise AdoptionRefused(
                f"{self.target} is no Python file; write to a name that ends with .py, or use --split"
            )
        try:
            target = Path(os.path.normpath(self.target))
            parts = target.relative_to(self.root).parts
            parts = (*parts[:-1], *(part.removesuffix(".py") for part in parts[-1:]))
        except ValueError:
            raise AdoptionRefused(f"{self.target} is outside of {self.root}, and could not be imported") from None
        if not parts or not all(part.isidentifier() and not iskeyword(part) for part in parts):
            raise AdoptionRefused(
                f"{self.target} cannot be imported by its name; write to a name like app_collections.py"
            )
        if parts[0] in sys.stdlib_module_names:
            raise AdoptionRefused(
                f"{self.target} would be imported as {parts[0]!r}, which is a module of Python's own; "
                "write to a name like app_collections.py"
            )
        return ".".join(parts)


@dataclass(frozen=True, slots=True)
class Proposal:
    """An adoption, not carried out yet.

    ``baseline``: what makes the agreed part on an empty database. ``files``: new source files by path.
    ``models``: what the setting is to name from then on, None to leave it as it is. ``left``: lines for
    which the models are right and the database is not: the next revision brings it there. ``current`` is what
    the database has, ``written`` what the new files are to declare.
    """

    agreement: Agreement
    baseline: Difference
    files: Mapping[Path, str] = field(default_factory=dict)
    models: str | tuple[str, ...] | None = None
    left: tuple[Line, ...] = ()
    current: DatabaseState = field(default_factory=DatabaseState)
    written: DatabaseState | None = None


def from_database(current: DatabaseState, wish: Wish) -> Proposal:
    """Models are written from what is there; they agree by construction."""
    bare = _bare(current)
    models = f"{wish.module}:{ALL}"
    files = _sources(bare, wish, _WRITTEN.format(database=wish.database))
    return Proposal(agreement(bare, bare), _creation(bare), files, models, current=current, written=bare)


def from_models(
    current: DatabaseState,
    wanted: DatabaseState,
    wish: Wish,
    named: str | Sequence[str] | None = None,
    own: frozenset[str] = frozenset(),
) -> Proposal:
    """Models are there: what differs is settled by the wish. ``named`` is the setting ``models`` as it stands.

    ``own`` are the collections that a ``Collection`` or ``View`` of asyncmig declares. Raises NotAgreed
    where lines are open, UnknownLine for a choice of nothing, AdoptionRefused where the database is to be
    right and no addition to the models can say so.
    """
    comparison = compared(current, wanted)
    choices = Choices.parse(wish.accept, comparison.open, comparison.unclaimed)
    if open_lines := [line for line in comparison.open if choices.of(line) is None]:
        first = open_lines[0]
        side = "database" if first.column == "database" else "models"
        raise NotAgreed([line.name for line in open_lines], f"{side}:{first.name}")
    accepted = [line for line in comparison.open if choices.of(line) == "database"]
    _refuse_contradictions(accepted, own)
    whole = [name for name in comparison.unclaimed if choices.lines.get(name) == "database"]
    left = tuple(line for line in comparison.open if choices.of(line) == "models")
    proposal = Proposal(
        comparison, _creation(_agreed(current, [*wanted.collections, *whole], left)), left=left, current=current
    )
    added = supplement(current, accepted, whole)
    return _with_addition(proposal, added, wish, named) if added.collections else proposal


def _with_addition(proposal: Proposal, added: DatabaseState, wish: Wish, named: str | Sequence[str] | None) -> Proposal:
    """Indexes alone go beside the models as arguments of ``create_index``; anything else needs classes."""
    beside, title = replace(wish, split=False), _BESIDE.format(database=wish.database)
    only_indexes = all(
        collection.kind == "collection" and collection.indexes and not collection.options for collection in added
    )
    source = indexes_source(added, title) if only_indexes else models_source(added, title)
    models = f"{beside.module}:{INDEXES if only_indexes else ALL}"
    return replace(proposal, files={beside.target: source}, models=_joined(named, models), written=added)


def compared(current: DatabaseState, wanted: DatabaseState) -> Agreement:
    """The three columns; what other libraries create with their first document is no difference."""
    quiet = [
        collection.name
        for collection in wanted
        if collection.implicit and not (collection.indexes or collection.options or collection.documents)
    ]
    return agreement(current, wanted, quiet)


def _refuse_contradictions(accepted: Iterable[Line], own: frozenset[str]) -> None:
    """An addition cannot make the models say another thing, nor give an option to a class of asyncmig's own."""
    wrong = [
        line.name
        for line in accepted
        if line.column != "database" or (line.option is not None and line.collection in own)
    ]
    if wrong:
        raise AdoptionRefused(
            f"the database is to be right about {', '.join(wrong)}, and only a change of the models' own code can say "
            f"so. Change it, or accept the models' side (--accept models:{wrong[0]}); nothing was written"
        )


def _sources(state: DatabaseState, wish: Wish, title: str) -> dict[Path, str]:
    if wish.split:
        return {wish.target / name: source for name, source in models_package(state, title).items()}
    return {wish.target: models_source(state, title)}


def _joined(named: str | Sequence[str] | None, added: str) -> str | tuple[str, ...]:
    before = (named,) if isinstance(named, str) else tuple(named or ())
    return (*before, added) if before else added


def _bare(state: DatabaseState) -> DatabaseState:
    """Without documents, and without indexes that the server makes by itself."""
    return DatabaseState(
        {collection.name: _without(collection, frozenset(collection.automatic)) for collection in state}
    )


def _without(
    collection: CollectionState, names: frozenset[str], options: frozenset[str] = frozenset()
) -> CollectionState:
    kept = tuple(index for index in collection.indexes if index.name not in names)
    return replace(
        collection,
        indexes=kept,
        options={key: value for key, value in collection.options.items() if key not in options},
        documents=(),
    )


def _agreed(current: DatabaseState, names: Iterable[str], left: Iterable[Line]) -> DatabaseState:
    """What of the database is wanted: all of these collections, but for what only it has and is not to keep."""
    gone = [line for line in left if line.column == "database"]
    collections = {}
    for name in names:
        if collection := current.get(name):
            indexes = {line.index.name for line in gone if line.collection == name and line.index}
            options = {line.option for line in gone if line.collection == name and line.option}
            collections[name] = _without(
                collection, frozenset({*indexes, *collection.automatic}), frozenset(filter(None, options))
            )
    return DatabaseState(collections)


def _creation(state: DatabaseState) -> Difference:
    return difference(DatabaseState(), state)
