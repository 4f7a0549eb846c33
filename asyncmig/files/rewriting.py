"""The text of a revision file with another parent; everything else stays to the letter."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from asyncmig.files.errors import BrokenFile, MalformedHeader
from asyncmig.history.rebase import NotRebasable
from asyncmig.history.revision import Revision

__all__ = ["with_parents"]


def with_parents(source: str, revision: Revision, parents: Sequence[str]) -> str:
    """The text of a revision's file with another ``down_revision``; everything else stays to the letter."""
    mark, source = ("\ufeff", source[1:]) if source.startswith("\ufeff") else ("", source)
    statement = _assignment(source, revision)
    # Only these end a line for Python's parser; str.splitlines() knows more of them.
    lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", source)
    value = statement.value
    if value is None or value.end_lineno is None or value.end_col_offset is None:
        raise MalformedHeader(revision.path, "down_revision", "a plain assignment", None, statement.lineno)
    first, last = value.lineno - 1, value.end_lineno - 1
    before = lines[first].encode()[: value.col_offset].decode()
    after = lines[last].encode()[value.end_col_offset :].decode()
    lines[first : last + 1] = [f"{before}{_literal(parents)}{after}"]
    return mark + "".join(lines)


def _assignment(source: str, revision: Revision) -> ast.Assign | ast.AnnAssign:
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        raise BrokenFile(revision.path, f"it does not parse: {error.msg}", error.lineno) from None
    for statement in body:
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        if isinstance(statement, ast.Assign | ast.AnnAssign) and any(
            isinstance(target, ast.Name) and target.id == "down_revision" for target in targets
        ):
            return statement
    raise NotRebasable(revision, "its file has no `down_revision = ...` that could be changed")


def _literal(parents: Sequence[str]) -> str:
    if len(parents) > 1:
        return f"({', '.join(_quoted(parent) for parent in parents)})"
    return _quoted(parents[0]) if parents else "None"


def _quoted(parent: str) -> str:
    return f'"{parent}"'
