"""How far an operation on data is, on a terminal and in a log."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest

from asyncmig.cli import advance
from asyncmig.cli.advance import AdvanceLine, ElapsedLine, bar, line
from asyncmig.cli.console import Console, Stream
from asyncmig.events import DataProgress
from asyncmig.history import Revision
from asyncmig.operations import RenameField, Tally

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
    monkeypatch.setattr(advance, "_EACH", 0.01)
    monkeypatch.setattr(advance, "_ELAPSED", 0.01)
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
