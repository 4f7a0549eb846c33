"""``Health``: whether an application's database is at head, as a readiness probe wants to know it."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple, Unpack

import anyio
from pymongo.errors import PyMongoError

from asyncmig.application.log import logger, reason
from asyncmig.application.options import Options, migrator_for, project_settings
from asyncmig.application.source import Source, opened
from asyncmig.errors import AsyncmigError
from asyncmig.files.snapshot import Snapshot

if TYPE_CHECKING:
    from asyncmig.migrator import Migrator
    from asyncmig.running.ledger.status import Standing

__all__ = ["Health", "Report"]

READY, NOT_READY = 200, 503


class Report(NamedTuple):
    """What a probe answers: an HTTP status, and a body for JSON."""

    status_code: int
    body: dict[str, Any]


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
        self._good: tuple[float, Report] | None = None

    async def __call__(self, app: Any = None) -> Report:
        """The answer now."""
        if self._good is not None and monotonic() - self._good[0] < self._max_age:
            return self._good[1]
        try:
            with anyio.fail_after(self._timeout):
                report = self._told(await self._standing(app))
        except (AsyncmigError, PyMongoError, TimeoutError) as error:
            logger.warning("not ready: %s", reason(error))
            return Report(NOT_READY, {"status": "unknown"})
        self._good = (monotonic(), report) if report.status_code == READY else None
        return report

    async def _standing(self, app: Any) -> Standing:
        async with opened(self._source, app) as database:
            if self._migrator is None or self._migrator.database != database:
                self._migrator = migrator_for(database, self._options, project_settings())
            if self._files is None:
                self._files = Snapshot(self._migrator.directory)
            return await self._migrator.standing(self._files)

    def _told(self, standing: Standing) -> Report:
        facts = {"pending": list(standing.pending), "ahead": list(standing.ahead)}
        if standing.pending:
            return Report(NOT_READY, {"status": "behind", **facts})
        if standing.ahead:
            return Report(READY if self._allow_ahead else NOT_READY, {"status": "ahead", **facts})
        return Report(READY, {"status": "at head", **facts})
