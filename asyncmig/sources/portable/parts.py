"""A part: what one model, or one entry of a dictionary, says about one collection, in plain values."""

from __future__ import annotations

from typing import Any

from asyncmig.sources.portable.places import line_of_class, shown_file
from asyncmig.sources.portable.values import plain

__all__ = ["index_document", "located", "new_part", "note", "replaced"]


def new_part(cls: Any, framework: str, collection: str) -> dict[str, Any]:
    """What a class says, before it has said anything but its collection's name."""
    return {
        "collection": collection,
        "kind": "collection",
        "options": {},
        "indexes": [],
        "framework": framework,
        "model": f"{cls.__module__}.{cls.__qualname__}",
        "alias": getattr(cls, "__bind_key__", None),
        "notes": [],
        "declares": True,
        "class": cls,
    }


def located(part: dict[str, Any]) -> dict[str, Any]:
    """The part with its file and line: looked up only where somebody asks, since it reads the source."""
    cls = part.get("class")
    if cls is None:
        return part
    return {**part, "file": shown_file(cls.__module__), "line": line_of_class(cls)}


def index_document(index: Any) -> dict[str, Any]:
    """A ``pymongo.IndexModel`` (or a specification) as a document whose keys are pairs: their order counts."""
    document = dict(getattr(index, "document", index))
    keys = document.pop("key")
    pairs = list(keys.items()) if hasattr(keys, "items") else list(keys)
    return {"key": [[field, plain(direction)] for field, direction in pairs], **plain(document)}


def note(part: dict[str, Any], text: str, *classes: Any) -> None:
    """Keep a remark about what the library does, once; classes are named in its holes."""
    remark = text.format(*(cls.__name__ for cls in classes)) if classes else text
    if remark not in part["notes"]:
        part["notes"].append(remark)


def replaced(part: dict[str, Any], old: Any, new: Any, rule: str) -> None:
    """Remark that an index is lost, where the one that stands is another."""
    was, now = index_document(old), index_document(new)
    if was != now:
        note(part, f"{rule}: {_described(was)} is not made, {_described(now)} stands")


def _described(document: dict[str, Any]) -> str:
    rest = ", ".join(f"{key}={value!r}" for key, value in document.items() if key not in ("key", "name"))
    keys = ", ".join("{}: {}".format(*pair) for pair in document["key"])
    return "index {} on {{{}}}{}".format(document["name"], keys, f" ({rest})" if rest else "")
