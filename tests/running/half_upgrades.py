"""An upgrade that has stopped behind some of its operations, and what its downgrade would do: without a database."""

from __future__ import annotations

import asyncio
from pathlib import Path
from textwrap import indent
from typing import Any

from asyncmig.files.call_site import call_site
from asyncmig.files.remaining import remaining
from asyncmig.operations import Operation
from asyncmig.running.env.env import Env
from asyncmig.running.ledger.half_applied import HalfUpgrade
from asyncmig.running.ledger.journal import entry_of
from asyncmig.running.ledger.record import Record
from asyncmig.running.ledger.sources import left_undone

__all__ = ["downgraded", "operations_of", "text_of", "undone"]

PATH = "/revisions/r.py"


class _Stopped(Exception): ...


def text_of(up: str, down: str, above: str = "") -> str:
    """A revision's file."""
    functions = (
        f"async def {name}(env):\n{indent(body.strip() or 'pass', '    ')}\n"
        for name, body in (("upgrade", up), ("downgrade", down))
    )
    return "import asyncio\n" + above + "\n".join(functions)


def downgraded(
    text: str, done: int, *, now: str | None = None, refused: int = 0, kept: tuple[str, ...] = ()
) -> list[str]:
    """What the downgrade does once ``done`` operations of the upgrade were, by descriptions; else as :func:`undone`."""
    return [one.describe() for one in undone(text, done, now=now, refused=refused, kept=kept)]


def undone(
    text: str, done: int, *, now: str | None = None, refused: int = 0, kept: tuple[str, ...] = ()
) -> list[Operation]:
    """What the downgrade does once ``done`` operations of the upgrade were. Raises HalfApplied.

    ``refused``: how many behind them were asked for, and refused. ``now``: the file as it is now. ``kept``: the
    collections that the upgrade found where it would have created them.
    """
    entries = _journal(text, done, refused)
    now = text if now is None else now
    record = Record.read({"_id": "r", "checksum": text, "source": text, "journal": entries, "state": "failed"})
    half = HalfUpgrade(
        "r",
        record.journal,
        left_undone(record, now, now),
        remaining(now, "downgrade"),
        is_followed=not any(one.does == "anything" for one in remaining(now, "upgrade")),
        kept=frozenset(kept),
        path=PATH,
    )
    half.refuse_beforehand()
    return [one for one in operations_of(now, "downgrade") if not half.why_skipped(one)]


def operations_of(text: str, function: str) -> list[Operation]:
    """What a function of a file asks for, in its order."""
    seen = list[Operation]()

    async def perform(operation: Operation) -> None:
        seen.append(operation)

    _run(text, function, perform)
    return seen


def _journal(text: str, done: int, refused: int) -> list[dict[str, Any]]:
    entries = list[dict[str, Any]]()

    async def perform(operation: Operation) -> None:
        if len(entries) == done + refused:
            raise _Stopped
        entry = entry_of(len(entries) + 1, operation, call_site(PATH)) | {"file": text}
        if len(entries) >= done:
            entry["error"] = "refused"
        entries.append(entry)
        await asyncio.sleep(0)

    try:
        _run(text, "upgrade", perform)
    except* (_Stopped, ZeroDivisionError):
        pass
    return entries


def _run(text: str, function: str, perform: Any) -> None:
    module: dict[str, Any] = {}
    exec(compile(text, PATH, "exec"), module)
    asyncio.run(module[function](Env(None, perform, database=Path(), client=Path(), collections=set())))  # type: ignore[arg-type]
