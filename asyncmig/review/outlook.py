"""What a revision is going to do, where its text alone tells: so that the runner need not wait to be asked.

A function whose body is nothing but ``await env.<operation>(...)`` with literal arguments, as
autogenerate writes it, does the same each time, and asks nothing of anybody. Its operations can be
known before the first of them runs, up to one that calls a function of the revision's own: what
follows that may depend on what it did. Of any other function nothing is known here.
"""

from __future__ import annotations

import ast
import builtins
import inspect
from collections.abc import Mapping
from dataclasses import fields
from itertools import takewhile
from types import FunctionType
from typing import Any

from asyncmig.events import Direction
from asyncmig.files.module import RevisionModule
from asyncmig.operations import Operation
from asyncmig.review.replay import NotReplayable, replay
from asyncmig.running.env.env import Env
from asyncmig.running.group import COLLECTIONS

__all__ = ["outlook"]

_MAKERS = frozenset({"create_collection", "create_index", "create_indexes"})
_PURE = frozenset({"asyncmig", "bson", "datetime", "pymongo", "uuid"})
"""The packages whose classes may be called twice: what they make depends on their arguments alone."""
_PLAIN = frozenset({bool, bytes, dict, float, frozenset, int, list, set, str, tuple})
"""The same of Python's own: ``map`` would call what it is given."""


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
        known = await replay(module, direction)
    except NotReplayable:  # it is going to fail, and says so where it does
        return ()
    return tuple(takewhile(_is_data, known))


def _is_data(operation: Operation) -> bool:
    """Whether an operation calls nothing that belongs to the revision."""
    return not any(callable(getattr(operation, one.name)) for one in fields(operation))


def _is_literal(function: FunctionType, source: str) -> bool:
    """Whether the body is a list of operations, and nothing else."""
    code = function.__code__
    if len(code.co_varnames) != 1:  # another parameter could hide a name that is looked up below
        return False
    (env,) = code.co_varnames
    place = function.__name__, code.co_firstlineno
    try:
        for found in ast.parse(source).body:
            if isinstance(found, ast.AsyncFunctionDef) and (found.name, found.lineno) == place:
                return not found.decorator_list and all(_is_asked(one, env, function.__globals__) for one in found.body)
    except (SyntaxError, ValueError, RecursionError):
        return False
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
            return name != env and _is_plain(_found(node, names))
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
    is_class = isinstance(function, type) and (function in _PLAIN or _is_pure(function))
    given = [one for one in (*call.args, *(each.value for each in call.keywords)) if not _is_none(one)]
    return is_class and (bool(given) or function.__name__ in ("MinKey", "MaxKey"))


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_plain(value: Any) -> bool:
    """Whether a value, all through, is one of BSON's or a function: nothing that answers differently each time."""
    if type(value) is dict:
        return all(map(_is_plain, (*value, *value.values())))
    if type(value) in (list, tuple, set, frozenset):
        return all(map(_is_plain, value))
    return type(value) in _PLAIN or type(value) is FunctionType or _is_pure(type(value))


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
