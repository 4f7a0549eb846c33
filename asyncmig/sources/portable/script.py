"""What the single file does when it is run: it prints the models that its arguments name, as one JSON document."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from importlib import metadata
from typing import Any

from asyncmig.sources.portable.calls import CallsError, call_parts
from asyncmig.sources.portable.document import export_text
from asyncmig.sources.portable.finding import NotFoundError, find_models
from asyncmig.sources.portable.reading import UnreadableError, framework_of, read_classes

__all__ = ["libraries_read", "main"]

_READ_WITH = ("beanie", "bunnet", "mongoengine", "motor", "odmantic", "pydantic", "pymongo")


def libraries_read() -> dict[str, str]:
    """The versions of the libraries that the models have imported, and Python's."""
    versions = {"python": "{}.{}.{}".format(*sys.version_info[:3])}
    for name in _READ_WITH:
        if name in sys.modules:
            with contextlib.suppress(metadata.PackageNotFoundError):
                versions[name] = metadata.version(name)
    return versions


def _parts(places: Iterable[str]) -> list[dict[str, Any]]:
    classes: list[Any] = []
    parts: list[dict[str, Any]] = []
    for place in places:
        for value, module, attribute in find_models(place):
            if isinstance(value, type):
                classes.append(value)
            else:
                parts += call_parts(value, module, attribute)
    own = [cls.__name__ for cls in classes if framework_of(cls) == "asyncmig"]
    if own:
        raise NotFoundError(f"{', '.join(own)} are asyncmig's own; use `asyncmig models export` where it is installed")
    return read_classes(classes) + parts


def main(arguments: list[str]) -> int:
    """Print the document on stdout, faults on stderr; 0, 1 for a fault, 2 where nothing was named."""
    if not arguments or arguments[0].startswith("-"):
        sys.stderr.write("usage: python SCRIPT app.models [app.indexes:CALLS ...] > models.json\n")
        return 2
    sys.path.insert(0, os.getcwd())
    try:
        sys.stdout.write(export_text(_parts(arguments), libraries_read()) + "\n")
    except (NotFoundError, CallsError, UnreadableError, TypeError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0
