"""Fencing: a ``Write`` is one change of one ledger document, put so that the server refuses it when we are late.

Every write names the token it expects the record to carry, and the moment (on the server's clock)
after which the server itself is to refuse it. So a runner that was stopped for longer than its
lease, and does not know it yet, changes nothing:

- a record that the next runner has touched carries that runner's token, and the filter fits nothing;
- a record that nobody has touched yet, or that does not exist, is refused by the time, for nobody
  else can have taken the lock before it (unless it was broken by force, while we were alive).

Both stand in the same single-document update, so no transaction is needed, and a standalone server
is as safe as a replica set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bson import Int64
from pymongo import DeleteOne, UpdateOne

from asyncmig.drivers.base import Document
from asyncmig.drivers.clock import Clock

__all__ = ["DeleteRecord", "InsertRecord", "UpdateRecord", "Write", "to_driver"]


@dataclass(frozen=True, slots=True)
class Write:
    """The root of the writes: all are about the record of one revision."""

    revision: str


@dataclass(frozen=True, slots=True)
class InsertRecord(Write):
    """A record that is not there yet. Sent twice, it is as if sent once."""

    fields: Mapping[str, Any]
    dates: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class UpdateRecord(Write):
    """Fields (dotted paths), and dates that become the server's now, of a record that carries our token.

    ``any_token``: of one that carries ours or an older one, which becomes ours. ``state``: only
    while it is in that state. ``unset``: the paths that are taken away.
    """

    fields: Mapping[str, Any] = field(default_factory=dict)
    dates: Sequence[str] = ()
    any_token: bool = False
    state: str | None = None
    unset: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DeleteRecord(Write):
    """The record goes; it carries our token."""

    any_token: bool = False


def to_driver(write: Write, token: int, until: datetime, clock: Clock) -> UpdateOne | DeleteOne:
    """The write as the driver takes it."""
    if isinstance(write, InsertRecord):
        return UpdateOne({"_id": write.revision, "token": Int64(token)}, _inserted(write, until, clock), upsert=True)
    if isinstance(write, DeleteRecord):
        return DeleteOne(_filter(write.revision, token, until, clock, write.any_token))
    if isinstance(write, UpdateRecord):
        wanted = _filter(write.revision, token, until, clock, write.any_token)
        state = {"state": write.state} if write.state else {}
        fields = {**write.fields, "token": Int64(token)} if write.any_token else write.fields
        gone = {"$unset": dict.fromkeys(write.unset, "")} if write.unset else {}
        return UpdateOne(wanted | state, clock.update(fields, write.dates) | gone)
    raise TypeError(f"{type(write).__name__} is no write of the ledger")


def _filter(revision: str, token: int, until: datetime, clock: Clock, any_token: bool) -> Document:
    expected = {"$not": {"$gt": Int64(token)}} if any_token else Int64(token)
    return {"_id": revision, "token": expected, **clock.before(until)}


def _inserted(write: InsertRecord, until: datetime, clock: Clock) -> list[Document]:
    fields = {name: {"$literal": value} for name, value in write.fields.items()}
    return [{"$set": {**fields, **dict.fromkeys(write.dates, clock.now_if_before(until))}}]
