"""``Index``: one index, as declared, as rendered, and as read from a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

__all__ = ["Index", "default_name"]

Keys = str | Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Index:
    """An index: its keys and its options, exactly as ``pymongo.IndexModel`` takes them.

    ``keys``: a field name, a list of field names and ``(field, direction)`` pairs, or a mapping.
    A direction is ``1``, ``-1``, ``"text"``, ``"2d"``, ``"2dsphere"`` or ``"hashed"``. Options are
    spelled as MongoDB spells them (``expireAfterSeconds`` in seconds). Without ``name`` the index
    is named as the drivers name it: ``uid_1_org_id_-1``.

    https://www.mongodb.com/docs/manual/reference/command/createIndexes/
    """

    keys: tuple[tuple[str, Any], ...]
    options: Mapping[str, Any]

    def __init__(self, keys: Keys, **options: Any) -> None:
        pairs = tuple(_pairs(keys))
        named = {"name": options.pop("name", None) or default_name(pairs)}
        object.__setattr__(self, "keys", pairs)
        object.__setattr__(self, "options", MappingProxyType(named | options))

    @classmethod
    def of(cls, entry: Any) -> Index:
        """The index that ``entry`` stands for: an Index, a ``pymongo.IndexModel``, a field name, or a list of pairs.

        Raises TypeError when it is none of them.
        """
        if isinstance(entry, cls):
            return entry
        document = getattr(entry, "document", None)  # an IndexModel, told without importing pymongo
        if isinstance(document, Mapping) and "key" in document:
            options = {key: value for key, value in document.items() if key != "key"}
            return cls(document["key"], **options)
        if isinstance(entry, (str, Mapping)) or (isinstance(entry, (list, tuple)) and entry):
            return cls(entry)
        raise TypeError(f"an index is an Index, an IndexModel, a field name or a list of pairs, not {entry!r}")

    @property
    def name(self) -> str:
        """The index's name on the server."""
        name: str = self.options["name"]
        return name

    @property
    def named_by_default(self) -> bool:
        """Whether the name is the one that the drivers would give."""
        return self.name == default_name(self.keys)

    @property
    def document(self) -> dict[str, Any]:
        """The specification as ``createIndexes`` takes it."""
        return {"key": dict(self.keys), **self.options}

    def replace(self, **options: Any) -> Index:
        """The same index with these options set; an option set to None is taken away."""
        merged = {key: value for key, value in (dict(self.options) | options).items() if value is not None}
        return Index(self.keys, **merged)

    def __hash__(self) -> int:
        return hash((self.name, tuple(field for field, _ in self.keys)))

    def __repr__(self) -> str:
        options = "".join(f", {key}={value!r}" for key, value in self.options.items())
        return f"Index({list(self.keys)!r}{options})"


def default_name(pairs: Iterable[tuple[str, Any]]) -> str:
    """The name that drivers generate: each field and its direction, joined by underscores."""
    return "_".join(f"{field}_{_direction(direction)}" for field, direction in pairs)


def _direction(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _pairs(keys: Keys) -> Iterable[tuple[str, Any]]:
    if isinstance(keys, str):
        return [(keys, 1)]
    items: Iterable[Any] = keys.items() if isinstance(keys, Mapping) else keys
    return [(item, 1) if isinstance(item, str) else (item[0], item[1]) for item in items]
