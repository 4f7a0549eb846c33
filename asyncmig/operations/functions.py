"""What tells one function from another, in every process: its code, what it closes over, and what it calls.

Two lambdas have one name, so a name says nothing. Nor does the line, which moves with every edit above it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import CodeType, FunctionType, MethodType
from typing import Any

__all__ = ["identity", "surroundings"]

_VALUES = (str, bytes, int, float, complex, bool, type(None))
_DEPTH = 20  # functions that call one another


def identity(function: Callable[..., Any], plain: Callable[[Any], Any], seen: tuple[int, ...] = ()) -> Any:
    """Plain values that are equal for equal functions; ``plain`` gives those of any other value."""
    if id(function) in seen or len(seen) > _DEPTH:
        return "itself"
    inside = (*seen, id(function))
    if isinstance(function, functools.partial):
        parts = [plain(function.args), plain(function.keywords)]
        return "partial", identity(function.func, plain, inside), parts
    if isinstance(function, MethodType):
        return "method", identity(function.__func__, plain, inside), type(function.__self__).__qualname__
    if isinstance(function, FunctionType):
        return _code(function.__code__), list(_around(function, plain, inside))
    called = type(function).__dict__.get("__call__")
    if isinstance(called, FunctionType):
        return type(function).__qualname__, identity(called, plain, inside)
    return str(getattr(function, "__module__", "")), str(getattr(function, "__qualname__", type(function).__name__))


def _code(code: CodeType) -> Any:
    """What a function does, without the lines where it stands."""
    constants = [
        _code(constant) if isinstance(constant, CodeType) else _constant(constant) for constant in code.co_consts
    ]
    return code.co_code.hex(), constants, code.co_names, code.co_varnames, code.co_freevars


def _constant(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    return type(value).__name__, repr(value)


def _around(function: FunctionType, plain: Callable[[Any], Any], seen: tuple[int, ...]) -> Iterator[Any]:
    """Its defaults, what it closes over, and what it names of its own module."""
    yield plain(function.__defaults__), plain(function.__kwdefaults__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, _value(cell.cell_contents, plain, seen)
        except ValueError:  # it is not bound yet
            yield name, "nothing"
    for name in sorted(_names(function.__code__) & function.__globals__.keys()):
        value = function.__globals__[name]
        is_own = isinstance(value, FunctionType) and value.__module__ == function.__module__
        if is_own or isinstance(value, _VALUES):
            yield name, _value(value, plain, seen)


def _names(code: CodeType) -> set[str]:
    inner = [_names(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return {*code.co_names}.union(*inner)


def _value(value: Any, plain: Callable[[Any], Any], seen: tuple[int, ...]) -> Any:
    if callable(value) and not isinstance(value, type):
        return identity(value, plain, seen)
    if isinstance(value, Mapping):
        return [(str(key), _value(item, plain, seen)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [_value(item, plain, seen) for item in value]
    return plain(value)


def surroundings(function: Callable[..., Any]) -> dict[str, Any]:
    """The values that a function closes over or has as defaults, by name: what differs between two of one code."""
    if not isinstance(function, FunctionType):
        return {}
    values: dict[str, Any] = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):
            values[name] = cell.cell_contents
    defaults = function.__defaults__ or ()
    values |= dict(
        zip(reversed(function.__code__.co_varnames[: function.__code__.co_argcount]), reversed(defaults), strict=False)
    )
    return values | dict(function.__kwdefaults__ or {})
