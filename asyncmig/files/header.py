"""Reads the header of a revision file, the names above its first function, without running it.

Two ways: the lines that revision files are made of are read directly, which is ten times faster
than parsing; whatever else stands there is parsed by Python itself. Only literals count: a value
that is computed can only be known by running the file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from asyncmig.files.errors import BrokenFile, MalformedHeader, MissingFunction, MissingRevisionId, NotAsync
from asyncmig.history.revision import Revision

__all__ = ["FUNCTIONS", "HEADER_NAMES", "Header", "read_header"]

HEADER_NAMES = (
    "revision",
    "down_revision",
    "depends_on",
    "branch_labels",
    "replaces",
    "transactional",
    "irreversible",
    "baseline",
)
FUNCTIONS = ("upgrade", "downgrade")

_HEADER_SET = frozenset(HEADER_NAMES)
_NAMES = "|".join(HEADER_NAMES)
_TEXT = r"(?:\"[^\"\\\n]*\"|'[^'\\\n]*')"
_TEXTS = rf"[(\[][ ]*(?:{_TEXT}(?:[ ]*,[ ]*{_TEXT})*[ ]*,?)?[ ]*[)\]]"
_BODY = re.compile(r"^(?:async\s+def\b|def\b|class\b|@)", re.MULTILINE)
_DOCSTRING = re.compile(r"(?:#.*\n|\s)*(?:\"\"\"([^\\]*?)\"\"\"|\"([^\"\\\n]+)\")[ ]*(?:\n|\Z)")
_ASSIGNMENT = re.compile(
    rf"({_NAMES})(?:[ ]*:[^=#\n]+)?[ ]*=[ ]*(?:(None|True|False)|({_TEXT})|({_TEXTS}))[ ]*(?:#.*)?\Z"
)
_IMPORT = re.compile(rf"(?!.*\b(?:{_NAMES})\b)(?:from [\w.]+ )?import [\w., ]+(?:#.*)?\Z")
_CONSTANTS: dict[str, Any] = {"None": None, "True": True, "False": False}
# Below the header: the two functions, and names of the header that were set where they are easily missed.
_BELOW = re.compile(
    rf"^(?:(async\s+def)\s+({'|'.join(FUNCTIONS)})\b|(?:def\s+(?:{'|'.join(FUNCTIONS)})|{_NAMES})\b)", re.M
)


@dataclass(frozen=True, slots=True)
class Header:
    """What the top of a revision file says: values by name, the line each stands on, the docstring's first line."""

    path: Path
    values: dict[str, Any]
    message: str = ""
    lines: dict[str, int] = field(default_factory=dict)

    def revision(self, checksum: str | None) -> Revision:
        """The header as a Revision.

        Raises:
            MissingRevisionId: when it has no ``revision``.
            MalformedHeader: when a value is of the wrong type.
        """
        if self.values.get("revision") is None:
            raise MissingRevisionId(self.path)
        for name, value in self.values.items():
            self._check(name, value)
        return Revision(**self.values, message=self.message, path=self.path, checksum=checksum)

    def _check(self, name: str, value: object) -> None:
        if name in ("transactional", "irreversible", "baseline"):
            expected, fits = "True or False", isinstance(value, bool)
        elif name == "revision":
            expected, fits = "a string that is not empty", isinstance(value, str) and bool(value)
        else:
            expected, fits = "None, a string or a tuple of strings", _names_revisions(value)
        if not fits:
            raise MalformedHeader(self.path, name, expected, value, self.lines.get(name))


def _names_revisions(value: object) -> bool:
    if value is None or isinstance(value, str):
        return value != ""
    return isinstance(value, (tuple, list)) and all(isinstance(name, str) and name for name in value)


def read_header(source: str, path: Path, *, thorough: bool = False) -> Header | None:
    """The header of a revision file, or None where only running the file can tell.

    With ``thorough`` the whole file is parsed, so that a fault further down is found too.

    Raises:
        BrokenFile: when what was looked at does not parse.
        NotAsync, MissingFunction: when ``upgrade`` or ``downgrade`` cannot be what they should be.
    """
    if not thorough and (header := _quick(source, path)):
        return header
    return _parsed(source, path)


def _quick(source: str, path: Path) -> Header | None:
    body = _BODY.search(source)
    if not body:
        return None
    below = [(match[1], match[2]) for match in _BELOW.finditer(source, body.start())]
    if len(below) != 2 or {name for _, name in below} != set(FUNCTIONS):
        return None
    docstring = _DOCSTRING.match(source, 0, body.start())
    start = docstring.end() if docstring else 0
    values: dict[str, Any] = {}
    for line in source[start : body.start()].split("\n"):
        if not line or line[0] == "#":
            continue
        if match := _ASSIGNMENT.match(line):
            name, constant, text, texts = match.groups()
            values[name] = _CONSTANTS[constant] if constant else text[1:-1] if text else _texts(texts)
        elif not _IMPORT.match(line):
            return None
    if "revision" not in values:
        return None
    return Header(path, values, _first_line(docstring[1] or docstring[2]) if docstring else "")


def _texts(source: str) -> tuple[str, ...]:
    return tuple(text[1:-1] for text in re.findall(_TEXT, source))


def _first_line(docstring: str | None) -> str:
    return next((line.strip() for line in (docstring or "").splitlines() if line.strip()), "")


def _parsed(source: str, path: Path) -> Header | None:
    module = _tree(source, path)
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    computed: set[str] = set()
    bound: dict[str, ast.stmt] = {}
    for statement in module.body:
        names = _bound(statement)
        bound.update(dict.fromkeys(names, statement))
        for name in names & _HEADER_SET:
            try:
                values[name] = _literal(statement)
            except ValueError:
                computed.add(name)
            else:
                computed.discard(name)
                lines[name] = statement.lineno
    if computed or ("*" in bound and "revision" not in values):
        return None
    if "revision" in values:
        _check_functions(bound, path)
    return Header(path, values, _first_line(ast.get_docstring(module, clean=False)), lines)


def _tree(source: str, path: Path) -> ast.Module:
    try:
        return ast.parse(source, str(path))
    except SyntaxError as error:
        raise BrokenFile(path, f"it does not parse: {error.msg}", error.lineno) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise BrokenFile(path, f"it does not parse: {error}") from None


def _bound(statement: ast.stmt) -> set[str]:
    """The names that a statement gives a value to; ``*`` for an import of everything."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {statement.name}
    names: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
    return names


def _literal(statement: ast.stmt) -> Any:
    """The value of a plain assignment of a literal; ValueError for anything else."""
    if isinstance(statement, ast.Assign) and all(isinstance(target, ast.Name) for target in statement.targets):
        value: ast.expr | None = statement.value
    elif isinstance(statement, ast.AnnAssign):
        value = statement.value
    else:
        value = None
    if value is None:
        raise ValueError("not a plain assignment")
    try:
        return ast.literal_eval(value)
    except (TypeError, SyntaxError, MemoryError, RecursionError) as error:
        raise ValueError("not a literal") from error


def _check_functions(bound: Mapping[str, ast.stmt], path: Path) -> None:
    for function in FUNCTIONS:
        statement = bound.get(function)
        if statement is None and "*" not in bound:
            raise MissingFunction(path, function)
        # What a decorator makes of it is known only when the file is loaded.
        if isinstance(statement, ast.FunctionDef) and not statement.decorator_list:
            raise NotAsync(path, function, statement.lineno)
