"""What something is that was named as a model and is none, and what to write in its place."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

__all__ = ["described", "is_index"]

_OTHER_LIBRARIES = ("umongo", "motorengine", "mongox", "pymodm", "ming", "mongokit", "django", "sqlalchemy", "sqlmodel")


def is_index(value: Any) -> bool:
    """Whether it is one index that does not say of which collection: an IndexModel, or a document of one."""
    if isinstance(value, Mapping):
        keys = value.get("key", value.get("keys"))
        others = [entries for name, entries in value.items() if name not in ("key", "keys")]
        listed = others and all(isinstance(entries, (list, tuple)) for entries in others)
        return isinstance(keys, (list, tuple, Mapping)) and not listed and all(map(_is_pair, keys))
    return not isinstance(value, type) and isinstance(getattr(value, "document", None), Mapping)


def _is_pair(entry: Any) -> bool:
    """A field and its direction, or, of a document, a field."""
    return isinstance(entry, str) or (isinstance(entry, (list, tuple)) and len(entry) == 2 and entry[1] in (1, -1))


def described(value: Any) -> str:
    """What a value is, in a sentence's words, with what to do about it where that is known."""
    if is_index(value):
        return "an index that does not say of which collection; write {'collection': [(keys, options), ...]}"
    if isinstance(value, ModuleType):
        return f"a module; write {value.__name__!r}"
    if inspect.iscoroutinefunction(value):
        return "a coroutine function; write what it creates as {'collection': [(keys, options), ...]}"
    if inspect.isroutine(value):
        return "a function; call it in that module, and name what it returns"
    if isinstance(value, type):
        return _described_class(value)
    return f"no model: {value!r}"


def _described_class(cls: type) -> str:
    roots = {str(base.__module__).partition(".")[0] for base in cls.__mro__}
    library = next((name for name in _OTHER_LIBRARIES if name in roots), None)
    if library:
        return (
            f"a class of {library}, which cannot be read; write its indexes as {{'collection': [(keys, options), ...]}}"
        )
    if any(base.__name__.startswith("Embedded") for base in cls.__mro__):
        return f"an embedded document, which has no collection of its own: {cls!r}"
    if "pydantic" in roots and not roots & {"beanie", "bunnet", "odmantic"}:
        return (
            f"a Pydantic model, which has no collection; write a Collection with `__collection_name__` "
            f"and `__model__ = {cls.__name__}`"
        )
    return f"no model: {cls!r}"
