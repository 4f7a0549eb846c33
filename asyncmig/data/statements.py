"""What a Python function has made of a document, as the statement that writes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import bson
from bson import ObjectId
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from asyncmig.data.update import MARK, marking
from asyncmig.drivers.base import Document
from asyncmig.operations.data import Delete

__all__ = ["Statement", "statement", "untouched"]

_ABSENT = object()
_OPERATORS = frozenset(
    {
        *("$addToSet", "$bit", "$currentDate", "$inc", "$max", "$min", "$mul", "$pop", "$pull", "$pullAll"),
        *("$push", "$rename", "$set", "$setOnInsert", "$unset"),
    }
)
_PLAIN = frozenset({str, int, bool, bytes, ObjectId, type(None)})


@dataclass(frozen=True, slots=True)
class Statement:
    """One document's change: ``change`` is a document, or an update (``is_update``); None deletes it.

    https://www.mongodb.com/docs/manual/reference/command/update/#update-statements
    """

    filter: Document
    change: Any
    is_update: bool = True

    def encoded(self, codec: CodecOptions[Any]) -> RawBSONDocument:
        """As the commands ``update`` and ``delete`` take it. Raises what encoding raises."""
        update = {"q": self.filter, "limit": 1} if self.change is None else {"q": self.filter, "u": self.change}
        return RawBSONDocument(bson.encode(update, codec_options=codec))


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
        return Statement(filter_, None)
    if isinstance(result, dict | list | tuple | Mapping):  # dict first: abstract classes take their time
        if not isinstance(result, list | tuple) and not _is_update(result, old):
            if partial:
                raise TypeError(
                    "the function was given a part of the document (projection), so it has to return an update"
                )
            return _document(filter_, old, result, codec, mark)
        return Statement(filter_, marking(result, mark) if mark else result)
    raise TypeError(f"the function returned {result!r}: return a document, an update, None or Delete")


def _document(
    filter_: Document, old: Mapping[str, Any], new: Mapping[str, Any], codec: CodecOptions[Any], mark: str
) -> Statement | None:
    """Only the fields that changed, where that comes to the same document; else the document as a whole."""
    if "_id" not in new:
        new = {"_id": old["_id"], **new}
    changed = {
        name: value
        for name, value in new.items()
        if value is not (before := old.get(name, _ABSENT)) and (before is _ABSENT or not _same(value, before, codec))
    }
    if "_id" in changed:
        raise ValueError(f"the function changed the _id to {new['_id']!r}, and an _id cannot be changed")
    if odd := [name for name in changed if not isinstance(name, str)]:
        raise TypeError(f"the function returned a field {odd[0]!r}: the name of a field is a string")
    names, removed = list(new), [name for name in old if name not in new] if len(new) < len(old) + len(changed) else []
    if not changed and not removed and names == list(old):
        return None
    if not _in_place(old, names, removed, changed):
        return _replacement(filter_, {**new, MARK: mark} if mark else new)
    update: Document = {"$set": changed} if changed else {}
    if removed:
        update["$unset"] = dict.fromkeys(removed, "")
    return Statement(filter_, marking(update, mark) if mark else update)


def _is_update(result: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether every name is an operator; a document may have fields that begin with ``$``, too. Raises TypeError.

    A name that is no string is complained of where it is found to be new.
    """
    if not result or (_OPERATORS.isdisjoint(result) and str(next(iter(result)))[:1] != "$"):
        return False
    operators = [name for name in result if str(name)[:1] == "$"]
    if len(operators) == len(result):
        return True
    if mixed := [name for name in operators if name in _OPERATORS and name not in old]:
        raise TypeError(f"the function returned {mixed[0]} beside fields: return a document, or an update")
    return False


def _replacement(filter_: Document, new: Mapping[str, Any]) -> Statement:
    """The whole document. In a plain replacement the server takes a ``$`` at the beginning of a name for an operator.

    https://www.mongodb.com/docs/manual/core/dot-dollar-considerations/
    """
    if any(name[:1] == "$" for name in new):
        return Statement(filter_, [{"$replaceWith": {"$literal": new}}])
    return Statement(filter_, new, is_update=False)


def _in_place(old: Mapping[str, Any], names: list[str], removed: Sequence[str], changed: Mapping[str, Any]) -> bool:
    """Whether ``$set`` and ``$unset`` lead to it: it keeps the order, and adds new fields sorted by name."""
    kept = [name for name in old if name not in removed] if removed else list(old)
    added = names[len(kept) :]
    if names[: len(kept)] != kept:
        return False
    for name in (*changed, *removed):
        if not name or "." in name or name[0] == "$":
            return False
    return len(added) < 2 or (added == sorted(added) and not any(name[0].isdigit() for name in added))


def untouched(document: Mapping[str, Any], stored: bytes, codec: CodecOptions[Any]) -> Mapping[str, Any]:
    """Another copy of a document, which stays what it is whatever is done with the first one."""
    if type(document) is dict and all(type(value) in _PLAIN for value in document.values()):
        return dict(document)
    copy: Mapping[str, Any] = bson.decode(stored, codec)
    return copy


def _same(value: Any, other: Any, codec: CodecOptions[Any]) -> bool:
    """Whether two values are stored alike, type and order included."""
    kind = type(value)
    if kind is type(other) and kind in _PLAIN:
        return bool(value == other)
    return bson.encode({"": value}, codec_options=codec) == bson.encode({"": other}, codec_options=codec)
