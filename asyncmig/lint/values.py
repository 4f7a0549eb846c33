"""Values read off the source without running it; what would have to be computed is UNKNOWN."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any, Final

from asyncmig.errors import AsyncmigError
from asyncmig.lint.subject import UNKNOWN
from asyncmig.schema.index import Index

__all__ = ["constants", "evaluate", "full_name", "imported"]

_INDEX_MAKERS: Final = frozenset({"asyncmig.Index", "asyncmig.schema.index.Index", "pymongo.IndexModel"})
_DIRECTIONS: Final = {
    "pymongo.ASCENDING": 1,
    "pymongo.DESCENDING": -1,
    "pymongo.TEXT": "text",
    "pymongo.HASHED": "hashed",
    "pymongo.GEO2D": "2d",
    "pymongo.GEOSPHERE": "2dsphere",
}


def imported(tree: ast.Module) -> dict[str, str]:
    """By local name, the full name of what each import of the file brings in."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names |= {alias.asname or alias.name: f"{module}.{alias.name}" for alias in node.names}
    return names


def full_name(node: ast.expr, names: Mapping[str, str]) -> str:
    """``time.sleep`` for ``sleep`` after ``from time import sleep``; empty where it does not begin with an import."""
    if isinstance(node, ast.Name):
        return names.get(node.id, "")
    if isinstance(node, ast.Attribute):
        owner = full_name(node.value, names)
        return f"{owner}.{node.attr}" if owner else ""
    return ""


def constants(tree: ast.Module, names: Mapping[str, str]) -> dict[str, Any]:
    """The names that the module itself gives a value to, once, as far as their values can be read off."""
    values: dict[str, Any] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign):
            targets, value = statement.targets, statement.value
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets, value = [statement.target], statement.value
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name):
                again = target.id in values
                values[target.id] = UNKNOWN if again else evaluate(value, values, names)
    return values


def evaluate(node: ast.expr, values: Mapping[str, Any], names: Mapping[str, str]) -> Any:
    """The value of an expression; UNKNOWN for it, or for the parts of it, that would have to be computed."""

    def inner(part: ast.expr) -> Any:
        return evaluate(part, values, names)

    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return values.get(name, _DIRECTIONS.get(names.get(name, ""), UNKNOWN))
        case ast.List(elts=parts):
            return [inner(part) for part in parts]
        case ast.Tuple(elts=parts):
            return tuple(inner(part) for part in parts)
        case ast.Dict(keys=keys, values=parts):
            return _document(keys, parts, inner)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number = inner(operand)
            return -number if isinstance(number, int | float) else UNKNOWN
        case ast.BinOp():
            return _arithmetic(node, inner)
        case ast.Attribute():
            return _DIRECTIONS.get(full_name(node, names), UNKNOWN)
        case ast.Call():
            return _made(node, inner, names)
    return UNKNOWN


def _document(keys: list[ast.expr | None], parts: list[ast.expr], inner: Any) -> Any:
    document: dict[Any, Any] = {}
    for key, part in zip(keys, parts, strict=True):
        value = inner(part)
        if key is None:
            if not isinstance(value, Mapping):
                return UNKNOWN
            document |= value
            continue
        name = inner(key)
        if not isinstance(name, str):
            return UNKNOWN
        document[name] = value
    return document


def _arithmetic(node: ast.BinOp, inner: Any) -> Any:
    """``60 * 60 * 24`` and the like; nothing that could grow without bound."""
    left, right = inner(node.left), inner(node.right)
    if not all(type(side) in (int, float) and abs(side) < 1e12 for side in (left, right)):
        return UNKNOWN
    match node.op:
        case ast.Add():
            return left + right
        case ast.Sub():
            return left - right
        case ast.Mult():
            return left * right
    return UNKNOWN


def _made(call: ast.Call, inner: Any, names: Mapping[str, str]) -> Any:
    """An index; any other call is not made."""
    if full_name(call.func, names) not in _INDEX_MAKERS or any(keyword.arg is None for keyword in call.keywords):
        return UNKNOWN
    given = [inner(argument) for argument in call.args]
    named = {str(keyword.arg): inner(keyword.value) for keyword in call.keywords}
    try:
        return Index(*given, **named)
    except (AsyncmigError, TypeError, ValueError):
        return UNKNOWN
