"""The source of models that declare what a database has: pure, from a ``DatabaseState`` to text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from asyncmig.adopting.class_names import ALL, class_names, module_names
from asyncmig.authoring.imports import Imports
from asyncmig.authoring.layout import LINE_LENGTH, Node, lay_out, listing, mapping, text, tuple_
from asyncmig.authoring.literals import node, quoted
from asyncmig.authoring.render import comment, index_source
from asyncmig.schema.index import Index
from asyncmig.schema.state import CollectionState, DatabaseState

__all__ = ["INDEXES", "indexes_source", "models_package", "models_source"]

INDEXES = "INDEXES"

_INDENT = 4
_BUCKET = (".files", ".chunks")


def models_source(state: DatabaseState, title: str = "Collections, as the database has them.") -> str:
    """One module with a class for each collection and view, and ``ALL_COLLECTIONS``.

    Loaded again, the classes declare the very state, initial data apart: which documents belong to a
    schema nobody can tell from a database. Indexes that are being built are named in a comment, as
    they may yet fail. Raises Unwritable for a name or value that source text cannot hold.
    """
    names = class_names(state.collections)
    imports = Imports()
    classes = [
        line for collection in _in_order(state) for line in _class(collection, names[collection.name], state, imports)
    ]
    listed = _all([names[collection.name] for collection in _in_order(state)])
    return _joined(title, imports, [*classes, "", "", *listed] if classes else ["", *listed])


def indexes_source(state: DatabaseState, title: str) -> str:
    """A module with the indexes alone, as a dictionary of ``create_index`` arguments: ``INDEXES``.

    Read beside the models that declare these collections; their indexes unite.
    """
    imports = Imports()
    entries = [
        listing(
            [_arguments(index, imports, collection.name) for index in _declarable(collection)], expanded=True
        ).prefixed(f"{quoted(collection.name, collection.name)}: ")
        for collection in _in_order(state)
    ]
    whole = lay_out(replace(mapping(entries), expanded=True, forced=True).prefixed(f"{INDEXES} = "))
    return _joined(title, imports, ["", *whole])


def _arguments(index: Index, imports: Imports, collection: str) -> Node:
    keys = listing(tuple_((text(quoted(field)), node(kind, imports, collection))) for field, kind in index.keys)
    return tuple_((keys, node(dict(index.options), imports, f"{collection}: {index.name}")))


def models_package(state: DatabaseState, title: str = "Collections, as the database has them.") -> dict[str, str]:
    """The same as a package: file name to text; collections that share the first word share a module."""
    names, modules = class_names(state.collections), module_names(state.collections)
    members: dict[str, list[CollectionState]] = {}
    for collection in _in_order(state):
        members.setdefault(modules[collection.name], []).append(collection)
    files = {f"{module}.py": _module(state, collections, names) for module, collections in members.items()}
    imported = [
        line
        for module in sorted(members)
        for line in _import(module, [names[collection.name] for collection in members[module]])
    ]
    root = [f'"""{title}"""', "", *imported, "", *_all([names[collection.name] for collection in _in_order(state)])]
    return {"__init__.py": _text(root), **files}


def _import(module: str, names: Sequence[str]) -> list[str]:
    """On one line where it fits, as a formatter writes it; else a name on each line, in brackets."""
    plain = f"from .{module} import {', '.join(sorted(names, key=str.lower))}"
    if len(plain) <= LINE_LENGTH:
        return [plain]
    return [f"from .{module} import (", *(f"    {name}," for name in sorted(names, key=str.lower)), ")"]


def _module(state: DatabaseState, members: Sequence[CollectionState], names: Mapping[str, str]) -> str:
    imports = Imports()
    classes = [line for collection in members for line in _class(collection, names[collection.name], state, imports)]
    return _joined(f"{len(members)} of the database's collections.", imports, classes)


def _in_order(state: DatabaseState) -> list[CollectionState]:
    """By name, views after what they may be views of."""
    return sorted(state, key=lambda collection: (collection.kind == "view", collection.name))


def _joined(title: str, imports: Imports, lines: Iterable[str]) -> str:
    needed = imports.lines()
    head = [f'"""{title}"""', *([""] if needed else []), *needed]
    return _text([*head, *lines])


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _all(names: Sequence[str]) -> list[str]:
    return lay_out(listing([text(name) for name in names], expanded=len(names) > 1).prefixed(f"{ALL} = "))


def _class(collection: CollectionState, name: str, state: DatabaseState, imports: Imports) -> Iterator[str]:
    base = imports.name("asyncmig", "View" if collection.kind == "view" else "Collection")
    yield from ["", ""]
    for remark in _remarks(collection, state):
        yield from comment(remark, LINE_LENGTH)
    yield f"class {name}({base}):"
    for attribute, value in _attributes(collection, imports):
        for line in lay_out(value.prefixed(f"{attribute} = "), LINE_LENGTH - _INDENT):
            yield " " * _INDENT + line


def _attributes(collection: CollectionState, imports: Imports) -> Iterator[tuple[str, Node]]:
    yield "__collection_name__", text(quoted(collection.name, collection.name))
    options = dict(collection.options)
    if collection.kind == "view":
        yield "__view_on__", text(quoted(options.pop("viewOn"), collection.name))
        stages = [node(stage, imports, f"{collection.name}: pipeline") for stage in options.pop("pipeline", ())]
        yield "__pipeline__", listing(stages, expanded=len(stages) > 1)
    indexes = [index_source(index, imports, f"{collection.name}: {index.name}") for index in _declarable(collection)]
    if indexes:
        yield "__indexes__", listing(indexes, expanded=len(indexes) > 1)
    if options:
        yield "__options__", node(options, imports, collection.name)


def _declarable(collection: CollectionState) -> list[Index]:
    """The indexes but for those that the server makes by itself, which no model needs to name."""
    return [index for index in collection.indexes if index.name not in collection.automatic]


def _remarks(collection: CollectionState, state: DatabaseState) -> Iterator[str]:
    if collection.building:
        yield f"Being built when this was written, and so not declared: {', '.join(collection.building)}"
    for index in collection.indexes:
        if index.options.get("prepareUnique"):
            yield f"{index.name} is half-way to a unique index (prepareUnique): old duplicates may stand"
    for ending in _BUCKET:
        if collection.name.endswith(ending) and all(
            collection.name.removesuffix(ending) + other in state for other in _BUCKET
        ):
            bucket = collection.name.removesuffix(ending)
            yield f"A part of the GridFS bucket {bucket!r}; the drivers make its indexes, too"
