"""``Declaration``: what one model says about one collection, whoever wrote it, in the schema's own terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from asyncmig.errors import DeclarationError
from asyncmig.schema.declaration import Collection, model_state, own_indexes
from asyncmig.schema.index import Index
from asyncmig.schema.index_rules import index_faults
from asyncmig.schema.names import name_fault
from asyncmig.schema.normal import normal_index
from asyncmig.schema.option_rules import option_faults, view_option_faults
from asyncmig.schema.options import normal_options
from asyncmig.schema.server import is_id_index
from asyncmig.schema.state import CollectionKind, CollectionState
from asyncmig.sources.declared import Origin

__all__ = ["Declaration", "from_class", "from_part"]


@dataclass(frozen=True, slots=True)
class Declaration:
    """One model's word on one collection.

    ``indexes`` are as declared, each with its origin, and come into normal form when the collection's
    options are known; ``state`` is the finished one where the model stands alone and is asyncmig's own.
    """

    name: str
    kind: CollectionKind
    origin: Origin
    options: Mapping[str, Any] = field(default_factory=dict)
    indexes: tuple[tuple[Index, Origin], ...] = ()
    documents: tuple[Mapping[str, Any], ...] = ()
    renamed_from: str | None = None
    implicit: bool = False
    notes: tuple[str, ...] = ()
    alias: str | None = None
    declares: bool = True
    """False for a model that its library passes over: there is only something to be said about it."""
    state: CollectionState | None = None

    def finished(self) -> CollectionState:
        """The collection in normal form."""
        if self.state is not None:
            return self.state
        collation = self.options.get("collation")
        indexes = tuple(normal_index(index, collation, self.kind) for index, _ in self.indexes)
        return CollectionState(
            self.name, self.kind, self.options, indexes, self.documents, self.renamed_from, implicit=self.implicit
        )


def from_class(model: type[Any], name: str) -> Declaration:
    """What a Collection or View of asyncmig's own says; ``name`` is what the collection is called."""
    state = model_state(model, name)
    origin = Origin("asyncmig", f"{model.__module__}.{model.__qualname__}", model)
    entries = own_indexes(model) if issubclass(model, Collection) else ()
    indexes = tuple(
        (index, origin) for index in map(Index.of, entries) if not is_id_index(dict(index.keys), state.kind)
    )
    return Declaration(
        name,
        state.kind,
        origin,
        state.options,
        indexes,
        state.documents,
        state.renamed_from,
        alias=getattr(model, "__bind_key__", None),
        state=state,
    )


def from_part(part: Mapping[str, Any]) -> Declaration:
    """What a model of another library says, as read by :mod:`asyncmig.sources.portable`.

    Raises DeclarationError, with file and line, for what no server would take.
    """
    cls = part.get("class")
    origin = Origin(part["framework"], part["model"], cls, part.get("file", ""), part.get("line", 0))
    kind: CollectionKind = part["kind"]
    if faults := [fault for fault in (name_fault(part["collection"]), *_option_faults(part)) if fault]:
        raise _fault(origin, faults[0])
    indexes = tuple(_index(part, place, document, origin) for place, document in enumerate(part["indexes"]))
    return Declaration(
        part["collection"],
        kind,
        origin,
        normal_options(part["options"], kind),
        tuple(pair for pair in indexes if not is_id_index(dict(pair[0].keys), kind)),
        tuple(part.get("documents", ())),
        part.get("renamed_from"),
        implicit=part["framework"] != "asyncmig",
        notes=tuple(part["notes"]),
        alias=part["alias"],
        declares=part["declares"],
    )


def _option_faults(part: Mapping[str, Any]) -> list[str]:
    if part["kind"] != "view":
        return list(option_faults(part["options"]))
    own = {key: value for key, value in part["options"].items() if key not in ("viewOn", "pipeline")}
    return list(view_option_faults(own))


def _index(part: Mapping[str, Any], place: int, document: Mapping[str, Any], origin: Origin) -> tuple[Index, Origin]:
    options = dict(document)
    keys = [(field, direction) for field, direction in options.pop("key")]
    lines = part.get("lines") or ()
    here = replace(origin, line=lines[place]) if place < len(lines) else origin
    try:
        index = Index(keys, **options)
    except DeclarationError as error:
        raise _fault(here, error.fault) from error
    for fault in index_faults(index, part["kind"]):
        raise _fault(here, fault)
    return index, here


def _fault(origin: Origin, fault: str) -> DeclarationError:
    return DeclarationError(str(origin), "", fault)
