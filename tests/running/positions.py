"""The places before and after each await of asyncmig's own in a run, by name, where a test may do something.

Every coroutine function of the rooms that a run goes through is wrapped, whichever there are: so a new one is
looked at without anybody remembering to, and a run that is not tested pays nothing.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

__all__ = ["Positions", "told"]

_ROOMS = ("asyncmig.running", "asyncmig.data", "asyncmig.drivers")
_BESIDE = frozenset({"keep", "on_keeper_exit"})  # what goes on beside a run, at times of its own

Reached = Callable[[str], Awaitable[None] | None]


class Positions:
    """Counts the positions from :meth:`begin` to :meth:`end`; at the ``number``-th of them it calls ``act``, once."""

    def __init__(self, number: int = 0, act: Callable[[str], None] | None = None) -> None:
        self._number, self._act, self._counts = number, act, False
        self.names: list[str] = []

    def begin(self) -> None:
        """From here on."""
        self._counts = True

    def end(self) -> None:
        """Up to here."""
        self._counts = False

    def hear(self, event: Any) -> None:
        """Begin with the lock, and end before it is released: an event of the run."""
        kind = type(event).__name__
        self._counts = kind != "LockReleased" and (self._counts or kind == "LockAcquired")

    def __call__(self, name: str) -> None:
        """A position is reached."""
        if not self._counts:
            return
        self.names.append(name)
        if len(self.names) == self._number and self._act is not None:
            self._act(name)


@contextmanager
def told(reached: Reached) -> Iterator[None]:
    """A block in which ``reached`` hears of each position: ``before Ledger.send``, ``after Ledger.send``.

    What it returns is awaited there, if anything.
    """
    undo = list(_wrap_all(reached))
    try:
        yield
    finally:
        for owner, name, original in undo:
            setattr(owner, name, original)


def _wrap_all(reached: Reached) -> Iterator[tuple[Any, str, Any]]:
    wrapped: dict[int, Any] = {}
    for owner in _owners():
        for name, value in list(vars(owner).items()):
            if not inspect.iscoroutinefunction(value) or not value.__module__.startswith(_ROOMS) or name in _BESIDE:
                continue
            setattr(owner, name, wrapped.setdefault(id(value), _wrapped(value, reached)))
            yield owner, name, value


def _owners() -> Iterator[Any]:
    """Every module that may call a function of these rooms by a name of its own, and their classes."""
    for room in _ROOMS[:2]:
        package = importlib.import_module(room)
        for found in pkgutil.walk_packages(package.__path__, f"{room}."):
            importlib.import_module(found.name)
    for module in [one for name, one in sys.modules.items() if name.startswith("asyncmig.")]:
        yield module
        yield from _classes(module)


def _classes(module: ModuleType) -> Iterator[type]:
    for value in list(vars(module).values()):
        if inspect.isclass(value) and value.__module__ == module.__name__ and module.__name__.startswith(_ROOMS):
            yield value


def _wrapped(function: Any, reached: Reached) -> Any:
    name = function.__qualname__

    @functools.wraps(function)
    async def call(*arguments: Any, **named: Any) -> Any:
        if (pause := reached(f"before {name}")) is not None:
            await pause
        result = await function(*arguments, **named)
        if (pause := reached(f"after {name}")) is not None:
            await pause
        return result

    return call
