"""Where a model is written: its file and its line, for messages."""

from __future__ import annotations

import ast
import os
import sys
from typing import Any

__all__ = ["line_of_class", "lines_of_calls", "shown_file"]

_PARSED: dict[str, ast.Module | None] = {}


def shown_file(module: str) -> str:
    """The module's file, from the working directory where it lies below that; '' where there is none."""
    file = getattr(sys.modules.get(module), "__file__", None) or ""
    below = (
        os.path.relpath(file) if file and os.path.splitdrive(file)[0] == os.path.splitdrive(os.getcwd())[0] else file
    )
    return file if below.startswith("..") else below.replace(os.sep, "/")


def line_of_class(cls: Any) -> int:
    """The line of ``class NAME``, decorators not counted; 0 where the source is not there, or has no such class."""
    tree = _tree(cls.__module__)
    return _class_line(tree, cls.__qualname__.replace("<locals>.", "").split(".")) if tree else 0


def lines_of_calls(module: str, attribute: str) -> dict[str, list[int]]:
    """By collection, the line of each entry of the dictionary that is assigned to ``attribute``.

    Only what is written out is found: a dictionary that is computed has no lines.
    """
    tree = _tree(module)
    for statement in tree.body if tree else ():
        targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
        names = [target.id for target in targets if isinstance(target, ast.Name)]
        value = getattr(statement, "value", None)
        if attribute in names and isinstance(value, ast.Dict):
            return dict(_entry_lines(key, entries) for key, entries in _dict_items(value))
    return {}


def _dict_items(value: ast.Dict) -> list[tuple[Any, Any]]:
    return [(key, value.values[place]) for place, key in enumerate(value.keys)]


def _entry_lines(key: Any, entries: Any) -> tuple[str, list[int]]:
    name = str(getattr(key, "value", ""))
    return name, [entry.lineno for entry in getattr(entries, "elts", ())]


def _class_line(tree: ast.AST, names: list[str]) -> int:
    """The last such class: where a name is given twice, the later one stands."""
    line = 0
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            if node.name == names[0]:
                line = (node.lineno if len(names) == 1 else _class_line(node, names[1:])) or line
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            line = _class_line(node, names) or line
    return line


def _tree(module: str) -> ast.Module | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    if not file or not str(file).endswith(".py"):
        return None
    if file not in _PARSED:
        try:
            with open(file, "rb") as source:
                _PARSED[file] = ast.parse(source.read())
        except (OSError, SyntaxError, ValueError):
            _PARSED[file] = None
    return _PARSED[file]
