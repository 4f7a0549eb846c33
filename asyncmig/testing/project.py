"""``Project``: whose migrations the fixtures run, and with which driver."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asyncmig.application.options import migrator_for
from asyncmig.events import Listener
from asyncmig.migrator import Migrator
from asyncmig.schema.own_names import OwnNames
from asyncmig.settings import Settings
from asyncmig.sources import Models

__all__ = ["Project"]


@dataclass(frozen=True, slots=True)
class Project:
    """The migrations in ``directory``, the ``models`` that they lead to, and what the settings say besides."""

    settings: Settings
    directory: Path
    models: Models | None
    driver: str

    @property
    def own(self) -> frozenset[str]:
        """asyncmig's own collections."""
        return OwnNames(self.settings.revisions_collection, self.settings.lock_collection).all

    @property
    def key(self) -> tuple[Any, ...]:
        """What two projects share whose migrated databases are the same."""
        return (self.directory, self.driver, self.own)

    def migrator(self, database: Any = None, on_event: Listener | None = None) -> Migrator:
        """What runs these migrations on a database; without one, what reads their files."""
        options = {"directory": self.directory, "collections": self.models}
        return migrator_for(database, options, self.settings, on_event=on_event, command="pytest")
