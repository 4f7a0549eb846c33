"""``Plan``: what a run would do, recorded by running the revisions without applying anything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from asyncmig.drivers.base import Driver
from asyncmig.history.module import RevisionModule
from asyncmig.history.revision import Revision
from asyncmig.operations import Operation
from asyncmig.running.planning.recording import RawCall, record

__all__ = ["Direction", "Plan", "PlannedRevision", "make_plan"]

Direction = Literal["upgrade", "downgrade"]


@dataclass(frozen=True, slots=True)
class PlannedRevision:
    """One step of a plan: the operations and raw driver calls that the revision would make, in order."""

    revision: Revision
    actions: tuple[Operation | RawCall, ...]
    error: str | None = None
    """Why recording stopped: most often a read that needs what an earlier pending revision would have written."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Every step from the applied revisions to a target; empty when the database is there already."""

    direction: Direction
    steps: tuple[PlannedRevision, ...]
    out_of_order: tuple[tuple[Revision, Revision], ...] = ()
    """Those of the steps that are older than something applied, each with the newest such revision."""

    @property
    def revisions(self) -> tuple[str, ...]:
        """The ids of the steps, in the order to run them."""
        return tuple(step.revision.revision for step in self.steps)

    def __bool__(self) -> bool:
        return bool(self.steps)


async def make_plan(
    path: Sequence[Revision],
    direction: Direction,
    *,
    load: Callable[[Revision], RevisionModule],
    driver: Driver,
    collections: set[str],
) -> Plan:
    """Record each revision of ``path`` against a database that is read but never written.

    ``collections`` is the set of names that stands at the start; it follows the recorded
    operations from step to step, as ``env.collections`` will when they are applied.
    """
    steps = []
    for revision in path:
        module = load(revision)
        function = module.upgrade if direction == "upgrade" else module.downgrade
        recording = await record(function, driver, collections)
        steps.append(PlannedRevision(revision, recording.actions, recording.error))
    return Plan(direction, tuple(steps))
