"""What becomes of a record: the write that opens, closes or fails a revision, from what the ledger has of it. Pure.

A revision that is entered anew, goes on, or turns round: what that means stands here, as a table of
what the ledger has (nothing, applied, stopped on its way up or down, as a transaction or not) against
where it is to go.

=========================  ==================================  ===================================
the ledger has             upgrade                             downgrade
=========================  ==================================  ===================================
nothing                    insert, new journal                 (the record is gone: nothing fits)
applied                    (not asked for)                     undo all of it, new journal
stopped on its way up      goes on with its journal            undo what its journal may have done
stopped on its way down    operations of the upgrade reopened  goes on with the journal of undoing
=========================  ==================================  ===================================

A transaction has no journal to go on with: where all that has stopped was rolled back, it either
begins again, or there is nothing to do, because the other direction never happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from asyncmig.drivers.base import Document
from asyncmig.events import Direction
from asyncmig.running.ledger.placement import FORMAT, inline
from asyncmig.running.ledger.record import Record
from asyncmig.running.ledger.write import DeleteRecord, InsertRecord, UpdateRecord, Write

__all__ = ["JournalUse", "Transition", "closing", "failing", "opening", "restoring", "transition"]

JournalUse = Literal["new", "continued", "reopened"]
"""``new``: there is nothing to go on with. ``reopened``: an upgrade's, after half a downgrade of it."""


@dataclass(frozen=True, slots=True)
class Transition:
    """How a revision is entered.

    ``is_atomic``: it is a transaction, as was all that has stopped before it: should it stop, nothing
    has happened. ``nothing_to_do``: what stopped in the other direction was rolled back. ``resumes``:
    it goes on in the direction in which it stopped. ``partial``: it undoes an upgrade that never came
    to its end.
    """

    direction: Direction
    transactional: bool
    journal: JournalUse
    is_new: bool
    is_atomic: bool
    nothing_to_do: bool
    resumes: bool
    partial: bool


def transition(record: Record | None, direction: Direction, *, transactional: bool) -> Transition:
    """How a revision of which the ledger has ``record`` is entered in ``direction``."""
    stopped = record if record is not None and not record.is_applied else None
    resumes = stopped is not None and stopped.direction == direction
    turns = stopped is not None and stopped.direction != direction
    was_atomic = stopped is not None and stopped.transactional
    return Transition(
        direction,
        transactional,
        _journal_use(record, direction, transactional=transactional, resumes=resumes),
        is_new=record is None and direction == "upgrade",
        is_atomic=transactional and (stopped is None or was_atomic),
        nothing_to_do=transactional and was_atomic and stopped is not None and _is_at_the_end(stopped, direction),
        resumes=resumes,
        partial=direction == "downgrade" and stopped is not None and (turns or stopped.partial),
    )


def _journal_use(record: Record | None, direction: Direction, *, transactional: bool, resumes: bool) -> JournalUse:
    if record is None or transactional:
        return "new"
    if direction == "downgrade":
        return "continued" if resumes else "new"
    return "reopened" if record.direction == "downgrade" else "continued"


def _is_at_the_end(stopped: Record, direction: Direction) -> bool:
    """Whether a transaction that was rolled back has left the revision where ``direction`` leads."""
    is_whole = stopped.direction == "downgrade" and not stopped.partial
    return is_whole == (direction == "upgrade")


def opening(
    revision: str, how: Transition, facts: Mapping[str, Any], reopened: Mapping[str, Any] | None = None
) -> InsertRecord | UpdateRecord:
    """The write that precedes the revision's own code.

    ``facts``: what the record says of the revision and of who runs it. ``reopened``: the fields that hold
    the journal of an upgrade whose downgrade has stopped half-way.
    """
    state = "upgrading" if how.direction == "upgrade" else "downgrading"
    fields = {"state": state, "direction": how.direction, "transactional": how.is_atomic, "format": FORMAT, **facts}
    dates = ("started_at",)
    if how.is_new:
        return InsertRecord(revision, {**fields, "journal": {}}, dates)
    if how.journal == "continued":
        return UpdateRecord(revision, fields, dates)
    if how.direction == "downgrade":
        return UpdateRecord(revision, {**fields, **inline("undo", ()), "partial": how.partial}, dates, any_token=True)
    journals = {**(reopened or inline("journal", ())), **inline("undo", ())}
    return UpdateRecord(revision, {**fields, **journals, "partial": False}, dates)


def restoring(revision: str, how: Transition) -> Write:
    """The write that says that nothing is left to do: the other direction was rolled back."""
    if how.direction == "downgrade":
        return DeleteRecord(revision)
    fields: Document = {"state": "applied", "direction": "upgrade", "error": None, "session": None}
    fields |= inline("undo", ())
    return UpdateRecord(revision, fields | {"milliseconds": 0}, ("finished_at",))


def closing(
    revision: str, how: Transition, milliseconds: int, unwritten: Mapping[str, Any], dates: Sequence[str]
) -> Write:
    """The write that says that the revision is done, with what its journal has not written yet."""
    if how.direction == "downgrade":
        return DeleteRecord(revision)
    done: Document = {"state": "applied", "milliseconds": milliseconds}
    if how.transactional:
        done["session"] = None
    return UpdateRecord(revision, {**unwritten, **done}, (*dates, "finished_at"))


def failing(
    revision: str,
    how: Transition,
    error: Mapping[str, Any],
    unwritten: Mapping[str, Any],
    dates: Sequence[str],
    *,
    interrupted: bool,
) -> UpdateRecord:
    """The write that says why the revision stopped; of an interrupted one the state stays as it is.

    Of a transaction the journal says nothing, for nothing of it has happened; and its record is left
    alone where its commit came through after all.
    """
    state = {} if interrupted else {"state": "failed"}
    if how.transactional:
        only = "upgrading" if how.direction == "upgrade" else "downgrading"
        return UpdateRecord(revision, {**state, "error": error, "session": None}, ("stopped_at",), state=only)
    return UpdateRecord(revision, {**unwritten, **state, "error": error, "session": None}, (*dates, "stopped_at"))
