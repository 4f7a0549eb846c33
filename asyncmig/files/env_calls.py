"""``env_calls``: the calls of a method of ``env`` in a revision's source, found without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

__all__ = ["env_calls"]


def env_calls(module: ast.Module, function: str) -> Iterator[ast.Call]:
    """The calls of a method of ``env``, by that name or another one, in the function and in those it is handed to."""
    known = {node.name: node for node in module.body if isinstance(node, ast.AsyncFunctionDef)}
    waiting = [(function, 0)]
    seen: set[tuple[str, int]] = set()
    while waiting:
        name, place = waiting.pop()
        node = known.get(name)
        if node is None or (name, place) in seen or len(node.args.args) <= place:
            continue
        seen.add((name, place))
        names = _names_of(node, node.args.args[place].arg)
        for call in (inner for inner in ast.walk(node) if isinstance(inner, ast.Call)):
            if isinstance(call.func, ast.Attribute) and _is_named(call.func.value, names):
                yield call
            elif isinstance(call.func, ast.Name):
                waiting += [(call.func.id, at) for at, given in enumerate(call.args) if _is_named(given, names)]


def _is_named(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def _names_of(function: ast.AsyncFunctionDef, env: str) -> set[str]:
    names = {env}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in names:
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return names
