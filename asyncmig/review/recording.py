"""A dry run of one revision: it is run, nothing is applied, and what it would do is written down."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from asyncmig.drivers.base import Driver
from asyncmig.files.call_site import call_site
from asyncmig.files.calling import call
from asyncmig.operations import Operation
from asyncmig.review.mistake import hint_on, is_mistake
from asyncmig.review.proxies import Recorder
from asyncmig.review.raw_call import RawCall
from asyncmig.running.env.env import Env

__all__ = ["RawCall", "Recording", "record"]


@dataclass(frozen=True, slots=True)
class Recording:
    """What ``upgrade`` or ``downgrade`` asked for, in order, up to its end or to ``error``."""

    actions: tuple[Operation | RawCall, ...]
    error: str | None = None
    """Type and text of the exception that ended it; often it had read what an earlier write would have made."""
    sites: tuple[str, ...] = field(default=(), compare=False)
    """The lines of the file that asked for each, if its path was given; none of a raw call."""
    hint: str = field(default="", compare=False)
    """Where it was raised, and what was perhaps meant."""
    is_mistake: bool = field(default=False, compare=False)
    """Whether the exception tells of a call that is wrong, whatever the database holds."""


async def record(
    function: Callable[[Env], Awaitable[Any]],
    driver: Driver,
    collections: set[str],
    path: str = "",
    context: Mapping[str, Any] | None = None,
) -> Recording:
    """Call ``function`` with an ``env`` that records: reads go through to the database, nothing is written.

    ``collections`` follows the recorded operations, as it does when they are applied. Whatever
    ``function`` does outside MongoDB, it does for real.
    """
    actions: list[Operation | RawCall] = []
    sites: dict[int, str] = {}

    async def perform(operation: Operation) -> None:
        sites[len(actions)] = call_site(path)
        actions.append(operation)

    def recording(error: str | None = None) -> Recording:
        return Recording(tuple(actions), error, tuple(sites.get(place, "") for place in range(len(actions))))

    recorder = Recorder(driver.database, actions)
    database, client = recorder.wrap(driver.database), recorder.wrap(driver.database.client)
    try:
        await call(
            function, Env(driver, perform, database=database, client=client, collections=collections, context=context)
        )
    except Exception as error:  # noqa: BLE001  # a revision is the user's code and may raise anything
        code = getattr(inspect.unwrap(function), "__code__", None)
        hint = hint_on(error, code.co_filename if code else path)
        return replace(recording(f"{type(error).__name__}: {error}"), hint=hint, is_mistake=is_mistake(error))
    return recording()
