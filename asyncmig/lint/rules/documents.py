"""Rules on documents: L06 to L08, L11 and L12."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from asyncmig.lint.commands import command
from asyncmig.lint.finding import Finding
from asyncmig.lint.subject import UNKNOWN, RawCall, Subject
from asyncmig.operations import (
    DataOperation,
    DeleteDocuments,
    DropCollection,
    Operation,
    RemoveField,
    RenameCollection,
    RenameField,
    UpdateInBatches,
)
from asyncmig.operations.known import created_by
from asyncmig.printable import counted

__all__ = ["all_at_once", "contract_with_expand", "not_repeatable", "renamed_while_running", "taken_away"]

_ADVICE: Final = (
    "keep what is there (keep_in=..., merge_into, rename_collection), or say `irreversible = True` in the file's header"
)
_ONE_BY_ONE: Final = frozenset(
    {
        *("update_one", "replace_one", "insert_one", "delete_one", "find_one_and_update", "find_one_and_replace"),
        *("find_one_and_delete", "bulk_write"),
    }
)
_UPDATES: Final = frozenset({"update_one", "update_many", "find_one_and_update"})
_NOT_IDEMPOTENT: Final = frozenset({"$inc", "$mul", "$push", "$pop", "$bit"})
_GROWING: Final = frozenset({"$add", "$subtract", "$multiply", "$divide", "$concat", "$concatArrays"})


def taken_away(subject: Subject) -> Iterator[Finding]:
    """L06: what a revision takes away without keeping it, and without saying that there is no way back."""
    if subject.revision.irreversible:
        return
    saved: set[str] = set()
    made: set[str] = set()
    for step in subject.upgrade.steps:
        operation = step.operation
        made |= created_by(operation)
        if (what := _lost(operation)) and operation.collection not in saved | made:
            yield subject.on_step("L06", step, f"{what}; {_ADVICE}")
        if source := _source(operation):
            saved.add(source)
    copied = {call.collection for call in subject.upgrade.raw if _copies(call)}
    for call in subject.upgrade.raw:
        if (what := _lost_raw(call)) and _target(call) not in saved | made | copied:
            yield subject.on_call("L06", call, f"{what}; {_ADVICE}")


def _lost(operation: Operation) -> str:
    if isinstance(operation, DropCollection):
        return f"collection {operation.collection} goes with its documents"
    if isinstance(operation, RemoveField) and operation.keep_in is None:
        return f"field {operation.field} of {operation.collection} goes, with its values"
    if isinstance(operation, DeleteDocuments) and not operation.if_unchanged:
        verb = "goes" if len(operation.ids) == 1 else "go"
        return f"{counted(len(operation.ids), 'document')} of {operation.collection} {verb}"
    if isinstance(operation, UpdateInBatches) and (fields := _unset(operation.update)):
        return f"{', '.join(fields)} of {operation.collection} goes, with its values"
    return ""


def _unset(update: Any) -> list[str]:
    """The fields that an update, or a stage of its pipeline, takes away."""
    keys: list[str] = []
    for stage in [update] if isinstance(update, Mapping) else update if isinstance(update, list | tuple) else ():
        body = stage.get("$unset") if isinstance(stage, Mapping) else None
        if isinstance(body, str):
            keys.append(body)
        elif isinstance(body, Mapping | list | tuple):
            keys += [str(name) for name in body]
    return keys


def _source(operation: Operation) -> str | None:
    """The collection whose documents an operation copies or moves elsewhere."""
    into: Any = getattr(operation, "into", None)
    return operation.collection if isinstance(into, str) else None


def _copies(call: RawCall) -> bool:
    pipeline = call.argument(0, "pipeline")
    if not call.method.startswith("aggregate") or not isinstance(pipeline, list | tuple):
        return False
    return any(isinstance(stage, Mapping) and {"$out", "$merge"} & stage.keys() for stage in pipeline)


def _target(call: RawCall) -> str | None:
    """The collection that a raw call is about."""
    given = next(iter(command(call).values()), None) if command(call) else None
    if given is None and call.method == "drop_collection":
        given = call.argument(0, "name_or_collection")
    return given if isinstance(given, str) else call.collection


def _lost_raw(call: RawCall) -> str:
    target = _target(call) or "the collection"
    name = next(iter(command(call)), "").lower()
    if (call.kind == "collection" and call.method == "drop") or call.method == "drop_collection" or name == "drop":
        return f"{target} goes with its documents"
    if call.method == "drop_database" or name == "dropdatabase":
        return "a whole database goes"
    if call.method == "delete_many" and call.argument(0, "filter") == {}:
        return f"all documents of {target} go"
    if call.method in _UPDATES and (fields := _unset(call.argument(1, "update"))):
        return f"{', '.join(fields)} of {target} goes, with its values"
    return ""


def contract_with_expand(subject: Subject) -> Iterator[Finding]:
    """L07: who removes the old form with the same deployment that brings the new one, breaks what still runs."""
    expanded: dict[str, str] = {}
    for operation in subject.brought_along:
        if what := _expands(operation):
            expanded.setdefault(operation.collection, f"{what} in a revision that comes in with this one")
    for step in subject.upgrade.steps:
        operation = step.operation
        how = expanded.get(operation.collection)
        if how and _contracts(operation):
            yield subject.on_step(
                "L07",
                step,
                f"{operation.describe()} comes with the step that fills the new form ({how}): processes of the last "
                "release still read the old one. Put it into a later release",
            )
        if what := _expands(operation):
            expanded.setdefault(operation.collection, f"{what} in this revision")


def _expands(operation: Operation) -> str:
    is_copy = isinstance(operation, DataOperation) and not isinstance(operation, RemoveField | RenameField)
    return operation.describe() if (is_copy and not _contracts(operation)) or _source(operation) else ""


def _contracts(operation: Operation) -> bool:
    unset = isinstance(operation, UpdateInBatches) and bool(_unset(operation.update))
    return isinstance(operation, RemoveField | DropCollection) or unset


def renamed_while_running(subject: Subject) -> Iterator[Finding]:
    """L08: processes of the last release go on to write the old name."""
    for step in subject.upgrade.steps:
        operation = step.operation
        if isinstance(operation, RenameField | RenameCollection) and subject.is_standing(operation.collection):
            yield subject.on_step(
                "L08",
                step,
                f"{operation.describe()}: processes of the last release go on to write the old name. Stop them "
                "meanwhile, or add the new name, fill it, and remove the old one in a later release",
            )


def all_at_once(subject: Subject) -> Iterator[Finding]:
    """L11: a raw loop or update of everything is not batched, not paced, and begins anew after a crash."""
    for call in subject.upgrade.raw:
        if call.kind != "collection":
            continue
        if call.method == "update_many":
            yield subject.on_call("L11", call, _batched_message(call, "update_in_batches"))
        elif call.in_loop and call.method in _ONE_BY_ONE:
            yield subject.on_call("L11", call, _batched_message(call, "transform_documents"))


def _batched_message(call: RawCall, method: str) -> str:
    return (
        f"{call.describe()} goes through {call.collection or 'the collection'} without batches: after an interruption "
        f"it begins anew, and nothing slows it down. `env.{method}` goes on where it was"
    )


def not_repeatable(subject: Subject) -> Iterator[Finding]:
    """L12: a revision that stopped half-way runs again, and with it every raw call."""
    for call in subject.upgrade.raw:
        if call.kind == "collection" and (what := _twice(call)):
            yield subject.on_call(
                "L12",
                call,
                f"{call.describe()} with {what} does it once more when the revision is resumed after an interruption. "
                "The operations of env do it once: update_in_batches, insert_documents with an _id",
            )


def _twice(call: RawCall) -> str:
    """What of a raw call has another effect when it is made again; empty where nothing has."""
    if call.method in _UPDATES:
        return _twice_updated(call.argument(1, "update"))
    if call.method == "insert_one":
        document = call.argument(0, "document")
        return "a document without _id" if _is_without_id(document) else ""
    if call.method == "insert_many":
        documents = call.argument(0, "documents")
        some = isinstance(documents, list | tuple) and any(_is_without_id(document) for document in documents)
        return "documents without _id" if some or documents is UNKNOWN else ""
    return ""


def _is_without_id(document: Any) -> bool:
    return isinstance(document, Mapping) and "_id" not in document


def _twice_updated(update: Any) -> str:
    if isinstance(update, Mapping):
        return ", ".join(sorted(_NOT_IDEMPOTENT & update.keys()))
    if isinstance(update, list | tuple):
        for stage in update:
            body = (stage.get("$set") or stage.get("$addFields")) if isinstance(stage, Mapping) else None
            for name, value in body.items() if isinstance(body, Mapping) else ():
                if isinstance(value, Mapping) and _grows(str(name), value):
                    return f"a value of {name} that is computed from itself"
    return ""


def _grows(field: str, expression: Mapping[str, Any]) -> bool:
    """``{"$add": ["$n", 1]}`` for ``n``."""
    return any(
        operator in _GROWING and isinstance(operands, list | tuple) and f"${field}" in operands
        for operator, operands in expression.items()
    )
