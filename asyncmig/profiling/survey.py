"""Profiles of several collections of one database, each compared with what the models say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from asyncmig.errors import ConfigurationError
from asyncmig.profiling.findings import Finding, compare
from asyncmig.profiling.profile import Profile
from asyncmig.profiling.reading import Reading, count_breaking, profile
from asyncmig.schema.names import suggestion

__all__ = ["Report", "survey"]

OnProgress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Report:
    """One collection: its profile, the findings, and how many documents break the models.

    ``is_declared``: whether a model says what its documents hold. ``breaking``: the exact number of
    documents that break it; None where it was not asked for, or could not be counted within the budget.
    """

    profile: Profile
    findings: tuple[Finding, ...]
    is_declared: bool
    breaking: int | None = None

    @property
    def breaks(self) -> bool:
        """Whether documents break what the models say."""
        return bool(self.breaking) or any(finding.breaks for finding in self.findings)


async def survey(
    database: Any,
    present: Sequence[str],
    schemas: Mapping[str, Mapping[str, Any]],
    names: Sequence[str] = (),
    reading: Reading | None = None,
    *,
    count: bool = False,
    on_progress: OnProgress | None = None,
) -> list[Report]:
    """A report on each of the collections ``names``, or of all that are ``present``.

    ``schemas``: the models' schema by collection. ``count``: whether the documents that break it are
    counted exactly. The budget of ``reading`` is for all together. Raises ConfigurationError for a name that
    is not there.
    """
    for name in names:
        if name not in present:
            raise ConfigurationError(f"there is no collection {name!r} in the database{suggestion(name, present)}")
    reading = reading or Reading()
    began = monotonic()
    reports = []
    for name in names or present:
        left = None if reading.budget is None else max(reading.budget - (monotonic() - began), 0.0)
        reports.append(
            await _report(database[name], schemas.get(name), replace(reading, budget=left), count, on_progress)
        )
    return reports


async def _report(
    collection: Any,
    schema: Mapping[str, Any] | None,
    reading: Reading,
    count: bool,
    on_progress: OnProgress | None,
) -> Report:
    began = monotonic()

    def tell(done: int, total: int) -> None:
        if on_progress is not None:
            on_progress(collection.name, done, total)

    profiled = await profile(collection, reading, on_progress=tell)
    breaking = None
    if count and schema is not None:
        left = None if reading.budget is None else max(reading.budget - (monotonic() - began), 0.0)
        breaking = await count_breaking(collection, schema, seconds=left)
    return Report(profiled, tuple(compare(profiled, schema)), schema is not None, breaking)
