"""``watching``: a block in which an index build goes on, and is looked at from time to time.

A build of a moment is never looked at, and costs nothing more. Of a longer one the listener is told
twice a second, and the journal a few times a minute, for ``status`` on another machine. Looking is a
courtesy: where it fails, or is not allowed, the build goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from time import monotonic
from types import MappingProxyType
from typing import Final

import anyio
from pymongo.errors import PyMongoError

from asyncmig.data.rate import RateWindow
from asyncmig.drivers.base import Driver
from asyncmig.operations.build_progress import MAJORITY, BuildPhase, BuildProgress, phase_of
from asyncmig.running.applying.build_state import Seen, builds, members_down, missing_votes, read_build
from asyncmig.running.applying.context import BuildHooks

__all__ = ["watching"]

_FIRST_READ_SECONDS: Final = 0.3  # after which a build is worth a look
_READ_INTERVAL_SECONDS: Final = 0.5
_BLIND_INTERVAL_SECONDS: Final = 5.0  # where there is nothing to see but the time
_ANSWER_SECONDS: Final = 10.0  # for one answer
_CANCEL_INTERVAL_SECONDS: Final = 0.5  # a driver that waits may swallow a cancellation
_WAITING: Final = ("waiting to start", "waiting for the majority")
_NO_ROLE: Final = (
    "how far the build is, the server tells only to users that may see the operations of others "
    "(the privilege inprog, of the role clusterMonitor on admin)"
)


@asynccontextmanager
async def watching(
    driver: Driver,
    collection: str,
    names: Sequence[str],
    mark: str,
    hooks: BuildHooks | None,
    quorum: str | int | None = None,
) -> AsyncIterator[None]:
    """A block that sends the command with the comment ``mark``, and this quorum, if any.

    Raises what the hooks raise, at its end.
    """
    if hooks is None or not driver.has_server:
        yield
        return
    task = asyncio.ensure_future(_Watch(driver, collection, tuple(names), mark, hooks, quorum).run())
    try:
        yield
    finally:
        with anyio.CancelScope(shield=True):
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=_CANCEL_INTERVAL_SECONDS)
    if not task.cancelled() and (error := task.exception()) is not None:
        raise error


class _Watch:
    def __init__(
        self,
        driver: Driver,
        collection: str,
        names: tuple[str, ...],
        mark: str,
        hooks: BuildHooks,
        quorum: str | int | None,
    ) -> None:
        self._driver, self._hooks = driver, hooks
        self._collection, self._names, self._mark, self._quorum = collection, names, mark, quorum
        self._began = self._moved = monotonic()
        self._window = RateWindow(self._began)
        self._last: tuple[BuildPhase, int | None] | None = None
        self._has_told_trouble = False
        self._phase_began, self._before = self._began, 0

    async def run(self) -> None:
        """Look, until cancelled."""
        await anyio.sleep(_FIRST_READ_SECONDS)
        while True:
            progress = await self._read()
            if progress is not None:
                await self._tell(progress)
            await anyio.sleep(
                _BLIND_INTERVAL_SECONDS if progress is not None and progress.note else _READ_INTERVAL_SECONDS
            )

    async def _read(self) -> BuildProgress | None:
        """None where the server did not answer: then it is asked again."""
        try:
            with anyio.fail_after(_ANSWER_SECONDS):
                seen = await read_build(self._driver, self._collection, self._names, self._mark)
                return await self._progress(seen)
        except (PyMongoError, TimeoutError):
            return None

    async def _tell(self, progress: BuildProgress) -> None:
        self._hooks.progressed(progress)
        if progress.is_stalled and not self._has_told_trouble:
            self._hooks.stalled(progress)
        self._has_told_trouble = progress.is_stalled
        await self._hooks.save(progress)

    async def _progress(self, seen: Seen) -> BuildProgress:
        now = monotonic()
        if not seen.is_allowed:
            return self._made("building", now, note=_NO_ROLE)
        phase, unit = await self._phase(seen)
        counts = (seen.thread or {}).get("progress") or {}
        if (done := counts.get("done")) is not None:
            return self._moving(phase, now, int(done), int(counts.get("total") or 0), unit)
        if phase == "waiting to start":
            return self._still(phase, now, ())
        down = await members_down(self._driver)
        if phase == "waiting for the majority":
            return self._still(phase, now, down, down)
        votes = await missing_votes(self._driver, self._names)
        if votes is None:
            needs_all = self._quorum is not None and self._quorum != MAJORITY
            return self._still(phase, now, down if needs_all else (), down)
        missing, self._quorum = votes
        return self._still("waiting for members" if missing else phase, now, missing, down)

    async def _phase(self, seen: Seen) -> tuple[BuildPhase, str]:
        """What the server's thread says; at moments it is not to be seen, and the indexes tell."""
        if seen.thread is not None:
            return phase_of(str(seen.thread.get("msg", "")))
        listed = await builds(self._driver, self._collection)
        ours = [listed[name] for name in self._names if name in listed]
        if len(ours) == len(self._names) and not any(ours):
            return "waiting for the majority", ""
        if any(ours):
            return (self._last[0] if self._last and self._last[0] not in _WAITING else "building"), ""
        return "waiting to start", ""

    def _moving(self, phase: BuildPhase, now: float, done: int, total: int, unit: str) -> BuildProgress:
        self._note(phase, done, now)
        self._window.add(now, done)
        rate = self._window.rate() or (done - self._before) / max(now - self._phase_began, 0.001) or None
        left = max(total - done, 0)
        remaining = left / rate if rate and total else None
        made = self._made(phase, now)
        return replace(made, done=done, total=total or None, unit=unit, rate=rate, remaining=remaining)

    def _still(
        self, phase: BuildPhase, now: float, waits: Iterable[str], down: Mapping[str, str] = MappingProxyType({})
    ) -> BuildProgress:
        self._note(phase, None, now)
        return self._made(
            phase, now, members=tuple(f"{member} ({down[member]})" if member in down else member for member in waits)
        )

    def _note(self, phase: BuildPhase, done: int | None, now: float) -> None:
        """What is new since the last look."""
        if self._last is None or self._last[0] != phase or (done is not None and done < (self._last[1] or 0)):
            self._window, self._phase_began, self._before = RateWindow(now), now, done or 0
        if self._last != (phase, done):
            self._moved = now
        self._last = phase, done

    def _made(self, phase: BuildPhase, now: float, *, members: tuple[str, ...] = (), note: str = "") -> BuildProgress:
        stalled = 0.0 if note else round(now - self._moved, 3)
        elapsed = round(now - self._began, 3)
        return BuildProgress(
            *(self._collection, self._names, phase, elapsed),
            members=members,
            stalled=stalled,
            quorum=self._quorum,
            note=note,
        )
