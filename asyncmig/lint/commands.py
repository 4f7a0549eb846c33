"""Raw calls of the driver read as what they are: indexes that they create, commands that they send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from asyncmig.errors import AsyncmigError
from asyncmig.lint.subject import UNKNOWN, RawCall
from asyncmig.schema.index import Index

__all__ = ["command", "index_change", "raw_indexes"]


def command(call: RawCall) -> dict[str, Any]:
    """The command document of ``db.command(...)``, its name first; empty where it is none, or computed."""
    if call.method not in ("command", "cursor_command"):
        return {}
    given = call.argument(0, "command")
    if isinstance(given, Mapping):
        return {str(key): value for key, value in given.items()}
    if isinstance(given, str):
        return {given: call.argument(1, "value"), **{str(key): value for key, value in call.named.items()}}
    return {}


def index_change(call: RawCall) -> tuple[str, str, Mapping[str, Any]] | None:
    """What a ``collMod`` changes: collection, index (by its name or its keys), and the options that it sets."""
    sent = command(call)
    change = sent.get("index")
    if next(iter(sent), "").lower() != "collmod" or not isinstance(change, Mapping):
        return None
    pattern = change.get("keyPattern")
    name = change.get("name") or (str(next(iter(pattern), "")) if isinstance(pattern, Mapping) else "")
    collection = next(iter(sent.values()))
    return (collection, name, change) if isinstance(name, str) and isinstance(collection, str) else None


def raw_indexes(call: RawCall) -> Iterator[tuple[str | None, Index]]:
    """The indexes that ``create_index``, ``create_indexes`` or the command would create, and on which collection."""
    sent = command(call)
    target = next(iter(sent.values()), None) if sent else call.collection
    yield from ((target if isinstance(target, str) else None, index) for index in _indexes(call, sent))


def _indexes(call: RawCall, sent: Mapping[str, Any]) -> Iterator[Index]:
    if call.method == "create_index":
        options = {key: value for key, value in call.named.items() if key not in ("keys", "session", "comment")}
        yield from _index(call.argument(0, "keys"), options)
    elif call.method == "create_indexes":
        given = call.argument(0, "indexes")
        if isinstance(given, list | tuple):
            yield from (index for index in given if isinstance(index, Index))
    if next(iter(sent), "").lower() == "createindexes" and isinstance(sent.get("indexes"), list | tuple):
        for spec in sent["indexes"]:
            if isinstance(spec, Mapping):
                yield from _index(spec.get("key"), {k: v for k, v in spec.items() if k != "key"})


def _index(keys: Any, options: Mapping[str, Any]) -> Iterator[Index]:
    if keys is UNKNOWN:
        return
    try:
        yield Index(keys, **{key: value for key, value in options.items() if key not in ("maxTimeMS", "commitQuorum")})
    except (AsyncmigError, TypeError):
        return
