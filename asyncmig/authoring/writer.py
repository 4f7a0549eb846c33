"""A new revision file: its place in the graph, its id, its source, and the head file kept in step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from asyncmig.authoring.autogenerate import draft
from asyncmig.authoring.diff import Difference
from asyncmig.history.directory import Directory, slug
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.growth import merged_parents, new_parents
from asyncmig.history.revision import Revision

__all__ = ["write_merge", "write_revision"]


def write_revision(
    directory: Directory,
    message: str,
    found: Difference | None = None,
    *,
    head: str | None = None,
    splice: bool = False,
    branch_label: str | None = None,
    depends_on: Sequence[str] = (),
    rev_id: str | None = None,
) -> Revision:
    """Write a revision that does what ``found`` asks for; without operations, a commented template.

    Raises RevisionError when its place in the graph, its id or its label is not to be had; nothing
    is written then.
    """
    graph = directory.read().graph()
    revision = Revision(
        rev_id or directory.new_id(),
        down_revision=new_parents(graph, head, splice=splice),
        depends_on=tuple(graph.get(one).revision for one in depends_on),
        branch_labels=branch_label,
        message=message,
    )
    return _written(directory, revision, found or Difference())


def write_merge(
    directory: Directory, targets: Sequence[str] = (), message: str | None = None, *, rev_id: str | None = None
) -> Revision:
    """Write the revision that joins several heads into one: all of them, or those that ``targets`` name."""
    parents = merged_parents(directory.read().graph(), targets)
    said = message or f"merge {' and '.join(parents)}"
    return _written(directory, Revision(rev_id or directory.new_id(), parents, message=said), Difference())


def _written(directory: Directory, revision: Revision, found: Difference) -> Revision:
    # The graph refuses what does not fit before a file exists.
    grown = RevisionGraph([*directory.read().revisions, revision])
    path = directory.write(draft(found, **_header(revision)), revision.revision, slug(revision.message))
    directory.head_file.write(grown.heads)
    return next(one for one in directory.read().revisions if one.path == path)


def _header(revision: Revision) -> dict[str, Any]:
    return {
        "revision": revision.revision,
        "down_revision": revision.down_revision,
        "depends_on": revision.depends_on,
        "branch_labels": revision.branch_labels,
        "message": revision.message,
    }
