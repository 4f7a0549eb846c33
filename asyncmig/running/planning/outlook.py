"""What a revision is going to do, where its text alone tells: so that the runner need not wait to be asked.

A function whose body is nothing but ``await env.<operation>(...)`` with literal arguments, as
autogenerate writes it, does the same each time, and asks nothing of anybody. Its operations can be
known before the first of them runs. Of any other function nothing is known here.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Mapping
from types import FunctionType
from typing import Any

from asyncmig.history.module import RevisionModule
from asyncmig.operations import Operation
from asyncmig.running.env import Env
from asyncmig.running.events import Direction
from asyncmig.running.group import COLLECTIONS
from asyncmig.running.planning.replay import NotReplayable, replay

__all__ = ["outlook"]

_MAKERS = frozenset({"create_collection", "create_index", "create_indexes"})
_PURE = frozenset({"asyncmig", "bson", "builtins", "datetime", "pymongo", "uuid"})
"""The packages whose classes may be called twice: what they make depends on their arguments alone."""


async def outlook(module: RevisionModule, direction: Direction) -> tuple[Operation, ...]:
    """The operations of ``upgrade`` or ``downgrade``, in order; none where its text does not tell, or nobody asks.

    Nobody asks where few collections are made: it is groups of them that it helps with.
    """
    function = module.upgrade if direction == "upgrade" else module.downgrade
    if type(function) is not FunctionType or not _MAKERS & {*function.__code__.co_names}:
        return ()
    source = module.source or ""
    if source.count(".create_") < COLLECTIONS or not _is_literal(function, source):
        return ()
    try:
        return await replay(module, direction)
    except NotReplayable:  # it is going to fail, and says so where it does
        return ()


def _is_literal(function: FunctionType, source: str) -> bool:
    """Whether the body is a list of operations, and nothing else."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return False
    line = function.__code__.co_firstlineno
    for found in tree.body:
        if isinstance(found, ast.AsyncFunctionDef) and (found.name, found.lineno) == (function.__name__, line):
            env = found.args.args[0].arg
            return not found.decorator_list and all(_is_asked(one, env, function.__globals__) for one in found.body)
    return False


def _is_asked(statement: ast.stmt, env: str, names: Mapping[str, Any]) -> bool:
    """Whether a statement is a docstring, ``pass``, or ``await env.<operation>(...)``."""
    match statement:
        case ast.Pass() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Await(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)) as method) as call)):
            return (
                name == env
                and inspect.iscoroutinefunction(getattr(Env, method.attr, None))
                and _are_literal(call, env, names)
            )
    return False


def _are_literal(call: ast.Call, env: str, names: Mapping[str, Any]) -> bool:
    return all(_is_value(one, env, names) for one in (*call.args, *(one.value for one in call.keywords)))


def _is_value(node: ast.expr | None, env: str, names: Mapping[str, Any]) -> bool:
    """Whether an expression has the same value each time, and does nothing else."""
    match node:
        case ast.Constant() | None:  # None: the key of `**more` in a dictionary
            return True
        case ast.Name(id=name):
            return name != env
        case ast.List(elts=parts) | ast.Tuple(elts=parts):
            return all(_is_value(one, env, names) for one in parts)
        case ast.Dict(keys=keys, values=values):
            return all(_is_value(one, env, names) for one in (*keys, *values))
        case ast.UnaryOp(operand=operand):
            return _is_value(operand, env, names)
        case ast.Attribute():
            return _is_pure(_found(node.value, names))
        case ast.Call(func=function):
            return _makes_the_same(_found(function, names), node) and _are_literal(node, env, names)
    return False


def _makes_the_same(function: Any, call: ast.Call) -> bool:
    """Whether a call makes the same value each time: ``ObjectId()`` does not."""
    is_class = isinstance(function, type) and _is_pure(function)
    return is_class and (bool(call.args or call.keywords) or function.__name__ in ("MinKey", "MaxKey"))


def _is_pure(value: Any) -> bool:
    name: str = getattr(value, "__module__", None) or getattr(value, "__name__", None) or ""
    return name.partition(".")[0] in _PURE


def _found(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """What a name, or an attribute of it, stands for; None where nobody can tell."""
    match node:
        case ast.Name(id=name):
            return names.get(name, getattr(builtins, name, None))
        case ast.Attribute(value=value, attr=attribute):
            owner = _found(value, names)
            return getattr(owner, attribute, None) if _is_pure(owner) else None
    return None
