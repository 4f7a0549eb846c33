"""``Index``: one index, as declared, as rendered, and as read from a server."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from asyncmig.errors import DeclarationError

__all__ = ["Index", "default_name"]

Keys = str | Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True, slots=True, init=False, repr=False)
class Index:
    """An index: its keys and its options, exactly as ``pymongo.IndexModel`` takes them.

    ``keys``: a field name, a list of field names and ``(field, direction)`` pairs, or a mapping.
    A direction is ``1``, ``-1``, ``"text"``, ``"2d"``, ``"2dsphere"`` or ``"hashed"``. Options are
    spelled as MongoDB spells them (``expireAfterSeconds`` in seconds). Without ``name`` the index
    is named as the drivers name it: ``uid_1_org_id_-1``.

    Raises DeclarationError where ``keys`` is none of these; whether the server would take the
    index is checked when a Collection is declared with it.

    https://www.mongodb.com/docs/manual/reference/command/createIndexes/
    """

    keys: tuple[tuple[str, Any], ...]
    options: Mapping[str, Any]

    def __init__(self, keys: Keys, **options: Any) -> None:
        pairs = _pairs(keys)
        named = {"name": options.pop("name", None) or default_name(pairs)}
        if hasattr(options.get("collation"), "document"):  # pymongo's Collation
            options["collation"] = options["collation"].document
        _fill(self, pairs, named | options)

    @classmethod
    def of(cls, entry: Any) -> Index:
        """The index that ``entry`` stands for: an Index, a ``pymongo.IndexModel``, a field name, a list of pairs.

        Raises DeclarationError when it is none of them.
        """
        if isinstance(entry, cls):
            return entry
        document = getattr(entry, "document", None)  # an IndexModel, told without importing pymongo
        if isinstance(document, Mapping) and "key" in document:
            options = dict(document)
            return cls(options.pop("key"), **options)
        return cls(entry)

    @classmethod
    def made(cls, keys: tuple[tuple[str, Any], ...], options: dict[str, Any]) -> Index:
        """An index of parts that are in shape already, name included; ``options`` is kept, not copied."""
        index = object.__new__(cls)
        _fill(index, keys, options)
        return index

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

    def __reduce__(self) -> tuple[Any, ...]:
        return (Index.made, (self.keys, dict(self.options)))  # a mappingproxy can be neither copied nor pickled

    def __repr__(self) -> str:
        options = "".join(f", {key}={value!r}" for key, value in self.options.items())
        return f"Index({list(self.keys)!r}{options})"


def default_name(pairs: Iterable[tuple[str, Any]]) -> str:
    """The name that drivers generate: each field and its direction, joined by underscores."""
    return "_".join(f"{field}_{_direction(direction)}" for field, direction in pairs)


def _fill(index: Index, keys: tuple[tuple[str, Any], ...], options: dict[str, Any]) -> None:
    object.__setattr__(index, "keys", keys)
    object.__setattr__(index, "options", MappingProxyType(options))


def _direction(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _pairs(keys: Keys) -> tuple[tuple[str, Any], ...]:
    if isinstance(keys, str):
        return ((keys, 1),)
    if not isinstance(keys, Iterable) or isinstance(keys, bytes):
        raise _fault(keys, "is neither a field name nor a list of (field, direction) pairs")
    items: Iterable[Any] = keys.items() if isinstance(keys, Mapping) else keys
    return tuple(_pair(item, keys) for item in items)


def _pair(item: Any, keys: Keys) -> tuple[str, Any]:
    if isinstance(item, str):
        return (item, 1)
    if not (isinstance(item, Sequence) and len(item) == 2 and isinstance(item[0], str)):
        raise _fault(keys, f"has {item!r} in it, which is neither a field name nor a (field, direction) pair")
    return (item[0], item[1])


def _fault(keys: Any, fault: str) -> DeclarationError:
    return DeclarationError("Index", "", f'{keys!r} {fault}; write for example "uid" or [("uid", 1), ("rec_date", -1)]')
