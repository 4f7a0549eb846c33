"""The collections that a revision's text creates, read from its calls without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["created_collections"]

_ONE = frozenset({"create_collection", "create_view"})
_SEVERAL = "create_collections"


def created_collections(source: str) -> frozenset[str]:
    """The names that ``upgrade`` creates by literal calls, under the names they have at its end.

    A name that is computed cannot be read; a text that does not parse creates nothing.
    """
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    names: set[str] = set()
    for function in body:
        if isinstance(function, ast.AsyncFunctionDef) and function.name == "upgrade":
            for call in _calls(function):
                _follow(names, call)
    return frozenset(names)


def _calls(function: ast.AsyncFunctionDef) -> list[ast.Call]:
    """The method calls in a function, in the order of the text."""
    calls = [node for node in ast.walk(function) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return sorted(calls, key=lambda call: (call.lineno, call.col_offset))


def _follow(names: set[str], call: ast.Call) -> None:
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    texts = [
        argument.value
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
    ]
    if method in _ONE:
        names.update(texts[:1])
    elif method == _SEVERAL:
        names.update(_first_texts(call))
    elif method == "rename_collection" and len(texts) > 1 and texts[0] in names:
        names.symmetric_difference_update(texts[:2])
    elif method in ("drop_collection", "drop_view"):
        names.difference_update(texts[:1])


def _first_texts(call: ast.Call) -> Iterator[str]:
    """The first item of each tuple in the list that a call is given."""
    for argument in call.args[:1]:
        for item in argument.elts if isinstance(argument, ast.List | ast.Tuple) else ():
            first = item.elts[0] if isinstance(item, ast.Tuple | ast.List) and item.elts else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value
