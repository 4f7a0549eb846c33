"""``BuildProgress``: how far the build of indexes is on the server, as it tells; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from shlex import quote
from typing import Any, Final, Literal, Self

__all__ = ["DOWN_SECONDS", "MAJORITY", "STALLED_SECONDS", "BuildPhase", "BuildProgress", "phase_of"]

BuildPhase = Literal[
    "waiting to start",
    "scanning documents",
    "inserting keys",
    "draining writes",
    "waiting for members",
    "waiting for the majority",
    "building",
]
"""``waiting for members``: this one has built it, and the commit quorum wants more. ``waiting for the majority``:
it is built, and a majority has not confirmed it. ``building``: the server does not tell more."""

_PHASES: Final[Mapping[str, tuple[BuildPhase, str]]] = {
    "scanning collection": ("scanning documents", "documents"),
    "inserting keys": ("inserting keys", "keys"),
    "draining writes": ("draining writes", "writes"),
}
_NOT_BUILDING: Final[Mapping[str, str]] = {
    "waiting to start": (
        "the server has not begun it: a transaction on the collection may be open, or other builds go before"
    ),
    "waiting for the majority": "it is built, and a majority of the members has not confirmed it",
}
_NUMBER: Final = (int, float)
_KINDS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("collection", "phase", "unit", "note"), str),
    **dict.fromkeys(("elapsed", "done", "total", "rate", "remaining", "stalled"), _NUMBER),
    "quorum": (str, int),
}
MAJORITY: Final = "majority"
STALLED_SECONDS: Final = 30.0
"""For which nothing has moved, until that is told as trouble."""
DOWN_SECONDS: Final = 10.0
"""The same where the build waits for members that are known by name."""


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """How far the build of ``indexes`` on ``collection`` is: ``done`` of ``total`` of the phase, in ``unit``.

    ``elapsed``: seconds since the command was sent. ``rate``: so much per second lately. ``remaining``: seconds
    to the end of this phase. All three figures of a phase are None while the server does not tell them.
    ``members``: those that are down, or have not built it, with their state. ``stalled``: seconds for which
    nothing has moved. ``quorum``: whom the build waits for, where that is known. ``note``: why not more is known.
    """

    collection: str
    indexes: tuple[str, ...]
    phase: BuildPhase
    elapsed: float
    done: int | None = None
    total: int | None = None
    unit: str = ""
    rate: float | None = None
    remaining: float | None = None
    members: tuple[str, ...] = ()
    stalled: float = 0.0
    quorum: str | int | None = None
    note: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """As the journal stores it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """As it was stored, by this version or another one; what is not as it should be is left out."""
        known = {name: document[name] for name, kinds in _KINDS.items() if isinstance(document.get(name), kinds)}
        lists = {name: tuple(map(str, document.get(name) or ())) for name in ("indexes", "members")}
        return cls(**{"collection": "?", "phase": "building", "elapsed": 0.0, **known, **lists})

    @property
    def is_stalled(self) -> bool:
        """Whether nothing has moved for so long that somebody should know."""
        return not self.note and self.stalled >= (DOWN_SECONDS if self.members else STALLED_SECONDS)

    @property
    def commands(self) -> tuple[str, ...]:
        """What to do about a build that does not go on, as commands: to ask for fewer members, or to end it."""
        if not self.indexes or self.phase in _NOT_BUILDING:
            return ()
        where = f"{quote(self.collection)} {quote(self.indexes[0])}"
        ending = f"asyncmig index abort {where}"
        return (ending,) if self.quorum == MAJORITY else (f"asyncmig index quorum {where} {MAJORITY}", ending)

    @property
    def trouble(self) -> str:
        """What keeps the build from its end, and what to do about it, in one line."""
        since = f"has not moved for {self.stalled:.0f} s ({self.phase})"
        return f"the build of {', '.join(self.indexes)} on {self.collection} {since}: {self._cause}{self._remedy}"

    @property
    def _cause(self) -> str:
        if self.members:
            return f"it waits for {', '.join(self.members)}; start what is down"
        return _NOT_BUILDING.get(self.phase, "no member is known to be down, so it may go on by itself")

    @property
    def _remedy(self) -> str:
        ways = {"quorum": "to wait for a majority only", "abort": "to end the build"}
        return "".join(f"; {ways[command.split()[2]]}: `{command}`" for command in self.commands)


def phase_of(message: str) -> tuple[BuildPhase, str]:
    """The phase, and what it counts, from the ``msg`` of the server's operation."""
    return next((phase for words, phase in _PHASES.items() if words in message), ("building", ""))
