"""A new revision file: its place in the graph, its id, its source, and the head file kept in step."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from asyncmig.authoring.diff import Difference
from asyncmig.authoring.draft import draft
from asyncmig.authoring.revision_file import revision_source
from asyncmig.files.atomic import replace_file
from asyncmig.files.directory import Directory, slug
from asyncmig.files.errors import UnreadableFile
from asyncmig.files.rewriting import with_parents
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.parents import merged_parents, new_parents
from asyncmig.history.range import Range
from asyncmig.history.rebase import NotRebasable, new_parent
from asyncmig.history.revision import Revision
from asyncmig.operations import Operation
from asyncmig.operations.folding import fold

__all__ = ["rebase", "write_merge", "write_revision", "write_squash"]


def write_revision(
    directory: Directory,
    message: str,
    planned: Difference | None = None,
    *,
    head: str | None = None,
    splice: bool = False,
    branch_label: str | None = None,
    depends_on: Sequence[str] = (),
    rev_id: str | None = None,
) -> Revision:
    """Write a revision that does what ``planned`` asks for; without operations, a commented template.

    Raises RevisionError when its place in the graph, its id or its label is not to be had; nothing
    is written then.
    """
    graph = directory.read().graph()
    revision = Revision(
        rev_id or directory.new_id(),
        down_revision=new_parents(graph, head, splice=splice),
        depends_on=tuple(graph.get(name).revision for name in depends_on),
        branch_labels=branch_label,
        message=message,
    )
    return _written(directory, revision, planned or Difference())


def write_merge(
    directory: Directory, targets: Sequence[str] = (), message: str | None = None, *, rev_id: str | None = None
) -> Revision:
    """Write the revision that joins several heads into one: all of them, or those that ``targets`` name."""
    parents = merged_parents(directory.read().graph(), targets)
    said = message or f"merge {' and '.join(parents)}"
    return _written(directory, Revision(rev_id or directory.new_id(), parents, message=said), Difference())


def write_squash(
    directory: Directory,
    range_: Range,
    upgrade: Sequence[Operation],
    downgrade: Sequence[Operation],
    message: str | None = None,
    *,
    one_way: Collection[str] = (),
    rev_id: str | None = None,
) -> Revision:
    """Write the revision that replaces a range: ``upgrade`` and ``downgrade`` are all that the range did, in order.

    ``one_way``: the members that cannot be reverted; where there are any, nor can the whole.
    """
    revision = Revision(
        rev_id or directory.new_id(),
        down_revision=range_.parents,
        depends_on=range_.depends_on,
        branch_labels=range_.labels,
        replaces=range_.replaces,
        message=message or f"squash {range_.ids[0]} to {range_.ids[-1]}",
        transactional=all(member.transactional for member in range_.members),
        irreversible=bool(one_way),
    )
    source = revision_source(
        **_header(revision),
        upgrade=fold(upgrade),
        downgrade=() if one_way else fold(downgrade),
        notes=[_remark(member, revision, one_way) for member in range_.members],
    )
    return _stored(directory, revision, source)


def _remark(member: Revision, squashed: Revision, one_way: Collection[str]) -> str:
    lost = "; it ran in a transaction, and this does not" if member.transactional and not squashed.transactional else ""
    back = "; it has no way back" if member.revision in one_way else ""
    return f"replaces {member}{lost}{back}"


def rebase(directory: Directory, name: str, onto: str | None = None) -> tuple[Revision, Revision]:
    """Put a revision behind another head, in its file; returns it as it is now, and its new parent."""
    graph = directory.read().graph()
    revision, parent = new_parent(graph, name, onto)
    if revision.path is None:
        raise NotRebasable(revision, "it has no file")
    source = with_parents(_text(revision), revision, [parent.revision])
    others = [other for other in directory.read().revisions if other.revision != revision.revision]
    grown = RevisionGraph([*others, _behind(revision, parent)])  # refuses a cycle before the file is changed
    try:
        replace_file(revision.path, source)
    except OSError as error:
        raise UnreadableFile(revision.path, f"it cannot be written: {error}") from error
    directory.head_file.write(grown.heads)
    return directory.read().graph().get(revision.revision), parent


def _behind(revision: Revision, parent: Revision) -> Revision:
    place = (parent.revision, revision.depends_on, revision.branch_labels, revision.replaces)
    return Revision(revision.revision, *place, path=revision.path)


def _text(revision: Revision) -> str:
    try:
        return revision.path.read_bytes().decode() if revision.path else ""
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(revision.path, f"it cannot be read as UTF-8: {error}") from error


def _written(directory: Directory, revision: Revision, planned: Difference) -> Revision:
    return _stored(directory, revision, draft(planned, **_header(revision)))


def _stored(directory: Directory, revision: Revision, source: str) -> Revision:
    # The graph refuses what does not fit before a file exists.
    grown = RevisionGraph([*directory.read().revisions, revision])
    path = directory.write(source, revision.revision, slug(revision.message))
    try:
        directory.head_file.write(grown.heads)
    except UnreadableFile:
        path.unlink()
        raise
    return next(revision for revision in directory.read().revisions if revision.path == path)


def _header(revision: Revision) -> dict[str, Any]:
    return {
        "revision": revision.revision,
        "down_revision": revision.down_revision,
        "depends_on": revision.depends_on,
        "branch_labels": revision.branch_labels,
        "replaces": revision.replaces,
        "transactional": revision.transactional,
        "irreversible": revision.irreversible,
        "baseline": revision.baseline,
        "message": revision.message,
    }
