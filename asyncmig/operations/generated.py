"""Values that are made up anew each time: generated ids. Told without importing ``bson``."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

__all__ = ["is_generated"]

_UUID_SUBTYPES: Final = (3, 4)


def is_generated(value: Any) -> bool:
    """Whether a value is an ObjectId or a UUID, which another run of the same code makes another one."""
    kinds = {f"{kind.__module__}.{kind.__qualname__}" for kind in type(value).__mro__}
    if "bson.binary.Binary" in kinds:
        return value.subtype in _UUID_SUBTYPES
    return isinstance(value, UUID) or "bson.objectid.ObjectId" in kinds
