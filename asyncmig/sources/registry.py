"""The one door to models: strings, classes of any library, dictionaries of calls, or several of them joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from asyncmig.errors import ConfigurationError, DeclarationError
from asyncmig.schema.declaration import Collection, View, is_abstract
from asyncmig.schema.note import Note
from asyncmig.sources.declaration import Declaration, from_class, from_part
from asyncmig.sources.declared import Declared, Origin
from asyncmig.sources.document import read_document
from asyncmig.sources.joining import join
from asyncmig.sources.portable.calls import CallsError, call_parts
from asyncmig.sources.portable.finding import NotFoundError, find_models, given_model
from asyncmig.sources.portable.reading import UnreadableError, read_classes

__all__ = ["Models", "Read", "load_models", "read_models"]

Models = Iterable[Any] | Mapping[str, Any] | str
"""``"app.models:ALL_COLLECTIONS"``, ``"app.models"``, ``"models.json"``, a list of classes of any library and of
dictionaries of ``create_index`` arguments, or a list of several of these."""


@dataclass(frozen=True, slots=True)
class Read:
    """Models as they were found: asyncmig's own with the collections' names, and what all others say."""

    own: tuple[tuple[type[Any], str], ...]
    parts: tuple[Mapping[str, Any], ...]


def load_models(models: Models, *, db_alias: str | None = None) -> Declared:
    """What the models say, whichever library they are of; several that speak of one collection are joined.

    A module's name stands for its ``ALL_COLLECTIONS``, else for every model defined in it. Of
    models that name their database (MongoEngine's ``db_alias``, a class's ``__bind_key__``) those
    are taken that name ``db_alias``; None: the only one that is named, else ``default``.

    Raises ConfigurationError where there are no such models or their module cannot be imported, and
    DeclarationError where a model is faulty, or two contradict each other.
    """
    entries = _entries(models)
    read = read_models(entries)
    declarations = [*(from_class(model, name) for model, name in read.own), *map(from_part, read.parts)]
    taken, notes = _of_alias(declarations, db_alias)
    declared = join(taken)
    if not declarations and entries and all(isinstance(entry, str) for entry in entries):
        shown = ", ".join(map(repr, entries))
        raise ConfigurationError(
            f"models: there is no model at {shown}: it is empty, and would agree with every database. "
            "Put the models into it, or name where they are"
        )
    return replace(declared, notes=(*declared.notes, *notes))


def read_models(models: Models) -> Read:
    """Find the models and read those of other libraries. Raises what :func:`load_models` raises for it."""
    classes: list[Any] = []
    parts: list[Mapping[str, Any]] = []
    try:
        for place, entry in enumerate(_entries(models)):
            if isinstance(entry, str) and entry.endswith(".json"):
                parts += read_document(entry)
                continue
            for value, module, attribute in find_models(entry) if isinstance(entry, str) else given_model(entry, place):
                if isinstance(value, Mapping):
                    parts += call_parts(value, module, attribute)
                else:
                    classes.append(value)
        foreign = read_classes(classes)
    except (NotFoundError, CallsError) as error:
        raise ConfigurationError(f"models: {error}") from error
    except UnreadableError as error:
        raise DeclarationError("models", "", str(error)) from error
    return Read(tuple(_own(classes, foreign)), (*foreign, *parts))


def _entries(models: Models) -> list[Any]:
    """Each source by itself; a string may name several, separated by commas."""
    if isinstance(models, str):
        return [entry.strip() for entry in models.split(",")]
    if isinstance(models, type | Mapping) or not isinstance(models, Iterable):
        return [models]
    return list(models)


def _own(classes: Iterable[Any], foreign: Iterable[Mapping[str, Any]]) -> Iterator[tuple[type[Any], str]]:
    """The Collections and Views among the classes; one that is another library's model too has that one's name."""
    elsewhere = {part["class"]: part["collection"] for part in foreign}
    owners: dict[str, Any] = {}
    for model in dict.fromkeys(classes):
        if not issubclass(model, Collection | View):
            continue
        name = getattr(model, "__collection_name__", None) or elsewhere.get(model)
        if name is None and is_abstract(model):
            continue
        _check_name(model, name, elsewhere, owners)
        owners[str(name)] = model
        yield model, str(name)


def _check_name(model: Any, name: Any, elsewhere: Mapping[Any, str], owners: Mapping[str, Any]) -> None:
    fault = ""
    if model in elsewhere and name != elsewhere[model]:
        fault = f"{name!r} is not what the class's other library calls it: {elsewhere[model]!r}; leave one of them out"
    elif name in owners:
        other = owners[name]
        origin = Origin("asyncmig", f"{other.__module__}.{other.__qualname__}", other)
        fault = f"{name!r} is the name of {origin} already; each collection has one model"
    if fault:
        raise DeclarationError(model.__qualname__, "__collection_name__", fault)


def _of_alias(declarations: list[Declaration], wanted: str | None) -> tuple[list[Declaration], list[Note]]:
    """Those of the wanted database, and those that name none; the others are noted."""
    aliases = sorted({declaration.alias for declaration in declarations if declaration.alias is not None})
    if not aliases:
        return declarations, []
    if wanted is None:
        wanted = aliases[0] if len(aliases) == 1 else "default"
    if wanted not in aliases:
        raise ConfigurationError(
            f"models: none of them is of the database {wanted!r}; they name {', '.join(map(repr, aliases))}: "
            "set db_alias to one of these"
        )
    notes = []
    for alias in aliases:
        names = [declaration.name for declaration in declarations if declaration.alias == alias]
        if alias != wanted:
            some = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            notes.append(Note(f"db_alias {alias!r}", f"left out, as it is another database: {some}"))
    return [declaration for declaration in declarations if declaration.alias in (None, wanted)], notes
