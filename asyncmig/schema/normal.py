"""The normal form of an index: what is declared and what a server lists, brought to one.

Whatever the server adds, drops or rewrites is undone or anticipated here and nowhere else. An
index in normal form can be sent as it is, and what the server then lists has the same normal form.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from math import isfinite
from typing import Any, Final

from asyncmig.schema.canonical import canonical, canonical_filter, canonical_projection
from asyncmig.schema.collation import SIMPLE, expand
from asyncmig.schema.index import Index
from asyncmig.schema.ordinary import is_ordinary
from asyncmig.schema.state import CollectionKind
from asyncmig.schema.text import DEFAULTS, all_weights, in_server_terms, in_user_terms, is_text
from asyncmig.schema.value import number, truthy

__all__ = ["agree", "definition", "index_from_server", "normal_index", "seconds", "signature"]

Keys = tuple[tuple[str, Any], ...]
Options = Mapping[str, Any]

_PLAIN: Final = frozenset({"v", "key", "name"})
_IGNORED: Final = frozenset({"v", "key", "name", "ns", "background", "dropDups", "clustered", "originalSpec"})
"""Listed or accepted by the server, and no part of what an index is."""
_VERSIONS: Final = {"textIndexVersion": 3, "2dsphereIndexVersion": 3}
_SIGNATURE: Final = frozenset({"unique", "sparse", "collation", "partialFilterExpression", "wildcardProjection"})
_UNCOLLATED: Final = ("text", "2d")
_PLANE: Final = {"bits": 26, "min": -180.0, "max": 180.0}
_INT32_MAX: Final = 2**31 - 1
_INT32: Final = 2**31


def normal_index(
    index: Index, collection_collation: Mapping[str, Any] | None = None, kind: CollectionKind = "collection"
) -> Index:
    """A declared index in normal form; ``collection_collation`` is what it inherits where it names none.

    Collations are written out in full, and the simple one is named where the collection has
    another; flags stand only where they are set; numbers have the type that the server gives
    them; text fields are sorted. Partial filters and wildcard projections stay as they are.
    """
    if collection_collation is None and is_ordinary(index):
        return index
    inherited = expand(collection_collation, "collection")
    asked = index.options.get("collation")
    if asked is not None:
        collation = expand(asked, "index")
    elif index.options.get("v") == 1 or any(direction in _UNCOLLATED for _, direction in index.keys):
        collation = None  # the server refuses these, or (v: 1) does not let them inherit
    else:
        collation = inherited
    versions = {key: index.options[key] for key in _VERSIONS if key in index.options}
    return _normal(index.keys, index.options, collation or (SIMPLE if inherited else None), versions, kind)


def index_from_server(
    spec: Mapping[str, Any], collection_collation: Mapping[str, Any] | None = None, kind: CollectionKind = "collection"
) -> Index:
    """One document of ``listIndexes`` (or of ``$listCatalog``) in normal form.

    An index that is listed without a collation has the simple one, whatever its collection's is.
    """
    keys = tuple(spec["key"].items())
    if collection_collation is None and spec.keys() <= _PLAIN and _are_plain(keys):
        return Index.made(keys, {"name": spec["name"]})
    inherited = expand(collection_collation, "collection")
    collation = expand(spec.get("collation"), "index") or (SIMPLE if inherited else None)
    versions = {key: spec[key] for key, default in _VERSIONS.items() if spec.get(key, default) != default}
    return _normal(keys, spec, collation, versions, kind)


def signature(index: Index) -> Hashable:
    """What the server tells indexes apart by: two of equal signature cannot both stand.

    Nor can two text indexes, whatever their signatures. For indexes in normal form.

    https://www.mongodb.com/docs/manual/reference/command/createIndexes/#considerations
    """
    options = index.options
    keys = in_server_terms(index.keys) if is_text(index.keys) else index.keys
    if len(options) == 1:
        return (keys, False, False, None, None, None)
    return (
        keys,
        bool(options.get("unique")),
        bool(options.get("sparse")),
        _collation(options.get("collation")),
        _if_given(canonical_filter, options.get("partialFilterExpression")),
        _if_given(canonical_projection, options.get("wildcardProjection")),
    )


def definition(index: Index) -> Hashable:
    """All that an index is, but for its name; two of equal definition show no difference.

    Left out are the versions of text and 2dsphere indexes: servers differ in what they give, and
    take two that differ only there for one; see :func:`agree`. For indexes in normal form.
    """
    options = index.options
    if len(options) == 1 and not is_text(index.keys) and not _is_plane(index.keys):
        return (signature(index), frozenset())
    rest = {key: value for key, value in options.items() if key not in _SIGNATURE and key not in _VERSIONS}
    rest.pop("name", None)
    if is_text(index.keys):
        rest = {**DEFAULTS, **rest, "weights": all_weights(index.keys, rest.get("weights", {}))}
    if _is_plane(index.keys):
        rest = _PLANE | rest
    return (signature(index), frozenset((key, canonical(value)) for key, value in rest.items()))


def agree(current: Index, wanted: Index) -> bool:
    """Whether ``current``, as listed, is what ``wanted``, as declared, asks for; names do not count.

    Equal definitions, and the index version that is asked for, where one is.
    """
    return definition(current) == definition(wanted) and all(
        wanted.options[key] == current.options.get(key, default)
        for key, default in _VERSIONS.items()
        if key in wanted.options
    )


def seconds(value: Any, not_a_number: int = _INT32_MAX) -> int:
    """Seconds as the server stores them: decimals are rounded to even, doubles cut off."""
    numeric = number(value)
    if numeric is None:
        raise TypeError(f"{value!r} is no number of seconds")
    if not isfinite(numeric):
        return not_a_number
    return int(numeric) if isinstance(numeric, int | float) else int(numeric.to_integral_value())


def _are_plain(keys: Keys) -> bool:
    """Whether there is nothing to normalise: so it is with most, and introspection meets thousands."""
    return all(type(direction) is int for _, direction in keys)


def _normal(keys: Keys, options: Options, collation: Options | None, versions: Options, kind: CollectionKind) -> Index:
    normal = {"name": options["name"]}
    rest = {key: value for key, value in options.items() if key not in _IGNORED and key not in _VERSIONS}
    always_inherits = kind == "timeseries" and "partialFilterExpression" in rest  # and refuses to be told so
    rest["collation"] = None if always_inherits else collation
    if is_text(keys):
        keys, rest["weights"] = in_user_terms(keys, rest.get("weights") or {}, single="expireAfterSeconds" in rest)
        rest = {key: value for key, value in rest.items() if DEFAULTS.get(key) != value}
    for key, value in rest.items():
        kept = _OPTIONS[key](value) if key in _OPTIONS and value is not None else value
        if kept is not None:
            normal[key] = kept
    normal |= {key: _whole(value) for key, value in versions.items()}
    return Index.made(tuple((field, _direction(value)) for field, value in keys), normal)


def _direction(value: Any) -> Any:
    """``1``, ``1.0``, ``Int64(1)`` and ``Decimal128("1")`` are one direction, and ``1`` is how it is written."""
    numeric = number(value)
    if type(value) is int or numeric is None or not -_INT32 <= numeric < _INT32:
        return value
    return int(numeric) if numeric == int(numeric) else value


def _flag(value: Any) -> bool | None:
    return True if truthy(value) else None


def _whole(value: Any) -> Any:
    numeric = number(value)
    return value if numeric is None else int(numeric)


def _double(value: Any) -> Any:
    numeric = number(value)
    return value if numeric is None else float(numeric)


def _nonempty(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """An engine without settings is as good as none; the server keeps it, though."""
    return {engine: settings for engine, settings in value.items() if settings} or None


_OPTIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "unique": _flag,
    "sparse": _flag,
    "hidden": _flag,
    "prepareUnique": _flag,
    "expireAfterSeconds": seconds,
    "collation": dict,
    "weights": lambda value: value or None,
    "bits": _whole,
    "min": _double,
    "max": _double,
    "coarsestIndexedLevel": _whole,
    "finestIndexedLevel": _whole,
    "storageEngine": _nonempty,
}


def _is_plane(keys: Keys) -> bool:
    return any(direction == "2d" for _, direction in keys)


def _collation(value: Mapping[str, Any] | None) -> Hashable:
    expanded = expand(value, "index")
    return None if expanded is None else tuple(expanded.values())


def _if_given(form: Callable[[Mapping[str, Any]], Hashable], value: Mapping[str, Any] | None) -> Hashable:
    return None if value is None else form(value)
