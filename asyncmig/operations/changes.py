"""What an operation replaces, beside what it puts there: for those who read a plan or a difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from asyncmig.operations.base import Operation
from asyncmig.operations.collections import ModifyCollection
from asyncmig.operations.indexes import ModifyIndex
from asyncmig.operations.known import KnownState
from asyncmig.operations.views import ModifyView

__all__ = ["Change", "changes", "remembered_changes"]

_DEFAULTS: Final[Mapping[str, Any]] = {"validationLevel": "strict", "validationAction": "error"}
_STORED_AS: Final[Mapping[str, str]] = {"cappedSize": "size", "cappedMax": "max"}
_FLAGS: Final = frozenset({"hidden", "prepareUnique", "unique"})


@dataclass(frozen=True, slots=True)
class Change:
    """One option: its name, or the path of a part of it, what it is and what it is to be; None: not set."""

    name: str
    old: Any
    new: Any

    @property
    def document(self) -> dict[str, Any]:
        """For programs."""
        return {"name": self.name, "old": self.old, "new": self.new}

    def __str__(self) -> str:
        return f"{self.name}: {_told(self.old)} → {_told(self.new)}"


def changes(operation: Operation, known: KnownState) -> tuple[Change, ...]:
    """What an operation changes of what is known to stand; nothing of operations that only add or take away."""
    standing = known.get(operation.collection)
    if isinstance(operation, ModifyIndex):
        index = standing.indexes.get(operation.name)
        before = {**dict.fromkeys(_FLAGS, False), **(index.options if index else {})}
        return tuple(_differing({name: before.get(name) for name in operation.options}, operation.options))
    if isinstance(operation, ModifyCollection):
        return tuple(_differing(_stored(standing.options, operation.options), operation.options))
    if isinstance(operation, ModifyView) and operation.collection in known.views:
        return tuple(_differing(_shown(known.views[operation.collection]), _asked(operation)))
    return remembered_changes(operation)


def _shown(options: Mapping[str, Any]) -> dict[str, Any]:
    return {"viewOn": options.get("viewOn"), "pipeline": list(options.get("pipeline") or ())}


def _asked(operation: ModifyView) -> dict[str, Any]:
    return {"viewOn": operation.view_on, "pipeline": list(operation.pipeline)}


def remembered_changes(operation: Operation) -> tuple[Change, ...]:
    """The same by what the operation itself remembers of what was."""
    if isinstance(operation, ModifyCollection) and operation.was is not None:
        return tuple(_differing(operation.was, operation.options))
    if isinstance(operation, ModifyView) and operation.was is not None:
        return tuple(_differing(_shown(operation.was.options), _asked(operation)))
    if isinstance(operation, ModifyIndex) and operation.was:
        back = next((change for change in operation.was if isinstance(change, ModifyIndex)), None)
        before = back.options if back else dict.fromkeys(operation.options.keys() & _FLAGS, False)
        return tuple(_differing(before, operation.options))
    return ()


def _stored(options: Mapping[str, Any], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The options as they are stored, under the names that ``collMod`` has for them."""
    return {name: options.get(_STORED_AS.get(name, name), _DEFAULTS.get(name)) for name in asked}


def _differing(old: Mapping[str, Any], new: Mapping[str, Any], above: str = "") -> Iterator[Change]:
    """Where two documents differ, as deep as both have a document there; a validator is shown by its parts."""
    for name in [*new, *(name for name in old if above and name not in new)]:
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        if isinstance(before, Mapping) and isinstance(after, Mapping) and before and after:
            yield from _differing(before, after, f"{above}{name}.")
        else:
            yield Change(f"{above}{name}", before, after)


def _told(value: Any) -> str:
    return "not set" if value is None else repr(value)
