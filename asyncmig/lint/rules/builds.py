"""Rules on what a server takes: L13, L17 to L19."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from asyncmig.lint.commands import command, raw_indexes
from asyncmig.lint.finding import Finding
from asyncmig.lint.subject import RawCall, Subject
from asyncmig.operations import (
    CreateCollection,
    CreateIndexes,
    CreateView,
    DataOperation,
    DeleteDocuments,
    InsertDocuments,
    ModifyCollection,
    ModifyIndex,
    Operation,
)
from asyncmig.operations.known import KnownState
from asyncmig.operations.needs import needs
from asyncmig.schema.capabilities import NEEDS, Server
from asyncmig.schema.index import Index
from asyncmig.schema.index_rules import index_faults, set_faults
from asyncmig.schema.option_rules import option_faults, view_option_faults
from asyncmig.schema.text import is_text
from asyncmig.schema.value import number, truthy

__all__ = ["newer_than_server", "refused", "schema_in_transaction", "waits_for_every_member"]

_ON_DOCUMENTS: Final = (DataOperation, DeleteDocuments, InsertDocuments)
_RAW_SCHEMA: Final = frozenset(
    {
        *("create_collection", "create_index", "create_indexes", "create_search_index", "drop", "drop_collection"),
        *("drop_database", "drop_index", "drop_indexes", "rename"),
    }
)
_SCHEMA_COMMANDS: Final = frozenset(
    {"collmod", "create", "createindexes", "drop", "dropdatabase", "dropindexes", "renamecollection", "converttocapped"}
)
_MAX_MEMBERS: Final = 3
_SIMPLE: Final = {"locale": "simple"}


def schema_in_transaction(subject: Subject) -> Iterator[Finding]:
    """L13: MongoDB answers 263 to nearly every change of the schema in a transaction."""
    if not subject.revision.transactional:
        return
    for recorded in (subject.upgrade, subject.downgrade):
        for step in recorded.steps:
            if not isinstance(step.operation, _ON_DOCUMENTS):
                yield subject.on_step("L13", step, _transaction_message(step.operation.describe()))
        for call in recorded.raw:
            if _changes_schema(call):
                yield subject.on_call("L13", call, _transaction_message(call.describe()))


def _transaction_message(what: str) -> str:
    return (
        f"the revision is transactional, and would {what}: MongoDB has no transactions for changes of the schema. Put "
        "it into a revision of its own, without `transactional = True`"
    )


def _changes_schema(call: RawCall) -> bool:
    return call.method in _RAW_SCHEMA or next(iter(command(call)), "").lower() in _SCHEMA_COMMANDS


def refused(subject: Subject) -> Iterator[Finding]:
    """L17: what every server refuses, told before it does."""
    for recorded in (subject.upgrade, subject.downgrade):
        for place, fault in recorded.faults:
            yield subject.at("L17", place, fault, fault)
    for step, state in subject.states():
        for fault in _faults(step.operation, state):
            yield subject.on_step("L17", step, f"{step.operation.collection}: {fault}")
    for call in subject.upgrade.raw:
        for _, index in raw_indexes(call):
            for fault in index_faults(index, "collection"):
                yield subject.on_call("L17", call, fault)


def _faults(operation: Operation, state: KnownState) -> Iterator[str]:
    known = state.get(operation.collection)
    if isinstance(operation, CreateIndexes):
        for index in operation.indexes:
            yield from index_faults(index, known.kind)
            yield from _collation_faults(index, known.options.get("collation"))
        others = [
            index
            for index in known.indexes.values()
            if index.name not in {created.name for created in operation.indexes}
        ]
        before = set(set_faults(others, known.kind, known.options))
        together = set_faults([*others, *operation.indexes], known.kind, known.options)
        yield from (fault for fault in together if fault not in before)
    elif isinstance(operation, CreateCollection):
        yield from option_faults(operation.options)
    elif isinstance(operation, CreateView):
        yield from view_option_faults(operation.options)
    elif isinstance(operation, ModifyIndex):
        yield from _modification_faults(operation, known.indexes.get(operation.name))
    elif isinstance(operation, ModifyCollection) and known.kind == "timeseries" and "validator" in operation.options:
        yield "a time series cannot have 'validator'"


def _collation_faults(index: Index, inherited: Any) -> Iterator[str]:
    """Text and 2d indexes have no collation; where the collection has one, they have to say so."""
    asked = index.options.get("collation", inherited)
    without = is_text(index.keys) or any(kind == "2d" for _, kind in index.keys)
    plane = without and asked and dict(asked).get("locale") != "simple"
    if plane:
        yield f"index {index.name!r}: text and 2d indexes have no collation; say collation={_SIMPLE!r}"
    least, most = (number(index.options.get(side)) for side in ("min", "max"))
    if least is not None and most is not None and least >= most:
        yield f"index {index.name!r}: min {least} has to be below max {most}"
    bits = number(index.options.get("bits"))
    if bits is not None and not 1 <= bits <= 32:
        yield f"index {index.name!r}: bits is from 1 to 32, not {bits}"


def _modification_faults(operation: ModifyIndex, index: Index | None) -> Iterator[str]:
    options = operation.options
    if options.get("unique") is False:
        yield f"index {operation.name!r}: uniqueness cannot be taken away in place; drop it and create another one"
    if "expireAfterSeconds" in options and options["expireAfterSeconds"] is None:
        yield f"index {operation.name!r}: a time to live cannot be taken away in place; drop it and create another one"
    if index is None:
        return
    is_single = len(index.keys) == 1 and all(field != "_id" for field, _ in index.keys)
    if "expireAfterSeconds" in options and not is_single:
        yield f"index {operation.name!r}: expireAfterSeconds works on a single field other than _id"
    if truthy(options.get("unique")) and any(kind == "hashed" for _, kind in index.keys):
        yield f"index {operation.name!r}: a hashed index cannot be unique"


def waits_for_every_member(subject: Subject) -> Iterator[Finding]:
    """L18: without a commit quorum a build waits until every voting member has built it, one that is down included."""
    members = subject.options.members
    quorum = subject.options.commit_quorum
    for step in subject.upgrade.steps:
        if not isinstance(step.operation, CreateIndexes):
            continue
        asked = getattr(step.operation, "commit_quorum", None) or quorum
        waits = asked == "votingMembers" or (
            isinstance(asked, int) and members is not None and asked > members // 2 + 1
        )
        if waits and (members is None or members > _MAX_MEMBERS or isinstance(asked, int)):
            yield subject.on_step("L18", step, _quorum_message(step.operation.describe(), asked))
    for call in subject.upgrade.raw:
        sent = command(call)
        creates = call.method in ("create_index", "create_indexes") or next(iter(sent), "").lower() == "createindexes"
        if creates and not {"commitQuorum", "commit_quorum"} & {*call.named, *sent}:
            yield subject.on_call("L18", call, _quorum_message(call.describe(), "votingMembers"))


def _quorum_message(what: str, quorum: Any) -> str:
    return (
        f"{what} with a commit quorum of {quorum!r}: while one member is down, the build never ends. "
        "Say commitQuorum 'majority' (what env.create_indexes does by itself on a replica set)"
    )


def newer_than_server(subject: Subject) -> Iterator[Finding]:
    """L19: what the oldest server that the project names (`min_server`) does not take."""
    oldest = subject.options.min_server
    if oldest is None:
        return
    server = Server(oldest, oldest)
    for step, state in subject.states():
        for feature, what in needs(step.operation, state):
            if not server.has(feature):
                need = ".".join(map(str, NEEDS[feature]))
                message = f"{what} needs feature compatibility version {need}; the setting min_server says {server}"
                yield subject.on_step("L19", step, message)
