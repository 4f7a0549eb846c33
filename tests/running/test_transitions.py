"""The life of a record as a table: what the ledger has of a revision, and where it is to go."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from asyncmig.events import Direction
from asyncmig.running.ledger.placement import inline
from asyncmig.running.ledger.record import JournalEntry, Record, State
from asyncmig.running.ledger.transitions import closing, failing, opening, restoring, transition
from asyncmig.running.ledger.write import DeleteRecord, InsertRecord, UpdateRecord, Write

# What the ledger has; whether that was a transaction; whether it undoes half an upgrade.
# `undo*` and `goes on*`: of half an upgrade. `atomic`: should it stop, nothing has happened. `nothing`: nothing to do.
TABLE = """
has     tx part | upgrade   upgrade as transaction   | downgrade   downgrade as transaction
none    -  -    | insert  | insert, atomic           | undo      | undo, atomic
applied n  n    | goes on | clear, atomic            | undo      | undo, atomic
applied n  y    | goes on | clear, atomic            | undo      | undo, atomic
applied y  n    | goes on | clear, atomic            | undo      | undo, atomic
applied y  y    | goes on | clear, atomic            | undo      | undo, atomic
up      n  n    | goes on | clear                    | undo*     | undo*
up      n  y    | goes on | clear                    | undo*     | undo*
up      y  n    | goes on | clear, atomic            | undo*     | undo*, atomic, nothing
up      y  y    | goes on | clear, atomic            | undo*     | undo*, atomic, nothing
down    n  n    | reopen  | clear                    | goes on   | undo
down    n  y    | reopen  | clear                    | goes on*  | undo*
down    y  n    | reopen  | clear, atomic, nothing   | goes on   | undo, atomic
down    y  y    | reopen  | clear, atomic            | goes on*  | undo*, atomic, nothing
"""
WAYS: tuple[tuple[Direction, bool], ...] = (
    ("upgrade", False),
    ("upgrade", True),
    ("downgrade", False),
    ("downgrade", True),
)
STATES: dict[str, tuple[State, ...]] = {
    "applied": ("applied",),
    "up": ("upgrading", "failed"),
    "down": ("downgrading", "failed"),
}
ENTRY = JournalEntry(1, "DropCollection", "c", "drop c", "f")
FACTS = {"owner": "us"}


def cases() -> list[Any]:
    found = []
    for line in TABLE.strip().splitlines()[1:]:
        left, *cells = (part.strip() for part in line.split("|"))
        has, was_atomic, was_partial = left.split()
        for (direction, transactional), cell in zip(WAYS, cells, strict=True):
            for state in STATES.get(has, (None,)):
                record = _record(has, state, was_atomic == "y", was_partial == "y")
                direction = _spelled(direction)
                name = f"{has}-{state}-{was_atomic}{was_partial}-{direction}-{'tx' if transactional else 'plain'}"
                found.append(pytest.param(record, direction, transactional, cell.split(", "), id=name))
    return found


def _record(has: str, state: State | None, transactional: bool, partial: bool) -> Record | None:
    if state is None:
        return None
    way = _spelled("downgrade" if has == "down" else "upgrade")
    return Record("r", state, direction=way, transactional=transactional, partial=partial, journal=(ENTRY,))


def _spelled(word: Direction) -> Direction:
    """The same word, and another object: as it comes from a server."""
    spelled: Any = "".join([*word])
    return spelled


@pytest.mark.parametrize(("record", "direction", "transactional", "expected"), cases())
def test_how_a_revision_is_opened(
    record: Record | None, direction: Direction, transactional: bool, expected: list[str]
) -> None:
    how = transition(record, direction, transactional=transactional)
    reopened = inline("journal", [entry.document for entry in record.journal]) if record is not None else {}
    write = opening("r", how, FACTS, reopened if how.journal == "reopened" else None)
    word = _word(write) + ("*" if how.partial else "")
    flags = [name for name, holds in (("atomic", how.is_atomic), ("nothing", how.nothing_to_do)) if holds]
    assert [word, *flags] == expected
    assert write.fields["state"] == {"upgrade": "upgrading", "downgrade": "downgrading"}[direction]
    assert write.fields["direction"] == direction
    assert write.fields["transactional"] is how.is_atomic
    assert write.fields["owner"] == "us"
    assert write.dates == ("started_at",)


def _word(write: Write) -> str:
    """The opening, told by what it does with the two journals and by which token it takes."""
    assert isinstance(write, InsertRecord | UpdateRecord)
    names = ("journal", "undo", "archive.journal", "archive.undo", "partial")
    journals = {name: write.fields[name] for name in names if name in write.fields}
    any_token = isinstance(write, UpdateRecord) and write.any_token
    empty, none_else = inline("undo", ()), {"partial": False}
    if isinstance(write, InsertRecord):
        return "insert" if journals == {"journal": {}} else "?"
    if any_token:
        return "undo" if journals in (empty | {"partial": True}, empty | none_else) else "?"
    if journals == inline("journal", ()) | empty | none_else:
        return "clear"
    if journals == inline("journal", [ENTRY.document]) | empty | none_else:
        return "reopen"
    if not journals:
        return "goes on"
    return f"none that is known: {write}"


def test_every_combination_stands_in_the_table() -> None:
    rows = {tuple(line.split("|")[0].split()) for line in TABLE.strip().splitlines()[1:]}
    assert rows == {("none", "-", "-"), *product(("applied", "up", "down"), "ny", "ny")}


@pytest.mark.parametrize(("direction", "transactional"), WAYS)
def test_how_it_is_closed_and_fails(direction: Direction, transactional: bool) -> None:
    """A downgrade's record goes; of a transaction that stops the journal says nothing."""
    how = transition(None, _spelled(direction), transactional=transactional)
    unwritten, dates = {"journal.0.result": 1}, ("journal.0.finished_at",)
    closed = closing("r", how, 7, unwritten, dates)
    back: dict[str, Any] = {"session": None} if transactional else {}
    applied = UpdateRecord(
        "r", {"journal.0.result": 1, "state": "applied", "milliseconds": 7, **back}, (*dates, "finished_at")
    )
    assert closed == (DeleteRecord("r") if direction == "downgrade" else applied)
    for interrupted in (False, True):
        failed = failing("r", how, {"type": "E"}, unwritten, dates, interrupted=interrupted)
        state = {} if interrupted else {"state": "failed"}
        told = {**({} if transactional else unwritten), **state, "error": {"type": "E"}, "session": None}
        only = {"upgrade": "upgrading", "downgrade": "downgrading"}[direction] if transactional else None
        assert failed == UpdateRecord("r", told, (*(() if transactional else dates), "stopped_at"), state=only)


def test_how_it_is_restored() -> None:
    up, down = (transition(None, _spelled(way), transactional=True) for way in ("upgrade", "downgrade"))
    assert restoring("r", down) == DeleteRecord("r")
    fields = {"state": "applied", "direction": "upgrade", "error": None, "session": None, "milliseconds": 0}
    assert restoring("r", up) == UpdateRecord("r", fields | inline("undo", ()), ("finished_at",))
