"""What a Python function has made of a document, as the statement that writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import bson
from bson import ObjectId
from bson.codec_options import CodecOptions
from pymongo import DeleteOne, ReplaceOne, UpdateOne

from asyncmig.drivers.base import Document
from asyncmig.operations.data import Delete
from asyncmig.running.data.update import MARK, marking

__all__ = ["Statement", "statement"]

Statement = DeleteOne | ReplaceOne[Any] | UpdateOne

_PLAIN = (str, int, bool, bytes, ObjectId, type(None))


def statement(
    filter_: Document, old: Mapping[str, Any], result: Any, codec: CodecOptions[Any], *, partial: bool, mark: str = ""
) -> Statement | None:
    """The statement for the document of ``filter_``; None where nothing changes.

    ``old`` is what was read, untouched; ``partial``: only a part of the document. ``mark`` is set
    along with the change. Raises TypeError or ValueError where the function returned what cannot be written.
    """
    if result is None:
        return None
    if result is Delete:
        return DeleteOne(filter_)
    if isinstance(result, list | tuple) or (isinstance(result, Mapping) and next(iter(result), "").startswith("$")):
        return UpdateOne(filter_, marking(result, mark) if mark else result)
    if not isinstance(result, Mapping):
        raise TypeError(f"the function returned {result!r}: return a document, an update, None or Delete")
    if partial:
        raise TypeError("the function was given a part of the document (projection=...), so it has to return an update")
    if "_id" in result and not _same(result["_id"], old["_id"], codec):
        raise ValueError(f"the function changed the _id to {result['_id']!r}, and an _id cannot be changed")
    new = {"_id": old["_id"], **{name: value for name, value in result.items() if name != "_id"}}
    return _written(filter_, old, new, codec, mark)


def _written(
    filter_: Document, old: Mapping[str, Any], new: Document, codec: CodecOptions[Any], mark: str
) -> Statement | None:
    """Only the fields that changed, where that comes to the same document; else the document as a whole."""
    added = [name for name in new if name not in old]
    removed = [name for name in old if name not in new]
    if not _in_place(old, new, added):
        return ReplaceOne(filter_, {**new, MARK: mark} if mark else new)
    changed = {name: new[name] for name in new if name not in old or not _same(new[name], old[name], codec)}
    if not changed and not removed:
        return None
    update: Document = {"$set": changed} if changed else {}
    if removed:
        update["$unset"] = dict.fromkeys(removed, "")
    return UpdateOne(filter_, marking(update, mark) if mark else update)


def _in_place(old: Mapping[str, Any], new: Document, added: list[str]) -> bool:
    """Whether ``$set`` and ``$unset`` lead to ``new``: it keeps the order, and adds new fields sorted by name."""
    if any("." in name or name.startswith("$") or not name for name in (*new, *old)):
        return False
    if len(added) > 1 and (added != sorted(added) or any(name[0].isdigit() for name in added)):
        return False
    return list(new) == [name for name in old if name in new] + added


def _same(one: Any, other: Any, codec: CodecOptions[Any]) -> bool:
    """Whether two values are stored alike, type and order included."""
    if type(one) is type(other) and isinstance(one, _PLAIN):
        return bool(one == other)
    return bson.encode({"": one}, codec_options=codec) == bson.encode({"": other}, codec_options=codec)
