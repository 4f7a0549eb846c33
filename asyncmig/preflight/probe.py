"""``Probe``: one answer about one operation; ``Preflight``: all of them, in the order of the plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from asyncmig.history.revision import Revision
from asyncmig.operations import Operation
from asyncmig.review.raw_call import RawCall

__all__ = ["COSTS", "LEVELS", "Check", "CheckedRevision", "Cost", "Level", "Preflight", "Probe"]

Level = Literal["problem", "warning", "unknown", "note"]
"""``problem``: the operation fails, or does harm. ``unknown``: it could not be asked, or not to its end."""
Cost = Literal["A", "B", "C", "D"]
"""A: the catalogue alone. B: a bounded look. C: a scan of the collection. D: writes something."""

LEVELS: Final[tuple[Level, ...]] = get_args(Level)
"""Worst first."""
COSTS: Final[tuple[Cost, ...]] = get_args(Cost)


@dataclass(frozen=True, slots=True)
class Probe:
    """One answer: its code, how bad it is, a line for people, and the figures for programs."""

    code: str
    level: Level
    text: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """An operation of the plan, or a raw call, and what was found out about it."""

    action: Operation | RawCall
    probes: tuple[Probe, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckedRevision:
    """A revision of the plan. ``error``: why its operations are not known from some point on."""

    revision: Revision
    checks: tuple[Check, ...]
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Preflight:
    """What a run would meet. ``has_written``: whether a probe has written something, as ``exact`` allows."""

    direction: str
    steps: tuple[CheckedRevision, ...]
    has_written: bool = False

    def __iter__(self) -> Iterator[Probe]:
        for step in self.steps:
            for check in step.checks:
                yield from check.probes

    def count(self, level: Level) -> int:
        """How many probes are of that level."""
        return sum(probe.level == level for probe in self)

    @property
    def problems(self) -> Sequence[Probe]:
        """The probes that foresee a failure or harm."""
        return tuple(probe for probe in self if probe.level == "problem")
