"""What a run tells while it goes on: one frozen value per event, for progress, logs and tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:  # what only reads the ledger does without operations, and starts sooner
    from asyncmig.history.revision import Revision
    from asyncmig.operations import Operation, Tally
    from asyncmig.operations.build_progress import BuildPhase, BuildProgress

__all__ = [
    "ChecksumChanged",
    "DataProgress",
    "Direction",
    "Event",
    "IndexBuildProgress",
    "IndexBuildStalled",
    "JournalDiverged",
    "Listener",
    "LockAcquired",
    "LockHolder",
    "LockReleased",
    "LockWaiting",
    "LoopBlocked",
    "OperationEdited",
    "OperationFinished",
    "OperationRetried",
    "OperationSkipped",
    "OperationStarted",
    "RangeTaken",
    "RevisionFinished",
    "RevisionResumed",
    "RevisionRetried",
    "RevisionStarted",
    "RevisionStopped",
    "RevisionsOutOfOrder",
    "RunStarted",
]

Direction = Literal["upgrade", "downgrade"]
"""Which way a run goes."""


@dataclass(frozen=True, slots=True)
class Event:
    """The root of what a listener is called with."""


Listener = Callable[[Event], None]
"""What ``Migrator(on_event=...)`` takes: called in the event loop; an error that it raises counts as the revision's."""


class LockHolder(Protocol):
    """Who has the migration lock, as its document tells; printed, it is one line. Times are the server's, in UTC."""

    @property
    def owner(self) -> str:
        """The id of the run."""
        ...

    @property
    def host(self) -> str:
        """The name of its machine."""
        ...

    @property
    def pid(self) -> int:
        """Its process there."""
        ...

    @property
    def user(self) -> str:
        """Who has started it."""
        ...

    @property
    def command(self) -> str:
        """What it was started with."""
        ...

    @property
    def acquired_at(self) -> datetime | None:
        """Since when it has the lock."""
        ...

    @property
    def expires_at(self) -> datetime | None:
        """When the lock ends unless it is renewed."""
        ...


@dataclass(frozen=True, slots=True)
class LockWaiting(Event):
    """Somebody else holds the lock; told at once and then every few seconds. ``waited`` is in seconds."""

    holder: LockHolder
    waited: float


@dataclass(frozen=True, slots=True)
class LockAcquired(Event):
    """The lock is ours; ``waited`` is in seconds."""

    token: int
    waited: float


@dataclass(frozen=True, slots=True)
class LockReleased(Event):
    """The lock is free again."""

    token: int


