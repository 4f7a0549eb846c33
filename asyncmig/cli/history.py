"""Revisions for people and programs: what marks them, a line or a few each, and all that JSON tells of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from asyncmig.cli.app import App
from asyncmig.cli.console import Stream
from asyncmig.history import Revision, RevisionGraph

if TYPE_CHECKING:
    from asyncmig.report.drawing import State
    from asyncmig.running.ledger.record import Record
    from asyncmig.running.ledger.status import Status

__all__ = [
    "facts",
    "marks",
    "revision_document",
    "revision_line",
    "revision_lines",
    "share",
    "states",
]


def marks(graph: RevisionGraph, revision: Revision, *states: str) -> list[str]:
    """What is special about a revision: what a database has made of it, where it stands, its labels, what it needs."""
    name = revision.revision
    facts: Mapping[str, bool] = {
        "head": name in graph.heads,
        "base": name in graph.bases,
        "branch point": len(graph.children(name)) > 1,
        "merge point": len(revision.down_revision) > 1,
    }
    needs = [f"needs {', '.join(revision.depends_on)}"] if revision.depends_on else []
    replaces = [f"replaces {len(revision.replaces)}"] if revision.replaces else []
    labels = [f"{label}@" for label in revision.branch_labels]
    return [*filter(None, states), *(mark for mark, holds in facts.items() if holds), *labels, *needs, *replaces]


def revision_line(stream: Stream, revision: Revision, noted: Collection[str] = ()) -> str:
    """A revision in one line: its id, its message, its marks."""
    parts = [stream.paint(revision.revision, "id"), revision.message]
    return "  ".join([*filter(None, parts), *([stream.paint(f"({', '.join(noted)})", "good")] if noted else [])])


def revision_lines(
    app: App, graph: RevisionGraph, revision: Revision, noted: Collection[str], indent: str = ""
) -> Iterator[str]:
    """A revision in one line; with ``-v`` followed by its facts."""
    out = app.console.out
    yield f"{indent}{revision_line(out, revision, noted)}"
    if app.verbose:
        yield from (
            f"    {out.paint(f'{name}:', 'faint')} {value}" for name, value in facts(app, graph, revision).items()
        )


def facts(app: App, graph: RevisionGraph, revision: Revision) -> dict[str, str]:
    """Where a revision's file is and where it stands in the graph; what does not apply is left out."""
    everything = {
        "File": app.shown(revision.path) if revision.path else "",
        "Parents": ", ".join(revision.down_revision) or "none",
        "Children": ", ".join(graph.children(revision.revision)) or "none",
        "Needs": ", ".join(revision.depends_on),
        "Branch": ", ".join(graph.labels_of(revision.revision)),
        "Replaces": ", ".join(revision.replaces),
    }
    return {name: value for name, value in everything.items() if value}


def states(graph: RevisionGraph, status: Status[Record]) -> dict[str, State]:
    """What a database has made of each revision: applied, current, failed (half-way), or pending.

    A squashed revision is pending as long as the database has a part of its range alone.
    """
    pending = {revision.revision for revision in graph.pending(status.applied)}
    open_ = {
        revision.revision
        for revision in graph
        if not pending.isdisjoint((revision.revision, *graph.within(revision.revision)))
    }
    by_revision: dict[str, State] = {
        revision.revision: "pending" if revision.revision in open_ else "applied" for revision in graph
    }
    by_revision.update(dict.fromkeys(graph.heads_of(status.applied), "current"))
    by_revision.update({record.revision: "failed" for record in status.half_way})
    return by_revision


def share(graph: RevisionGraph, applied: Collection[str], revision: Revision) -> str:
    """How much of a squashed revision's range a database has, if it is a part; else nothing."""
    within = [part for part in graph.within(revision.revision) if not graph.within(part)] if revision.replaces else []
    whole = {part for name in applied if name in graph for part in graph.within(name)}
    applied_parts = [part for part in within if part in applied or part in whole]
    return f"{len(applied_parts)} of {len(within)} applied" if 0 < len(applied_parts) < len(within) else ""


def revision_document(app: App, graph: RevisionGraph | None, revision: Revision) -> dict[str, Any]:
    """All that the files tell of a revision, for JSON; its place in the graph too, where there is one."""
    name = revision.revision
    document = {
        "revision": name,
        "message": revision.message,
        "down_revision": list(revision.down_revision),
        "depends_on": list(revision.depends_on),
        "branch_labels": list(revision.branch_labels),
        "replaces": list(revision.replaces),
        "transactional": revision.transactional,
        "irreversible": revision.irreversible,
        "file": app.shown(revision.path) if revision.path else None,
        "checksum": revision.checksum,
    }
    if graph is None:
        return document
    place = {"children": list(graph.children(name)), "head": name in graph.heads, "base": name in graph.bases}
    return document | place
