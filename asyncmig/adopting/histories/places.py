"""Where each tool keeps its log, its lock and its files: its defaults, and what its own settings say otherwise."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from configparser import ConfigParser, Error
from dataclasses import dataclass, field, replace
from pathlib import Path
from tomllib import TOMLDecodeError, loads
from typing import Any

from asyncmig.adopting.histories.history import ForeignFile

__all__ = ["PLACES", "Place", "files_in", "place_of"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one tool's history is.

    ``collection`` holds its log, and ``lock`` is where it locks (None for a tool without a lock).
    ``folder`` holds its files, None where there are none to be read; ``named`` says that the tool's own
    settings name it. ``options`` are settings that change what is pending.
    """

    collection: str
    lock: str | None = None
    folder: Path | None = None
    named: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


PLACES: Mapping[str, Place] = {
    "migrate-mongo": Place("changelog", "changelog_lock", Path("migrations")),
    "beanie": Place("migrations_log", None, Path("migrations")),
    "pymongo-migrate": Place("pymongo_migrate", None, Path("pymongo_migrations")),
    "mongodb-migrations": Place("database_migrations", None, Path("migrations")),
    "mongomig": Place("__mongomig_migrations", "__mongomig_lock", Path("migrations/versions")),
    "mongock": Place("mongockChangeLog", "mongockLock"),
}
"""Each tool's defaults."""


def place_of(tool: str, root: Path, environment: Mapping[str, str]) -> Place:
    """Where ``tool`` keeps its history in a project at ``root``: what its own settings say, else its defaults."""
    usual = PLACES[tool]
    read = _SETTINGS.get(tool)
    place = read(usual, root, environment) if read else usual
    return place if place.folder is None else replace(place, folder=root / place.folder)


def files_in(folder: Path | None) -> list[ForeignFile]:
    """The files right in a folder, by name; none where there is no such folder."""
    if folder is None or not folder.is_dir():
        return []
    return [ForeignFile(path.name, path.read_bytes()) for path in sorted(folder.iterdir()) if path.is_file()]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _migrate_mongo(usual: Place, root: Path, environment: Mapping[str, str]) -> Place:
    """From migrate-mongo-config.js, as far as it holds plain values: it is a program, and is not run."""
    source = "\n".join(line.split("//")[0] for line in _text(root / "migrate-mongo-config.js").splitlines())

    def value(key: str) -> str | None:
        match = re.search(rf"\b{key}[\"']?\s*:\s*(?:[\"'`]([^\"'`]*)[\"'`]|([\w.]+))", source)
        return (match[1] if match[1] is not None else match[2]) if match else None

    locks = value("lockTtl") != "0" and value("lockCollectionName") != ""
    return replace(
        usual,
        collection=value("changelogCollectionName") or usual.collection,
        lock=(value("lockCollectionName") or usual.lock) if locks else None,
        folder=Path(value("migrationsDir") or "migrations"),
        named=value("migrationsDir") is not None,
        options={"extension": value("migrationFileExtension") or ".js", "hashes": value("useFileHash") == "true"},
    )


def _beanie(usual: Place, root: Path, environment: Mapping[str, str]) -> Place:
    try:
        table = loads(_text(root / "pyproject.toml")).get("tool", {}).get("beanie", {}).get("migrations", {})
    except (TOMLDecodeError, AttributeError):
        table = {}
    named = environment.get("BEANIE_PATH") or (table.get("path") if isinstance(table, Mapping) else None)
    return replace(usual, folder=Path(named), named=True) if isinstance(named, str) else usual


def _mongodb_migrations(usual: Place, root: Path, environment: Mapping[str, str]) -> Place:
    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(_text(root / environment.get("MONGODB_MIGRATIONS_CONFIG", "config.ini")))
    except Error:
        return usual
    named = parser.get("mongo", "migrations", fallback=None)
    collection = parser.get("mongo", "metastore", fallback=usual.collection)
    return replace(usual, collection=collection, folder=Path(named or "migrations"), named=named is not None)


def _mongomig(usual: Place, root: Path, environment: Mapping[str, str]) -> Place:
    source = _text(root / "mongomig.yaml")

    def value(key: str) -> str | None:
        match = re.search(rf"^\s+{key}\s*:\s*[\"']?([^\"'#\s]+)", source, re.MULTILINE)
        return match[1] if match else None

    return replace(
        usual,
        collection=value("tracking_collection") or usual.collection,
        lock=value("lock_collection") or usual.lock,
        folder=Path(value("directory") or "migrations") / "versions",
        named=value("directory") is not None,
    )


_SETTINGS: Mapping[str, Callable[[Place, Path, Mapping[str, str]], Place]] = {
    "migrate-mongo": _migrate_mongo,
    "beanie": _beanie,
    "mongodb-migrations": _mongodb_migrations,
    "mongomig": _mongomig,
}
