"""What the report says first: its title, and a handful of facts, each with how it looks. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from asyncmig.printable import counted

__all__ = ["SECTIONS", "Look", "Tile", "tiles", "title"]

SECTIONS: Final[Mapping[str, str]] = {
    "status": "State",
    "plan": "Pending",
    "difference": "Models against the database",
    "lint": "Lint",
    "graph": "Revision graph",
    "collections": "Collections",
    "history": "History",
    "refused": "Not told",
}
"""The sections of a report, in their order: the part of its document, and its heading."""

Look = Literal["good", "bad", "warn", ""]


@dataclass(frozen=True, slots=True)
class Tile:
    """One fact."""

    name: str
    value: str
    look: Look = ""


def title(document: Mapping[str, Any]) -> str:
    """What the report is about."""
    name = (document.get("database") or {}).get("name")
    return f"Migrations of {name}" if name else "Migrations"


def tiles(document: Mapping[str, Any]) -> list[Tile]:
    """The facts that the documents tell."""
    return [*_of_status(document), *_of_plan(document), *_of_difference(document), *_of_lint(document)]


def _of_status(document: Mapping[str, Any]) -> Iterator[Tile]:
    status = document.get("status")
    if status is None:
        return
    failed, ahead, waiting = status["failed"], status["ahead"], status["pending"]
    yield Tile("applied", counted(status["applied"], "revision"))
    if failed:
        yield Tile("stopped half-way", counted(len(failed), "revision"), "bad")
    if ahead:
        yield Tile("in the database, in no file", counted(len(ahead), "revision"), "bad")
    yield Tile("pending", counted(len(waiting), "revision") if waiting else "none", "warn" if waiting else "good")
    if len(status["heads"]) > 1:
        yield Tile("heads", str(len(status["heads"])), "warn")


def _of_plan(document: Mapping[str, Any]) -> Iterator[Tile]:
    plan = document.get("plan")
    if plan is None or not plan["revisions"] or plan.get("problems") is None:
        return
    problems, warnings = plan["problems"], plan.get("warnings", 0)
    look: Look = "bad" if problems else "warn" if warnings else "good"
    said = counted(problems, "problem") if problems else counted(warnings, "warning") if warnings else "none"
    yield Tile("problems foreseen", said, look)


def _of_difference(document: Mapping[str, Any]) -> Iterator[Tile]:
    difference = document.get("difference")
    if difference is None:
        return
    count = len(difference["operations"])
    yield Tile(
        "models against database", counted(count, "difference") if count else "agree", "warn" if count else "good"
    )


def _of_lint(document: Mapping[str, Any]) -> Iterator[Tile]:
    lint = document.get("lint")
    if lint is None:
        return
    counts = Counter(finding["severity"] for finding in lint["findings"])
    look: Look = "bad" if counts["error"] else "warn" if counts["warning"] else "good"
    said = counted(len(lint["findings"]), "finding") if lint["findings"] else "nothing found"
    yield Tile("lint", said, look)
