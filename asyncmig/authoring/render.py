"""Write operations as the calls of ``env`` that make them again: one function per type of operation.

Each call is what a careful person would write: laid out as a formatter does, defaults left out,
keys that are no identifiers passed as ``**{...}``. Run against an ``env``, the source gives the
very operations that it was written from.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import singledispatch
from itertools import groupby
from typing import Any

from asyncmig.authoring.bridge import is_bridge
from asyncmig.authoring.imports import Imports
from asyncmig.authoring.layout import LINE_LENGTH, Node, call, lay_out, listing, text, tuple_
from asyncmig.authoring.literals import Unwritable, keywords, node, quoted
from asyncmig.authoring.rebuild import ADVICE, outline
from asyncmig.files.unfinished import BY_HAND, OUTLINE_MARK
from asyncmig.operations import (
    ConvertField,
    CreateCollection,
    CreateCollections,
    CreateIndexes,
    CreateView,
    DataOperation,
    Deduplicate,
    DeleteDocuments,
    DropCollection,
    DropIndex,
    DropView,
    InsertDocuments,
    MergeInto,
    ModifyCollection,
    ModifyIndex,
    ModifyView,
    MoveDocuments,
    NeedsRebuild,
    NewCollection,
    Operation,
    RemoveField,
    RenameCollection,
    RenameField,
    Suggestion,
    TransformBatches,
    TransformDocuments,
    UpdateInBatches,
)
from asyncmig.operations.data import CONCURRENCY
from asyncmig.printable import one_line
from asyncmig.schema.index import Index

__all__ = ["Rendered", "comment", "index_source", "render", "statements"]


_BY_HAND = (NeedsRebuild, Suggestion)
"""What is written as comments."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """Source lines without indentation, and what they need to import."""

    lines: tuple[str, ...]
    imports: Imports


def render(operations: Iterable[Operation], *, room: int = LINE_LENGTH - 4) -> Rendered:
    """The operations as statements of ``upgrade`` or ``downgrade``, in their order.

    ``room`` is the width in columns: by default that of a function's body. Raises Unwritable for a
    value that BSON has no type for, naming collection and path.
    """
    imports = Imports()
    parts = [(title, list(steps)) for title, steps in groupby(operations, key=_title)]
    written = _written([step for _, steps in parts for step in steps], imports, room)
    lines: list[str] = []
    for title, steps in parts:
        only = steps[0].collection if len({step.collection for step in steps}) == 1 else title
        names_itself = isinstance(steps[0], NeedsRebuild)
        heading = comment(only, room) if len(parts) > 1 and not names_itself else []
        lines += [*([""] if lines else []), *heading, *_part(steps, written)]
    return Rendered(tuple(lines), imports)


def _written(steps: Sequence[Operation], imports: Imports, room: int) -> dict[int, list[str]]:
    """The lines of each operation, by its identity; comments last, as they import what the code does not."""
    in_turn = sorted(steps, key=lambda step: isinstance(step, _BY_HAND))
    return {id(step): statements(step, imports, room) for step in in_turn}


def _title(operation: Operation) -> str:
    """What stands above the operations of one collection; above those whose order between collections matters, why."""
    if isinstance(operation, RenameCollection):
        return "Renames, in the order in which each new name is free"
    if isinstance(operation, CreateView | ModifyView | DropView):
        return "Views, in the order in which they read from each other"
    return "New collections" if isinstance(operation, CreateCollections) else operation.collection


def _part(steps: Iterable[Operation], written: Mapping[int, list[str]]) -> list[str]:
    """The statements of one part, with an empty line around what is to be decided by hand."""
    lines: list[str] = []
    apart = False
    for step in steps:
        stands_apart = isinstance(step, _BY_HAND)
        if lines and (apart or stands_apart):
            lines.append("")
        lines += written[id(step)]
        apart = stands_apart
    return lines


def comment(sentence: str, room: int = LINE_LENGTH - 4, *, hanging: str = "") -> list[str]:
    """The sentence as comment lines; line breaks and other unprintable characters in it become escapes."""
    return textwrap.wrap(
        one_line(sentence),
        room,
        initial_indent="# ",
        subsequent_indent=f"# {hanging}",
        break_long_words=False,
        break_on_hyphens=False,
    )


def index_source(index: Index, imports: Imports, path: str = "") -> Node:
    """``Index(...)``: the name only where it is not the default one, a single ascending field without brackets."""
    name = imports.name("asyncmig", "Index")
    options = {key: value for key, value in index.options.items() if key != "name" or not index.named_by_default}
    return call(name, _keys(index, imports, path), *keywords(options, imports, path))


@singledispatch
def statements(operation: Operation, imports: Imports, room: int) -> list[str]:
    """The lines that stand for one operation."""
    raise TypeError(f"there is no way to write a {type(operation).__name__} into a revision file")


@statements.register
def _create_collection(operation: CreateCollection, imports: Imports, room: int) -> list[str]:
    options = keywords(operation.options, imports, operation.collection)
    return _statement(room, "create_collection", _name(operation.collection), *options)


@statements.register
def _create_collections(operation: CreateCollections, imports: Imports, room: int) -> list[str]:
    entries = _one_per_line([_new_collection(collection, imports) for collection in operation.created])
    return _statement(room, "create_collections", entries)


def _new_collection(collection: NewCollection, imports: Imports) -> Node:
    options = node(collection.options, imports, collection.name)
    indexes = listing(index_source(index, imports, f"{collection.name}: {index.name}") for index in collection.indexes)
    return tuple_((_name(collection.name), options, indexes))


@statements.register
def _drop_collection(operation: DropCollection, imports: Imports, room: int) -> list[str]:
    return _statement(room, "drop_collection", _name(operation.collection))


@statements.register
def _rename_collection(operation: RenameCollection, imports: Imports, room: int) -> list[str]:
    return _statement(room, "rename_collection", _name(operation.collection), _name(operation.new))


@statements.register
def _modify_collection(operation: ModifyCollection, imports: Imports, room: int) -> list[str]:
    options = keywords(operation.options, imports, operation.collection)
    return _statement(room, "modify_collection", _name(operation.collection), *options)


@statements.register
def _suggestion(operation: Suggestion, imports: Imports, room: int) -> list[str]:
    """As comments that become code when the signs before them are taken away, imports included."""
    needed = Imports()
    steps = [line for step in operation.operations for line in statements(step, needed, room - 2)]
    lines = [*needed.beyond(imports).lines(), *steps]
    return [*comment(operation.reason, room), *(f"# {line}".rstrip() for line in lines)]


@statements.register
def _needs_rebuild(operation: NeedsRebuild, imports: Imports, room: int) -> list[str]:
    why = [line for reason in operation.told for line in comment(f"- {reason}", room, hanging="  ")]
    needed = Imports()  # of code that is commented out: its imports are, too
    inner = room - len(OUTLINE_MARK)
    steps = outline(operation, lambda made: [line for step in made for line in statements(step, needed, inner)], inner)
    return [
        f"# {one_line(operation.collection)}{BY_HAND}",
        *why,
        *comment(ADVICE, room),
        "#",
        *(f"{OUTLINE_MARK}{line}".rstrip() for line in [*needed.beyond(imports).lines(), *steps]),
    ]


@statements.register
def _create_view(operation: CreateView, imports: Imports, room: int) -> list[str]:
    view = _name(operation.collection), _name(operation.view_on)
    options = keywords(operation.options, imports, operation.collection)
    return _statement(room, "create_view", *view, _pipeline(operation, imports), *options)


@statements.register
def _modify_view(operation: ModifyView, imports: Imports, room: int) -> list[str]:
    view = _name(operation.collection), _name(operation.view_on)
    return _statement(room, "modify_view", *view, _pipeline(operation, imports))


@statements.register
def _drop_view(operation: DropView, imports: Imports, room: int) -> list[str]:
    return _statement(room, "drop_view", _name(operation.collection))


@statements.register
def _create_indexes(operation: CreateIndexes, imports: Imports, room: int) -> list[str]:
    indexes = [index_source(index, imports, f"{operation.collection}: {index.name}") for index in operation.indexes]
    bridges = [index.name for index in operation.indexes if is_bridge(index.name)]
    note = comment(f"{', '.join(bridges)}: only until the index itself can be created below", room) if bridges else []
    given = {"commit_quorum": operation.commit_quorum, "max_time": operation.max_time}
    tuning = keywords({name: value for name, value in given.items() if value is not None}, imports)
    return note + _statement(room, "create_indexes", _name(operation.collection), _one_per_line(indexes), *tuning)


@statements.register
def _modify_index(operation: ModifyIndex, imports: Imports, room: int) -> list[str]:
    options = keywords(operation.options, imports, f"{operation.collection}: {operation.name}")
    return _statement(room, "modify_index", _name(operation.collection), _name(operation.name), *options)


@statements.register
def _drop_index(operation: DropIndex, imports: Imports, room: int) -> list[str]:
    note = comment(operation.note, room) if operation.note else []
    return note + _statement(room, "drop_index", _name(operation.collection), _name(operation.name))


@statements.register
def _insert_documents(operation: InsertDocuments, imports: Imports, room: int) -> list[str]:
    documents = [
        node(document, imports, f"{operation.collection}: documents[{place}]")
        for place, document in enumerate(operation.documents)
    ]
    return _statement(room, "insert_documents", _name(operation.collection), _one_per_line(documents))


@statements.register
def _delete_documents(operation: DeleteDocuments, imports: Imports, room: int) -> list[str]:
    ids = listing(node(key, imports, f"{operation.collection}: _id") for key in operation.ids)
    flags = [text("if_unchanged=True")] if operation.if_unchanged else []
    return _statement(room, "delete_documents", _name(operation.collection), ids, *flags)


@statements.register
def _update_in_batches(operation: UpdateInBatches, imports: Imports, room: int) -> list[str]:
    where = f"{operation.collection}: filter"
    what = node(operation.filter, imports, where), node(operation.update, imports, f"{operation.collection}: update")
    options = keywords(operation.options, imports, operation.collection)
    return _remark(operation, room) + _statement(
        room, "update_in_batches", _name(operation.collection), *what, *_pace(operation, imports), *options
    )


@statements.register
def _transform_documents(operation: TransformDocuments, imports: Imports, room: int) -> list[str]:
    what = node(operation.filter, imports, f"{operation.collection}: filter"), _function(operation.function, imports)
    given = {
        "projection": operation.projection,
        "version_field": operation.version_field,
        "concurrency": operation.concurrency if operation.concurrency != CONCURRENCY else None,
    }
    options = keywords({name: value for name, value in given.items() if value is not None}, imports)
    return _statement(
        room, "transform_documents", _name(operation.collection), *what, *options, *_pace(operation, imports)
    )


@statements.register
def _transform_batches(operation: TransformBatches, imports: Imports, room: int) -> list[str]:
    what = node(operation.filter, imports, f"{operation.collection}: filter"), _function(operation.function, imports)
    return _statement(room, "transform_batches", _name(operation.collection), *what, *_pace(operation, imports))


@statements.register
def _merge_into(operation: MergeInto, imports: Imports, room: int) -> list[str]:
    stages = _stages(operation.pipeline, imports, operation.collection)
    given = {"on": operation.on if isinstance(operation.on, str) else list(operation.on)}
    given |= {"when_matched": operation.when_matched}
    defaults = {"on": "_id", "when_matched": "replace"}
    options = keywords({name: value for name, value in given.items() if value != defaults[name]}, imports)
    names = _name(operation.source), stages, _name(operation.collection)
    return _statement(room, "merge_into", *names, *options, *_pace(operation, imports))


@statements.register
def _move_documents(operation: MoveDocuments, imports: Imports, room: int) -> list[str]:
    what = node(operation.filter, imports, f"{operation.collection}: filter"), _name(operation.into)
    stages = [_stages(operation.pipeline, imports, operation.collection).prefixed("pipeline=")]
    changed = stages if operation.pipeline else []
    return _statement(room, "move_documents", _name(operation.collection), *what, *changed, *_pace(operation, imports))


@statements.register
def _deduplicate(operation: Deduplicate, imports: Imports, room: int) -> list[str]:
    by = node(list(operation.by), imports, operation.collection)
    keep = listing(tuple_((_name(name), text(str(way)))) for name, way in operation.keep).prefixed("keep=")
    kept = keywords({"keep_in": operation.keep_in} if operation.keep_in is not None else {}, imports)
    return _statement(room, "deduplicate", _name(operation.collection), by, keep, *kept, *_pace(operation, imports))


@statements.register
def _rename_field(operation: RenameField, imports: Imports, room: int) -> list[str]:
    names = _name(operation.collection), _name(operation.field), _name(operation.new)
    conflict = {"on_conflict": operation.on_conflict} if operation.on_conflict != "fail" else {}
    return _remark(operation, room) + _statement(
        room, "rename_field", *names, *keywords(conflict, imports), *_pace(operation, imports)
    )


@statements.register
def _remove_field(operation: RemoveField, imports: Imports, room: int) -> list[str]:
    names = _name(operation.collection), _name(operation.field)
    kept = {"keep_in": operation.keep_in} if operation.keep_in is not None else {}
    return _remark(operation, room) + _statement(
        room, "remove_field", *names, *keywords(kept, imports), *_pace(operation, imports)
    )


@statements.register
def _convert_field(operation: ConvertField, imports: Imports, room: int) -> list[str]:
    names = _name(operation.collection), _name(operation.field)
    types = {"to": operation.to} | ({"from_": operation.from_} if operation.from_ is not None else {})
    return _remark(operation, room) + _statement(
        room, "convert_field", *names, *keywords(types, imports), *_pace(operation, imports)
    )


def _remark(operation: DataOperation, room: int) -> list[str]:
    return comment(operation.note, room) if operation.note else []


def _pace(operation: DataOperation, imports: Imports) -> list[Node]:
    """What says how fast to go, and what to do about documents that cannot be changed."""
    given = {field.name: getattr(operation.pace, field.name) for field in fields(operation.pace)}
    pace = keywords({name: value for name, value in given.items() if value is not None}, imports)
    if callable(operation.on_error):
        return [*pace, _function(operation.on_error, imports).prefixed("on_error=")]
    return pace + (keywords({"on_error": operation.on_error}, imports) if operation.on_error != "fail" else [])


def _function(function: Callable[..., Any], imports: Imports) -> Node:
    """A function by its name, which has to be one that can be imported."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if not module or not name.isidentifier():
        raise Unwritable("", f"{name or function!r}", "it cannot be imported by its name; define it in a module")
    return text(name if module == "builtins" else imports.name(module, name))


def _statement(room: int, method: str, *arguments: Node) -> list[str]:
    return lay_out(call(f"await env.{method}", *arguments), room)


def _name(name: str) -> Node:
    return text(quoted(name, name))


def _one_per_line(items: Sequence[Node]) -> Node:
    return listing(items, expanded=len(items) > 1)


def _pipeline(operation: CreateView | ModifyView, imports: Imports) -> Node:
    return _stages(operation.pipeline, imports, operation.collection)


def _stages(pipeline: Sequence[Any], imports: Imports, collection: str) -> Node:
    stages = [node(stage, imports, f"{collection}: pipeline[{place}]") for place, stage in enumerate(pipeline)]
    return _one_per_line(stages)


def _keys(index: Index, imports: Imports, path: str) -> Node:
    if len(index.keys) == 1 and type(index.keys[0][1]) is int and index.keys[0][1] == 1:
        return _name(index.keys[0][0])
    return listing(tuple_((_name(field), node(kind, imports, path))) for field, kind in index.keys)
