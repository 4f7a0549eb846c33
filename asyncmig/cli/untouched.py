"""What a database holds that asyncmig has never run on: whose collections they are, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncmig.adopting.histories.logs import logs_met
from asyncmig.drivers import driver_for
from asyncmig.printable import counted

if TYPE_CHECKING:
    from asyncmig.migrator import Migrator
    from asyncmig.schema.state import DatabaseState

__all__ = ["Untouched", "look"]

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Untouched:
    """``claimed`` are the collections that models declare, ``tools`` other tools' logs by tool."""

    state: DatabaseState
    claimed: tuple[str, ...]
    tools: Mapping[str, str]
    has_models: bool
    has_revisions: bool

    @property
    def unclaimed(self) -> tuple[str, ...]:
        """The collections that are nobody's."""
        known = {*self.claimed, *self.tools.values()}
        return tuple(collection.name for collection in self.state if collection.name not in known)

    @property
    def next_command(self) -> str:
        """What to type."""
        if not self.state.collections:
            return "asyncmig upgrade" if self.has_revisions else 'asyncmig revision -m "first" --autogenerate'
        return "asyncmig adopt --plan" if self.has_models else "asyncmig adopt --from-database --plan"

    @property
    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "collections": len(self.state.collections),
            "indexes": sum(len(collection.indexes) for collection in self.state),
            "claimed": list(self.claimed),
            "unclaimed": list(self.unclaimed),
            "histories": dict(self.tools),
            "next": self.next_command,
        }

    def lines(self) -> Iterator[str]:
        """For people."""
        indexes = sum(len(collection.indexes) for collection in self.state)
        counts = f"{counted(len(self.state.collections), 'collection')}, {counted(indexes, 'index')}"
        yield f"{counts}; no record of any revision"
        if self.claimed:
            yield f"{len(self.claimed)} of the models: {_some(self.claimed)}"
        if self.unclaimed:
            yield f"{len(self.unclaimed)} of nobody: {_some(self.unclaimed)}"
        for tool, name in self.tools.items():
            yield f"{name} is the history of {tool}: asyncmig adopt --history {tool}"
        yield f"next: {self.next_command}"


async def look(migrator: Migrator, *, has_models: bool, has_revisions: bool) -> Untouched:
    """Look at the database and at the models, where there are any."""
    state = await migrator.state()
    declared = migrator.declared().state.collections if has_models else ()
    tools = await logs_met(driver_for(migrator.database), state.collections)
    return Untouched(
        state,
        tuple(collection.name for collection in state if collection.name in declared),
        tools,
        has_models,
        has_revisions,
    )


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
