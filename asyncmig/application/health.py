"""``Health``: whether an application's database is at head, as a readiness probe wants to know it."""

from __future__ import annotations

from asyncio import AbstractEventLoop, get_running_loop
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import anyio

from asyncmig.application.log import logger, reason
from asyncmig.application.options import Options, migrator_for, project_settings
from asyncmig.application.source import Source, opened
from asyncmig.files.snapshot import Snapshot

if TYPE_CHECKING:
    from asyncmig.migrator import Migrator
    from asyncmig.running.ledger.record import Mark
    from asyncmig.running.ledger.status import Status

__all__ = ["Health", "Report"]

READY, NOT_READY = 200, 503


class Report(NamedTuple):
    """What a probe answers: an HTTP status, and a body for JSON."""

    status_code: int
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A good answer, when it was given, and on which event loop: another loop is another start of the application."""

    report: Report
    moment: float
    loop: AbstractEventLoop

    def holds(self, max_age: float) -> bool:
        return monotonic() - self.moment < max_age and self.loop is get_running_loop()


class Health:
    """Answers ``await health(app)`` with a Report: 200 at head, 503 behind, with the ids and nothing secret.

    ``database`` and ``options`` as :func:`asyncmig.application.lifespan.lifespan` takes them; a function
    that opens a client would open one for each answer, so give one that is open. A database that is
    ahead is fine unless ``allow_ahead=False``. The revision files are read once in the life of
    the process: an answer costs one round trip. ``max_age``: seconds for which a 200 is given
    without asking again. ``timeout``: seconds after which a silent server is a 503.
    """

    def __init__(
        self,
        database: Source,
        *,
        allow_ahead: bool = True,
        max_age: float = 0.0,
        timeout: float = 5.0,
        **options: Unpack[Options],
    ) -> None:
        self._source, self._options = database, options
        self._allow_ahead, self._max_age, self._timeout = allow_ahead, max_age, timeout
        self._migrator: Migrator | None = None
        self._files: Snapshot | None = None
        self._good: _Kept | None = None

    async def __call__(self, app: Any = None) -> Report:
        """The answer now. Whatever stands in the way of asking is a 503 and a line in the log, not an exception."""
        if self._good is not None and self._good.holds(self._max_age):
            return self._good.report
        try:
            with anyio.fail_after(self._timeout):
                report = self._told(await self._status(app))
        except Exception as error:  # noqa: BLE001  # a probe that fails would be taken for a fault of the application
            logger.warning("not ready: %s", reason(error))
            return Report(NOT_READY, {"status": "unknown"})
        self._good = _Kept(report, monotonic(), get_running_loop()) if report.status_code == READY else None
        return report

    async def _status(self, app: Any) -> Status[Mark]:
        async with opened(self._source, app) as database:
            if self._migrator is None or not _is_same(self._migrator.database, database):
                self._migrator = migrator_for(database, self._options, project_settings())
            if self._files is None:
                self._files = Snapshot(self._migrator.directory)
            return await self._migrator.status(self._files)

    def _told(self, status: Status[Mark]) -> Report:
        facts = {"pending": list(status.pending), "ahead": list(status.ahead)}
        if status.pending:
            return Report(NOT_READY, {"status": "behind", **facts})
        if status.ahead:
            return Report(READY if self._allow_ahead else NOT_READY, {"status": "ahead", **facts})
        return Report(READY, {"status": "at head", **facts})


def _is_same(database: Any, other: Any) -> bool:
    """Whether two databases are one, behind one client: those of two clients at one address compare equal."""
    return database is other or (database.client is other.client and database.name == other.name)
