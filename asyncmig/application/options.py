"""What a door may be told, and the ``Migrator`` that comes of it and of the project's settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from asyncmig.migrator import Migrator
from asyncmig.settings import Settings, load_settings

if TYPE_CHECKING:
    from asyncmig.events import Listener
    from asyncmig.sources import Models

__all__ = ["Options", "migrator_for", "project_settings"]


class Options(TypedDict, total=False):
    """Where the migrations are and how they run; what is not given, or None, is taken from the settings.

    ``directory``: the folder that holds ``versions/``. ``collections``: the models; where given, they
    are compared with the database, too. ``lock_lease``: seconds. The settings are the ``ASYNCMIG_*``
    variables and ``[tool.asyncmig]``, as for the command line.
    """

    directory: str | Path | None
    collections: Models | None
    lock_lease: float | None
    revisions_collection: str | None
    lock_collection: str | None


_HAVE_A_CLIENT = {"url": "mongodb://not-asked", "database": "not-asked"}


def project_settings(start: Path | None = None) -> Settings:
    """The settings as the command line would find them in ``start`` (the working directory), address aside.

    Whoever comes through this door has a client: what the settings say of ``url`` and ``database``
    does not matter, nor does a variable in them that is not set. Raises ConfigurationError.
    """
    return load_settings(start or Path.cwd(), os.environ, _HAVE_A_CLIENT)


def migrator_for(
    database: Any,
    options: Mapping[str, Any],
    settings: Settings,
    *,
    lock_timeout: float | None = None,
    on_event: Listener | None = None,
    command: str = "",
) -> Migrator:
    """A migrator of ``database`` by these options and, where they say nothing, the settings.

    Raises TypeError for an option that there is not.
    """
    if unknown := options.keys() - Options.__annotations__.keys():
        raise TypeError(f"unknown option {', '.join(sorted(unknown))}; there are {', '.join(Options.__annotations__)}")
    given = {name: value for name, value in options.items() if value is not None}
    if lock_timeout is not None:
        given["lock_timeout"] = lock_timeout
    return Migrator.configured(database, settings, **{"collections": None} | given, on_event=on_event, command=command)
