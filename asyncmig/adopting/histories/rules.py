"""How each tool tells what is applied and what is pending: pure, a function per tool.

Each follows its tool's source: migrate-mongo 14, Beanie 1 and 2, pymongo-migrate 1.0,
mongodb-migrations 1.3, mongomig 0.4, Mongock 4 and 5.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from hashlib import sha256
from typing import Any

from asyncmig.adopting.histories.history import Document, ForeignFile, ForeignHistory, ForeignStep, latest, moment, when

__all__ = ["RULES", "Options", "Rule"]

Options = Mapping[str, Any]
"""What of the tool's own settings changes its rule: ``extension`` and ``hashes`` of migrate-mongo."""
Rule = Callable[[Sequence[Document], Sequence[ForeignFile], Options], ForeignHistory]

_DATED = re.compile(r"(\d+)[_a-z]*\.py")


def _by_name(documents: Sequence[Document], files: Sequence[ForeignFile], options: Options) -> ForeignHistory:
    """migrate-mongo: what the changelog names is applied; with ``useFileHash``, a changed file is pending again."""
    extension = options.get("extension", ".js")
    own = [file for file in files if file.name.endswith(extension) and file.name != f"sample-migration{extension}"]
    logged = [document for document in documents if isinstance(document.get("fileName"), str)]
    known = {_hashed(document, options) for document in logged}
    changed = {document["fileName"] for document in logged}
    names = sorted((file.name for file in own), key=_as_javascript)
    pending = [file.name for file in own if _hash_of(file, options) not in known]
    steps = [ForeignStep(name, when(document, "appliedAt")) for name, document in latest(logged, "fileName").items()]
    return ForeignHistory(
        applied=tuple(
            sorted((step for step in steps if step.name not in pending), key=lambda step: _as_javascript(step.name))
        ),
        pending=tuple(name for name in names if name in pending),
        missing=tuple(sorted(changed - set(names), key=_as_javascript)),
        notes=tuple(
            f"{name} was edited after it was applied, and is pending again" for name in pending if name in changed
        ),
    )


def _hashed(document: Document, options: Options) -> tuple[str, Any]:
    return document["fileName"], document.get("fileHash") if options.get("hashes") else None


def _hash_of(file: ForeignFile, options: Options) -> tuple[str, Any]:
    return file.name, sha256(file.content).hexdigest() if options.get("hashes") else None


def _as_javascript(name: str) -> bytes:
    """The order of JavaScript's ``sort``: by UTF-16 code units."""
    return name.encode("utf-16-be", "surrogatepass")


def _up_to_current(documents: Sequence[Document], files: Sequence[ForeignFile], options: Options) -> ForeignHistory:
    """Beanie: all files in the order of their names up to the one that ``is_current``, whatever has run."""
    names = sorted(file.name for file in files if file.name.endswith(".py") and not file.name.startswith("_"))
    logged = latest(documents, "name")
    current = next((document.get("name") for document in documents if document.get("is_current") is True), None)
    if current not in names:
        lost = current not in (None, "root")  # "root" is what a downgrade of everything writes
        fault = f"the log says that {current} is the current one, and the folder has no such file: Beanie would run all"
        return ForeignHistory(pending=tuple(names), faults=(fault,) if lost else ())
    reached = names[: names.index(current) + 1]
    return ForeignHistory(
        applied=tuple(ForeignStep(name, when(logged[name], "ts")) for name in reached if name in logged),
        pending=tuple(names[len(reached) :]),
        skipped=tuple(name for name in reached if name not in logged),
        missing=tuple(sorted(logged.keys() - set(names) - {"root"})),
    )


def _by_date_applied(documents: Sequence[Document], files: Sequence[ForeignFile], options: Options) -> ForeignHistory:
    """pymongo-migrate: each file whose document has a date; in the order of the dependencies."""
    own = {
        file.name.removesuffix(".py"): file
        for file in files
        if file.name.endswith(".py") and not file.name.startswith("__")
    }
    logged: dict[str, Document] = {}
    for document in documents:  # the tool looks at the first of a name
        if isinstance(name := document.get("name"), str):
            logged.setdefault(name, document)
    done = {name: document for name, document in logged.items() if document.get("applied") is not None}
    order, notes = _in_dependency_order({name: _dependencies(file) for name, file in own.items()})
    gone = sorted(done.keys() - own.keys(), key=lambda name: (moment(done[name], "applied"), name))
    return ForeignHistory(
        applied=tuple(ForeignStep(name, when(done[name], "applied")) for name in [*gone, *order] if name in done),
        pending=tuple(name for name in order if name not in done),
        missing=tuple(gone),
        notes=notes,
    )


def _dependencies(file: ForeignFile) -> list[str]:
    value = literals(file.text).get("dependencies", ())
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []


def _in_dependency_order(graph: Mapping[str, Sequence[str]]) -> tuple[list[str], tuple[str, ...]]:
    known = {name: [need for need in sorted(needs) if need in graph] for name, needs in sorted(graph.items())}
    try:
        return list(TopologicalSorter(known).static_order()), ()
    except CycleError as error:
        return sorted(graph), (f"these depend on each other in a circle: {', '.join(error.args[1])}",)


