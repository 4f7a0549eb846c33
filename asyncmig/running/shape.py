"""Documents of ours as the server has them, where anybody may have changed them by hand: read, or refused by name.

What only informs (a date, a host, a message) is left out where it is not what it should be. What the
runner goes by is refused: to guess whether a revision is applied would be worse than to stop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any

from asyncmig.errors import AsyncmigError

__all__ = ["DamagedRecord", "NewerRecord", "Unfit", "refuse_newer", "shaped"]


class DamagedRecord(AsyncmigError):
    """Raised for a document of the ledger that cannot be understood: it was changed by hand, or by a newer version."""

    def __init__(self, collection: str, revision: object, field: str, value: object, expected: str) -> None:
        self.collection, self.revision, self.field, self.value = collection, revision, field, value
        what = f"`{field}` is {_short(value)}" if field != "_id" else f"its _id is {_short(value)}"
        remedy = (
            f"Put it right: db.{collection}.updateOne({{_id: {_quoted(revision)}}}, {{$set: {{'{field}': ...}}}})"
            if field != "_id"
            else f"Is {collection} another program's collection? Then set `revisions_collection` to another name"
        )
        super().__init__(
            f"a record of the ledger {collection} cannot be understood ({_short(revision)}): {what}, and should be "
            f"{expected}. Somebody has changed it by hand, or a newer asyncmig has written it. {remedy}"
        )


class NewerRecord(AsyncmigError):
    """Raised for a document of the ledger in a format that this version of asyncmig does not know yet."""

    def __init__(self, collection: str, revision: object, version: object, known: int) -> None:
        self.collection, self.revision, self.format, self.known = collection, revision, version, known
        super().__init__(
            f"the record of {_short(revision)} in the ledger {collection} has the format {version}, and this asyncmig "
            f"knows formats up to {known}: a newer one has written it. Install that one; nothing was done"
        )


def refuse_newer(document: Mapping[str, Any], collection: str, known: int) -> None:
    """Raise NewerRecord for a document in a format above ``known``."""
    version = document.get("format", 1)
    if isinstance(version, int) and version > known:
        raise NewerRecord(collection, document["_id"], version, known)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _quoted(value: object) -> str:
    return "'" + str(value).replace("'", "\\'") + "'"


def shaped(cls: type, document: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a dataclass that a document has, of the right types; fields of newer versions are left alone.

    Raises Unfit for a field that cannot do without its type.
    """
    return {name: read(name, document[name]) for name, read in _readers(cls) if name in document}


class Unfit(ValueError):
    """Raised for a field that is not what it should be; becomes a DamagedRecord where the document is known."""

    def __init__(self, field: str, value: object, expected: str) -> None:
        self.field, self.value, self.expected = field, value, expected
        super().__init__(field)


Reader = Callable[[str, Any], Any]


@cache
def _readers(cls: type) -> tuple[tuple[str, Reader], ...]:
    return tuple((field.name, _READERS.get(str(field.type), _anything)) for field in fields(cls))


def _anything(name: str, value: Any) -> Any:
    return value


def _text(name: str, value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _text_or_none(name: str, value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _whole(name: str, value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _whole_or_none(name: str, value: Any) -> int | None:
    return _whole(name, value) if value is not None else None


def _moment(name: str, value: Any) -> datetime | None:
    return value if isinstance(value, datetime) else None


def _mapping(name: str, value: Any) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None


def _texts(name: str, value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else ()


def _documents(name: str, value: Any) -> tuple[Mapping[str, Any], ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, Mapping) for item in value):
        raise Unfit(name, value, "a list of documents")
    return tuple(value)


def _state(name: str, value: Any) -> str:
    if value not in ("upgrading", "applied", "downgrading", "failed"):
        raise Unfit(name, value, "'applied', 'upgrading', 'downgrading' or 'failed'")
    return str(value)


def _direction(name: str, value: Any) -> str:
    if value not in ("upgrade", "downgrade"):
        raise Unfit(name, value, "'upgrade' or 'downgrade'")
    return str(value)


_READERS: dict[str, Reader] = {
    "str": _text,
    "str | None": _text_or_none,
    "int": _whole,
    "int | None": _whole_or_none,
    "bool": lambda name, value: bool(value),
    "datetime | None": _moment,
    "Mapping[str, Any] | None": _mapping,
    "tuple[str, ...]": _texts,
    "tuple[JournalEntry, ...]": _documents,
    "tuple[Mapping[str, Any], ...]": _documents,
    "State": _state,
    "Direction": _direction,
}
