"""The normal form of a collection's options, and what differs between two of them.

Options that the server ignores (``flags``, ``comment``, ``idIndex``) are left out, as are those
that say no more than the default. What is kept can be sent to ``create`` as it is.

https://www.mongodb.com/docs/manual/reference/command/create/
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Final

from asyncmig.schema.canonical import canonical, canonical_filter, exact
from asyncmig.schema.collation import expand
from asyncmig.schema.index import Index
from asyncmig.schema.normal import seconds
from asyncmig.schema.state import CollectionKind, CollectionState
from asyncmig.schema.value import number, truthy

__all__ = ["automatic_index", "changed_options", "normal_options", "options_definition"]

Options = Mapping[str, Any]

_BLOCK_BYTES: Final = 256
_NO_MAXIMUM: Final = 2**31 - 1
_SPANS: Final = {"seconds": 3600, "minutes": 86400, "hours": 2592000}
"""Granularity to ``bucketMaxSpanSeconds``: https://www.mongodb.com/docs/manual/core/timeseries/timeseries-granularity/"""

DEFAULTS: Final[Options] = {
    "capped": False,
    "size": None,
    "max": None,
    "validator": {},
    "validationLevel": "strict",
    "validationAction": "error",
    "collation": None,
    "timeseries": None,
    "clusteredIndex": None,
    "expireAfterSeconds": None,
    "changeStreamPreAndPostImages": {"enabled": False},
    "recordPreImages": False,
    "viewOn": None,
    "pipeline": [],
}
"""What an option is worth where it is not there; None where that is the same as having none."""

_IF_ASKED: Final = ("storageEngine", "indexOptionDefaults", "encryptedFields")
"""Compared only where they are declared: tuned by whoever runs the server, or completed by it."""


def normal_options(options: Options, kind: CollectionKind) -> dict[str, Any]:
    """A collection's options in normal form, from ``listCollections`` or from a declaration alike.

    Capped sizes are in bytes, rounded up to 256; a collation has all nine fields; a time series
    has its granularity; a validator and a pipeline stay as they are.
    """
    if not options and kind == "collection":
        return {}
    forms = _FORMS[kind]
    normal = {key: forms[key](value) for key, value in options.items() if key in forms and value is not None}
    if kind == "view":
        normal.setdefault("pipeline", [])
    if not normal.get("capped"):
        normal = {key: value for key, value in normal.items() if key not in ("size", "max")}
    return {key: value for key, value in normal.items() if value is not None}


def options_definition(state: CollectionState) -> Hashable:
    """All the options of a collection, time series or view in normal form, to be compared as a whole."""
    compared = ((key, _compared(key, value)) for key, value in state.options.items())
    return (state.kind, frozenset(compared))


def changed_options(current: CollectionState, wanted: CollectionState) -> dict[str, tuple[Any, Any]]:
    """What ``wanted`` asks for and ``current`` has otherwise: option → (old, new), as ``create`` spells it.

    Both in normal form. An option that one side does not name counts as its default, which then
    stands in the pair: ``{"validationLevel": ("moderate", "strict")}``, ``{"expireAfterSeconds": (3600, None)}``.
    ``storageEngine``, ``indexOptionDefaults`` and ``encryptedFields`` are compared only where
    ``wanted`` names them. A ``type`` (collection, timeseries, view) that differs is all there is to tell.
    """
    if current.kind != wanted.kind:
        return {"type": (current.kind, wanted.kind)}
    if not current.options and not wanted.options:
        return {}
    keys = [*DEFAULTS, *(key for key in _IF_ASKED if key in wanted.options)]
    pairs = {key: (_value(current, key), _value(wanted, key)) for key in keys}
    return {key: (old, new) for key, (old, new) in pairs.items() if _compared(key, old) != _compared(key, new)}


def automatic_index(state: CollectionState) -> Index | None:
    """The index that a server from 6.3 on makes by itself for a time series with a meta field.

    Undeclared, it is no difference.

    https://www.mongodb.com/docs/manual/core/timeseries/timeseries-secondary-index/
    """
    fields = state.options.get("timeseries", {})
    if "metaField" not in fields:
        return None
    return Index([(fields["metaField"], 1), (fields["timeField"], 1)])


def _value(state: CollectionState, key: str) -> Any:
    return state.options.get(key, DEFAULTS.get(key))


