"""The condition of a write on a server without transactions: the document still holds what was read.

Without a projection that is the document as a whole; with one, the fields that were read. Fields of the
first level are compared one by one. For anything deeper, or for all but some fields, the whole document
is read beside the part that the function gets, and compared: so a change elsewhere is noticed, too.

https://www.mongodb.com/docs/manual/reference/method/db.collection.find/#projection
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bson.raw_bson import RawBSONDocument

from asyncmig.drivers.base import Document
from asyncmig.drivers.codec import RAW, same_whole

__all__ = ["PART", "WHOLE", "UnholdableProjection", "beside_the_whole", "is_flat", "same_fields", "same_whole"]

PART, WHOLE = "part", "whole"


class UnholdableProjection(ValueError):
    """Raised where it cannot be told whether what a projection computes is still so."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(
            f"projection: on a server without transactions it can only name fields, and {name!r} is computed; "
            "name the fields that it is made of, or give a version_field"
        )


def is_flat(projection: Mapping[str, Any]) -> bool:
    """Whether it names fields of the first level, and includes them."""
    named = [name for name in projection if name != "_id"]
    return bool(named) and all("." not in name and _is_number(projection[name]) and projection[name] for name in named)


def same_fields(document: bytes, projection: Mapping[str, Any]) -> Document:
    """The condition that the fields which a flat projection names are as they are in ``document``."""
    read = RawBSONDocument(document, RAW)
    return {"$expr": {"$and": [_same(name, read) for name in projection if name != "_id"]}}


def _same(name: str, read: Mapping[str, Any]) -> Document:
    if name not in read:
        return {"$eq": [{"$type": f"${name}"}, "missing"]}
    return {"$eq": [f"${name}", {"$literal": read[name]}]}


def beside_the_whole(projection: Mapping[str, Any]) -> list[Document]:
    """The stages that give what a projection names under ``part``, and the whole document under ``whole``.

    Raises UnholdableProjection for one that computes something.
    """
    for name, value in projection.items():
        if not _is_number(value) or "$" in name:
            raise UnholdableProjection(name)
    parts = {f"{PART}.{name}": value for name, value in projection.items()}
    includes = any(value for name, value in projection.items() if name != "_id")
    if includes or (set(projection) == {"_id"} and projection["_id"]):
        parts = {f"{PART}._id": 1} | parts | {WHOLE: 1}
        parts = {name: value for name, value in parts.items() if value}
    return [
        {"$replaceWith": {"_id": "$_id", PART: "$$ROOT", WHOLE: "$$ROOT"}},
        *([{"$project": parts}] if parts else []),
    ]


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float))
