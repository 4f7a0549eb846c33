"""What the journal knows an operation by: a fingerprint of the whole, and the subjects that it touches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import Field, dataclass, fields, is_dataclass
from functools import partial, singledispatch
from hashlib import sha256
from typing import Any

from asyncmig.operations import (
    CreateCollections,
    CreateIndexes,
    DataOperation,
    Deduplicate,
    DeleteDocuments,
    DropIndex,
    InsertDocuments,
    ModifyCollection,
    ModifyIndex,
    ModifyView,
    MoveDocuments,
    Operation,
    RenameCollection,
)
from asyncmig.operations.functions import identity
from asyncmig.schema.index import Index

__all__ = ["Touched", "fingerprint", "has_function", "is_touched", "outline", "path_to", "subjects"]

_Functions = Callable[[Any], Any]
_LONGEST_NAME = 500  # characters


def fingerprint(operation: Operation) -> str:
    """The same for the same operation in every process, another for any other.

    ``was`` takes no part, nor does what only says how fast to go: an operation that stopped half-way
    goes on with another batch size, too.
    """
    return _digest(_plain(operation, _identity))


def outline(operation: Operation) -> str:
    """The same, whatever its functions do: by this an operation is known whose function was edited."""
    return _digest(_plain(operation, lambda function: "a function"))


def has_function(operation: Operation) -> bool:
    """Whether a function of the user's takes part in it."""
    return any(callable(getattr(operation, field.name)) for field in _telling(operation))


def _digest(value: Any) -> str:
    return sha256(repr(value).encode()).hexdigest()[:32]


def _identity(function: Any) -> Any:
    return identity(function, partial(_plain, functions=_identity))


def _plain(value: Any, functions: _Functions) -> Any:
    if isinstance(value, Index):
        return _plain(value.document, functions)
    if is_dataclass(value) and not isinstance(value, type):
        return type(value).__name__, [_plain(getattr(value, field.name), functions) for field in _telling(value)]
    if isinstance(value, Mapping):
        return type(value).__name__, [(str(key), _plain(item, functions)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [_plain(item, functions) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(repr(_plain(item, functions)) for item in value)
    if callable(value):
        return functions(value)
    kinds = type(value).__mro__[:-1]  # without object, whose repr has an address in it: another one in every process
    return type(value).__name__, repr(value) if any("__repr__" in kind.__dict__ for kind in kinds) else ""


def _telling(value: Any) -> list[Field[Any]]:
    return [field for field in fields(value) if field.compare and not field.metadata.get("tuning")]


@singledispatch
def subjects(operation: Operation) -> tuple[str, ...]:
    """What an operation touches.

    ``wallet`` is the collection as a whole, ``wallet/i/name`` an index of it, ``wallet/o`` its
    options, ``wallet/d`` its documents.
    """
    return (operation.collection,)


@subjects.register
def _(operation: RenameCollection) -> tuple[str, ...]:
    return operation.collection, operation.new


@subjects.register
def _(operation: CreateCollections) -> tuple[str, ...]:
    return tuple(collection.name for collection in operation.created)


@subjects.register
def _(operation: CreateIndexes) -> tuple[str, ...]:
    return tuple(_index_subject(operation.collection, str(index.name)) for index in operation.indexes)


@subjects.register(DropIndex)
@subjects.register(ModifyIndex)
def _(operation: DropIndex | ModifyIndex) -> tuple[str, ...]:
    return (_index_subject(operation.collection, operation.name),)


@subjects.register(ModifyCollection)
@subjects.register(ModifyView)
def _(operation: ModifyCollection | ModifyView) -> tuple[str, ...]:
    return (f"{operation.collection}/o",)


@subjects.register
def _(operation: MoveDocuments) -> tuple[str, ...]:
    return f"{operation.collection}/d", f"{operation.into}/d"


@subjects.register
def _(operation: Deduplicate) -> tuple[str, ...]:
    kept = (f"{operation.keep_in}/d",) if operation.keep_in else ()
    return (f"{operation.collection}/d", *kept)


@subjects.register(InsertDocuments)
@subjects.register(DeleteDocuments)
@subjects.register(DataOperation)
def _(operation: InsertDocuments | DeleteDocuments | DataOperation) -> tuple[str, ...]:
    return (f"{operation.collection}/d",)


def _index_subject(collection: str, name: str) -> str:
    """An index may have a name of a megabyte: of a long one its digest stands for it."""
    short = name if len(name) <= _LONGEST_NAME else f"{name[:50]}#{sha256(name.encode()).hexdigest()[:32]}"
    return f"{collection}/i/{short}"


def is_touched(operation: Operation, done: Touched | Iterable[str]) -> bool:
    """Whether one of the ``done`` subjects is what ``operation`` works on, contains it or is a part of it."""
    touched = done if isinstance(done, Touched) else Touched.of(done)
    return any(
        subject in touched.above or not touched.exact.isdisjoint(path_to(subject)) for subject in subjects(operation)
    )


@dataclass(frozen=True, slots=True)
class Touched:
    """Subjects, and all that contains them: so that it takes no longer to ask about many than about few."""

    exact: frozenset[str]
    above: frozenset[str]

    @classmethod
    def of(cls, done: Iterable[str]) -> Touched:
        """These subjects."""
        exact = frozenset(done)
        return cls(exact, frozenset(part for subject in exact for part in path_to(subject)))


def path_to(subject: str) -> Iterator[str]:
    """A subject and all that contains it: ``wallet``, ``wallet/i``, ``wallet/i/name``."""
    at = subject.find("/")
    while at >= 0:
        yield subject[:at]
        at = subject.find("/", at + 1)
    yield subject
