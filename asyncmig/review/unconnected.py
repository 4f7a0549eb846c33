"""``env`` without a database, for whoever wants the operations of a revision and nothing else of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import NoReturn, cast

from asyncmig.drivers.base import Driver
from asyncmig.operations import Operation
from asyncmig.running.env.env import Env

__all__ = ["NeedsDatabase", "unconnected_env"]


class NeedsDatabase(Exception):
    """Raised where the code asks for what only a database could tell; its text names what was asked."""


def unconnected_env(perform: Callable[[Operation], Awaitable[None]], *, collections: set[str] | None = None) -> Env:
    """An ``env`` that hands each operation to ``perform``, and raises NeedsDatabase for all that is more than that.

    ``collections``: what ``env.collections`` is, where it may be looked at.
    """
    nothing, known = _Nothing(), _Unseen() if collections is None else collections
    return Env(cast("Driver", nothing), perform, database=nothing, client=nothing, collections=known)


class _Nothing:
    """Stands where a database would be."""

    def __getattr__(self, name: str) -> NoReturn:
        raise NeedsDatabase("env.db or env.client")

    def __getitem__(self, name: str) -> NoReturn:
        raise NeedsDatabase("env.db or env.client")


class _Unseen(set[str]):
    """The names of the collections: kept up by env, and nobody may look."""

    def __contains__(self, name: object) -> bool:
        raise NeedsDatabase("env.collections")

    def __iter__(self) -> Iterator[str]:
        raise NeedsDatabase("env.collections")
