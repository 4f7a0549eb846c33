"""Silences: ``# asyncmig: allow L07 (why)``, on the lines of a call for that call, in the docstring for the file.

A silence without a reason silences nothing, and is found itself (L00), as is one that nothing needs.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from asyncmig.lint.finding import CATALOGUE, Finding
from asyncmig.lint.subject import Place

__all__ = ["Silence", "read_silences", "silenced"]

_FORM: Final = re.compile(r"asyncmig:\s*allow\b[ \t]*([^(\n]*)(?:\((.*)\))?")


@dataclass(frozen=True, slots=True)
class Silence:
    """One silence: its codes, its reason, and the lines that it speaks of; ``place`` is where it stands."""

    codes: tuple[str, ...]
    reason: str
    place: Place
    reach: Place | None
    """None: the whole file."""

    @property
    def faults(self) -> list[str]:
        """What keeps it from silencing anything."""
        faults = [f"there is no rule {code}" for code in self.codes if code not in CATALOGUE]
        if not self.codes:
            faults.append("it names no rule; write `# asyncmig: allow L05 (why)`")
        if not self.reason:
            faults.append("it gives no reason; write it behind the code, in parentheses")
        return faults

    def covers(self, finding: Finding) -> bool:
        """Whether the finding is one that it silences."""
        if finding.code not in self.codes or self.faults or finding.code == "L00":
            return False
        return self.reach is None or (finding.line <= self.reach.end_line and self.reach.line <= finding.end_line)


def read_silences(source: str, tree: ast.Module) -> tuple[Silence, ...]:
    """The silences of a file, in the order of their lines."""
    return (*_in_docstring(tree), *_in_comments(source, tree))


def _in_docstring(tree: ast.Module) -> Iterator[Silence]:
    first = tree.body[0] if tree.body else None
    if not (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    ):
        return
    for place, line in enumerate(first.value.value.split("\n")):
        if match := _FORM.search(line):
            yield _silence(match, Place(first.lineno + place, first.lineno + place), None)


def _in_comments(source: str, tree: ast.Module) -> Iterator[Silence]:
    """On the lines of a statement, or on lines of their own above it; above all of the code, for the file."""
    statements = sorted((node for node in ast.walk(tree) if isinstance(node, ast.stmt)), key=lambda node: node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and (match := _FORM.search(token.string)):
            line = token.start[0]
            alone = not token.line[: token.start[1]].strip()
            yield _silence(match, Place(line, line), _reach(line, statements, alone=alone))


def _silence(match: re.Match[str], place: Place, reach: Place | None) -> Silence:
    codes = tuple(word.upper() for word in re.split(r"[\s,]+", match[1]) if word)
    return Silence(codes, (match[2] or "").strip(), place, reach)


def _reach(line: int, statements: list[ast.stmt], *, alone: bool) -> Place | None:
    """The lines of the statement that a comment belongs to."""
    within = [node for node in statements if not hasattr(node, "body") and _holds(node, line)]
    if within:
        return Place(within[-1].lineno, within[-1].end_lineno or within[-1].lineno)
    if not alone:
        return Place(line, line)
    following = [node for node in statements if node.lineno > line]
    if not following:
        return Place(line, line)
    after = following[0]
    if hasattr(after, "body"):  # a function or a block: its head
        return Place(after.lineno, after.lineno)
    return Place(after.lineno, after.end_lineno or after.lineno)


def _holds(node: ast.stmt, line: int) -> bool:
    return node.lineno <= line <= (node.end_lineno or node.lineno)


def silenced(
    findings: Iterable[Finding], silences: Iterable[Silence]
) -> tuple[list[Finding], list[Finding], frozenset[tuple[Silence, str]]]:
    """The findings that stay, those that are silenced, and which code of which silence was of use."""
    kept: list[Finding] = []
    quiet: list[Finding] = []
    used: set[tuple[Silence, str]] = set()
    for finding in findings:
        covering = [silence for silence in silences if silence.covers(finding)]
        used |= {(silence, finding.code) for silence in covering}
        (quiet if covering else kept).append(finding)
    return kept, quiet, frozenset(used)
