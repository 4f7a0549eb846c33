"""``preflight``: go through a plan, and ask about each operation what the server can tell beforehand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

from pymongo.errors import PyMongoError

from asyncmig.drivers.base import Driver
from asyncmig.drivers.capability import server_of
from asyncmig.errors import UnsupportedByDriver
from asyncmig.operations import DataOperation, Operation, RenameCollection
from asyncmig.operations.known import KnownState
from asyncmig.operations.several import spread
from asyncmig.preflight.asking import Asker
from asyncmig.preflight.dispatch import probes
from asyncmig.preflight.probe import Check, CheckedRevision, Cost, Preflight, Probe
from asyncmig.review.plan import Plan, PlannedRevision
from asyncmig.review.raw_call import RawCall
from asyncmig.schema.state import DatabaseState

__all__ = ["preflight"]


_RAW = Probe("P00", "unknown", "what a raw call meets, nobody can tell beforehand")
_READING: frozenset[Cost] = frozenset(("A", "B", "C"))


async def preflight(
    plan: Plan,
    driver: Driver,
    live: DatabaseState,
    *,
    costs: Iterable[Cost] = _READING,
    budget: float = 30.0,
    shown: Iterable[str] = (),
) -> Preflight:
    """Ask about each operation of ``plan``; ``live`` is the database as it stands.

    ``costs``: which probes are run. ``budget``: seconds for each question that scans a collection.
    ``shown``: the codes of probes that name all that they find. Nothing is written, unless ``costs`` has D in it.
    """
    server = await server_of(driver)
    asker = Asker(driver, live, KnownState.of(live), server, budget, frozenset(costs), shown=frozenset(shown))
    if server.is_set and plan:
        asker.since = await _time(driver)
    steps = [await _revision(step, asker) for step in plan.steps]
    return Preflight(plan.direction, tuple(steps), asker.has_written)


async def _time(driver: Driver) -> Any:
    """The primary's time, by the cluster's clock; None where the server does not tell."""
    try:
        return (await driver.command({"hello": 1}, admin=True)).get("operationTime")
    except (PyMongoError, UnsupportedByDriver):
        return None


async def _revision(step: PlannedRevision, asker: Asker) -> CheckedRevision:
    checks: list[Check] = []
    for place, action in enumerate(step.actions):
        if place in step.done:
            checks.append(Check(action))
        elif isinstance(action, RawCall):
            checks.append(Check(action, (_RAW,)))
        else:
            checks.append(Check(action, tuple([probe async for probe in _operation(action, asker)])))
    return CheckedRevision(step.revision, tuple(checks), step.error)


async def _operation(action: Operation, asker: Asker) -> AsyncIterator[Probe]:
    for operation in spread([action]):
        async for probe in probes(operation, asker):
            if probe is not None:
                yield _softened(probe, asker, operation)
        _follow(operation, asker)


def _softened(probe: Probe, asker: Asker, operation: Operation) -> Probe:
    """A problem that steps before this one may have solved by then is a warning."""
    is_open = probe.level == "problem" and asker.is_changed(operation.collection) and "documents" in probe.figures
    return replace(probe, level="warning") if is_open else probe


def _follow(operation: Operation, asker: Asker) -> None:
    """What the operation changes, for those after it."""
    asker.advance(operation)
    if isinstance(operation, DataOperation) or getattr(operation, "documents", None):
        into = getattr(operation, "into", None)
        touched = [operation.collection, *([into] if isinstance(into, str) else [])]
        asker.changed |= {asker.names.get(name, name) for name in touched}
    if isinstance(operation, RenameCollection):
        asker.names[operation.new] = asker.names.pop(operation.collection, operation.collection)
