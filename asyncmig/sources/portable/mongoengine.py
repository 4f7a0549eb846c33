"""MongoEngine's classes, as their ``ensure_indexes`` would make them: from ``_meta``, without a connection."""

from __future__ import annotations

import sys
from typing import Any

from asyncmig.sources.portable.parts import index_document, new_part, note
from asyncmig.sources.portable.values import plain

__all__ = ["mongoengine_part"]

_CAPPED_BYTES = 10 * 2**20
_BLOCK_BYTES = 256


def mongoengine_part(cls: Any) -> dict[str, Any] | None:
    """What a Document class makes at its first use; None for an abstract one, which makes nothing."""
    meta = cls._meta
    if meta.get("abstract"):
        return None
    name: Any = meta["collection"]
    part = new_part(cls, "mongoengine", str(name(cls) if callable(name) else name))
    part["alias"] = meta.get("db_alias") or "default"
    part["options"] = _options(meta)
    part["kind"] = "timeseries" if "timeseries" in part["options"] else "collection"
    part["indexes"] = [index_document(index) for index in _spec_indexes(meta)]
    if part["kind"] == "timeseries" and getattr(cls, "_collection", None) is not None:
        note(part, "MongoEngine forgets the expiry of a time series at its first use; read the models before that")
    _remark_lost(part, meta)
    _remark_paths(cls, part)
    return part


def _options(meta: Any) -> dict[str, Any]:
    if meta.get("max_size") or meta.get("max_documents"):
        size = meta.get("max_size") or _CAPPED_BYTES
        options = {"capped": True, "size": -(-size // _BLOCK_BYTES) * _BLOCK_BYTES}
        return {**options, "max": meta["max_documents"]} if meta.get("max_documents") else options
    series = meta.get("timeseries")
    if not series:
        return {}
    expiry = series.get("expireAfterSeconds")
    options = {"timeseries": plain({key: value for key, value in series.items() if key != "expireAfterSeconds"})}
    return options if expiry is None else {**options, "expireAfterSeconds": expiry}


def _spec_indexes(meta: Any) -> list[Any]:
    """One for each specification; and one on ``_cls`` where classes share a collection and none begins with it."""
    model = sys.modules["pymongo"].IndexModel
    shared = {key: value for key, value in (meta.get("index_opts") or {}).items() if key != "cls"}
    indexes, begins_with_class = [], False
    for spec in meta["index_specs"] or ():
        options = {**shared, **{key: value for key, value in spec.items() if key not in ("fields", "cls")}}
        fields = list(spec["fields"])
        begins_with_class = begins_with_class or (bool(fields) and fields[0][0] == "_cls")
        indexes.append(model(fields, **options))
    if meta.get("index_cls", True) and not begins_with_class and meta.get("allow_inheritance"):
        indexes.append(model([("_cls", 1)], **shared))
    return indexes


# What the author may not expect


def _remark_lost(part: dict[str, Any], meta: Any) -> None:
    """Two specifications of the same fields, of which the server takes the first and refuses the second."""
    seen: dict[Any, Any] = {}
    for document in part["indexes"]:
        keys = tuple(map(tuple, document["key"]))
        if seen.get(keys, document) != document and document["name"] == seen[keys]["name"]:
            note(
                part,
                "{} is declared twice, with different options; MongoEngine fails on the second".format(
                    document["name"]
                ),
            )
        seen[keys] = document


def _remark_paths(cls: Any, part: dict[str, Any]) -> None:
    """A unique field of an embedded document is indexed by the field's Python name, not by its name in the database."""
    for document in part["indexes"]:
        for path, _ in document["key"]:
            head, dot, rest = path.partition(".")
            field = cls._fields.get(head)
            stored = getattr(field, "db_field", head) or head
            if dot and stored != head and head not in cls._reverse_db_field_map:
                note(
                    part,
                    "index {} is on {!r}, but documents hold {!r}: MongoEngine does not translate the name of an "
                    "embedded field with `unique`".format(document["name"], path, stored + "." + rest),
                )
