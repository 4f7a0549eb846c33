"""The outline of a rebuild, for what MongoDB cannot change in place: written as comments, never run as it is.

A collection is copied into a new one, which then takes its name at one stroke. A time series can
neither be renamed nor be the target of ``$merge``, so its documents go out and come back. A view has
no documents, and can neither be renamed nor be copied into.

https://www.mongodb.com/docs/manual/reference/operator/aggregation/merge/
https://www.mongodb.com/docs/manual/reference/command/renameCollection/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from asyncmig.authoring.layout import call, lay_out, text
from asyncmig.authoring.literals import quoted
from asyncmig.authoring.view_diff import create_view
from asyncmig.operations import (
    CreateCollection,
    CreateIndexes,
    DataOperation,
    DropView,
    InsertDocuments,
    NeedsRebuild,
    Operation,
)

__all__ = ["ADVICE", "outline"]

ADVICE = (
    "An outline of the rebuild, to be finished by hand. Stop whoever writes to the collection first, as what is "
    "written during the copy is lost; compare the number of documents before anything is dropped."
)

_UNKNOWN = "what {} was before is not known: write its rebuild here"

Write = Callable[[Sequence[Operation]], list[str]]


def outline(operation: NeedsRebuild, write: Write, room: int) -> list[str]:
    """The statements of the rebuild, within ``room`` columns; ``write`` turns operations into statements."""
    if operation.target is None:  # nobody has said what it is to become
        return [f"raise NotImplementedError({quoted(_UNKNOWN.format(operation.collection))})"]
    before, after = operation.was.kind if operation.was else "collection", operation.target.kind
    steps = _steps(operation, write, room, before, after)
    return steps + write([step for step in operation.waiting if isinstance(step, InsertDocuments | DataOperation)])


def _steps(operation: NeedsRebuild, write: Write, room: int, before: str, after: str) -> list[str]:
    if before == "view":
        return [*write([DropView(operation.collection)]), *_creation(operation, operation.collection, write)]
    if after == "view":
        return _out(operation, write, room)
    if "timeseries" in (before, after):
        return _out_and_back(operation, write, room)
    return _copy_and_rename(operation, write, room)


def _out(operation: NeedsRebuild, write: Write, room: int) -> list[str]:
    name, copy = operation.collection, f"{operation.collection}__copy"
    return [
        *_copy(name, copy, "keepExisting", room),
        f"await env.drop_collection({quoted(name)})",
        *_creation(operation, name, write),
    ]


def _copy_and_rename(operation: NeedsRebuild, write: Write, room: int) -> list[str]:
    old, new = operation.collection, f"{operation.collection}__new"
    rename = call(
        "await env.client.admin.command",
        text('"renameCollection"'),
        text(f"env.db.name + {quoted('.' + new)}"),
        text(f"to=env.db.name + {quoted('.' + old)}"),
        text("dropTarget=True"),
    )
    return [
        f"await env.drop_collection({quoted(new)})",
        *_creation(operation, new, write),
        *_copy(old, new, "fail", room),
        *lay_out(rename, room),
    ]


def _out_and_back(operation: NeedsRebuild, write: Write, room: int) -> list[str]:
    name, copy = operation.collection, f"{operation.collection}__copy"
    return [
        *_copy(name, copy, "keepExisting", room),
        f"await env.drop_collection({quoted(name)})",
        *_creation(operation, name, write),
        f"async for document in env.db[{quoted(copy)}].find():",
        f"    await env.db[{quoted(name)}].insert_one(document)",
        f"await env.drop_collection({quoted(copy)})",
    ]


def _creation(operation: NeedsRebuild, name: str, write: Write) -> list[str]:
    target = operation.target
    assert target is not None  # noqa: S101 - outline has asked
    if target.kind == "view":
        return write([create_view(target)])
    made = CreateCollection(name, target.options)
    return write([made, CreateIndexes(name, target.indexes)] if target.indexes else [made])


def _copy(source: str, target: str, when_matched: str, room: int) -> list[str]:
    into = f'[{{"$merge": {{"into": {quoted(target)}, "whenMatched": "{when_matched}"}}}}]'
    arguments = text('"aggregate"'), text(quoted(source)), text(f"pipeline={into}"), text("cursor={}")
    return lay_out(call("await env.db.command", *arguments), room)
