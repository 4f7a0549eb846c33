"""Every error that asyncmig raises on purpose, as one tree::

    AsyncmigError                        exit code
    ├── DeclarationError                    1   a fault in a Collection, View or Index
    ├── ConfigurationError                  2   a setting that is missing or wrong
    ├── IrreversibleOperation               1   no way back
    ├── DriverError                         1
    │   ├── UnsupportedByDriver             1   the mock was asked for more than it has
    │   └── ServerUnreachable               1   nobody answered within the timeout
    ├── UnsupportedByServer                 1   the models ask for what this server does not have
    ├── OperationRefused                    1   the server said no
    ├── RevisionError                       1   the history, or a target in it, is wrong
    │   └── RevisionFileError               1   a file of it is
    ├── LockError                           6
    │   ├── LockTimeout                     6   somebody else holds it
    │   └── LockLost                        7   it was taken from us, or could not be renewed
    ├── RevisionFailed                      7   a revision stopped half-way
    ├── LedgerGone                          7   somebody dropped the ledger meanwhile
    ├── RevisionHalfDone                    7   a revision is half-way that the run would go over
    ├── FailedElsewhere                     7   at start-up: it failed in the process that was waited for
    └── CheckFailed                         1
        ├── RevisionsEdited                 1   files were changed after they were applied
        ├── SchemaDiffers                   3   models and database differ
        ├── PendingRevisions                4   revisions are waiting to run
        │   └── StillPending                4   at start-up: nobody has run them in time
        ├── DatabaseAhead                   9   the database has revisions that no file knows
        └── NotAdopted                     10   the database was there before its baseline

Each class takes the facts, keeps them as attributes, builds its own message and says what to do
next. ``exit_code`` is what the command line answers with; this table is held against the classes by a test.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Protocol

from asyncmig.printable import counted, one_line

__all__ = [
    "AsyncmigError",
    "CheckFailed",
    "ConfigurationError",
    "DatabaseAhead",
    "DeclarationError",
    "DriverError",
    "FailedElsewhere",
    "IrreversibleOperation",
    "LedgerGone",
    "LockError",
    "LockLost",
    "LockTimeout",
    "NotAdopted",
    "OperationRefused",
    "PendingRevisions",
    "RevisionError",
    "RevisionFailed",
    "RevisionFileError",
    "RevisionHalfDone",
    "RevisionsEdited",
    "SchemaDiffers",
    "ServerUnreachable",
    "StillPending",
    "UnsupportedByDriver",
    "UnsupportedByServer",
]


class Described(Protocol):
    """What an error names: an operation of :mod:`asyncmig.operations`, told in one line."""

    def describe(self) -> str:
        """One line for people."""
        ...


class AsyncmigError(Exception):
    """The root: whatever asyncmig raises on purpose derives from it."""

    exit_code: ClassVar[int] = 1


class DeclarationError(AsyncmigError, ValueError):
    """Raised when a Collection, View or Index is declared with a fault in it."""

    def __init__(self, owner: str, attribute: str, fault: str) -> None:
        self.owner, self.attribute, self.fault = owner, attribute, fault
        super().__init__(f"{owner}.{attribute}: {fault}" if attribute else f"{owner}: {fault}")


class ConfigurationError(AsyncmigError, ValueError):
    """Raised when a setting is missing or cannot be used."""

    exit_code = 2


class IrreversibleOperation(AsyncmigError):
    """Raised when an operation that has no reverse is asked for one."""

    def __init__(self, operation: Described, reason: str) -> None:
        self.operation, self.reason = operation, reason
        super().__init__(f"{one_line(operation.describe())} cannot be reversed: {reason}")


class DriverError(AsyncmigError):
    """Raised when the driver, not the server, stands in the way."""


class UnsupportedByDriver(DriverError, NotImplementedError):
    """Raised when a driver of fewer capabilities (the mock) is asked for more than it has."""

    def __init__(self, what: str, driver: str) -> None:
        self.what, self.driver = what, driver
        super().__init__(f"{driver} cannot do {what}; use a real MongoDB server for this")


class ServerUnreachable(DriverError, ConnectionError):
    """Raised when no server answers in time. Names host and port, never a password."""

    def __init__(self, hosts: Sequence[str], seconds: float, detail: str = "") -> None:
        self.hosts, self.seconds = tuple(hosts), seconds
        super().__init__(
            f"no MongoDB server answered at {', '.join(hosts)} within {seconds:g} s"
            + (f" ({detail})" if detail else "")
            + "; is it running, and is the address right?"
        )


class UnsupportedByServer(AsyncmigError):
    """Raised when the models ask for what this server does not have; ``missing``: each thing, with the version."""

    def __init__(self, server: str, missing: Sequence[tuple[str, str]]) -> None:
        self.server, self.missing = server, tuple(missing)
        lines = "".join(f"\n  - {what} needs {version}" for what, version in self.missing)
        super().__init__(
            f"this server is at {server} (featureCompatibilityVersion), and the models ask for more:{lines}\n"
            "Upgrade it (setFeatureCompatibilityVersion comes after the binaries), or change the models"
        )


class OperationRefused(AsyncmigError):
    """Raised when the server refuses an operation; keeps its code and its words."""

    def __init__(
        self,
        operation: Described,
        code: int | None,
        message: str,
        advice: str = "",
        *,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        self.operation, self.code, self.message, self.advice = operation, code, message, advice
        self.details = details or {}
        self.done: tuple[str, ...] = ()
        """Of an operation of several parts: what it has changed before, as the journal names it (``subjects``)."""
        said = message if code is None else f"the server refused it (code {code}): {message}"
        text = f"{one_line(operation.describe())}: {said}"
        super().__init__(f"{text}\n  {advice}" if advice else text)


class LockError(AsyncmigError):
    """Raised when the migration lock stands in the way."""

    exit_code = 6


class LockTimeout(LockError, TimeoutError):
    """Raised when the lock was not obtained in time; tells who holds it."""

    def __init__(self, holder: Mapping[str, Any], waited: float) -> None:
        self.holder, self.waited = dict(holder), waited
        what = f"pid {holder.get('pid', '?')}, {holder.get('command') or 'unknown command'}"
        who = f"{holder.get('user', '?')}@{holder.get('host', '?')} ({what})"
        super().__init__(
            f"the migration lock is held by {who} since {_moment(holder.get('acquired_at'))}; waited {waited:.0f} s. "
            "Wait for it, raise --lock-timeout, or look with `asyncmig status`; "
            "`asyncmig unlock` releases it once its lease has ended"
        )


class LockLost(LockError):
    """Raised when the lease could not be renewed in time, or another runner has taken the lock."""

    exit_code = 7

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"the migration lock was lost: {reason}. Nothing more was written to the ledger; "
            "see `asyncmig status`, then run `asyncmig upgrade` again"
        )


class LedgerGone(AsyncmigError):
    """Raised when the record of a revision that runs is gone from the ledger, though the lock is ours."""

    exit_code = 7

    def __init__(self, revision: str, collection: str) -> None:
        self.revision, self.collection = revision, collection
        super().__init__(
            f"the record of revision {revision} is gone from the ledger {collection}: something has dropped the "
            "collection, or deleted from it, while the revision ran. What is done of it is in no ledger any more. "
            "Put the ledger back from a backup, if others are gone, too; then say where the database stands: "
            f"`asyncmig stamp {revision}` where all of it is done, else undo by hand what is, and run "
            "`asyncmig upgrade` again"
        )


class RevisionHalfDone(AsyncmigError):
    """Raised when a revision is half applied, or half reverted, and a run would go over it."""

    exit_code = 7

    def __init__(self, revisions: Mapping[str, str], *, unknown: bool) -> None:
        self.revisions, self.unknown = dict(revisions), unknown
        named = ", ".join(f"{name} ({message})" if message else name for name, message in self.revisions.items())
        first = next(iter(self.revisions))
        what = f"half-way, and has to be settled before anything else runs: {named}"
        if unknown:
            super().__init__(f"what no file here knows is {what}; nothing was done.\n{WAYS_BACK_TO_THE_FILES}")
        else:
            super().__init__(
                f"a revision is {what}; nothing was done. Go on with it: `asyncmig upgrade {first}`, "
                f"or take it back: `asyncmig downgrade {first}-1`"
            )


class RevisionFailed(AsyncmigError):
    """Raised when a revision stops half-way; the cause is chained, the ledger says where."""

    exit_code = 7

    def __init__(self, revision: str, direction: str, where: str, cause: BaseException) -> None:
        self.revision, self.direction, self.where = revision, direction, where
        super().__init__(
            f"revision {revision} failed in {direction} at {where}: "
            f"{type(cause).__name__}: {_cause(cause, where) or 'it says nothing more'}"
        )


class FailedElsewhere(AsyncmigError):
    """Raised at start-up by the policy ``upgrade`` when an error stopped the process that this one has waited for."""

    exit_code = 7

    def __init__(self, revision: str, who: str, trouble: str) -> None:
        self.revision, self.who, self.trouble = revision, who, trouble
        super().__init__(
            f"revision {revision} failed in {who}: {trouble}; the next start, or `asyncmig upgrade`, tries again"
        )


def _cause(cause: BaseException, where: str) -> str:
    """What an error says, without what ``where`` says already."""
    if isinstance(cause, OperationRefused) and (described := one_line(cause.operation.describe())) in where:
        return reason(str(cause).removeprefix(f"{described}: "))
    return words(cause)


def innermost(error: BaseException) -> BaseException:
    """The first error of a group, which task groups raise in its place; any other error itself."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def words(error: BaseException) -> str:
    """What an error says is wrong; of many writes at once, what the server said of the first that it refused."""
    details = getattr(error, "details", None)
    refused = details.get("writeErrors") or details.get("writeConcernErrors") if isinstance(details, Mapping) else None
    if not refused:
        return reason(str(error))
    first = refused[0]
    others = f" (and {len(refused) - 1} more were refused)" if len(refused) > 1 else ""
    return f"the server refused it (code {first.get('code')}): {first.get('errmsg', reason(str(error)))}{others}"


