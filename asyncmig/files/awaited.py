"""What a statement begins and a later one waits for, to its end; read from the text of a function."""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence

__all__ = ["Waiting", "goes_on", "may_leave_some"]

_LEAVING = frozenset({"wait", "anext", "__anext__", "as_completed"})
"""Functions that may return before all that they are given is over."""


class Waiting:
    """The names that the statements of a ``body`` bind, and those that they wait for, without a condition."""

    def __init__(self, body: Sequence[ast.stmt]) -> None:
        self._events = defaultdict[str, list[tuple[int, bool]]](list)
        for number, statement in enumerate(body):
            for name in _awaited(statement):
                self._events[name].append((number, True))
            for name in _assigned(statement):
                self._events[name].append((number, False))

    def is_awaited(self, number: int, statement: ast.stmt, until: int) -> bool:
        """Whether what a statement keeps under a name is awaited before ``until``, and before the name is another's."""
        return any(self._is_next_awaited(name, number, until) for name in {*_assigned(statement), *_filled(statement)})

    def _is_next_awaited(self, name: str, number: int, until: int) -> bool:
        events = self._events.get(name, [])
        place = bisect_right(events, (number, True))
        return place < len(events) and events[place][0] < until and events[place][1]


def _assigned(statement: ast.stmt) -> set[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _filled(statement: ast.stmt) -> Iterator[str]:
    """The lists that a statement appends to."""
    calls = (node.func for node in ast.walk(statement) if isinstance(node, ast.Call))
    for function in calls:
        match function:
            case ast.Attribute(value=ast.Name(id=name), attr="append" | "add"):
                yield name
            case _:
                pass


def _awaited(statement: ast.stmt) -> Iterator[str]:
    """The names whose values an ``await`` is about: its own, or those handed to the call."""
    value = statement.value if isinstance(statement, ast.Expr | ast.Assign | ast.Return) else None
    if not isinstance(value, ast.Await) or may_leave_some(value.value):
        return
    for node in [value.value, *(value.value.args if isinstance(value.value, ast.Call) else ())]:
        inner = node.value if isinstance(node, ast.Starred) else node
        if isinstance(inner, ast.Name):
            yield inner.id


def may_leave_some(node: ast.expr) -> bool:
    """Whether a call may return, without an error, before all that it is given is over."""
    if not isinstance(node, ast.Call):
        return False
    words = {keyword.arg for keyword in node.keywords}
    return _name(node.func) in _LEAVING or "return_exceptions" in words


def goes_on(node: ast.Try | ast.TryStar | ast.With | ast.AsyncWith) -> bool:
    """Whether what follows may be carried out though an error has ended the body."""
    if isinstance(node, ast.With | ast.AsyncWith):
        calls = [item.context_expr.func for item in node.items if isinstance(item.context_expr, ast.Call)]
        return any(_name(function) in ("suppress", "move_on_after", "move_on_at") for function in calls)
    leaves = any(isinstance(part, ast.Return | ast.Break | ast.Continue) for part in node.finalbody)
    return leaves or any(not isinstance(handler.body[-1], ast.Raise) for handler in node.handlers)


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
