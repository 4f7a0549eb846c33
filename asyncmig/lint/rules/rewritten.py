"""L21: what a branch does to the history of another: files edited or gone, a second head, revisions that come late."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from asyncmig.files.header import read_header
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision
from asyncmig.lint.finding import CATALOGUE, Finding
from asyncmig.lint.reference import Reference

__all__ = ["history_findings", "incoming"]

_CODE: Final = "L21"


def incoming(graph: RevisionGraph, reference: Reference) -> frozenset[str]:
    """The revisions that the reference does not have."""
    known = _ids(reference.tip) | _ids(reference.base)
    return frozenset(revision.revision for revision in graph if revision.revision not in known)


def history_findings(
    graph: RevisionGraph, sources: Mapping[str, str], reference: Reference | None, folder: Path
) -> Iterator[Finding]:
    """What is wrong with the history as a whole; ``sources``: the text of each file now, by its name."""
    yield from _second_heads(graph, reference)
    if reference is not None:
        yield from _edited(graph, sources, reference, folder)
        yield from _late(graph, reference)


def _second_heads(graph: RevisionGraph, reference: Reference | None) -> Iterator[Finding]:
    """Several heads, but for those that are branches on purpose, with a label each."""
    heads = [graph.get(name) for name in graph.heads]
    unlabelled = [head for head in heads if not graph.labels_of(head.revision)]
    if len(heads) < 2 or not unlabelled:
        return
    known = _ids(reference.tip) if reference else frozenset[str]()
    others = [head for head in unlabelled if head.revision not in known] or unlabelled
    for head in others[-1:] if reference is None else others:
        beside = ", ".join(other.revision for other in heads if other is not head)
        yield _finding(
            head,
            f"history has {len(heads)} heads: {head.revision} stands beside {beside}. `asyncmig rebase "
            f"{head.revision}` puts it behind the other, `asyncmig merge` joins them",
        )


def _edited(graph: RevisionGraph, sources: Mapping[str, str], reference: Reference, folder: Path) -> Iterator[Finding]:
    """Files that the reference has had, and that are another text here, or none."""
    by_name = {revision.path.name: revision for revision in graph if revision.path}
    by_id = {revision.revision: revision for revision in graph}
    replaced = {name for revision in graph for name in revision.replaces}
    for name, text in reference.base.items():
        revision_id = _id(name, text)
        if name in by_name and sources.get(name) != text:
            yield _finding(
                by_name[name],
                f"this revision is in {reference.name} already, and edited here: where it was applied, nobody will run "
                "it again. Put it back, and write a new revision",
            )
        elif name not in by_name and revision_id not in {*by_id, *replaced}:
            yield Finding(
                _CODE,
                CATALOGUE[_CODE].severity,
                f"{name} is in {reference.name}, and gone here: a database where it was applied is ahead of the files",
                folder / name,
                1,
                1,
                revision_id or name,
                "gone",
            )


def _late(graph: RevisionGraph, reference: Reference) -> Iterator[Finding]:
    """New revisions that are not behind everything that the reference has."""
    known = _ids(reference.tip) | _ids(reference.base)
    if not known:
        return
    newest = max(known)
    new = incoming(graph, reference)
    for revision in graph:
        if revision.revision not in new or revision.replaces:
            continue
        if any(child in known for child in graph.children(revision.revision)):
            yield _finding(
                revision,
                f"it goes in between: {', '.join(graph.children(revision.revision))} of {reference.name} comes after "
                "it, and may be applied already. Put it behind the head (`asyncmig rebase`)",
            )
        elif revision.revision < newest:
            yield _finding(
                revision,
                f"it comes late: {newest} of {reference.name} is newer and may be applied already. Give it a new id "
                "(write it anew with `asyncmig revision`), so that every database runs them in one order",
            )


def _finding(revision: Revision, message: str) -> Finding:
    path = revision.path or Path(revision.revision)
    return Finding(_CODE, CATALOGUE[_CODE].severity, message, path, 1, 1, revision.revision, message.split(":")[0])


def _ids(files: Mapping[str, str]) -> frozenset[str]:
    return frozenset(id_ for name, text in files.items() if (id_ := _id(name, text)))


def _id(name: str, text: str) -> str:
    """A revision's id, by its header; by its name, where that cannot be read."""
    try:
        header = read_header(text, Path(name))
    except Exception:  # noqa: BLE001  # a file of another commit may be anything
        header = None
    value = header.values.get("revision") if header else None
    return value if isinstance(value, str) else Path(name).stem.partition("_")[0]
