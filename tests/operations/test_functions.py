"""By what one function of the user's is told from another: what it does, closes over, has as defaults, and calls."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from asyncmig.operations.functions import identity, surroundings


def source(text: str) -> Callable[..., Any]:
    """The function ``f`` of a module of its own."""
    names: dict[str, Any] = {"__name__": "m", "partial": functools.partial}
    exec(text, names)
    return names["f"]  # type: ignore[no-any-return]


def told(function: Callable[..., Any]) -> Any:
    return identity(function, lambda value: repr(value))


SAME = [
    ("f = lambda d: d", "\n\nf = lambda d: d"),
    ("def f(d): return d", "import os\n\ndef f(d):\n    # a comment\n    return d"),
    ("def f(d): return g(d)\ndef g(d): return d", "def g(d): return d\ndef f(d): return g(d)"),
    ("f = lambda d: d in {'a', 'b', 'c'}", "f = lambda d: d in {'c', 'a', 'b'}"),
    ("other = 1\nf = lambda d: d", "other = 2\nf = lambda d: d"),  # what it does not name
    ("def f(d): return f(d)", "\ndef f(d): return f(d)"),  # itself
    ("def f(d): return g(d)\ndef g(d): return f(d)", "\ndef f(d): return g(d)\ndef g(d): return f(d)"),
]
DIFFERENT = [
    ("f = lambda d: d + 1", "f = lambda d: d - 1"),
    ("f = lambda d: d + 1", "f = lambda d: d + 2"),
    ("f = lambda d: d + 1", "f = lambda d: d + 1.0"),
    ("f = lambda d: d in {'a'}", "f = lambda d: d in {'b'}"),
    ("f = lambda d: d.a", "f = lambda d: d.b"),
    ("f = lambda d: [x for x in d]", "f = lambda d: [x + 1 for x in d]"),
    ("f = lambda d: (lambda: d + 1)", "f = lambda d: (lambda: d + 2)"),
    ("f = lambda d, n=1: d", "f = lambda d, n=2: d"),
    ("f = lambda d, *, n=1: d", "f = lambda d, *, n=2: d"),
    ("n = 1\nf = lambda d: d + n", "n = 2\nf = lambda d: d + n"),
    ("n = 1\nf = lambda d: [x + n for x in d]", "n = 2\nf = lambda d: [x + n for x in d]"),
    ("n = 1\nf = lambda d: [[n for y in x] for x in d]", "n = 2\nf = lambda d: [[n for y in x] for x in d]"),
    ("def g(d): return 1\nf = lambda d: g(d)", "def g(d): return 2\nf = lambda d: g(d)"),
    (
        "def f(n=1):\n  def h(d): return d + n\n  return h\nf = f(1)",
        "def f(n):\n  def h(d): return d + n\n  return h\nf = f(2)",
    ),
    ("def h(n, d): return d\nf = partial(h, 1)", "def h(n, d): return d\nf = partial(h, 2)"),
    ("def h(d, n): return d\nf = partial(h, n=1)", "def h(d, n): return d\nf = partial(h, n=2)"),
    ("def h(d): return 1\nf = partial(h)", "def h(d): return 2\nf = partial(h)"),
    ("class A:\n  def g(self, d): return 1\nf = A().g", "class A:\n  def g(self, d): return 2\nf = A().g"),
    ("class A:\n  def g(self, d): return 1\nf = A().g", "class B:\n  def g(self, d): return 1\nf = B().g"),
    ("class A:\n  def __call__(self, d): return 1\nf = A()", "class A:\n  def __call__(self, d): return 2\nf = A()"),
    ("class A:\n  def __call__(self, d): return 1\nf = A()", "class B:\n  def __call__(self, d): return 1\nf = B()"),
    ("f = print", "f = len"),
    (
        "def o(h):\n  def f(d): return h(d)\n  return f\nf = o(lambda d: 1)",
        "def o(h):\n  def f(d): return h(d)\n  return f\nf = o(lambda d: 2)",
    ),
    (
        "def o(h):\n  def f(d): return h\n  return f\nf = o({'a': lambda d: 1})",
        "def o(h):\n  def f(d): return h\n  return f\nf = o({'a': lambda d: 2})",
    ),
    (
        "def o(h):\n  def f(d): return h\n  return f\nf = o([lambda d: 1])",
        "def o(h):\n  def f(d): return h\n  return f\nf = o([lambda d: 2])",
    ),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same(one: str, other: str) -> None:
    assert told(source(one)) == told(source(other)) == told(source(one))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_another(one: str, other: str) -> None:
    assert told(source(one)) == told(source(one)) != told(source(other))


def test_what_belongs_to_another_module_takes_no_part() -> None:
    """A library's function may be another one in the next version."""
    one, other = source("f = lambda d: g(d)"), source("f = lambda d: g(d)")
    one.__globals__["g"], other.__globals__["g"] = told, source
    assert told(one) == told(other)


def test_not_bound_yet() -> None:
    def outer(bound: bool) -> Any:
        if bound:
            value = 1
        return lambda: value

    assert told(outer(bound=False)) != told(outer(bound=True))
    assert surroundings(outer(bound=False)) == {}
    assert surroundings(outer(bound=True)) == {"value": 1}


def test_many_that_call_one_another() -> None:
    """A long chain ends somewhere: what is called near is looked at."""

    def chain(last: int, length: int) -> Any:
        calls = "".join(f"def f{number}(d): return f{number + 1}(d)\n" for number in range(length))
        return told(source(f"{calls}def f{length}(d): return {last}\nf = f0"))

    assert chain(1, 20) != chain(2, 20)
    assert chain(1, 21) == chain(2, 21)


def test_what_is_around() -> None:
    held = "h"

    def function(first: Any, a: int = 1, b: int = 2, *rest: Any, c: int = 3, **more: Any) -> Any:
        return first, a, b, rest, c, more, held

    assert surroundings(function) == {"held": "h", "a": 1, "b": 2, "c": 3}
    assert surroundings(lambda d: d) == surroundings(print) == surroundings(functools.partial(function, 1)) == {}
