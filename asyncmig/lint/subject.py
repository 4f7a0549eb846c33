"""``Subject``: one revision file as the rules see it: its operations, raw calls and tree, and what was before it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from asyncmig.history.revision import Revision
from asyncmig.lint.finding import CATALOGUE, Finding, Severity
from asyncmig.operations import Operation
from asyncmig.operations.fingerprint import fingerprint
from asyncmig.operations.known import KnownState, created_by

__all__ = ["UNKNOWN", "Options", "Place", "RawCall", "Recorded", "Step", "Subject", "Unknown"]


class Unknown:
    """What stands for a value that only running the code could tell."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Where a function is wanted, it passes for one."""
        return self

    def __deepcopy__(self, memo: Any) -> Unknown:
        return self

    def __repr__(self) -> str:
        return "..."


UNKNOWN: Final = Unknown()


@dataclass(frozen=True, slots=True)
class Place:
    """The lines of a statement, from 1 on."""

    line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Step:
    """An operation of ``env``, and where it is asked for."""

    operation: Operation
    place: Place


@dataclass(frozen=True, slots=True)
class RawCall:
    """A call on ``env.db`` or ``env.client`` itself, as the source has it.

    ``collection`` is None where it is not on a collection, or the name is computed. ``arguments``
    and ``named`` are values, with UNKNOWN for what is computed.
    """

    method: str
    kind: str
    """What it is called on: ``client``, ``database`` or ``collection``."""
    collection: str | None
    arguments: tuple[Any, ...]
    named: Mapping[str, Any]
    node: ast.Call
    place: Place
    in_loop: bool = False

    def argument(self, position: int, name: str) -> Any:
        """One of its arguments, given by position or by name; UNKNOWN where it is not given, or computed."""
        if position < len(self.arguments):
            return self.arguments[position]
        return self.named.get(name, UNKNOWN)

    def describe(self) -> str:
        """One line for people."""
        return f"{ast.unparse(self.node.func)}(...)"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What ``upgrade`` or ``downgrade`` does, as far as can be told without a database."""

    steps: tuple[Step, ...] = ()
    raw: tuple[RawCall, ...] = ()
    faults: tuple[tuple[Place, str], ...] = ()
    """Calls of ``env`` that are refused as they stand."""
    reason: str | None = None
    """Why its text alone was read, and it was not run: then there may be more to it."""
    is_empty: bool = False
    only_raises: bool = False

    @property
    def operations(self) -> tuple[Operation, ...]:
        """The operations, in order."""
        return tuple(step.operation for step in self.steps)


@dataclass(frozen=True, slots=True)
class Options:
    """What the rules go by besides the files."""

    max_indexes: int = 10
    min_server: tuple[int, int] | None = None
    """The oldest server, by feature compatibility version, that the revisions are to run on."""
    members: int | None = None
    """How many members the replica set has, as far as the URL names them."""
    commit_quorum: str | int | None = None
    models: tuple[str, ...] = ()
    """The modules that hold the models, as far as settings name them."""
    incoming: frozenset[str] = frozenset()
    """The revisions that come in together: those that the reference does not have."""


@dataclass(frozen=True)
class Subject:
    """A revision, and all that a rule may ask about it."""

    revision: Revision
    path: Path
    source: str
    tree: ast.Module
    upgrade: Recorded
    downgrade: Recorded
    before: KnownState
    options: Options = field(default_factory=Options)
    brought_along: Sequence[Operation] = ()
    """The operations of those revisions before it that come in with it."""

    @property
    def is_baseline(self) -> bool:
        """Whether it only states what an adopted database has; it is never run against one."""
        return bool(getattr(self.revision, "baseline", False))

    @cached_property
    def _states(self) -> tuple[KnownState, ...]:
        return tuple(accumulate(self.upgrade.operations, KnownState.after, initial=self.before))

    def states(self) -> Iterator[tuple[Step, KnownState]]:
        """Each step of the upgrade, with what is known of the database at that moment."""
        yield from zip(self.upgrade.steps, self._states, strict=False)

    @property
    def after(self) -> KnownState:
        """What is known of the database when the upgrade is through."""
        return self._states[-1]

    @cached_property
    def created(self) -> frozenset[str]:
        """The collections that the upgrade creates."""
        named = {str(call.argument(0, "name")) for call in self.upgrade.raw if call.method == "create_collection"}
        return frozenset(named.union(*map(created_by, self.upgrade.operations)))

    def is_standing(self, collection: str | None) -> bool:
        """Whether a collection may have documents already; the revision does not create it itself."""
        return not self.is_baseline and collection not in self.created

    def on_step(self, code: str, step: Step, message: str, severity: Severity | None = None) -> Finding:
        """A finding about an operation."""
        return self.at(code, step.place, message, fingerprint(step.operation), severity)

    def on_call(self, code: str, call: RawCall, message: str) -> Finding:
        """A finding about a raw call."""
        return self.at(code, call.place, message, ast.unparse(call.node))

    def at(self, code: str, place: Place, message: str, subject: str, severity: Severity | None = None) -> Finding:
        """A finding about a place in the file."""
        said = severity or CATALOGUE[code].severity
        return Finding(code, said, message, self.path, place.line, place.end_line, self.revision.revision, subject)

    def function(self, name: str) -> Place:
        """The first line of one of its functions."""
        for node in self.tree.body:
            if isinstance(node, ast.AsyncFunctionDef) and node.name == name:
                return Place(node.lineno, node.lineno)
        return Place(1, 1)

    def place(self, node: ast.AST) -> Place:
        """The lines of a node."""
        line = getattr(node, "lineno", 1)
        return Place(line, getattr(node, "end_lineno", None) or line)
