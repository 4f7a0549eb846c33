"""``Plan``: what a run would do, recorded by a dry run: the revisions run, and nothing is applied."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from asyncmig.drivers.base import Driver
from asyncmig.files.module import RevisionModule
from asyncmig.history.revision import Revision
from asyncmig.operations import DropIndex, Operation, RenameCollection
from asyncmig.operations.changes import Change, changes
from asyncmig.operations.known import KnownState
from asyncmig.operations.loss import loss
from asyncmig.operations.several import spread
from asyncmig.review.loss import counted, extent, holds_foreign, is_unique
from asyncmig.review.recording import RawCall, Recording, record
from asyncmig.running.ledger.matching import CannotTell
from asyncmig.running.ledger.record import Record
from asyncmig.running.ledger.sources import matching_of
from asyncmig.schema.state import DatabaseState

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
    hint: str = ""
    """Where the error was raised, and what was perhaps meant."""
    is_mistake: bool = False
    """Whether the error is one that a run would stop at, too."""
    changes: Mapping[int, tuple[Change, ...]] = field(default_factory=dict)
    """By the place of an action, what it replaces and what it puts there."""
    losses: Mapping[int, str] = field(default_factory=dict)
    """By the place of an action, what it takes away for good of what is there now, with counts and fields."""


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
    live: DatabaseState,
    records: Mapping[str, Record],
    inserted: Callable[[], Awaitable[Mapping[str, Sequence[Mapping[str, Any]]]]],
    context: Mapping[str, Any] | None = None,
) -> Plan:
    """Record each revision of ``path`` against a database that is read but never written.

    ``live`` is the database as it stands at the start; what is known of it follows the recorded
    operations from step to step, as ``env.collections`` will when they are applied. ``records``:
    of revisions that stopped half-way in this direction. ``inserted`` is
    awaited for what :func:`find_losses` takes, once it matters.
    """
    steps: list[PlannedRevision] = []
    collections, known = set(live.collections), KnownState.of(live)
    names = {name: name for name in live.collections}
    for revision in path:
        module = load(revision)
        function = module.upgrade if direction == "upgrade" else module.downgrade
        recording = await record(function, driver, collections, str(module.revision.path or ""), context)
        stopped = records.get(revision.revision)
        done = _done(recording, stopped, module) if stopped else frozenset[int]()
        is_mistake = recording.is_mistake or (recording.error is not None and not steps and not recording.actions)
        replaced, known = _changes(recording.actions, known)
        lost = await _losses(recording.actions, done, driver, names, inserted, direction)
        said = recording.actions, recording.error, done, recording.hint, is_mistake, replaced, lost
        steps.append(PlannedRevision(revision, *said))
    return Plan(direction, tuple(steps))


async def _losses(
    actions: Sequence[Operation | RawCall],
    done: frozenset[int],
    driver: Driver,
    names: dict[str, str],
    inserted: Callable[[], Awaitable[Mapping[str, Sequence[Mapping[str, Any]]]]],
    direction: Direction,
) -> dict[int, str]:
    """What each action takes away; ``names`` leads from the names that collections will have to those they have."""
    texts: dict[int, str] = {}
    for place, action in enumerate(actions):
        if isinstance(action, RenameCollection) and action.collection in names:
            names[action.new] = names.pop(action.collection)
        now = names.get(action.collection) if isinstance(action, Operation) else None
        if now is None or place in done or not isinstance(action, Operation) or not (text := loss(action)):
            continue
        if isinstance(action, DropIndex):
            if direction == "upgrade" and await is_unique(driver, now, action.name):
                texts[place] = text
        elif await holds_foreign(driver, now, (await inserted()).get(now, ())):
            texts[place] = text + await counted(driver, now, *extent(action))
    return texts


def _changes(
    actions: Sequence[Operation | RawCall], known: KnownState
) -> tuple[dict[int, tuple[Change, ...]], KnownState]:
    """What each action replaces, and what is known when all are through."""
    by_place: dict[int, tuple[Change, ...]] = {}
    for place, action in enumerate(actions):
        if isinstance(action, Operation):
            if changed := changes(action, known):
                by_place[place] = changed
            known = known.after_all(spread([action]))
    return by_place, known


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