def _up_to_mark(documents: Sequence[Document], files: Sequence[ForeignFile], options: Options) -> ForeignHistory:
    """mongodb-migrations: everything up to the greatest number in the log, whether it has run or not."""
    numbered = [(match[1], file.name) for file in files if (match := _DATED.fullmatch(file.name))]
    logged = latest(documents, "migration_datetime")
    mark = max(logged, default="")
    own = dict(sorted(numbered))
    twice = sorted({number for number, _ in numbered if [number for number, _ in numbered].count(number) > 1})
    unread = sorted(
        file.name for file in files if re.match(r"\d+.*\.py$", file.name) and not _DATED.fullmatch(file.name)
    )
    return ForeignHistory(
        applied=tuple(
            ForeignStep(own.get(number, number), when(logged[number], "created_at")) for number in sorted(logged)
        ),
        pending=tuple(name for number, name in own.items() if number > mark),
        skipped=tuple(name for number, name in own.items() if number <= mark and number not in logged),
        missing=tuple(sorted(logged.keys() - own.keys())),
        notes=(
            *(f"two files have the number {number}; the tool runs only one of them" for number in twice),
            *(
                f"{name} is not read by the tool: behind the number it takes small letters and _ alone"
                for name in unread
            ),
        ),
    )


def _by_status(documents: Sequence[Document], files: Sequence[ForeignFile], options: Options) -> ForeignHistory:
    """mongomig: the records with status ``applied``, and squashes of which every part is."""
    headers = [
        literals(file.text) for file in files if file.name.endswith(".py") and not file.name.startswith(("_", "."))
    ]
    own = {header["revision"]: header for header in headers if isinstance(header.get("revision"), str)}
    logged = {str(document.get("_id")): document for document in documents}
    done = {name: document for name, document in logged.items() if document.get("status", "applied") == "applied"}
    replaced = {part for header in own.values() for part in _ids(header.get("replaces"))}
    reached = _with_squashes(own, set(done))
    gone = sorted(done.keys() - own.keys() - replaced, key=lambda name: (moment(done[name], "applied_at"), name))
    known = {**{name: done[name] for name in gone}, **own}  # the log has the parents of those without a file
    order, notes = _in_dependency_order({name: _ids(header.get("down_revision")) for name, header in known.items()})
    return ForeignHistory(
        applied=tuple(
            _graph_step(name, own.get(name), done.get(name, {})) for name in order if name in reached | set(gone)
        ),
        pending=tuple(name for name in order if name not in reached),
        missing=tuple(gone),
        faults=tuple(
            f"{name} is {document['status']}; end it with mongomig first"
            for name, document in sorted(logged.items())
            if document.get("status") in ("running", "failed")
        ),
        notes=notes,
    )


def _with_squashes(own: Mapping[str, Mapping[str, Any]], done: set[str]) -> set[str]:
    reached, before = set(done), -1
    while before != len(reached):
        before = len(reached)
        for name, header in own.items():
            parts = _ids(header.get("replaces"))
            if parts and reached.issuperset(parts):
                reached.add(name)
    return reached


def _graph_step(name: str, header: Mapping[str, Any] | None, document: Document) -> ForeignStep:
    below = header if header is not None else document
    parents = tuple(_ids(below.get("down_revision")))
    return ForeignStep(name, when(document, "applied_at"), str(document.get("description", "")), parents)


def _ids(value: Any) -> list[str]:
    several = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    return [item for item in several if isinstance(item, str)]


def _by_change(documents: Sequence[Document], files: Sequence[ForeignFile], options: Options) -> ForeignHistory:
    """Mongock: the latest entry of each change and author; its classes are not here, so what is pending is unknown."""
    entries = [
        document
        for document in documents
        if document.get("systemChange") is not True and isinstance(document.get("changeId"), str)
    ]
    entries.sort(key=lambda entry: moment(entry, "timestamp"))
    last: dict[tuple[str, str], Document] = {}
    for entry in entries:
        last[entry["changeId"], str(entry.get("author", ""))] = entry
    done = {key: entry for key, entry in last.items() if entry.get("state", "EXECUTED") in ("EXECUTED", "IGNORED")}
    return ForeignHistory(
        applied=tuple(ForeignStep(_change(key), when(entry, "timestamp")) for key, entry in done.items()),
        pending=tuple(_change(key) for key in last if key not in done),
        notes=("Mongock's changes are Java classes: those that have never run cannot be seen from here",),
    )


def _change(key: tuple[str, str]) -> str:
    return f"{key[0]} ({key[1]})" if key[1] else key[0]


def literals(source: str) -> dict[str, Any]:
    """The literals that a Python file gives names to at its top level; nothing where it does not parse."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        return {}
    return dict(_assigned(body))


def _assigned(body: Sequence[ast.stmt]) -> Iterator[tuple[str, Any]]:
    for statement in body:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        if isinstance(statement, ast.AnnAssign) and statement.value is not None:
            targets = [statement.target]
        for target in targets:
            if isinstance(target, ast.Name):
                try:
                    yield target.id, ast.literal_eval(statement.value)  # type: ignore[attr-defined]
                except (ValueError, TypeError, SyntaxError, RecursionError):
                    continue


RULES: Mapping[str, Rule] = {
    "migrate-mongo": _by_name,
    "beanie": _up_to_current,
    "pymongo-migrate": _by_date_applied,
    "mongodb-migrations": _up_to_mark,
    "mongomig": _by_status,
    "mongock": _by_change,
}
