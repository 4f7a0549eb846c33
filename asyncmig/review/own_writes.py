"""What the function of a transform writes by itself, told from its code: nobody else knows of it.

The engine journals, counts and resumes what a function *returns*. What it writes to another
collection while it runs is none of that, and a plan tells the two apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any, Final

__all__ = ["own_writes"]

_WRITES: Final = frozenset(
    {
        *("bulk_write", "delete_many", "delete_one", "drop", "drop_collection", "find_one_and_delete"),
        *("find_one_and_replace", "find_one_and_update", "insert_many", "insert_one", "rename", "replace_one"),
        *("update_many", "update_one"),
    }
)
_STAGES: Final = frozenset({"$merge", "$out"})


def own_writes(function: Callable[..., Any]) -> tuple[str, ...]:
    """The driver's methods and stages that write, which the code of a function names, sorted.

    Followed are the functions within it and those of its own module that it calls; a name says what
    is likely, not what is certain.
    """
    return tuple(sorted(set(_named(_plain(function), set()))))


def _plain(function: Any) -> Any:
    """The function behind a partial, a method or an object that can be called."""
    inner = getattr(function, "func", None) or getattr(function, "__func__", None)
    if inner is not None:
        return _plain(inner)
    return function if isinstance(function, FunctionType) else vars(type(function)).get("__call__")


def _named(function: Any, seen: set[CodeType]) -> Iterator[str]:
    if not isinstance(function, FunctionType) or function.__code__ in seen:
        return
    called: list[Any] = []
    for code in _codes(function.__code__):
        seen.add(code)
        yield from _WRITES.intersection(code.co_names)
        yield from _STAGES.intersection(constant for constant in code.co_consts if isinstance(constant, str))
        called += [function.__globals__.get(name) for name in code.co_names]
    called += [cell.cell_contents for cell in function.__closure__ or () if _is_filled(cell)]
    for callee in called:
        if isinstance(callee, FunctionType) and callee.__module__ == function.__module__:
            yield from _named(callee, seen)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _is_filled(cell: Any) -> bool:
    try:
        cell.cell_contents  # noqa: B018 - it raises where there is nothing
    except ValueError:
        return False
    return True
