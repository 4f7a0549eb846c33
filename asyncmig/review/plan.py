"""``Plan``: what a run would do, recorded by running the revisions without applying anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from asyncmig.drivers.base import Driver
from asyncmig.files.module import RevisionModule
from asyncmig.history.revision import Revision
from asyncmig.operations import Operation
from asyncmig.review.recording import RawCall, Recording, record
from asyncmig.running.ledger.matching import CannotTell
from asyncmig.running.ledger.record import Record
from asyncmig.running.ledger.sources import matching_of

__all__ = ["Direction", "Plan", "PlannedRevision", "make_plan"]

Direction = Literal["upgrade", "downgrade"]


@dataclass(frozen=True, slots=True)
class PlannedRevision:
    """One step of a plan: the operations and raw driver calls that the revision would make, in order."""

    revision: Revision
    actions: tuple[Operation | RawCall, ...]
    error: str | None = None
    """Why recording stopped: most often a read that needs what an earlier pending revision would have written."""
    done: frozenset[int] = frozenset()
    """Which of the actions, by their places from 0 on, a run that stopped has done: they will be skipped."""


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
    records: Mapping[str, Record],
) -> Plan:
    """Record each revision of ``path`` against a database that is read but never written.

    ``collections`` is the set of names that stands at the start; it follows the recorded
    operations from step to step, as ``env.collections`` will when they are applied. ``records``:
    of revisions that stopped half-way in this direction.
    """
    steps = []
    for revision in path:
        module = load(revision)
        function = module.upgrade if direction == "upgrade" else module.downgrade
        recording = await record(function, driver, collections, str(module.revision.path or ""))
        stopped = records.get(revision.revision)
        done = _done(recording, stopped, module) if stopped else frozenset[int]()
        steps.append(PlannedRevision(revision, recording.actions, recording.error, done))
    return Plan(direction, tuple(steps))


def _done(recording: Recording, stopped: Record, module: RevisionModule) -> frozenset[int]:
    """The places of the operations that a run would skip, as they are done."""
    matching = matching_of(stopped, stopped.steps, module.revision, module.source)
    done, number = set[int](), 0
    for place, (action, site) in enumerate(zip(recording.actions, recording.sites, strict=True)):
        if not isinstance(action, Operation):
            continue
        number += 1
        try:
            if matching.find(action, site, number).is_done:
                done.add(place)
        except CannotTell:  # where the run would stop
            break
    return frozenset(done)