@dataclass(frozen=True, slots=True)
class LoopBlocked(Event):
    """The event loop stood still for ``seconds``, most often by blocking code in a revision.

    The lock could not be renewed in that time. It was afterwards, so nothing is lost; code that
    blocks belongs into a thread: ``await anyio.to_thread.run_sync(...)``.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """The lock is held, the state was read again, and these revisions will run in this order."""

    direction: Direction
    revisions: tuple[Revision, ...]


@dataclass(frozen=True, slots=True)
class RevisionsOutOfOrder(Event):
    """Of what is going to run, these are older than something applied: they came in later.

    Each stands with the newest applied revision. They are run all the same, unless the order is strict.
    """

    pairs: tuple[tuple[Revision, Revision], ...]


@dataclass(frozen=True, slots=True)
class RangeTaken(Event):
    """The database has the whole range that a squashed revision replaces, and so takes it as applied."""

    revision: Revision


@dataclass(frozen=True, slots=True)
class ChecksumChanged(Event):
    """The file of an applied revision is not the one that was applied."""

    revision: Revision
    applied: str
    now: str


@dataclass(frozen=True, slots=True)
class RevisionStarted(Event):
    """A revision begins: the ``number``-th of ``total`` in this run. The ledger has it already."""

    revision: Revision
    direction: Direction
    number: int
    total: int


@dataclass(frozen=True, slots=True)
class RevisionResumed(Event):
    """A revision that was left half-way goes on: ``finished`` operations are done already.

    ``unknown`` describes the operation that was started and perhaps done; ``error`` says why the
    former run stopped, and is empty when it was killed.
    """

    revision: Revision
    direction: Direction
    finished: int
    unknown: str
    error: str


@dataclass(frozen=True, slots=True)
class JournalDiverged(Event):
    """The file was edited since: from operation ``number`` on it no longer fits the journal, and all are applied."""

    revision: Revision
    number: int
    journalled: str
    operation: Operation


@dataclass(frozen=True, slots=True)
class OperationEdited(Event):
    """Operation ``number`` was edited after it was done (``is_done``), or done in part; what is done of it stays so.

    ``journalled`` describes it as it was. The ledger keeps both sources of the file.
    """

    revision: Revision
    number: int
    journalled: str
    operation: Operation
    is_done: bool


@dataclass(frozen=True, slots=True)
class OperationStarted(Event):
    """An operation begins; the journal says so already."""

    revision: Revision
    direction: Direction
    number: int
    operation: Operation


@dataclass(frozen=True, slots=True)
class DataProgress(Event):
    """An operation on data is under way: told after a batch, several times a second at most, and at its end.

    ``done`` of ``total`` documents (None while they are not counted); ``rate`` in documents per
    second since the operation began, or went on; ``remaining`` in seconds, None while nobody can tell.
    """

    revision: Revision
    direction: Direction
    number: int
    operation: Operation
    done: int
    total: int | None
    rate: float
    remaining: float | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class IndexBuildProgress(Event):
    """An index build is under way: told twice a second, from a moment after its beginning on.

    ``phase``: what the server does just now; ``done`` of ``total`` of that phase, in ``unit``
    (documents, keys), at ``rate`` per second, ``remaining`` seconds to its end; None or empty while the
    server does not tell. ``elapsed`` in seconds. ``members``: those that have not built it yet, or are
    down, by name, where the build waits for them. ``note``: why not more is known, as for a user that may
    not ask; the build goes on all the same.
    https://www.mongodb.com/docs/manual/core/index-creation/
    """

    revision: Revision
    direction: Direction
    number: int
    operation: Operation
    collection: str
    indexes: tuple[str, ...]
    phase: BuildPhase
    elapsed: float
    done: int | None = None
    total: int | None = None
    unit: str = ""
    rate: float | None = None
    remaining: float | None = None
    members: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class IndexBuildStalled(Event):
    """An index build has not moved for a while; told once, until it moves. ``build``: how far it is.

    ``build.members`` are those that it waits for, ``build.commands`` what to do about it, ``build.trouble``
    both in one line for people.
    """

    revision: Revision
    direction: Direction
    number: int
    operation: Operation
    build: BuildProgress


@dataclass(frozen=True, slots=True)
class OperationFinished(Event):
    """An operation is done.

    The journal says so before the next operation begins, before the revision ends, or as soon as
    the revision's own code waits for anything, whichever comes first.
    """

    revision: Revision
    direction: Direction
    number: int
    operation: Operation
    seconds: float
    result: Any


@dataclass(frozen=True, slots=True)
class OperationSkipped(Event):
    """An operation was left out: it was done before, or there is nothing of it to undo."""

    revision: Revision
    direction: Direction
    number: int
    operation: Operation
    reason: str


@dataclass(frozen=True, slots=True)
class OperationRetried(Event):
    """The connection broke while an operation ran, so that its outcome is unknown; it is applied again."""

    revision: Revision
    direction: Direction
    number: int
    operation: Operation
    error: str


@dataclass(frozen=True, slots=True)
class RevisionRetried(Event):
    """The transaction of a whole revision was aborted by the server and runs again from its top."""

    revision: Revision
    direction: Direction
    error: str


@dataclass(frozen=True, slots=True)
class RevisionFinished(Event):
    """A revision is applied, or reverted, and the ledger says so on a majority of the servers."""

    revision: Revision
    direction: Direction
    seconds: float


@dataclass(frozen=True, slots=True)
class RevisionStopped(Event):
    """A revision stopped half-way, by an error or by an interrupt, and the ledger says where."""

    revision: Revision
    direction: Direction
    error: str