def _compared(key: str, value: Any) -> Hashable:
    if value is None:
        return None
    return _COMPARED.get(key, canonical)(value)


def _size(value: Any) -> int | None:
    """Bytes, rounded up to whole blocks of 256, as the server does."""
    numeric = number(value)
    return None if numeric is None else -(-max(int(numeric), 1) // _BLOCK_BYTES) * _BLOCK_BYTES


def _maximum(value: Any) -> int | None:
    """Documents; the server takes none, less than one and the largest number for no maximum."""
    numeric = number(value)
    return int(numeric) if numeric is not None and 0 < int(numeric) < _NO_MAXIMUM else None


def _flag(value: Any) -> bool | None:
    return True if truthy(value) else None


def _unless(default: str) -> Callable[[Any], Any]:
    return lambda value: None if value == default else value


def _nonempty(value: Any) -> Any:
    return value or None


def _engines(value: Options) -> Options | None:
    return {engine: settings for engine, settings in value.items() if settings} or None


def _index_defaults(value: Options) -> Options | None:
    engines = _engines(value.get("storageEngine") or {})
    return {"storageEngine": engines} if engines else None


def _collation(value: Any) -> dict[str, Any] | None:
    return expand(value, "collection")


def _seconds(value: Any) -> int:
    return seconds(value, not_a_number=0)  # unlike createIndexes, create takes nan for 0


def _images(value: Options) -> Options | None:
    return {"enabled": True} if truthy(value.get("enabled")) else None


def _clustered(value: Options) -> Options:
    """The key can only be ``{_id: 1}``, and unique it must be; the name is all that is free."""
    named = {"name": value["name"]} if value.get("name", "_id_") not in (None, "_id_") else {}
    return {"key": {"_id": 1}, "unique": True, **named}


def _timeseries(value: Options) -> Options:
    """Buckets of one's own measure have no granularity; else the span follows from it and says nothing new."""
    fields = {key: value[key] for key in ("timeField", "metaField") if value.get(key) is not None}
    spans = {
        key: int(value[key]) for key in ("bucketMaxSpanSeconds", "bucketRoundingSeconds") if value.get(key) is not None
    }
    if "bucketRoundingSeconds" in spans:
        return fields | spans
    granularity = value.get("granularity") or "seconds"
    if spans.get("bucketMaxSpanSeconds") == _SPANS.get(granularity):
        spans = {}
    return {**fields, "granularity": granularity, **spans}


def _encrypted(value: Options) -> Options:
    """Without the helper collections that the server has named itself."""
    return {key: item for key, item in value.items() if not (isinstance(item, str) and item.startswith("enxcol_."))}


def _unordered(value: Any) -> Hashable:
    if isinstance(value, Mapping):
        return frozenset((key, _unordered(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return frozenset(_unordered(item) for item in value)
    return canonical(value)


def _pipeline(value: Sequence[Options]) -> list[Options]:
    return list(value)


def _as_it_is(value: Any) -> Any:
    return value


_Form = Callable[[Any], Any]
_ENGINE: Final[Mapping[str, _Form]] = {"storageEngine": _engines, "indexOptionDefaults": _index_defaults}
_FORMS: Final[Mapping[CollectionKind, Mapping[str, _Form]]] = {
    "collection": {
        "capped": _flag,
        "size": _size,
        "max": _maximum,
        "validator": _nonempty,
        "validationLevel": _unless("strict"),
        "validationAction": _unless("error"),
        "collation": _collation,
        "clusteredIndex": _clustered,
        "expireAfterSeconds": _seconds,
        "changeStreamPreAndPostImages": _images,
        "recordPreImages": _flag,
        "encryptedFields": _encrypted,
        **_ENGINE,
    },
    "timeseries": {"timeseries": _timeseries, "collation": _collation, "expireAfterSeconds": _seconds, **_ENGINE},
    "view": {"viewOn": _as_it_is, "pipeline": _pipeline, "collation": _collation},
}
_COMPARED: Final[Mapping[str, Callable[[Any], Hashable]]] = {
    "validator": canonical_filter,
    "pipeline": exact,
    "encryptedFields": _unordered,
    "storageEngine": _unordered,
    "indexOptionDefaults": _unordered,
    "collation": _unordered,
    "timeseries": _unordered,
    "clusteredIndex": _unordered,
}
