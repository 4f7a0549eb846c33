"""asyncmig: schema and data migrations for MongoDB, async.

Public names are loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from asyncmig.version import __version__

if TYPE_CHECKING:
    from asyncmig import fastapi as fastapi
    from asyncmig.application.startup import startup as startup
    from asyncmig.authoring.introspect import introspect as introspect
    from asyncmig.migrator import Migrator as Migrator
    from asyncmig.migrator import autogenerate_migration as autogenerate_migration
    from asyncmig.operations.data import Delete as Delete
    from asyncmig.running.env.env import Env as Env
    from asyncmig.schema.declaration import Collection as Collection
    from asyncmig.schema.declaration import View as View
    from asyncmig.schema.fields import RenamedFrom as RenamedFrom
    from asyncmig.schema.index import Index as Index
    from asyncmig.schema.state import CollectionState as CollectionState
    from asyncmig.schema.state import DatabaseState as DatabaseState

_HOMES = {
    "Collection": "asyncmig.schema.declaration",
    "CollectionState": "asyncmig.schema.state",
    "DatabaseState": "asyncmig.schema.state",
    "Delete": "asyncmig.operations.data",
    "Env": "asyncmig.running.env.env",
    "Index": "asyncmig.schema.index",
    "Migrator": "asyncmig.migrator",
    "RenamedFrom": "asyncmig.schema.fields",
    "View": "asyncmig.schema.declaration",
    "autogenerate_migration": "asyncmig.migrator",
    "introspect": "asyncmig.authoring.introspect",
    "startup": "asyncmig.application.startup",
}
_MODULES = frozenset({"fastapi"})

__all__ = ["__version__", *_HOMES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"asyncmig.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'asyncmig' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES, *_MODULES])
