"""``startup``: what an application awaits before it serves, whatever framework it is written with."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, Unpack

from pymongo.errors import PyMongoError

from asyncmig.application.log import logger, reason, some, tell
from asyncmig.application.options import Options, migrator_for, project_settings
from asyncmig.application.policy import StartupPolicy, chosen
from asyncmig.application.queue import Queue
from asyncmig.application.source import is_database
from asyncmig.drivers.transient import is_transient
from asyncmig.errors import (
    ConfigurationError,
    DatabaseAhead,
    DriverError,
    FailedElsewhere,
    LockTimeout,
    NotAdopted,
    PendingRevisions,
    RevisionHalfDone,
    SchemaDiffers,
    StillPending,
)
from asyncmig.files.snapshot import Snapshot

if TYPE_CHECKING:
    from asyncmig.history.revision import Revision
    from asyncmig.migrator import Migrator
    from asyncmig.running.ledger.record import Mark
    from asyncmig.running.ledger.status import Status
    from asyncmig.sources.masters import Master

__all__ = ["startup"]

# What every start comes to need: loaded among the application's imports, not while others wait for it to serve.
for _name in ("asyncmig.drivers.real", "asyncmig.running.ledger.ledger", "asyncmig.running.ledger.status", "tomllib"):
    import_module(_name)


async def startup(
    database: Any,
    policy: StartupPolicy = "check",
    *,
    timeout: float | None = None,  # noqa: ASYNC109  # how long others may take, not how long the caller has
    allow_ahead: bool = True,
    **options: Unpack[Options],
) -> list[Revision]:
    """See to it that ``database`` is as this release expects it; returns what this process has applied.

    ``policy``: what to do about pending revisions, unless the variable ``ASYNCMIG_ON_STARTUP`` says
    otherwise. ``upgrade`` runs them under the lock, or waits for the process that does (and raises
    FailedElsewhere when an error has stopped it: of many workers one tries, not all); ``check``
    raises PendingRevisions; ``wait`` lets another process run them, and raises StillPending when
    nobody does; ``warn`` logs a warning; ``off`` asks nothing at all. ``timeout``: seconds to wait
    for another process, else the setting ``lock_timeout``. ``options``: see
    :class:`~asyncmig.application.options.Options`; with ``collections`` the models are compared too.

    A database with revisions that no file knows (a newer release was here) is a warning, and its models
    are not compared; with ``allow_ahead=False`` it is DatabaseAhead. A database at head costs one round
    trip and takes no lock.

    A refusal is logged as one line at error level, by the logger ``asyncmig``, and raised. The client
    stays open, and the caller's. Raises ConfigurationError, RevisionError, LockError, RevisionFailed
    and SchemaDiffers as ``Migrator`` does.
    """
    try:
        wanted = chosen(policy, os.environ)
        return [] if wanted == "off" else await _Start(database, wanted, timeout, allow_ahead, options).go()
    except Exception as error:
        logger.error("start-up refused: %s", reason(error))  # the traceback goes with the error itself
        raise


class _Start:
    """One start of an application."""

    def __init__(
        self, database: Any, policy: StartupPolicy, wait: float | None, allow_ahead: bool, options: Options
    ) -> None:
        if not is_database(database):
            raise ConfigurationError(f"startup takes a database, not {database!r:.200}")
        self._policy, self._allow_ahead = policy, allow_ahead
        settings = project_settings()
        self._limit = settings.lock_timeout if wait is None else wait
        self._migrator: Migrator = migrator_for(
            database, options, settings, lock_timeout=0, on_event=tell, command=f"start-up, {policy}"
        )
        self._files = Snapshot(self._migrator.directory)
        self._compares = options.get("collections") is not None

    async def go(self) -> list[Revision]:
        status = await self._migrator.status(self._files)
        applied: list[Revision] = []
        if unadopted := await self._unadopted(status):
            self._refuse(unadopted)
            return []
        if status.half_done and not await self._is_held():
            self._refuse(RevisionHalfDone(dict.fromkeys(status.half_done, ""), unknown=True))
        if status.pending and self._policy == "upgrade":
            applied, status = await self._upgrade(status)
        elif status.pending and self._policy == "wait":
            status = await self._wait(status)
        elif status.pending:
            self._refuse(PendingRevisions(status.pending))
        self._report(status, applied)
        if self._compares and not status.ahead and (differences := await self._migrator.diff()):
            self._refuse(SchemaDiffers(differences))
        return applied

    async def _is_held(self) -> bool:
        """Whether somebody is at work: a newer release may be on its way, and what is half-way is not stuck."""
        holder = await self._migrator.holder()
        return holder is not None and holder.alive

    async def _unadopted(self, status: Status[Mark]) -> NotAdopted | None:
        """Asked only where a baseline is pending: that is once in the life of a database."""
        graph = self._files.graph if status.pending else ()
        has_baseline = any(revision.baseline and revision.revision in status.pending for revision in graph)
        return await self._migrator.unadopted() if has_baseline else None

    async def _upgrade(self, before: Status[Mark]) -> tuple[list[Revision], Status[Mark]]:
        """Run what is pending; or, while another process does, wait for it to succeed or to fail."""
        queue, status = Queue(self._limit), before
        while status.pending:
            holder = await self._migrator.holder()
            if holder is None or not holder.alive:
                with suppress(LockTimeout):  # somebody was quicker
                    applied = await self._migrator.upgrade("head")
                    return applied, await self._again(status)
            elif queue.is_over:
                raise LockTimeout(holder.document, queue.waited)
            else:
                await queue.pause(f"{holder} to upgrade")
            status = await self._again(status)
            for revision, moment in status.stopped.items():
                if moment != before.stopped.get(revision):
                    raise await self._failure(revision)
        return [], status

    async def _failure(self, revision: str) -> FailedElsewhere:
        """What the ledger says about a revision that another process has failed at since we look on."""
        for record in (await self._migrator.full_status()).half_way:
            if record.revision == revision:
                return FailedElsewhere(revision, f"{record.user}@{record.host} (pid {record.pid})", record.trouble)
        return FailedElsewhere(revision, "another process", "see `asyncmig status`")

    async def _wait(self, status: Status[Mark]) -> Status[Mark]:
        """Wait until nothing is pending."""
        queue = Queue(self._limit)
        while status.pending:
            if queue.is_over:
                raise StillPending(status.pending, status.stopped, self._limit)
            await queue.pause(f"another process to upgrade: {some(status.pending)}")
            status = await self._again(status)
        return status

    async def _again(self, before: Status[Mark]) -> Status[Mark]:
        """Where the database stands now; as before, where the server does not answer for a moment.

        Not retried here: whoever asks looks again after a pause, until its own limit.
        """
        try:
            return await self._migrator.status(self._files)
        except (PyMongoError, DriverError) as error:
            if not is_transient(error):
                raise
            return before

    def _refuse(self, error: Exception) -> None:
        if self._policy != "warn":
            raise error
        logger.warning("%s", reason(error))

    def _report(self, status: Status[Mark], applied: list[Revision]) -> None:
        """What is worth a line though nothing is pending any more."""
        if status.ahead and self._allow_ahead:
            also = "; the models are not compared with it" if self._compares else ""
            logger.warning("the database is ahead of this release: no file knows %s%s", some(status.ahead), also)
        elif status.ahead:
            self._refuse(DatabaseAhead(status.ahead, why="allow_ahead=False refuses to start then"))
        if status.edited:
            logger.warning("edited since they were applied: %s", some(status.edited))
        for master in _other_masters():
            logger.warning("two masters: %s", master)
        if applied:
            logger.info("upgraded: %s", some([revision.revision for revision in applied]))
        elif status.at_head:
            logger.info("the database is at head")


def _other_masters() -> tuple[Master, ...]:
    """Libraries of this application that change indexes by themselves; looked for only where there is one."""
    if not {"beanie", "bunnet", "mongoengine", "odmantic"} & sys.modules.keys():
        return ()
    from asyncmig.sources.masters import masters_in_process

    return masters_in_process()
