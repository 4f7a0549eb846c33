"""``lint``: all rules over a folder of revisions; what is found, what is silenced, what could not be run."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Final

from asyncmig.authoring.summary import summary
from asyncmig.errors import AsyncmigError
from asyncmig.files.directory import Directory
from asyncmig.files.errors import RevisionFileError
from asyncmig.files.module import RevisionModule
from asyncmig.history.graph import RevisionGraph
from asyncmig.history.revision import Revision
from asyncmig.lint.finding import CATALOGUE, Finding
from asyncmig.lint.recording import record
from asyncmig.lint.reference import Reference
from asyncmig.lint.rules import RULES
from asyncmig.lint.rules.rewritten import history_findings, incoming
from asyncmig.lint.silences import Silence, read_silences, silenced
from asyncmig.lint.source import Source
from asyncmig.lint.subject import Options, Recorded, Subject
from asyncmig.operations.known import KnownState

__all__ = ["NotARevision", "Report", "fingerprints", "lint"]

_DECLARED: Final = frozenset({"L01", "L02", "L03", "L05", "L06", "L09", "L10"})
"""What a model asks for, and autogenerate writes as safely as can be: told, but not held against the file."""
_NOT_DONE: Final = ("Needs a rebuild:", "To decide on ")
"""What autogenerate says of what it does not do."""


class NotARevision(AsyncmigError):
    """Raised when a file is named that is none of the folder's revisions."""

    exit_code = 2

    def __init__(self, path: Path, folder: Path) -> None:
        super().__init__(f"{path} is no revision file of {folder}")


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, worst place first by file and line; what is silenced; and files that were read, but not run."""

    findings: tuple[Finding, ...]
    silenced: tuple[Finding, ...]
    not_run: tuple[tuple[Path, str], ...]
    files: int


async def lint(
    directory: Directory,
    *,
    files: Collection[Path] = (),
    select: Collection[str] = tuple(CATALOGUE),
    reference: Reference | None = None,
    options: Options | None = None,
) -> Report:
    """Lint the revisions of a folder: all of them, those of ``files``, or those that ``reference`` does not have.

    Raises NotARevision, and RevisionFileError for a file that is no revision as it stands.
    """
    graph = directory.read(thorough=True).graph()
    revisions = list(graph)
    chosen = _chosen(revisions, files, reference, graph, directory.versions)
    given = replace(options or Options(), incoming=incoming(graph, reference) if reference else frozenset())
    sources: dict[str, str] = {}
    findings: list[Finding] = []
    quiet: list[Finding] = []
    not_run: list[tuple[Path, str]] = []
    history = [subject async for subject in _subjects(directory, graph, given)]
    for subject in history:
        sources[subject.path.name] = subject.source
    whole = list(history_findings(graph, sources, reference, directory.versions))
    for subject in history:
        if subject.revision.revision not in chosen:
            continue
        kept, silent = _judge(subject, [finding for finding in whole if finding.path == subject.path], select)
        findings += kept
        quiet += silent
        if reason := subject.upgrade.reason or subject.downgrade.reason:
            not_run.append((subject.path, reason))
    judged = {subject.path for subject in history}
    findings += [finding for finding in whole if finding.path not in judged and finding.code in select]
    return Report(
        tuple(sorted(findings, key=lambda finding: (str(finding.path), finding.line, finding.code))),
        tuple(quiet),
        tuple(not_run),
        len(chosen),
    )


def _chosen(
    revisions: Sequence[Revision],
    files: Collection[Path],
    reference: Reference | None,
    graph: RevisionGraph,
    folder: Path,
) -> frozenset[str]:
    by_path = {revision.path.resolve(): revision.revision for revision in revisions if revision.path}
    for file in files:
        if file.resolve() not in by_path:
            raise NotARevision(file, folder)
    named = {by_path[file.resolve()] for file in files} or set(by_path.values())
    if reference is None:
        return frozenset(named)
    edited = {
        revision.revision
        for revision in revisions
        if revision.path and reference.base.get(revision.path.name) not in (None, _text(revision.path))
    }
    return frozenset(named) & (incoming(graph, reference) | edited)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")


async def _subjects(directory: Directory, graph: RevisionGraph, options: Options) -> AsyncIterator[Subject]:
    """Each revision with what those before it have made of the database."""
    states: dict[str, KnownState] = {}
    recorded: dict[str, Recorded] = {}
    for revision in graph:
        if revision.path is None:
            continue
        module, reason = _load(directory, revision)
        text = module.source if module and module.source is not None else _text(revision.path)
        source = Source(ast.parse(text))
        up, down = [await record(source, module, name, revision.path, reason) for name in ("upgrade", "downgrade")]
        before = KnownState()
        for parent in (*graph.parents(revision.revision), *graph.dependencies(revision.revision)):
            before = before.joined(states.get(parent, KnownState()))
        states[revision.revision] = before.after_all(up.operations)
        recorded[revision.revision] = up
        along = [
            operation
            for name in graph.ancestors(revision.revision)
            if name in options.incoming and name in recorded and name != revision.revision
            for operation in recorded[name].operations
        ]
        yield Subject(revision, revision.path, text, source.tree, up, down, before, options, along)


def _load(directory: Directory, revision: Revision) -> tuple[RevisionModule | None, str]:
    """The file, run; or why it cannot be: most often it imports what is not installed here."""
    try:
        return directory.load(revision), ""
    except RevisionFileError as error:
        return None, str(error)


def _judge(subject: Subject, whole: Sequence[Finding], select: Collection[str]) -> tuple[list[Finding], list[Finding]]:
    """What stays of the findings about one file, and what is silenced."""
    findings = [finding for rule in RULES for finding in rule(subject)]
    if _is_autogenerated(subject):
        findings = [
            replace(finding, severity="information") if finding.code in _DECLARED else finding for finding in findings
        ]
    silences = read_silences(subject.source, subject.tree)
    kept, quiet, used = silenced([finding for finding in [*findings, *whole] if finding.code in select], silences)
    if "L00" in select:
        kept += _idle(subject, silences, used, select)
    return kept, quiet


def _is_autogenerated(subject: Subject) -> bool:
    """Whether the file does what autogenerate has written into its docstring, and nothing else."""
    docstring = ast.get_docstring(subject.tree) or ""
    docstring = "\n".join(line for line in docstring.splitlines() if not line.strip().startswith("asyncmig:"))
    _, marked, listed = docstring.partition("Autogenerated migration:\n")
    said = [" ".join(bullet.split()) for bullet in f"\n{listed}".split("\n- ")[1:]]
    done = [" ".join(line.split()) for line in summary(subject.upgrade.operations)]
    return (
        bool(marked) and not subject.upgrade.raw and [text for text in said if not text.startswith(_NOT_DONE)] == done
    )


def _idle(
    subject: Subject, silences: Iterable[Silence], used: Collection[tuple[Silence, str]], select: Collection[str]
) -> Iterator[Finding]:
    """L00: silences that silence nothing. In a file that could not be run, a rule may only have seen too little."""
    for silence in silences:
        for fault in silence.faults:
            yield subject.at("L00", silence.place, f"this silence has no effect: {fault}", f"silence {fault}")
        unsure = subject.upgrade.reason is not None
        for code in silence.codes if not silence.faults and not unsure else ():
            if code in select and (silence, code) not in used:
                message = f"nothing here needs a silence for {code} ({CATALOGUE[code].title.lower()}): take it away"
                yield subject.at("L00", silence.place, message, f"silence {code}")


def fingerprints(findings: Iterable[Finding]) -> Mapping[Finding, str]:
    """By finding, what it is known by when lines move: revision, rule, operation, and which of several alike."""
    seen: Counter[tuple[str, str, str]] = Counter()
    marks: dict[Finding, str] = {}
    for finding in findings:
        key = finding.revision, finding.code, finding.subject
        marks[finding] = sha256("\0".join((*key, str(seen[key]))).encode()).hexdigest()[:32]
        seen[key] += 1
    return marks
