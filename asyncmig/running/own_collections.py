"""What a revision may not touch: the collections that tell what it has done."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from asyncmig.errors import RevisionError
from asyncmig.history.revision import Revision
from asyncmig.operations import Operation
from asyncmig.operations.fingerprint import subjects

__all__ = ["OwnCollectionTouched", "refuse_own", "refuse_own_in_code"]

_OF_COLLECTION = frozenset(
    {
        *("bulk_write", "create_index", "create_indexes", "delete_many", "delete_one", "drop", "drop_index"),
        *("drop_indexes", "find_one_and_delete", "find_one_and_replace", "find_one_and_update", "insert_many"),
        *("insert_one", "rename", "replace_one", "update_many", "update_one"),
    }
)
_OF_DATABASE = frozenset({"command", "create_collection", "drop_collection"})


class OwnCollectionTouched(RevisionError):
    """Raised where a revision would change one of asyncmig's own collections; nothing of that is done."""

    def __init__(self, what: str, name: str) -> None:
        self.what, self.name = what, name
        super().__init__(
            f"{what}: {name} is asyncmig's own collection, which tells what is done of this very revision, and no "
            "revision changes it. What it says is changed by `asyncmig stamp`, `repair`, `downgrade` and `unlock`"
        )


def refuse_own(operation: Operation, own: frozenset[str]) -> None:
    """Raise OwnCollectionTouched for an operation on one of them."""
    if name := next((collection for collection in _names(operation) if collection in own), None):
        raise OwnCollectionTouched(operation.describe(), name)


def _names(operation: Operation) -> Iterator[str]:
    """The collections that an operation is about, by whatever name."""
    yield operation.collection
    yield from (subject.partition("/")[0] for subject in subjects(operation))
    for other in ("new", "into", "keep_in"):
        if isinstance(name := getattr(operation, other, None), str):
            yield name


def refuse_own_in_code(revision: Revision, source: str | None, own: frozenset[str]) -> None:
    """Raise OwnCollectionTouched where the text of a revision writes to one of them; reading is fine."""
    if source is None or not any(name in source for name in own):
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            written = _written(node, node.func, own)
            if written:
                raise OwnCollectionTouched(f"line {node.lineno} of revision {revision}", written)


def _written(call: ast.Call, method: ast.Attribute, own: frozenset[str]) -> str | None:
    """The one that a call would change: by a method of the collection, or as an argument of env's or the database's."""
    is_operation = isinstance(method.value, ast.Name) and method.attr != "rows"
    if is_operation or method.attr in _OF_DATABASE:
        given = [part for argument in call.args for part in ast.walk(argument)]
        return next((name for name in map(_name, given) if name in own), None)
    if method.attr in _OF_COLLECTION:
        return next((name for name in map(_name, ast.walk(method.value)) if name in own), None)
    return None


def _name(node: ast.AST) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