def reason(text: str) -> str:
    """What a driver says is wrong, without the list of time-outs, the picture of the topology, the whole reply."""
    said = text.partition(", full error: {")[0].partition(", Timeout:")[0]
    return re.sub(r" \(configured timeouts:[^)]*\)", "", said)


def _moment(value: object) -> str:
    return f"{value:%Y-%m-%d %H:%M:%S} UTC" if isinstance(value, datetime) else "an unknown time"


class CheckFailed(AsyncmigError):
    """Raised by ``check`` when something is not as it should be."""


class RevisionsEdited(CheckFailed):
    """Raised when the files of applied revisions are not the ones that were applied."""

    def __init__(self, revisions: Iterable[object]) -> None:
        self.revisions = tuple(revisions)
        lines = "".join(f"\n  - {revision}" for revision in self.revisions)
        was = "was" if len(self.revisions) == 1 else "were"
        super().__init__(
            f"{counted(len(self.revisions), 'file')} {was} changed after being applied:{lines}\n"
            "Put them back as they were, or accept them as they are with `asyncmig repair`"
        )


class SchemaDiffers(CheckFailed):
    """Raised when models and database differ; ``operations`` would bring them together."""

    exit_code = 3

    def __init__(self, operations: Sequence[Described]) -> None:
        self.operations = tuple(operations)
        lines = "".join(f"\n  - {one_line(operation.describe())}" for operation in self.operations)
        super().__init__(f"models and database differ in {counted(len(self.operations), 'operation')}:{lines}")


