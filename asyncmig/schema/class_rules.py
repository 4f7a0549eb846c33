"""What is wrong with a declared class, attribute by attribute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from asyncmig.errors import DeclarationError
from asyncmig.schema.canonical import canonical
from asyncmig.schema.field_rules import field_faults
from asyncmig.schema.index import Index
from asyncmig.schema.index_rules import index_faults, set_faults
from asyncmig.schema.names import name_fault, suggestion
from asyncmig.schema.option_rules import option_faults, view_option_faults
from asyncmig.schema.state import CollectionKind

__all__ = ["collection_faults", "view_faults"]

Faults = Iterator[tuple[str, str]]

_OF_FIELDS: Final = ("__model__", "__fields__", "__renamed_fields__", "__field_constraints__")
_OF_COLLECTIONS: Final = (
    "__collection_name__",
    "__indexes__",
    "__options__",
    "__initial_data__",
    "__renamed_from__",
    *_OF_FIELDS,
)
_TAKEN_FOR_ATTRIBUTES: Final = (
    "capped",
    "collation",
    "timeseries",
    "validator",
    "clusteredIndex",
    "expireAfterSeconds",
)
_OF_PYTHON: Final = ("__module__", "__qualname__", "__doc__", "__slots__", "__annotations__")
_OF_VIEWS: Final = ("__collection_name__", "__view_on__", "__pipeline__", "__options__")


def collection_faults(model: Any) -> Faults:
    """Each fault of a Collection's subclass: the attribute, and what is wrong with it."""
    yield from _misspelt(model, _OF_COLLECTIONS)
    yield from _name_faults(model)
    options = model.__options__
    if not isinstance(options, Mapping):
        yield "__options__", f"is a document, {{'capped': True, ...}}, not {options!r}"
        return
    yield from (("__options__", fault) for fault in option_faults(options))
    kind: CollectionKind = "collection" if options.get("timeseries") is None else "timeseries"
    yield from (("__indexes__", fault) for fault in _index_faults(_own(model), kind, options))
    yield from _stray_indexes(model)
    yield from (("__initial_data__", fault) for fault in _data_faults(model.__initial_data__))
    yield from (("__renamed_from__", fault) for fault in _rename_faults(model))
    yield from field_faults(model, kind)


def view_faults(model: Any) -> Faults:
    """Each fault of a View's subclass: the attribute, and what is wrong with it."""
    yield from _misspelt(model, (*_OF_VIEWS, "__indexes__", "__initial_data__", "__renamed_from__"))
    yield from _name_faults(model)
    for attribute, what in (
        ("__indexes__", "a view has no indexes; declare them on its source"),
        ("__initial_data__", "a view has no data of its own; declare it on its source"),
        ("__renamed_from__", "a view cannot be renamed; it is dropped and created, which costs nothing"),
    ):
        if getattr(model, attribute, None):
            yield attribute, what
    if not isinstance(model.__options__, Mapping):
        yield "__options__", f"is a document, {{'collation': ...}}, not {model.__options__!r}"
    else:
        yield from (("__options__", fault) for fault in view_option_faults(model.__options__))
    yield from (("__view_on__", fault) for fault in _source_faults(model))
    yield from (("__pipeline__", fault) for fault in _pipeline_faults(model))


def _misspelt(model: Any, known: Sequence[str]) -> Faults:
    """An attribute that nobody reads would declare nothing, and nobody would notice."""
    for attribute, value in vars(model).items():
        special = attribute.startswith("__") and attribute.endswith("__")
        if not special or attribute in known or attribute in _OF_PYTHON or callable(value):
            continue
        if _is_of_library(model, attribute):
            continue
        if near := suggestion(attribute, known):
            yield attribute, f"is not read by asyncmig{near}"
        elif attribute[2:-2] in _TAKEN_FOR_ATTRIBUTES:
            yield attribute, f"is not read by asyncmig; write __options__ = {{'{attribute[2:-2]}': ...}}"


