"""What can be told of a revision's functions without running them: empty ones, and schema changes in a transaction."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import CodeType
from typing import TYPE_CHECKING, Any

from asyncmig.errors import RevisionError
from asyncmig.files.unfinished import UnfinishedRevision, unfinished
from asyncmig.history.revision import Revision
from asyncmig.operations import DataOperation, DeleteDocuments, InsertDocuments, Operation

if TYPE_CHECKING:
    from asyncmig.events import Direction
    from asyncmig.files.module import RevisionModule

__all__ = [
    "IrreversibleRevision",
    "MissingContext",
    "SchemaChangeInTransaction",
    "has_raw_calls",
    "is_empty",
    "is_one_way",
    "refuse_missing_context",
    "refuse_one_way",
    "refuse_schema_change",
    "refuse_schema_changes",
    "refuse_unfinishable",
]

_DATA = (InsertDocuments, DeleteDocuments, DataOperation)
_SCHEMA_METHODS = frozenset(
    f"{verb}_{noun}"
    for verb in ("create", "drop", "modify", "rename")
    for noun in ("collection", "collections", "index", "indexes", "view")
)


class IrreversibleRevision(RevisionError):
    """Raised before the first step of a downgrade that would come to a revision without a way back."""

    def __init__(self, revision: Revision, reason: str) -> None:
        self.revision, self.reason = revision, reason
        where = f" ({revision.path})" if revision.path else ""
        way_out = (
            f"The lowest target is {revision.revision}"
            if revision.baseline
            else "Write its downgrade, or choose a target above it"
        )
        super().__init__(f"revision {revision} cannot be reverted: {reason}{where}; nothing was done. {way_out}")


class SchemaChangeInTransaction(RevisionError):
    """Raised when a revision with ``transactional = True`` changes the schema."""

    def __init__(self, revision: Revision, what: str) -> None:
        self.revision, self.what = revision, what
        super().__init__(
            f"revision {revision} is transactional and would {what}: MongoDB has no transactions for changes of the "
            "schema; nothing of the revision was done. Put them into a revision of their own, without "
            "`transactional = True`"
        )


def is_empty(function: Callable[..., Any]) -> bool:
    """Whether a function does nothing: it uses no name at all, so not one method of ``env``."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code is not None and not any(part.co_names for part in _codes(code))


def only_raises(function: Callable[..., Any]) -> bool:
    """Whether a function can do nothing but raise: it awaits nothing, decides nothing, and raises."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    steps = {instruction.opname for instruction in dis.get_instructions(code)} if code is not None else set()
    return "RAISE_VARARGS" in steps and not any(name.startswith(("GET_AWAITABLE", "POP_JUMP")) for name in steps)


def is_one_way(module: RevisionModule) -> bool:
    """Whether a downgrade would stop before the revision."""
    return module.revision.irreversible or (is_empty(module.downgrade) and not is_empty(module.upgrade))


def refuse_unfinishable(revision: Revision, module: RevisionModule, direction: Direction) -> None:
    """Raise IrreversibleRevision, UnfinishedRevision or SchemaChangeInTransaction for what a run would stop at."""
    if direction == "downgrade":
        refuse_one_way(revision, module)
    if left := unfinished(module.source or "", direction):
        raise UnfinishedRevision(revision, left)
    if revision.transactional:
        refuse_schema_changes(revision, module.upgrade if direction == "upgrade" else module.downgrade)


class MissingContext(RevisionError):
    """Raised before the first step of a run whose revisions need values that nobody has given."""

    def __init__(self, revision: Revision, names: Sequence[str]) -> None:
        self.revision, self.names = revision, tuple(names)
        super().__init__(
            f"revision {revision} needs {', '.join(names)} in env.context; nothing was done. Give "
            f"Migrator(..., context={{{names[0]!r}: ...}}), or put `{names[0]} = ...` below [tool.asyncmig.context]"
        )


def refuse_missing_context(revision: Revision, module: RevisionModule, context: Mapping[str, Any]) -> None:
    """Raise MissingContext where the file says that it needs a value that is not there."""
    if missing := [name for name in module.context if name not in context]:
        raise MissingContext(revision, missing)


def refuse_one_way(revision: Revision, module: RevisionModule) -> None:
    """Raise IrreversibleRevision where there is no way back, or nothing on it."""
    if revision.baseline:
        raise IrreversibleRevision(revision, "it is the baseline, what the database had when it was adopted")
    if revision.irreversible:
        raise IrreversibleRevision(revision, "it says `irreversible = True`")
    if is_empty(module.downgrade) and not is_empty(module.upgrade):
        raise IrreversibleRevision(revision, "its downgrade is empty, and its upgrade is not")
    if only_raises(module.downgrade):
        raise IrreversibleRevision(revision, "its downgrade does nothing but raise an error")


def has_raw_calls(function: Callable[..., Any]) -> bool:
    """Whether a function names the database or the client, and so may do what no journal knows of."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code is None or any({"db", "client"} & {*part.co_names} for part in _codes(code))


def refuse_schema_changes(revision: Revision, function: Callable[..., Any]) -> None:
    """Raise SchemaChangeInTransaction where the code names a method that changes the schema."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    named = {name for part in _codes(code) for name in part.co_names} if code is not None else set()
    if methods := sorted(named & _SCHEMA_METHODS):
        raise SchemaChangeInTransaction(revision, f"call {', '.join(methods)}")


def refuse_schema_change(revision: Revision, operation: Operation) -> None:
    """Raise SchemaChangeInTransaction for an operation that is not on documents."""
    if not isinstance(operation, _DATA):
        raise SchemaChangeInTransaction(revision, operation.describe())


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function and of those inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
