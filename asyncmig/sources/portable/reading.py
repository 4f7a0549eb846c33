"""Which library a class is of, and what all classes of a list say together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from asyncmig.sources.portable.beanie import BeanieSetup
from asyncmig.sources.portable.mongoengine import mongoengine_part
from asyncmig.sources.portable.odmantic import odmantic_part
from asyncmig.sources.portable.places import line_of_class, shown_file

__all__ = ["UnreadableError", "framework_of", "is_concrete", "read_classes"]

_BASES = {
    ("beanie", "Document"): "beanie",
    ("beanie", "View"): "beanie",
    ("beanie", "UnionDoc"): "beanie",
    ("bunnet", "Document"): "beanie",
    ("bunnet", "View"): "beanie",
    ("bunnet", "UnionDoc"): "beanie",
    ("mongoengine", "Document"): "mongoengine",
    ("mongoengine", "DynamicDocument"): "mongoengine",
    ("odmantic", "Model"): "odmantic",
    ("asyncmig", "Collection"): "asyncmig",
    ("asyncmig", "View"): "asyncmig",
}
_LIBRARIES = {library for library, _ in _BASES}


class UnreadableError(Exception):
    """A model whose own declaration fails when it is read: its library would fail on it, too."""


def framework_of(value: Any) -> str | None:
    """``beanie``, ``mongoengine``, ``odmantic`` or ``asyncmig``: whose base classes a class has; else None.

    Told by the modules of its base classes: no library is imported for it.
    """
    if not isinstance(value, type) or _root(value) in _LIBRARIES:
        return None
    frameworks = (_BASES.get((_root(base), base.__name__)) for base in value.__mro__)
    return next((framework for framework in frameworks if framework), None)


def is_concrete(cls: Any) -> bool:
    """Whether a class found in a module is meant to have a collection: neither abstract nor an open generic."""
    meta = getattr(cls, "_meta", None)
    if isinstance(meta, dict) and meta.get("abstract"):
        return False
    generic = getattr(cls, "__pydantic_generic_metadata__", None) or {}
    return "[" not in cls.__name__ and not generic.get("parameters")


def read_classes(classes: Iterable[Any]) -> list[dict[str, Any]]:
    """The parts of these classes; those of Beanie together, since they are set up together.

    Raises UnreadableError, with the class and its place, where a declaration fails.
    """
    listed = list(dict.fromkeys(classes))
    setup = BeanieSetup([cls for cls in listed if framework_of(cls) == "beanie"])
    for cls in setup.order:
        _read(cls, setup.visit)
    parts = setup.parts
    for cls in listed:
        framework = framework_of(cls)
        if framework == "mongoengine":
            part = _read(cls, mongoengine_part)
            parts += [part] if part else []
        elif framework == "odmantic":
            parts.append(_read(cls, odmantic_part))
    return parts


def _read(cls: Any, reader: Any) -> Any:
    try:
        return reader(cls)
    except Exception as error:  # whatever the class's own code raises: an index that is none, a lambda that fails
        place = f"{shown_file(cls.__module__)}, line {line_of_class(cls)}"
        kind = type(error).__name__
        raise UnreadableError(f"{cls.__module__}.{cls.__qualname__} ({place}): {kind}: {error}") from error


def _root(cls: Any) -> str:
    return str(cls.__module__).partition(".")[0]