def _is_of_library(model: Any, attribute: str) -> bool:
    """Whether another library's metaclass has set the attribute, on a class that is its model, too."""
    return attribute.startswith(("__odm_", "__pydantic_")) or (
        attribute == "__collection__" and "__odm_fields__" in vars(model)
    )


def _stray_indexes(model: Any) -> Faults:
    """Indexes under a name of the user's own, which ``__indexes__`` does not take up: they would never be made."""
    if not hasattr(model, "__collection_name__"):
        return
    for attribute, value in vars(model).items():
        indexes = [
            entry for entry in (value if isinstance(value, list | tuple) else [value]) if isinstance(entry, Index)
        ]
        if indexes and attribute != "__indexes__" and not any(index in _own(model) for index in indexes):
            yield attribute, "declares no index by itself; put what it holds into __indexes__"


def _own(model: Any) -> Any:
    """``__indexes__``, unless it is another library's method of that name: ODMantic's models have one."""
    return () if callable(model.__indexes__) else model.__indexes__


def _name_faults(model: Any) -> Faults:
    if hasattr(model, "__collection_name__") and (fault := name_fault(model.__collection_name__)):
        yield "__collection_name__", fault


def _index_faults(entries: Any, kind: CollectionKind, options: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(entries, list | tuple):
        yield f"is a list of indexes, not {entries!r}"
        return
    indexes = []
    for entry in entries:
        try:
            indexes.append(Index.of(entry))
        except DeclarationError as error:
            yield error.fault
            return
    for index in indexes:
        yield from index_faults(index, kind)
    yield from set_faults(indexes, kind, options)


def _data_faults(documents: Any) -> Iterator[str]:
    if not isinstance(documents, list | tuple):
        yield f"is a list of documents, not {documents!r}"
        return
    seen = set()
    for place, document in enumerate(documents):
        if not isinstance(document, Mapping):
            yield f"entry {place} is a document, not {document!r}"
            return
        if "_id" not in document:
            yield f"document {place} ({_short(document)}) has no '_id', by which it could be found again; give it one"
            return
        identity = document["_id"]
        if isinstance(identity, list | tuple) or hasattr(identity, "pattern"):
            yield f"document {place}: _id {identity!r} can be neither an array nor a regular expression"
            return
        if canonical(identity) in seen:
            yield f"document {place}: _id {identity!r} is there already, and every _id is unique"
        seen.add(canonical(identity))


def _rename_faults(model: Any) -> Iterator[str]:
    earlier = model.__renamed_from__
    if earlier is None:
        return
    if fault := name_fault(earlier):
        yield fault
    elif earlier == getattr(model, "__collection_name__", None):
        yield f"{earlier!r} is the collection's name now; put in its earlier one, or take this line out"


def _source_faults(model: Any) -> Iterator[str]:
    if not hasattr(model, "__view_on__"):
        if hasattr(model, "__collection_name__"):
            yield "is missing: name the collection (or view) that this is a view of"
        return
    source = model.__view_on__
    if not isinstance(source, str) or not source:
        yield f"is the name of a collection or view, not {source!r}"
    elif source == getattr(model, "__collection_name__", None):
        yield "a view cannot be a view of itself"


def _pipeline_faults(model: Any) -> Iterator[str]:
    if not hasattr(model, "__pipeline__"):
        if hasattr(model, "__collection_name__"):
            yield "is missing: give the list of stages ([] shows the source as it is)"
        return
    stages = model.__pipeline__
    if not isinstance(stages, list | tuple):
        yield f"is a list of stages, [{{'$match': ...}}], not {stages!r}"
        return
    for place, stage in enumerate(stages):
        if not isinstance(stage, Mapping) or len(stage) != 1 or not str(next(iter(stage))).startswith("$"):
            yield f"stage {place} is a document of one operator, {{'$match': ...}}, not {stage!r}"


def _short(document: Mapping[str, Any]) -> str:
    text = repr(dict(document))
    return text if len(text) <= 60 else f"{text[:57]}..."
