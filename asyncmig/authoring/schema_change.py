"""A validator gives way to another one: in the order that neither refuses what has to be done in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from asyncmig.authoring.bridge import clash
from asyncmig.authoring.evidence import Evidence
from asyncmig.authoring.field_diff import DocumentChanges
from asyncmig.authoring.policy import Note, Policy
from asyncmig.fields.changes import Renamed, changes
from asyncmig.fields.shapes import loosened
from asyncmig.operations import CreateIndexes, DropIndex, ModifyCollection, ModifyIndex, Operation, Suggestion
from asyncmig.schema.index import Index
from asyncmig.schema.state import CollectionState

__all__ = ["SchemaChange", "schema_change"]

Options = Mapping[str, Any]


@dataclass(slots=True)
class SchemaChange:
    """What to do before the collection's options change, with them, and after."""

    before: list[Operation] = field(default_factory=list)
    modification: ModifyCollection | None = None
    after: list[Operation] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    renamed: tuple[Renamed, ...] = ()

    def split_indexes(self, operations: Sequence[Operation], current: CollectionState) -> list[Operation]:
        """Those operations on indexes that wait until the fields are renamed; the others go before."""
        if not self.renamed:
            return list(operations)
        dropped = {operation.name for operation in operations if isinstance(operation, DropIndex)}
        blocking = [index for index in current.indexes if _counts_missing(index, [field.old for field in self.renamed])]
        more = [_dropped(current.name, index) for index in blocking if index.name not in dropped]
        first, waiting = _split([*more, *operations], self.renamed)
        self.before = [*first, *self.before]
        return waiting


def schema_change(
    current: CollectionState,
    wanted: CollectionState,
    modification: ModifyCollection | None,
    policy: Policy,
    evidence: Evidence | None = None,
) -> SchemaChange:
    """The steps that lead from one ``$jsonSchema`` to the other; without one on either side, the modification alone.

    Where the old one is in force it gives way to one that takes both shapes, or goes at once where
    the new one is not in force. Where documents may be left that break the new one, that is enforced
    as ``moderate`` only, and ``strict`` is suggested.
    """
    change = SchemaChange(modification=modification)
    if modification is None or "validator" not in modification.options:
        return change
    old, new = _schema(modification.was or {}), _schema(modification.options)
    declared = wanted.fields
    if not old or not new:
        return change
    difference = changes(old, new, declared.renames if declared else {})
    documents = DocumentChanges(wanted.name, declared.defaults if declared else {}, policy.removed_fields, evidence)
    documents.take(difference)
    change.renamed = difference.renamed
    change.notes = [Note(wanted.name, text) for text in (*(declared.notes if declared else ()), *documents.notes)]
    change.notes += _breaking(wanted.name, evidence)
    if documents.operations:
        _arrange(change, documents, current, modification, (old, new))
    return change


def _breaking(name: str, evidence: Evidence | None) -> list[Note]:
    """How many documents break the new schema before anything is done about them."""
    if evidence is None or not evidence.breaking:
        return []
    return [
        Note(name, f"{evidence.breaking:,} of {evidence.profile.total:,} documents break the new schema as they are")
    ]


def _arrange(
    change: SchemaChange,
    documents: DocumentChanges,
    current: CollectionState,
    modification: ModifyCollection,
    schemas: tuple[Options, Options],
) -> None:
    was_in_force = _in_force(current.options)
    is_in_force = _in_force({**current.options, **modification.options})
    if documents.is_open and is_in_force:
        modification, change.after = _moderate(modification, current)
    if was_in_force and not is_in_force:
        change.before, change.modification = [modification, *documents.operations], None
        return
    change.before, change.modification = list(documents.operations), modification
    if was_in_force and documents.is_refused:
        between = {"validator": {"$jsonSchema": loosened(*schemas)}}
        before = (modification.was or {})["validator"]
        change.before.insert(0, ModifyCollection(modification.collection, between, was={"validator": before}))
        change.modification = replace(modification, was={**(modification.was or {}), **between})


def _moderate(modification: ModifyCollection, current: CollectionState) -> tuple[ModifyCollection, list[Operation]]:
    """The same, but for documents that break the schema already; and what it was to be, as a suggestion."""
    level = modification.options.get("validationLevel", current.options.get("validationLevel", "strict"))
    if level != "strict":
        return modification, []
    was = {"validationLevel": current.options.get("validationLevel", "strict"), **(modification.was or {})}
    strict = ModifyCollection(
        modification.collection, {"validationLevel": "strict"}, was={"validationLevel": "moderate"}
    )
    reason = "Documents may be left that break the schema. Once there are none, it can be enforced for all."
    options = {**modification.options, "validationLevel": "moderate"}
    return replace(modification, options=options, was=was), [Suggestion(modification.collection, (strict,), reason)]


def _in_force(options: Options) -> bool:
    """Whether the server refuses what breaks the validator."""
    if not options.get("validator"):
        return False
    enforced = options.get("validationLevel", "strict") != "off" and options.get("validationAction", "error") != "warn"
    return bool(enforced)


def _schema(options: Options) -> Options:
    validator = options.get("validator")
    schema = validator.get("$jsonSchema") if isinstance(validator, Mapping) else None
    return schema if isinstance(schema, Mapping) else {}


def _split(operations: Sequence[Operation], renamed: Sequence[Renamed]) -> tuple[list[Operation], list[Operation]]:
    """What has to be done before the renames, or had better be, and what waits for them.

    A unique index on the old path would refuse the second document that loses it, so it goes first;
    one on the new path would find all documents equal, so it comes last. Any other is created first
    and dropped last, so that queries always have one, but for one that the server does not keep beside
    the old one: a second text index.
    """
    first: list[Operation] = []
    waiting: list[Operation] = []
    dropped = {operation.name: operation.was for operation in operations if isinstance(operation, DropIndex)}
    becoming = {
        operation.name
        for operation in operations
        if isinstance(operation, ModifyIndex) and operation.options.get("unique")
    }
    for operation in operations:
        if isinstance(operation, DropIndex):
            early = operation.was is not None and _counts_missing(operation.was, [field.old for field in renamed])
            (first if early else waiting).append(operation)
        elif isinstance(operation, CreateIndexes):
            new = [field.new for field in renamed]
            asked = {i.name: i.replace(unique=True) if i.name in becoming else i for i in operation.indexes}
            early_ones = tuple(
                i
                for i in operation.indexes
                if _may_come_first(asked[i.name], new)
                and i.name not in dropped
                and not any(old is not None and clash(i, old) for old in dropped.values())
            )
            late_ones = tuple(i for i in operation.indexes if i not in early_ones)
            first += [CreateIndexes(operation.collection, early_ones)] if early_ones else []
            waiting += [CreateIndexes(operation.collection, late_ones)] if late_ones else []
        else:
            waiting.append(operation)
    return first, waiting


def _dropped(collection: str, index: Index) -> DropIndex:
    return DropIndex(collection, index.name, was=index, note="it would refuse the second document that is renamed")


def _counts_missing(index: Index, paths: Sequence[str]) -> bool:
    """Whether it is unique over one of the fields, and takes those that lack it for equal."""
    if not index.options.get("unique") or not _is_over(index, paths):
        return False
    return not (index.options.get("sparse") and len(index.keys) == 1) and "partialFilterExpression" not in index.options


def _may_come_first(index: Index, paths: Sequence[str]) -> bool:
    return _is_over(index, paths) and not _counts_missing(index, paths)


def _is_over(index: Index, paths: Sequence[str]) -> bool:
    return any(key == path or key.startswith(f"{path}.") for key, _ in index.keys for path in paths)
