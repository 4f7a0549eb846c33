"""Which entry of a journal is about an operation that a revision asks for when it runs again: pure.

**The file is as it was.** An operation is what stands at its place: whatever is the same (by its
fingerprint), else what was asked for at the same line, or as the same number, of the same kind and on the
same collection. Its arguments may be others in each run: ``datetime.now()``, a value that was read. In a
loop this may be wrong: the loop may go through a set, or through what is left to do. There it is
believed of times, generated ids and the order of lists alone; anything else may be done again, or is refused.

**The file was edited.** Entries are held against operations in their order, up to the first that does not
fit. From there on everything is applied, but what must not be done twice goes on where it was: each
entry stands for one operation, once. A function, or the arguments of something half-done, may be edited
at its place: that goes on, and is said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from asyncmig.errors import RevisionError
from asyncmig.files.call_site import CallSites
from asyncmig.operations import DataOperation, DeleteDocuments, InsertDocuments, Operation
from asyncmig.operations.arguments import KEEPING, arguments, differ_by_chance
from asyncmig.operations.fingerprint import fingerprint, has_function, outline, path_to, subjects
from asyncmig.operations.repeatability import is_repeatable
from asyncmig.running.ledger.record import JournalEntry

__all__ = ["CannotTell", "Found", "Matching"]

How = Literal["new", "same", "computed", "edited"]


class CannotTell(RevisionError):
    """Raised where nobody can tell whether an operation was done, and it must not be done twice."""

    def __init__(self, operation: Operation, entry: JournalEntry, why: str) -> None:
        self.operation, self.entry = operation, entry
        done = "is done" if entry.is_finished else "is done in part"
        super().__init__(
            f"nobody can tell whether `{operation.describe()}` is to be done: `{entry.description}` {done}, and {why}. "
            "Nothing of it was done now. Let the revision ask for the same operations in the same order in each run "
            "(sorted(...) instead of a set, values that do not change); or put the documents right by hand, and "
            "`asyncmig stamp` says that the revision is applied"
        )


@dataclass(frozen=True, slots=True)
class Found:
    """What the journal knows of an operation.

    ``slot``: its number in the journal from now on. ``diverged``: the entry that stands in its place and is
    about something else, told once. ``is_put_aside``: whether ``entry`` is from before the file was edited.
    """

    entry: JournalEntry | None
    slot: int
    how: How
    diverged: JournalEntry | None = None
    is_put_aside: bool = False

    @property
    def is_done(self) -> bool:
        """Whether there is nothing left to do: what was put aside is applied again, as far as that is harmless."""
        return self.entry is not None and self.entry.is_finished and not self.is_put_aside


@dataclass(frozen=True, slots=True)
class _Asked:
    operation: Operation
    site: str
    number: int
    fingerprint: str

    def is_about(self, entry: JournalEntry) -> bool:
        """Whether an entry is of this kind, on this collection."""
        return entry.operation == type(self.operation).__name__ and entry.collection == self.operation.collection


class Matching:
    """Holds the operations of a run against the ``former`` journal, one after the other, each entry used once.

    ``superseded``: entries from before an earlier edit. ``same_file``: whether all of ``former`` is by the file
    as it is now. ``sites``: the call sites of the file that an entry is by, and of the file now. ``path`` and
    ``file``: where that is, and its checksum; ``by_hand``: whether it has calls of its own, on ``env.db``.
    """

    def __init__(
        self,
        former: Sequence[JournalEntry],
        superseded: Sequence[JournalEntry] = (),
        *,
        same_file: bool,
        sites: Callable[[JournalEntry | None], CallSites],
        path: str = "",
        file: str = "",
        by_hand: bool = True,
    ) -> None:
        self._former, self._aside = list(former), list(superseded)
        self._unused = {entry.number: entry for entry in self._former}
        self._of_print = _grouped(self._former, lambda entry: entry.fingerprint)
        self._of_site = _grouped(self._former, lambda entry: entry.site)
        self._same_file, self._sites = same_file, sites
        self.path, self.file, self.by_hand = path, file, by_hand
        self._next = max(self._unused, default=0) + 1
        self._kept = 0
        self._used: set[int] = set()
        self._by_place: list[JournalEntry] = []
        self._exact: set[str] = set()
        self._has_diverged = False

    def find(self, operation: Operation, site: str, number: int) -> Found:
        """What is known of the ``number``-th operation of this run. Raises CannotTell."""
        asked = _Asked(operation, site, number, fingerprint(operation))
        return self._find_in_same(asked) if self._same_file else self._find_in_edited(asked)

    def is_last_word(self, slot: int, operation: Operation) -> bool:
        """Whether nothing that came after the entry in ``slot`` has to do with what it is about."""
        exact, above = self._last_touched
        return not any(
            above.get(subject, 0) > slot or any(exact.get(part, 0) > slot for part in path_to(subject))
            for subject in subjects(operation)
        )

    @cached_property
    def _last_touched(self) -> tuple[dict[str, int], dict[str, int]]:
        """The last slot that is about a subject, and the last about something within it."""
        exact: dict[str, int] = {}
        above: dict[str, int] = {}
        for entry in self._former:
            for subject in entry.subjects if entry.may_be_done else ():
                exact[subject] = entry.number
                above |= dict.fromkeys(path_to(subject), entry.number)
        return exact, above

    @property
    def first_left(self) -> int | None:
        """The slot from which on nothing of the former journal was asked for; None where that is no slot of it."""
        if self._has_diverged:
            return None
        last = max(self._used, default=0) if self._same_file else self._last_kept
        return last + 1 if any(entry.number > last for entry in self._former) else None

    def left_open(self) -> Iterator[int]:
        """The slots before that, that nobody asked for, and whose end is not known."""
        for slot, entry in self._unused.items():
            if self._same_file and entry.finished_at is None and entry.error is None:
                yield slot

    # -- the file is as it was --------------------------------------------------------------------

    def _find_in_same(self, asked: _Asked) -> Found:
        same = next(self._left_of(self._of_print.get(asked.fingerprint)), None)
        if same is not None:
            alike = self._left_of(self._of_print.get(asked.fingerprint))
            entry = next((entry for entry in alike if entry.site == asked.site), same)
            self._exact.add(asked.site)
            return self._taken(entry, "same")
        self._refuse_reordered(asked)
        entry_there = next((entry for entry in self._at_its_place(asked) if asked.is_about(entry)), None)
        if entry_there is None:
            self._refuse_elsewhere(asked)
        if entry_there is None or not self._is_computed(entry_there, asked):
            return self._new()
        if entry_there.may_be_done and not entry_there.is_finished:
            _refuse_unknown(entry_there, asked)
        self._by_place.append(entry_there)
        return self._taken(entry_there, "computed")

    def _left_of(self, entries: deque[JournalEntry] | None) -> Iterator[JournalEntry]:
        """Those of a group that are not used yet; used ones at its head are forgotten, so that many cost no more."""
        while entries and entries[0].number not in self._unused:
            entries.popleft()
        return (entry for entry in entries or () if entry.number in self._unused)

    def _at_its_place(self, asked: _Asked) -> Iterator[JournalEntry]:
        """What stands at the line that asks, or has the same number, where nobody knows a line."""
        entry = self._unused.get(asked.number)
        if entry is not None and not (entry.site and asked.site):
            yield entry
        if asked.site:
            yield from self._left_of(self._of_site.get(asked.site))

    def _is_computed(self, entry: JournalEntry, asked: _Asked) -> bool:
        """Whether an entry at the operation's place is about it, with arguments that are computed. Raises CannotTell.

        In a loop it may be about another one. Not so where that loop has asked for something that is in the
        journal word for word: then its arguments are the same in each run.
        """
        if not self._sites(None).may_repeat(asked.site) or self._differs_by_chance(entry, asked.operation):
            return True
        if not is_repeatable(asked.operation) and asked.site not in self._exact and entry.may_be_done:
            raise CannotTell(asked.operation, entry, "the two stand at one place, in a loop, with other arguments")
        return False

    def _differs_by_chance(self, entry: JournalEntry, operation: Operation) -> bool:
        if isinstance(operation, InsertDocuments):
            return not is_repeatable(operation)  # generated ids are all that could differ
        kept = entry.kept_arguments
        if kept is None or not isinstance(operation, DataOperation):
            return False
        return differ_by_chance(kept, arguments(operation))

    def _refuse_elsewhere(self, asked: _Asked) -> None:
        """Raise CannotTell where the same call, which comes once in a run, was about another collection before."""
        kind = type(asked.operation).__name__
        alike = (entry for entry in self._left_of(self._of_site.get(asked.site)) if entry.operation == kind)
        entry = next((entry for entry in alike if entry.may_be_done), None)
        if entry is not None and asked.site and not self._sites(None).may_repeat(asked.site):
            raise CannotTell(asked.operation, entry, "the two stand at one place, with other collections")

    def _refuse_reordered(self, asked: _Asked) -> None:
        for entry in self._by_place:
            is_it = entry.fingerprint == asked.fingerprint and entry.site == asked.site
            if is_it and not is_repeatable(asked.operation):
                raise CannotTell(asked.operation, entry, "another operation was taken for it: the order has changed")

    def _taken(self, entry: JournalEntry, how: How) -> Found:
        self._used.add(entry.number)
        del self._unused[entry.number]
        return Found(entry, entry.number, how)

    def _new(self, **known: Any) -> Found:
        slot = self._next
        self._next += 1
        return Found(**{"entry": None, "slot": slot, "how": "new"} | known)

    # -- the file was edited ----------------------------------------------------------------------

    def _find_in_edited(self, asked: _Asked) -> Found:
        diverged = None
        if not self._has_diverged and self._kept < len(self._former):
            entry = self._former[self._kept]
            if how := self._fit(entry, asked):
                self._kept += 1
                return Found(entry, entry.number, how)
            diverged = self._diverge()
        return self._put_aside(asked, diverged)

    def _diverge(self) -> JournalEntry:
        """Put aside what comes from here on; new operations take its slots."""
        self._has_diverged, self._next = True, self._last_kept + 1
        self._aside = self._former[self._kept :] + self._aside
        return self._former[self._kept]

    @property
    def _last_kept(self) -> int:
        return self._former[self._kept - 1].number if self._kept else 0

    def _fit(self, entry: JournalEntry, asked: _Asked) -> How | None:
        if entry.fingerprint == asked.fingerprint:
            self._exact.add(asked.site)
            return "same"
        if self._is_computed_anew(entry, asked):
            return "computed"
        return "edited" if self._is_in_line(entry, asked) and self._is_edited(entry, asked) else None

    def _is_computed_anew(self, entry: JournalEntry, asked: _Asked) -> bool:
        """Whether it is the same call, not edited, which comes once in a run, with arguments that are others now."""
        if isinstance(asked.operation, DataOperation) or not is_repeatable(asked.operation):
            return False
        if not asked.is_about(entry) or not entry.may_be_done or self._sites(entry).may_repeat(asked.site):
            return False
        return self._sites(entry).is_untouched(entry.site, asked.site)

    def _is_in_line(self, entry: JournalEntry, asked: _Asked) -> bool:
        """Whether the line of the entry has become the line of the operation; by their order where nobody knows."""
        sites = self._sites(entry)
        if not sites.are_known or not entry.site or not asked.site:
            return True
        return sites.is_same(entry.site, asked.site)

    def _is_edited(self, entry: JournalEntry, asked: _Asked) -> bool:
        """Whether an entry in line is about the operation, though its function or its arguments are others now.

        Raises CannotTell.
        """
        if not asked.is_about(entry) or is_repeatable(asked.operation) or not entry.may_be_done:
            return False
        if has_function(asked.operation) and entry.outline == outline(asked.operation):
            return True
        if self._sites(entry).is_untouched(entry.site, asked.site):
            return self._is_computed(entry, asked)
        if entry.is_finished:
            raise CannotTell(asked.operation, entry, "its arguments were edited since")
        return entry.checkpoint is not None

    def _put_aside(self, asked: _Asked, diverged: JournalEntry | None) -> Found:
        """What is known from before the edit, each of it used once."""
        same = [entry for entry in self._aside if entry.fingerprint == asked.fingerprint]
        if same:
            entry = min(same, key=lambda entry: not self._sites(entry).is_same(entry.site, asked.site))
            self._exact.add(asked.site)
            return self._from_aside(entry, "same", diverged)
        if computed := next((entry for entry in self._aside if self._is_computed_anew(entry, asked)), None):
            _refuse_unknown(computed, asked)
            return self._from_aside(computed, "computed", diverged)
        in_line = [entry for entry in self._aside if self._sites(entry).is_same(entry.site, asked.site)]
        edited = [entry for entry in in_line if self._is_edited(entry, asked)] or self._alike(asked)
        if not edited:
            return self._new(diverged=diverged)
        if len(edited) > 1:
            raise CannotTell(asked.operation, edited[0], "it is one of several like it whose functions were edited")
        return self._from_aside(edited[0], "edited", diverged)

    def _alike(self, asked: _Asked) -> list[JournalEntry]:
        """What differs in its function alone, where nobody knows how lines have moved."""
        if not has_function(asked.operation):
            return []
        wanted = outline(asked.operation)
        unknown = [entry for entry in self._aside if not (self._sites(entry).are_known and entry.site and asked.site)]
        return [entry for entry in unknown if asked.is_about(entry) and entry.outline == wanted and entry.may_be_done]

    def _from_aside(self, entry: JournalEntry, how: How, diverged: JournalEntry | None) -> Found:
        self._aside.remove(entry)
        return self._new(entry=entry, how=how, diverged=diverged, is_put_aside=True)


def _refuse_unknown(entry: JournalEntry, asked: _Asked) -> None:
    """Raise CannotTell where an operation, if it is carried out, was about something else, and nobody has kept what."""
    operation = asked.operation
    if isinstance(operation, KEEPING) and entry.kept_arguments is not None:
        return
    by_id = isinstance(operation, DeleteDocuments) and not operation.if_unchanged
    if by_id or (entry.subjects and entry.subjects != subjects(operation)):
        raise CannotTell(operation, entry, "the two stand at one place, with other names or ids")


def _grouped(entries: Sequence[JournalEntry], key: Callable[[JournalEntry], str]) -> dict[str, deque[JournalEntry]]:
    queues: dict[str, deque[JournalEntry]] = {}
    for entry in entries:
        queues.setdefault(key(entry), deque()).append(entry)
    return queues
