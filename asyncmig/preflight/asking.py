"""``Asker``: puts questions to the server within a budget, and says honestly what it could not ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pymongo.errors import OperationFailure, PyMongoError

from asyncmig.drivers.base import Driver
from asyncmig.errors import UnsupportedByDriver
from asyncmig.operations import Operation
from asyncmig.operations.known import KnownCollection, KnownState
from asyncmig.preflight.probe import Cost, Probe
from asyncmig.schema.capabilities import Server
from asyncmig.schema.state import DatabaseState

__all__ = ["CUT_OFF", "Asker", "Counted", "is_timeout", "plural"]

_NOT_ALLOWED: Final = 13
_TIMED_OUT: Final = frozenset({50, 262})  # MaxTimeMSExpired, ExceededTimeLimit
_MIN_COUNTED_DOCUMENTS: Final = 1_000  # that are counted when all of them take too long
CUT_OFF: Final = "not finished within {seconds:g} s"


@dataclass(frozen=True, slots=True)
class Counted:
    """A number of documents; ``is_exact`` is False where counting was cut off: then there are at least as many."""

    number: int
    is_exact: bool = True

    def __str__(self) -> str:
        return f"{self.number:,}" if self.is_exact else f"at least {self.number:,}"


@dataclass(slots=True)
class Asker:
    """What the probes ask with.

    ``known`` is the database as it will be when the run comes to the operation, ``live`` as it is now;
    ``names`` leads from the name that a collection will have by then to the one it has now.
    """

    driver: Driver
    live: DatabaseState
    known: KnownState
    server: Server
    budget: float = 30.0
    costs: frozenset[Cost] = frozenset(("A", "B", "C"))
    names: dict[str, str] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    """Collections whose documents an operation before has changed, by their present names."""
    has_written: bool = False
    since: Any = None
    """The primary's time when the questions began, of a replica set: what a secondary has to have to be asked."""
    shown: frozenset[str] = frozenset()
    """The codes of the probes that are to name all that they find."""
    cache: dict[str, Any] = field(default_factory=dict)

    def may(self, cost: Cost) -> bool:
        """Whether probes of that cost are run."""
        return cost in self.costs

    def now(self, collection: str) -> str | None:
        """The name that the collection has now; None for one that the run creates."""
        name = self.names.get(collection, collection)
        return name if name in self.live and self.live.collections[name].kind != "view" else None

    def collection(self, name: str) -> KnownCollection:
        """What will be known of a collection by then."""
        return self.known.get(name)

    def proviso(self, collection: str) -> str:
        """That the figures are of now, where an operation before changes the documents."""
        return " as the documents are now; steps before it change them" if self.is_changed(collection) else ""

    def is_changed(self, collection: str) -> bool:
        """Whether an operation before changes its documents; by the name that it has now, or will have by then."""
        return self.names.get(collection, collection) in self.changed

    async def command(self, command: Mapping[str, Any], *, admin: bool = False) -> dict[str, Any]:
        """One command that reads."""
        return await self.driver.command(command, admin=admin)

    async def aggregate(self, collection: str | int, pipeline: Sequence[Any], **more: Any) -> list[dict[str, Any]]:
        """The rows of a pipeline, cut off when the budget is spent."""
        asked: dict[str, Any] = {
            "aggregate": collection,
            "pipeline": list(pipeline),
            "allowDiskUse": True,
            "cursor": {},
        }
        return await self.driver.read({**asked, "allowDiskUse": True, "maxTimeMS": self.milliseconds, **more})

    @property
    def milliseconds(self) -> int:
        """The budget of one question."""
        return max(1, int(self.budget * 1000))

    async def scan(self, collection: str, pipeline: Sequence[Any], **more: Any) -> list[dict[str, Any]]:
        """As ``aggregate``, of a pipeline that goes through the collection: rather on a secondary."""
        asked = {"aggregate": collection, "pipeline": list(pipeline), "cursor": {}, "allowDiskUse": True, **more}
        return await self.driver.read({**asked, "maxTimeMS": self.milliseconds, **self._concern}, secondary=True)

    async def look(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """One command that goes through a collection: rather on a secondary, up to the moment of the beginning."""
        return await self.driver.command({**command, "maxTimeMS": self.milliseconds, **self._concern}, secondary=True)

    @property
    def _concern(self) -> dict[str, Any]:
        """A secondary answers once it has what the primary had when the questions began."""
        if self.since is None:
            return {"readConcern": {"level": "local"}}
        return {"readConcern": {"level": "local", "afterClusterTime": self.since}}

    async def count(self, collection: str, query: Mapping[str, Any], **more: Any) -> Counted | None:
        """How many documents match; at least how many, when that takes too long; None when nobody can tell."""
        asked = {"count": collection, "query": dict(query), **more}
        try:
            reply = await self.look(asked)
            return Counted(int(reply["n"]))
        except PyMongoError as error:
            if not is_timeout(error):
                raise
        try:
            reply = await self.look({**asked, "limit": _MIN_COUNTED_DOCUMENTS})
            return Counted(int(reply["n"]), is_exact=False)
        except PyMongoError as error:
            if not is_timeout(error):
                raise
            return None

    def unanswered(self, code: str, what: str, error: Exception, role: str) -> Probe:
        """What a question that failed comes to."""
        if isinstance(error, UnsupportedByDriver):
            return Probe(code, "unknown", f"{what}: {error}")
        if is_timeout(error):
            return Probe(code, "unknown", f"{what}: {CUT_OFF.format(seconds=self.budget)}")
        if isinstance(error, OperationFailure) and error.code == _NOT_ALLOWED:
            return Probe(code, "unknown", f"{what}: not allowed to ask; that needs the role {role}", {"role": role})
        said = str(error).partition(", full error:")[0]
        return Probe(code, "unknown", f"{what}: the server did not answer: {said}")

    def advance(self, operation: Operation) -> None:
        """Go on to what comes after the operation."""
        self.known = self.known.after(operation)


def is_timeout(error: BaseException) -> bool:
    """Whether a command was cut off by its maxTimeMS."""
    return getattr(error, "code", None) in _TIMED_OUT or bool(getattr(error, "timeout", False))


def plural(number: Counted | int, word: str) -> str:
    """``1 document``, ``at least 1,000 documents``."""
    count = number if isinstance(number, Counted) else Counted(number)
    return f"{count} {word}" + ("" if count.number == 1 and count.is_exact else "s")
