"""Lines that fit, on a terminal and without one."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncmig.cli.console import Console, Stream
from asyncmig.cli.fitting import cut, fitted
from asyncmig.cli.progress import Progress
from asyncmig.events import OperationFinished, RevisionStarted
from asyncmig.history import Revision
from asyncmig.operations import CreateCollection

from .conftest import Run

WORDS = "the names of all customers are put into a collection of their own " * 4


@pytest.mark.parametrize(
    ("text", "room", "shown"),
    [
        ("wallet", 6, "wallet"),
        ("wallets", 6, "wal..."),
        ("wallets", 3, "..."),
        ("wallets", 2, ""),
        ("日本語", 6, "日本語"),
        ("日本語", 5, "日..."),
        ("e\u0301" * 6, 6, "e\u0301" * 6),
    ],
)
def test_cut(text: str, room: int, shown: str) -> None:
    assert cut(text, room) == shown


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_fitted(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert len("before" + fitted("before", WORDS, "after") + "after") == columns


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("columns", [60, 80, None])
def test_progress_fits(monkeypatch: pytest.MonkeyPatch, terminal: bool, columns: int | None) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", str(columns))
    stream = Stream(io.StringIO(), terminal=terminal, colour=False)

    class Interrupts:
        def started(self, *_: Any, **__: Any) -> None: ...
        def finished(self) -> None: ...

    tell = Progress(Console(stream, stream), Interrupts())  # type: ignore[arg-type]
    revision = Revision("20260101000000", message=WORDS)
    tell(RevisionStarted(revision, "upgrade", 1, 12))
    tell(OperationFinished(revision, "upgrade", 1, CreateCollection(WORDS), 1.5, None))
    lines = [line for line in stream.file.getvalue().replace("\r", "\n").splitlines() if line.strip()]  # type: ignore[attr-defined]
    assert len(lines) == 2
    assert max(map(len, lines)) == (columns or 80)
    assert (lines[0].endswith("... (1/12)"), lines[1].endswith("...  1500 ms")) == (True, True)


@pytest.mark.parametrize("columns", [60, None])
async def test_the_graph_fits(run: Run, write_revision: Callable[..., Path], columns: int | None) -> None:
    write_revision("20260101000000", message=WORDS)
    for number in range(1, 5):
        write_revision(f"2026010100000{number}", "20260101000000", message=WORDS, branch_labels=f"branch{number}")
    environment = {"COLUMNS": str(columns)} if columns else {}
    lines = (await run("graph", **environment)).stdout.splitlines()
    assert max(map(len, lines)) <= (columns or 80)
    assert next(line for line in lines if "20260101000004" in line).endswith(")")
