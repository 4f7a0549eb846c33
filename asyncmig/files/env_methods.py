"""What a call of a method of ``env`` does, and to which collections, as far as its source tells."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = ["Asked", "Does", "asked", "is_read"]

Does: TypeAlias = Literal["documents", "rename", "create", "drop", "anything", "other"]

_NAME: Final = ("name",)
_CHANGED: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("update_in_batches", "transform_documents", "transform_batches", "rename_field"), _NAME),
    **dict.fromkeys(("remove_field", "convert_field", "insert_documents", "delete_documents"), _NAME),
    "deduplicate": ("name", "keep_in"),
    "merge_into": ("into",),
    "split_array": ("into",),
    "move_documents": ("source", "into"),
}
"""By method, the arguments that name the collections whose documents it changes."""
_DOES: Final[Mapping[str, tuple[Does, tuple[str, ...]]]] = {
    **{method: ("documents", names) for method, names in _CHANGED.items()},
    "rename_collection": ("rename", ("old", "new")),
    "create_collection": ("create", _NAME),
    "create_view": ("create", _NAME),
    "drop_collection": ("drop", _NAME),
    "drop_view": ("drop", _NAME),
}
_OTHERS: Final = frozenset(
    {"create_index", "create_indexes", "drop_index", "modify_collection", "modify_index", "modify_view", "rows"}
)
_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "merge_into": ("source", "pipeline", "into"),
    "split_array": ("source", "field", "into"),
    "move_documents": ("source", "filter", "into"),
    "rename_collection": ("old", "new"),
    "rename_field": ("name", "old", "new"),
    "remove_field": ("name", "field"),
}
_MOVED: Final[Mapping[str, tuple[str, ...]]] = {"rename_field": ("old", "new"), "remove_field": ("field", "keep_in")}
"""By method, the arguments that name a field and what it becomes."""
_OPTIONAL: Final = frozenset({"keep_in"})
_FINDING: Final = frozenset({"rename_field", "convert_field"})
_READS: Final = frozenset(
    {"count_documents", "create_index", "create_indexes", "distinct", "drop_index", "estimated_document_count"}
    | {"find", "find_one", "index_information", "list_collection_names", "list_collections", "list_indexes", "options"}
)
"""Methods of the driver that leave documents as they are."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A call in line ``line`` that does something to ``collections``; None: those that the source computes.

    ``is_finding``: whether it is only about documents in which it finds what it is to change back.
    ``fields``: of a field that gets another name, the old one and the new one, as far as the source tells.
    """

    method: str
    line: int
    does: Does
    collections: tuple[str, ...] | None = None
    is_finding: bool = False
    fields: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return f"env.{self.method} in line {self.line}" if self.method else f"whatever line {self.line} does"


def asked(method: str, call: ast.Call, constants: Mapping[str, str]) -> Asked:
    """What a call of ``env``'s ``method`` asks for; ``constants``: the names that stand for text in its file."""
    if method in _OTHERS:
        return Asked(method, call.lineno, "other")
    if method == "create_collections":
        return Asked(method, call.lineno, "create", _created(call, constants))
    does, wanted = _DOES.get(method, ("anything", ()))
    names = _named(method, call, wanted, constants) if wanted else None
    is_finding = method in _FINDING or _is_taken_back_unchanged(method, call)
    moved = _MOVED.get(method)
    fields = _named(method, call, moved, constants) if moved else None
    return Asked(method, call.lineno, does, names, is_finding, fields)


def _named(
    method: str, call: ast.Call, wanted: tuple[str, ...], constants: Mapping[str, str]
) -> tuple[str, ...] | None:
    if any(isinstance(argument, ast.Starred) for argument in call.args) or any(not one.arg for one in call.keywords):
        return None
    given = dict(zip(_PLACES.get(method, _NAME), call.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    nodes = [given.get(name) for name in wanted if name in given or name not in _OPTIONAL]
    names = [_text(node, constants) for node in nodes if not (isinstance(node, ast.Constant) and node.value is None)]
    known = tuple(name for name in names if name is not None)
    return known if len(known) == len(names) else None


def _text(node: ast.expr | None, constants: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return constants.get(node.id) if isinstance(node, ast.Name) else None


def _created(call: ast.Call, constants: Mapping[str, str]) -> tuple[str, ...] | None:
    listed = call.args[0] if call.args else None
    if not isinstance(listed, ast.List | ast.Tuple):
        return None
    firsts = [
        entry.elts[0] if isinstance(entry, ast.List | ast.Tuple) and entry.elts else None for entry in listed.elts
    ]
    names = [_text(first, constants) for first in firsts]
    known = tuple(name for name in names if name is not None)
    return known if len(known) == len(names) else None


def _is_taken_back_unchanged(method: str, call: ast.Call) -> bool:
    values = [keyword.value for keyword in call.keywords if keyword.arg == "if_unchanged"]
    return method == "delete_documents" and any(isinstance(one, ast.Constant) and one.value is True for one in values)


def is_read(function: ast.expr, is_env: Mapping[str, object] | frozenset[str]) -> bool:
    """Whether a function that is called is a method of ``env.db`` or of a collection of it that only reads."""
    if not isinstance(function, ast.Attribute) or function.attr not in _READS:
        return False
    node = function.value
    while isinstance(node, ast.Attribute | ast.Subscript):
        inner = node.value
        if isinstance(node, ast.Attribute) and isinstance(inner, ast.Name) and inner.id in is_env:
            return node.attr in ("db", "client")
        node = inner
    return False
