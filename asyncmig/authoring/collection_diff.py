"""The difference between a collection's options and its model's: what collMod can do about it, and what nobody can."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from asyncmig.operations import ModifyCollection
from asyncmig.schema.capabilities import NEEDS, Server
from asyncmig.schema.options import changed_options
from asyncmig.schema.state import CollectionKind, CollectionState

__all__ = ["KINDS", "OptionDifference", "option_difference"]

KINDS: Mapping[CollectionKind, str] = {"collection": "collection", "timeseries": "time series", "view": "view"}

_GRANULARITIES = ("seconds", "minutes", "hours")
_REASONS = {
    "clusteredIndex": "a collection is clustered from the start, or never",
    "collation": "a collection keeps the collation that it was created with",
    "encryptedFields": "they are fixed when the collection is created",
    "indexOptionDefaults": "they are fixed when the collection is created",
    "storageEngine": "it is fixed when the collection is created",
}


@dataclass(slots=True)
class OptionDifference:
    """What of the options can be changed in place, how to put it back, and the reasons for a rebuild."""

    options: dict[str, Any] = field(default_factory=dict)
    was: dict[str, Any] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    begins_anew: bool = False
    """Whether indexes and documents had better wait for the rebuild, too: they depend on what is rebuilt."""

    def modification(self, current: CollectionState) -> ModifyCollection | None:
        """The one ``collMod`` that does all of it."""
        if not self.options:
            return None
        return ModifyCollection(current.name, self.options, was=self.was, state=current)

    def change(self, spelling: str, old: Any, new: Any) -> None:
        """Something for ``collMod``, as it spells it."""
        self.options[spelling], self.was[spelling] = new, old


def option_difference(
    current: CollectionState, wanted: CollectionState, server: Server | None = None
) -> OptionDifference:
    """Compare the options of two states of one name, both in normal form; ``server``: None where it can everything.

    https://www.mongodb.com/docs/manual/reference/command/collMod/
    """
    difference = OptionDifference()
    changes = changed_options(current, wanted)
    for option, (old, new) in changes.items():
        _HANDLERS.get(option, _rebuild)(difference, option, old, new)
    if "capped" in changes:  # size and max come and go with it
        _forget(difference, "cappedSize", "cappedMax")
    if "clusteredIndex" in changes:  # so does the life of its documents
        _forget(difference, "expireAfterSeconds")
    if server is not None and not server.has("capped size in place"):
        _leave_size(difference, server)
    return difference


def _leave_size(difference: OptionDifference, server: Server) -> None:
    """A capped collection's size cannot be changed in place on every server."""
    for spelling in ("cappedSize", "cappedMax"):
        if spelling in difference.options:
            needed = ".".join(map(str, NEEDS["capped size in place"]))
            difference.reasons.append(f"{spelling}: to change it in place needs {needed}, this server is at {server}")
            _forget(difference, spelling)


_Handler = Callable[[OptionDifference, str, Any, Any], None]


def _in_place(spelling: str, nothing: Any = None) -> _Handler:
    """An option that ``collMod`` can change; ``nothing`` is how it spells that there is none."""

    def handle(difference: OptionDifference, option: str, old: Any, new: Any) -> None:
        difference.change(spelling, *(nothing if value is None else value for value in (old, new)))

    return handle


def _kind(difference: OptionDifference, option: str, old: CollectionKind, new: CollectionKind) -> None:
    difference.reasons.append(f"it is a {KINDS[old]} and shall be a {KINDS[new]}")
    difference.begins_anew = True


def _capped(difference: OptionDifference, option: str, old: Any, new: Any) -> None:
    difference.reasons.append(
        "capped: a collection cannot become capped in place without losing its indexes"
        if new
        else "capped: a capped collection stays so"
    )


def _timeseries(difference: OptionDifference, option: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    differing = [key for key in sorted(old.keys() | new.keys()) if old.get(key) != new.get(key)]
    if differing == ["granularity"] and _is_coarser(new["granularity"], old["granularity"]):
        difference.change("timeseries", {"granularity": old["granularity"]}, {"granularity": new["granularity"]})
        return
    for key in differing:
        coarser = "; MongoDB makes it coarser only" if key == "granularity" else ""
        difference.reasons.append(
            f"timeseries.{key}: it is {_told(old.get(key))} and shall be {_told(new.get(key))}{coarser}"
        )
    difference.begins_anew |= bool({"timeField", "metaField"} & set(differing))


def _rebuild(difference: OptionDifference, option: str, old: Any, new: Any) -> None:
    difference.reasons.append(f"{option}: {_REASONS.get(option, 'collMod cannot change it')}")
    difference.begins_anew |= option == "collation"


def _is_coarser(first: str | None, other: str | None) -> bool:
    known = first in _GRANULARITIES and other in _GRANULARITIES
    return known and _GRANULARITIES.index(str(first)) > _GRANULARITIES.index(str(other))


def _told(value: Any) -> str:
    return "not set" if value is None else repr(value)


def _forget(difference: OptionDifference, *spellings: str) -> None:
    for spelling in spellings:
        difference.options.pop(spelling, None)
        difference.was.pop(spelling, None)


_HANDLERS: Mapping[str, _Handler] = {
    "type": _kind,
    "capped": _capped,
    "changeStreamPreAndPostImages": _in_place("changeStreamPreAndPostImages"),
    "expireAfterSeconds": _in_place("expireAfterSeconds", "off"),
    "max": _in_place("cappedMax", 0),
    "recordPreImages": _in_place("recordPreImages"),
    "size": _in_place("cappedSize"),
    "timeseries": _timeseries,
    "validationAction": _in_place("validationAction"),
    "validationLevel": _in_place("validationLevel"),
    "validator": _in_place("validator"),
}
