"""A run as it goes on: one line per revision and per operation on stderr."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asyncmig.cli.advance import AdvanceLine, ElapsedLine
from asyncmig.cli.console import Console
from asyncmig.cli.fitting import fitted
from asyncmig.cli.signals import Interrupts
from asyncmig.events import (
    ChecksumChanged,
    DataProgress,
    Event,
    IndexBuildProgress,
    IndexBuildStalled,
    JournalDiverged,
    LockAcquired,
    LockWaiting,
    LoopBlocked,
    OperationEdited,
    OperationFinished,
    OperationRetried,
    OperationSkipped,
    OperationStarted,
    RangeTaken,
    RevisionFinished,
    RevisionResumed,
    RevisionRetried,
    RevisionsOutOfOrder,
    RevisionStarted,
    RevisionStopped,
    RunStarted,
)
from asyncmig.history import Revision
from asyncmig.operations import DataOperation, Tally
from asyncmig.operations.advice import broken_validator
from asyncmig.printable import counted, one_line

__all__ = ["Progress", "out_of_order"]

_SHOWN = 5  # revisions


class Progress:
    """A listener that tells what a run does, and tells ``interrupts`` where it may be cut.

    ``finished``: takes each revision that has come to its end, and the milliseconds that it took.
    """

    def __init__(
        self, console: Console, interrupts: Interrupts, finished: list[tuple[Revision, int]] | None = None
    ) -> None:
        self._finished = [] if finished is None else finished
        self._console, self._err, self._interrupts = console, console.err, interrupts
        self._waited = False
        self._notes: set[str] = set()
        self._advance = AdvanceLine(console)
        self._elapsed = ElapsedLine(console)

    def __call__(self, event: Event) -> None:
        """Take one event of the run."""
        match event:
            case OperationStarted():
                self._interrupts.started(
                    event.operation.describe(), divisible=isinstance(event.operation, DataOperation)
                )
                self._advance.began()
                self._console.begin(f"  {event.operation.describe()} ...")
                self._elapsed.start(event.operation.describe())
            case DataProgress():
                self._elapsed.stop()
                self._advance.show(event)
            case IndexBuildProgress() | IndexBuildStalled():
                self._build(event)
            case OperationFinished():
                counts = f"{Tally.read(event.result)} in " if isinstance(event.operation, DataOperation) else ""
                self._end(event.operation.describe(), _already_there(event) + counts + _time(event.seconds))
                if broken := broken_validator(event.operation, event.result):
                    self._console.warn(broken)
                self._interrupts.finished()
                self._code_of(event.revision.revision)
            case OperationSkipped():
                self._end(event.operation.describe(), f"skipped: {event.reason}")
            case RevisionStarted() | RevisionFinished() | RevisionStopped() | RunStarted():
                self._revision(event)
            case LockWaiting() | LockAcquired():
                self._lock(event)
            case _:
                self._oddity(event)

    def _revision(self, event: RunStarted | RevisionStarted | RevisionFinished | RevisionStopped) -> None:
        match event:
            case RevisionStarted():
                verb = "Upgrading" if event.direction == "upgrade" else "Downgrading"
                place = f" ({event.number}/{event.total})" if event.total > 1 else ""
                name = event.revision.revision
                message = fitted(f"{verb} {name} ", one_line(event.revision.message), place)
                line = f"{verb} {self._err.paint(name, 'id')} {message}".rstrip()
                self._console.say(f"{line}{self._err.paint(place, 'faint')}")
                self._code_of(event.revision.revision)
            case RevisionFinished():
                self._elapsed.stop()
                self._finished.append((event.revision, round(event.seconds * 1000)))
                done = "applied" if event.direction == "upgrade" else "reverted"
                self._console.say(f"  {self._err.paint(done, 'good')} in {_time(event.seconds)}")
                self._interrupts.finished()
            case RevisionStopped():
                self._elapsed.stop()
                self._console.say(f"  {self._err.paint('stopped', 'bad')}; the next run goes on from here")

    def _build(self, event: IndexBuildProgress | IndexBuildStalled) -> None:
        """How far an index build is; where that is not known, the reason once, and the time that goes by."""
        if isinstance(event, IndexBuildStalled):
            self._console.warn(event.build.trouble)
        elif not event.note:
            self._elapsed.stop()
            self._advance.show(event)
        elif event.note not in self._notes:
            self._notes.add(event.note)
            self._console.say(f"  {event.note}", "warn")

    def _code_of(self, revision: str) -> None:
        """What runs now is the revision's own code, until it asks for an operation."""
        self._interrupts.started(f"the code of revision {revision}")
        self._elapsed.start(f"the code of revision {revision}")

    def _lock(self, event: LockWaiting | LockAcquired) -> None:
        if isinstance(event, LockWaiting):
            since = f" since {event.holder.acquired_at:%H:%M:%S} UTC" if event.holder.acquired_at else ""
            self._console.say(f"Waiting for the lock, held by {event.holder}{since} ({event.waited:.0f} s)")
            self._waited = True
        elif self._waited:
            self._console.say(f"The lock is free after {event.waited:.0f} s")

    def _oddity(self, event: Event) -> None:
        match event:
            case ChecksumChanged():
                self._console.warn(
                    f"the file of {event.revision} is not the one that was applied; `asyncmig repair` accepts it"
                )
            case RevisionsOutOfOrder():
                self._console.say(out_of_order(event.pairs), "warn")
            case RangeTaken():
                self._console.say(f"{event.revision} counts as applied: all that it replaces is")
            case RevisionResumed():
                why = f" ({event.error.splitlines()[0]})" if event.error else ""
                self._console.say(f"  going on after {counted(event.finished, 'finished operation')}{why}", "warn")
            case JournalDiverged():
                self._console.warn(
                    f"{event.revision} was edited since it stopped: operation {event.number} was "
                    f"{event.journalled!r}; from there on everything is applied"
                )
            case OperationEdited():
                how = (
                    "it is done, and not done again" if event.is_done else "what is done stays; the rest is done as now"
                )
                self._console.warn(
                    f"operation {event.number} of {event.revision} was edited since {event.journalled!r}: {how}"
                )
            case OperationRetried() | RevisionRetried():
                self._console.say(f"  trying again: {event.error}", "warn")
            case LoopBlocked():
                self._console.warn(
                    f"the event loop stood still for {event.seconds:.1f} s; blocking code belongs into a thread"
                )

    def _end(self, what: str, how: str) -> None:
        self._console.say(f"  {fitted('    ', one_line(what), how)}  {self._err.paint(how, 'faint')}")


def _already_there(event: OperationFinished) -> str:
    """What a creation found where it would have made it; the downgrade lets it stay."""
    if not isinstance(event.result, Mapping) or not (existing := event.result.get("existed")):
        return ""
    names = [subject.rpartition("/i/")[2] for subject in existing]
    return f"already there: {', '.join(names)}; "


def _time(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 10 else f"{seconds:.1f} s"


def out_of_order(pairs: Sequence[tuple[Revision, Revision]]) -> str:
    """That these revisions run though they are older than an applied one, in one line."""
    late, newest = [str(late) for late, _ in pairs], pairs[0][1]
    more = f" and {len(late) - _SHOWN} more" if len(late) > _SHOWN else ""
    verb = "is" if len(late) == 1 else "are"
    return f"Out of order: {', '.join(late[:_SHOWN])}{more} {verb} older than {newest}, which is applied already"