class PendingRevisions(CheckFailed):
    """Raised when revisions are waiting to run."""

    exit_code = 4

    def __init__(self, pending: Iterable[str], operations: Sequence[Described] = ()) -> None:
        self.pending, self.operations = tuple(pending), tuple(operations)
        number, verb = len(self.pending), "is" if len(self.pending) == 1 else "are"
        besides = f" (and models and database differ in {counted(len(self.operations), 'operation')})"
        super().__init__(
            f"{counted(number, 'revision')} {verb} pending: {', '.join(self.pending)}; run `asyncmig upgrade`"
            + (besides if operations else "")
        )


class StillPending(PendingRevisions, TimeoutError):
    """Raised at start-up by the policy ``wait`` when nobody has upgraded in time."""

    def __init__(self, pending: Sequence[str], stopped: Collection[str], seconds: float) -> None:
        self.stopped, self.seconds = tuple(stopped), seconds
        super().__init__(pending)
        failed = f"; an error has stopped {', '.join(stopped)}, see `asyncmig status`" if stopped else ""
        self.args = (f"after {seconds:g} s of waiting for another process, {self}{failed}",)


class DatabaseAhead(CheckFailed):
    """Raised when the database has revisions that no file knows: files of another branch, or of a newer release.

    ``ahead`` are their ids. Nothing can be compared then: what those revisions made would be taken for
    something that nobody wants. ``why``: the reason, where there is more to say.
    """

    exit_code = 9

    def __init__(self, ahead: Sequence[str], *, messages: Mapping[str, str] | None = None, why: str = "") -> None:
        self.ahead = tuple(ahead)
        known = messages or {}
        names = ", ".join(f"{name} ({known[name]})" if known.get(name) else name for name in self.ahead)
        super().__init__(
            f"the database is ahead of the files by {counted(len(self.ahead), 'revision')} that no file has: {names}"
            f"{f'; {why}' if why else ''}.\n{WAYS_BACK_TO_THE_FILES}"
        )


WAYS_BACK_TO_THE_FILES = (
    "Get their files: check out, or merge, the branch or release that has them. Or take these revisions back: "
    "`asyncmig downgrade TARGET --from-ledger` runs their downgrade from the source that the ledger has kept. "
    "`asyncmig stamp --purge TARGET` only forgets them"
)


class NotAdopted(CheckFailed):
    """Raised for a database without a ledger that has collections of the baseline: nothing may run on it yet."""

    exit_code = 10

    def __init__(self, database: str, baseline: str, collections: Iterable[str]) -> None:
        self.database, self.baseline, self.collections = database, baseline, tuple(collections)
        shown = ", ".join(self.collections[:3]) + (" ..." if len(self.collections) > 3 else "")
        super().__init__(
            f"{database} has collections already that the baseline {baseline} would make ({shown}), and no record of "
            "any revision: it was there before asyncmig, and nothing was run. `asyncmig adopt` compares it with the "
            f"models and records the baseline; `asyncmig stamp {baseline}` records it without comparing"
        )


class RevisionError(AsyncmigError):
    """The root of what can be wrong with the history; its leaves live in :mod:`asyncmig.history.errors`."""


class RevisionFileError(RevisionError):
    """The root of what can be wrong with one file; ``line`` counts from 1, None where no line is to blame."""

    def __init__(self, path: Path | None, fault: str, line: int | None = None) -> None:
        self.path, self.line, self.fault = path, line, fault
        where = str(path) if path else "a revision without a file"
        super().__init__(f"{where}, line {line}: {fault}" if line else f"{where}: {fault}")
