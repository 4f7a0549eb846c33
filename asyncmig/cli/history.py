"""Revisions for people and programs: what marks them, one line each, and all that JSON tells of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from asyncmig.cli.app import App
from asyncmig.cli.console import Stream
from asyncmig.history import Revision, RevisionGraph

if TYPE_CHECKING:
    from asyncmig.cli.drawing import State
    from asyncmig.running.runner import Situation

__all__ = ["marks", "revision_document", "revision_line", "states"]


def marks(graph: RevisionGraph, revision: Revision, current: Collection[str] = ()) -> list[str]:
    """What is special about a revision: where it stands in the graph, its labels, what it needs."""
    name = revision.revision
    facts: Mapping[str, bool] = {
        "current": name in current,
        "head": name in graph.heads,
        "base": name in graph.bases,
        "branch point": len(graph.children(name)) > 1,
        "merge point": len(revision.down_revision) > 1,
    }
    needs = [f"needs {', '.join(revision.depends_on)}"] if revision.depends_on else []
    labels = [f"{label}@" for label in revision.branch_labels]
    return [*(mark for mark, holds in facts.items() if holds), *labels, *needs]


def revision_line(stream: Stream, revision: Revision, noted: Collection[str] = ()) -> str:
    """A revision in one line: its id, its message, its marks."""
    parts = [stream.paint(revision.revision, "id"), revision.message]
    return "  ".join([*filter(None, parts), *([stream.paint(f"({', '.join(noted)})", "good")] if noted else [])])


def states(graph: RevisionGraph, situation: Situation) -> dict[str, State]:
    """What a database has made of each revision: applied, current, failed (half-way), or pending."""
    found: dict[str, State] = {one.revision: "pending" for one in graph.pending(situation.applied)}
    found.update(dict.fromkeys(situation.applied, "applied"))
    found.update(dict.fromkeys(graph.heads_of(situation.applied), "current"))
    found.update({record.revision: "failed" for record in situation.unsettled})
    return found


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
