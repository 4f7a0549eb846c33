"""What each event of a run looks like."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from asyncmig import events
from asyncmig.cli.console import Console, Stream
from asyncmig.cli.progress import Progress
from asyncmig.cli.signals import Interrupts
from asyncmig.history import Revision
from asyncmig.operations import CreateCollection, CreateIndexes
from asyncmig.operations.build_progress import BuildProgress
from asyncmig.running.locking.holder import Holder
from asyncmig.schema.index import Index

ONE, TWO = Revision("aaaa", message="first"), Revision("bbbb", message="second")
MAKE = CreateCollection("wallet")
HOLDER = Holder("x", 1, "far", 12, "me", "asyncmig upgrade", acquired_at=datetime(2024, 12, 10, 15, 0, 1, tzinfo=UTC))


def progress(*, terminal: bool = False) -> tuple[Progress, Any, Interrupts]:
    stream = Stream(io.StringIO(), terminal=terminal, colour=False)
    console = Console(stream, stream)
    interrupts = Interrupts(console, anyio.CancelScope())
    return Progress(console, interrupts), stream.file, interrupts


@pytest.mark.parametrize(
    ("happened", "lines"),
    [
        ([events.RunStarted("upgrade", (ONE,))], []),
        ([events.RevisionStarted(ONE, "upgrade", 1, 1)], ["Upgrading aaaa first"]),
        ([events.RevisionStarted(ONE, "downgrade", 2, 3)], ["Downgrading aaaa first (2/3)"]),
        ([events.OperationStarted(ONE, "upgrade", 1, MAKE)], []),
        ([events.OperationFinished(ONE, "upgrade", 1, MAKE, 0.0123, None)], ["  create collection wallet  12 ms"]),
        ([events.OperationFinished(ONE, "upgrade", 1, MAKE, 75, None)], ["  create collection wallet  75.0 s"]),
        (
            [events.OperationSkipped(ONE, "upgrade", 1, MAKE, "it was done before")],
            ["  create collection wallet  skipped: it was done before"],
        ),
        ([events.OperationRetried(ONE, "upgrade", 1, MAKE, "gone away")], ["  trying again: gone away"]),
        ([events.RevisionFinished(ONE, "upgrade", 0.5)], ["  applied in 500 ms"]),
        ([events.RevisionFinished(ONE, "downgrade", 0.5)], ["  reverted in 500 ms"]),
        ([events.RevisionStopped(ONE, "upgrade", "why")], ["  stopped; the next run goes on from here"]),
        (
            [events.RevisionResumed(ONE, "upgrade", 2, "", "ValueError: x\nmore")],
            ["  going on after 2 finished operations (ValueError: x)"],
        ),
        ([events.LockAcquired(1, 0.0)], []),
        (
            [events.LockWaiting(HOLDER, 3.2), events.LockAcquired(2, 4.0)],
            [
                "Waiting for the lock, held by me@far (pid 12, asyncmig upgrade) since 15:00:01 UTC (3 s)",
                "The lock is free after 4 s",
            ],
        ),
        ([events.LockReleased(2)], []),
        (
            [events.LoopBlocked(2.5)],
            ["Warning: the event loop stood still for 2.5 s; blocking code belongs into a thread"],
        ),
        (
            [events.RevisionsOutOfOrder(((ONE, TWO),))],
            ["Out of order: aaaa (first) is older than bbbb (second), which is applied already"],
        ),
        ([events.RangeTaken(TWO)], ["bbbb (second) counts as applied: all that it replaces is"]),
        (
            [events.ChecksumChanged(ONE, "a", "b")],
            ["Warning: the file of aaaa (first) is not the one that was applied; `asyncmig repair` accepts it"],
        ),
    ],
)
async def test_lines(happened: list[events.Event], lines: list[str]) -> None:
    listener, file, _ = progress()
    for event in happened:
        listener(event)
    assert file.getvalue().splitlines() == lines


async def test_on_a_terminal_an_operation_shows_while_it_runs() -> None:
    listener, file, _ = progress(terminal=True)
    listener(events.OperationStarted(ONE, "upgrade", 1, MAKE))
    assert file.getvalue() == "  create collection wallet ...\r"
    listener(events.LoopBlocked(2.5))
    assert file.getvalue().startswith(f"  create collection wallet ...\r{' ' * 30}\rWarning: ")


async def test_a_signal_waits_for_the_end_of_the_operation() -> None:
    listener, file, interrupts = progress()
    scope = interrupts._scope
    listener(events.RevisionStarted(ONE, "upgrade", 1, 1))
    listener(events.OperationStarted(ONE, "upgrade", 1, MAKE))
    interrupts.receive(2)
    assert "stopping after this: create collection wallet" in file.getvalue()
    assert not scope.cancel_called
    listener(events.OperationFinished(ONE, "upgrade", 1, MAKE, 0.1, None))
    assert scope.cancel_called


async def test_between_operations_it_waits_for_the_next_one() -> None:
    listener, file, interrupts = progress()
    listener(events.RevisionStarted(ONE, "upgrade", 1, 1))
    listener(events.OperationFinished(ONE, "upgrade", 1, MAKE, 0.1, None))
    interrupts.receive(2)
    assert "stopping after this: the code of revision aaaa" in file.getvalue()
    assert not interrupts._scope.cancel_called
    listener(events.RevisionFinished(ONE, "upgrade", 0.1))
    assert interrupts._scope.cancel_called


async def test_why_a_build_shows_no_progress_is_said_once() -> None:
    listener, file, _ = progress()
    made = CreateIndexes("wallet", (Index("n"),))
    for number in (1, 1, 2):
        told = (ONE, "upgrade", number, made, "wallet", ("n_1",), "building", 1.0)
        listener(events.IndexBuildProgress(*told, note="needs the role clusterMonitor"))  # type: ignore[arg-type]
    assert file.getvalue() == "  needs the role clusterMonitor\n"


async def test_a_build_that_does_not_move_is_a_warning() -> None:
    listener, file, _ = progress()
    stuck = BuildProgress("wal let", ("n_1",), "waiting for members", 40.0, members=("b:2 (down)",), stalled=12.0)
    listener(events.IndexBuildStalled(ONE, "upgrade", 1, CreateIndexes("wal let", (Index("n"),)), stuck))
    assert file.getvalue() == (
        "Warning: the build of n_1 on wal let has not moved for 12 s (waiting for members): it waits for b:2 (down); "
        "start what is down; to wait for a majority only: `asyncmig index quorum 'wal let' n_1 majority`; "
        "to end the build: `asyncmig index abort 'wal let' n_1`\n"
    )
