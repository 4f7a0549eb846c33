"""How far an operation on data is, on a terminal and in a log."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest

from asyncmig.cli import advance
from asyncmig.cli.advance import AdvanceLine, ElapsedLine, bar, build_line, line
from asyncmig.cli.console import Console, Stream
from asyncmig.events import DataProgress, IndexBuildProgress
from asyncmig.history import Revision
from asyncmig.operations import CreateIndexes, RenameField, Tally
from asyncmig.schema.index import Index

OPERATION = RenameField("wallet", "name", "title")


def event(done: int, total: int | None, remaining: float | None) -> DataProgress:
    return DataProgress(Revision("aaaa"), "upgrade", 1, OPERATION, done, total, 12_345.6, remaining, Tally(done, done))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (event(5_000, None, None), "5,000 documents, 12,346/s"),
        (event(5_000, 20_000, 3.2), "25% (5,000 of 20,000 documents), 12,346/s, 3 s left"),
        (event(5_000, 2_000_000, 75), "0% (5,000 of 2,000,000 documents), 12,346/s, 1 min 15 s left"),
        (event(1, 10**9, 7300), "0% (1 of 1,000,000,000 documents), 12,346/s, 2 h 1 min left"),
        (event(20_000, 20_000, 0), "100% (20,000 of 20,000 documents), 12,346/s"),
        (event(0, 0, None), "100% (0 of 0 documents), 12,346/s"),
    ],
)
def test_line(told: DataProgress, expected: str) -> None:
    assert line(told) == expected


def test_bar_fits_the_terminal() -> None:
    told = event(5_000, 20_000, 3)
    assert bar(told, 130) == f"  {OPERATION.describe()}  [######..................] {line(told)}"
    for columns in range(20, 130):
        assert len(bar(told, columns)) <= max(columns, 82)


INDEXES = CreateIndexes("wallet", tuple(Index(f"a_field_with_a_long_name_{number}") for number in range(9)))


def build(phase: Any, done: int | None = None, total: int | None = None, **more: Any) -> IndexBuildProgress:
    return IndexBuildProgress(
        *(Revision("aaaa"), "upgrade", 1, INDEXES, "wallet", ("x_1",), phase, 75.0), done=done, total=total, **more
    )


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (build("building"), "building, 1 min 15 s"),
        (
            build("waiting for members", members=("a:1 (down)", "b:2")),
            "waiting for members (a:1 (down), b:2), 1 min 15 s",
        ),
        (build("scanning documents", 0, 400_000), "scanning documents 0% (0 of 400,000)"),
        (
            build("scanning documents", 100_000, 400_000, rate=50_000.4, remaining=6.0),
            "scanning documents 25% (100,000 of 400,000), 50,000/s, 6 s left",
        ),
        (build("inserting keys", 9, 8, rate=1.0, remaining=0.0), "inserting keys 100% (9 of 8), 1/s"),
        (build("draining writes", 12, None, rate=3.0), "draining writes (12), 3/s"),
    ],
)
def test_line_of_a_build(told: IndexBuildProgress, expected: str) -> None:
    assert build_line(told) == expected


def test_a_build_fits_into_80_columns() -> None:
    for power in range(1, 10):
        total = 10**power
        shown = bar(build("scanning documents", total // 3, total, rate=123_456.0, remaining=7300.0), 79)
        assert len(shown) <= 79
        assert "2 h 1 min left" in shown
    assert "create 9 indexes" in bar(build("building"), 79)
    assert len(bar(build("building"), 79)) <= 79


def console(terminal: bool) -> tuple[Console, Any]:
    stream = Stream(io.StringIO(), terminal=terminal, colour=False)
    return Console(stream, stream), stream.file


def test_on_a_terminal_the_line_is_written_over() -> None:
    there, file = console(True)
    shown = AdvanceLine(there)
    shown.show(event(1, 4, 3))
    shown.show(event(2, 4, 2))
    assert file.getvalue().count("\r") == 2
    assert "\n" not in file.getvalue()


def test_elsewhere_there_is_a_line_every_few_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    there, file = console(False)
    monkeypatch.setenv("COLUMNS", "100")
    now = 0.0
    monkeypatch.setattr(advance.time, "monotonic", lambda: now)
    shown = AdvanceLine(there)
    for second in range(12):
        now = float(second)
        shown.show(event(second, 12, 12 - second))
    assert file.getvalue().splitlines() == [
        f"  rename field name of wallet to title: {line(event(second, 12, 12 - second))}" for second in (5, 10)
    ]


@pytest.mark.parametrize("terminal", [True, False])
async def test_what_has_no_progress_shows_how_long_it_takes(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(advance, "_REDRAW_INTERVAL_SECONDS", 0.01)
    monkeypatch.setattr(advance, "_ELAPSED_INTERVAL_SECONDS", 0.01)
    there, file = console(terminal)
    shown = ElapsedLine(there)
    shown.start("the code of revision aaaa")
    assert file.getvalue() == ""
    while file.getvalue().count("the code of revision aaaa") < 2:
        await asyncio.sleep(0.01)
    assert (
        "the code of revision aaaa ... 0 s" if terminal else "  the code of revision aaaa: 0 s so far\n"
    ) in file.getvalue()
    shown.stop()
    told = file.getvalue()
    await asyncio.sleep(0.05)
    assert file.getvalue() == told
