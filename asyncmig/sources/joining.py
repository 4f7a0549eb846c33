"""Several models may speak of one collection: their words are joined, and a contradiction names both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from asyncmig.errors import DeclarationError
from asyncmig.schema.canonical import canonical
from asyncmig.schema.index import Index
from asyncmig.schema.index_rules import index_faults, set_faults
from asyncmig.schema.normal import agree, normal_index, signature
from asyncmig.schema.note import Note
from asyncmig.schema.state import DatabaseState
from asyncmig.schema.text import is_text
from asyncmig.sources.declaration import Declaration
from asyncmig.sources.declared import Declared, Origin

__all__ = ["join"]


def join(declarations: Iterable[Declaration]) -> Declared:
    """All that is declared, each collection once, in the order in which it was first met.

    Raises DeclarationError where two models contradict each other: one kind, option or index with two
    definitions, or two indexes that no server can tell apart. Both are named, with file and line.
    """
    by_name: dict[str, list[Declaration]] = {}
    remarks: dict[Note, None] = {}
    for declaration in declarations:
        model = declaration.origin.model.rpartition(".")[2]
        remarks |= dict.fromkeys(Note(declaration.name, f"{model}: {text}") for text in declaration.notes)
        if declaration.declares:
            by_name.setdefault(declaration.name, []).append(declaration)
    _check_earlier_names(by_name)
    return Declared(
        DatabaseState({name: _joined(group).finished() for name, group in by_name.items()}),
        {name: tuple(declaration.origin for declaration in group) for name, group in by_name.items()},
        {name: _classes(group) for name, group in by_name.items()},
        tuple(remarks),
    )


def _classes(group: Sequence[Declaration]) -> tuple[type[Any], ...]:
    classes = (declaration.origin.model_class for declaration in group)
    return tuple(dict.fromkeys(cls for cls in classes if cls is not None))


def _joined(group: Sequence[Declaration]) -> Declaration:
    if len(group) == 1 and group[0].state is not None:
        return group[0]  # checked when the class was made
    first = group[0]
    joined = replace(first, kind=_kind(group), options=_options(group), state=None)
    joined = replace(
        joined,
        indexes=_indexes(joined, group),
        documents=tuple(document for declaration in group for document in declaration.documents),
        renamed_from=next((declaration.renamed_from for declaration in group if declaration.renamed_from), None),
        implicit=all(declaration.implicit for declaration in group),
    )
    for index, origin in joined.indexes:
        for fault in index_faults(index, joined.kind):
            owners = [declaration.origin for declaration in group if declaration.kind == joined.kind]
            raise DeclarationError(_both([*owners, origin]), "", f"{first.name!r} is a {joined.kind}, and {fault}")
    for fault in set_faults([index for index, _ in joined.indexes], joined.kind, joined.options):
        raise DeclarationError(_both([declaration.origin for declaration in group]), "", f"{first.name!r}: {fault}")
    return joined


def _kind(group: Sequence[Declaration]) -> Any:
    """A plain collection says nothing about its kind: another model may make it a time series, but not a view."""
    first = group[0]
    telling = [declaration for declaration in group if declaration.kind != "collection"]
    for declaration in telling:
        other = next((two for two in group if two.kind != declaration.kind), None)
        if other is not None and "view" in (declaration.kind, other.kind):
            raise _clash(first.name, f"is a {other.kind} and a {declaration.kind}", other.origin, declaration.origin)
    views = [declaration for declaration in group if declaration.kind == "view"]
    if len(views) > 1 and canonical(dict(views[0].options)) != canonical(dict(views[1].options)):
        raise _clash(first.name, "is a view with two definitions", views[0].origin, views[1].origin)
    return telling[0].kind if telling else "collection"


def _options(group: Sequence[Declaration]) -> Mapping[str, Any]:
    options: dict[str, Any] = {}
    owners: dict[str, Origin] = {}
    for declaration in group:
        for key, value in declaration.options.items():
            if key in options and canonical(options[key]) != canonical(value):
                raise _clash(
                    declaration.name, f"has two values for the option {key!r}", owners[key], declaration.origin
                )
            if key not in options:
                options[key], owners[key] = value, declaration.origin
    return options


def _indexes(joined: Declaration, group: Sequence[Declaration]) -> tuple[tuple[Index, Origin], ...]:
    """All of them, each once; in normal form they are compared, and kept as they were declared."""
    collation = joined.options.get("collation")
    kept: dict[str, tuple[Index, Index, Origin]] = {}
    names: dict[Any, str] = {}
    for index, origin in (pair for declaration in group for pair in declaration.indexes):
        normal = normal_index(index, collation, joined.kind)
        if known := kept.get(index.name):
            if not (agree(normal, known[1]) and agree(known[1], normal)):
                what = f"has two definitions of the index {index.name!r}, {_differing(known[1], normal)}"
                raise _clash(joined.name, what, known[2], origin)
            continue
        twin = kept[names.setdefault(signature(normal), index.name)] if signature(normal) in names else None
        if twin is not None and is_text(index.keys):
            what = f"has two text indexes, {twin[0].name!r} and {index.name!r}, and MongoDB takes only one"
            raise _clash(joined.name, what, twin[2], origin)
        if twin is not None:
            what = f"has the same index twice, as {twin[0].name!r} and as {index.name!r}, and MongoDB takes only one"
            raise _clash(joined.name, what, twin[2], origin)
        kept[index.name], names[signature(normal)] = (index, normal, origin), index.name
    return tuple((index, origin) for index, _, origin in kept.values())


def _differing(index: Index, other: Index) -> str:
    return f"{_described(index)} and {_described(other)}"


def _described(index: Index) -> str:
    options = ", ".join(f"{key}={value!r}" for key, value in index.options.items() if key != "name")
    return f"{dict(index.keys)!r}{f' with {options}' if options else ''}"


def _check_earlier_names(by_name: Mapping[str, Sequence[Declaration]]) -> None:
    for group in by_name.values():
        for declaration in group:
            if declaration.renamed_from is not None and (others := by_name.get(declaration.renamed_from)):
                raise DeclarationError(
                    declaration.origin.model.rpartition(".")[2],
                    "__renamed_from__",
                    f"{declaration.renamed_from!r} is declared by {others[0].origin}, so it has not been renamed; "
                    "take this line out",
                )


def _clash(name: str, what: str, origin: Origin, other: Origin) -> DeclarationError:
    return DeclarationError(_both([origin, other]), "", f"the collection {name!r} {what}; keep one of them")


def _both(origins: Sequence[Origin]) -> str:
    return " and ".join(dict.fromkeys(str(origin) for origin in origins))
