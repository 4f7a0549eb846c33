"""``Plan``: what a run would do, recorded by running the revisions without applying anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

from asyncmig.drivers.base import Driver
from asyncmig.files.module import RevisionModule
from asyncmig.history.revision import Revision
from asyncmig.operations import Operation
from asyncmig.operations.fingerprint import fingerprint
from asyncmig.review.recording import RawCall, record
from asyncmig.running.ledger.record import JournalEntry

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
    journals: Mapping[str, Sequence[JournalEntry]],
) -> Plan:
    """Record each revision of ``path`` against a database that is read but never written.

    ``collections`` is the set of names that stands at the start; it follows the recorded
    operations from step to step, as ``env.collections`` will when they are applied. ``journals``:
    what is written down of revisions that stopped half-way in this direction.
    """
    steps = []
    for revision in path:
        module = load(revision)
        function = module.upgrade if direction == "upgrade" else module.downgrade
        recording = await record(function, driver, collections)
        done = _done(recording.actions, journals.get(revision.revision, ()))
        steps.append(PlannedRevision(revision, recording.actions, recording.error, done))
    return Plan(direction, tuple(steps))


def _done(actions: Sequence[Operation | RawCall], journal: Sequence[JournalEntry]) -> frozenset[int]:
    """The places of the operations that the journal has as finished, up to where the file was edited since."""
    operations = [(place, action) for place, action in enumerate(actions) if isinstance(action, Operation)]
    both = zip(operations, journal, strict=False)
    fitting = takewhile(lambda one: one[1].fingerprint == fingerprint(one[0][1]), both)
    return frozenset(place for (place, _), entry in fitting if entry.is_finished)
