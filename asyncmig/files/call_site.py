"""Where in a revision's file an operation is asked for: the lines that lead to the call.

By this an operation is known again whose arguments are computed, when the revision runs a second time; and,
where the file was edited in between, by the line that the old one has become.
"""

from __future__ import annotations

import ast
import sys
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any

__all__ = ["CallSites", "call_site"]

_MAX_FRAMES = 100  # that are looked at
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_CALLED_ONCE = frozenset({"upgrade", "downgrade"})


def call_site(path: str) -> str:
    """The lines of the file that are being run, the outermost first: ``"12>5"``.

    Empty where the file is not on the stack: in a task that the revision has started.
    """
    lines, frame = list[int](), sys._getframe(1)
    for _ in range(_MAX_FRAMES):
        if frame.f_code.co_filename == path:
            lines.append(frame.f_lineno)
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ">".join(map(str, reversed(lines)))


class CallSites:
    """What is known of the call sites of a revision, from its source when it stopped (``before``) and now.

    Either is None where it is not known.
    """

    def __init__(self, before: str | None, now: str | None) -> None:
        self._before, self._now = before, now

    @property
    def are_known(self) -> bool:
        """Whether both sources are known."""
        return self._before is not None and self._now is not None

    def is_untouched(self, before: str, now: str) -> bool:
        """Whether a call site is the same, and no line of its statement was edited."""
        if not self.is_same(before, now):
            return False
        return all(self._is_kept(line) for number in now.split(">") for line in self._statement(int(number)))

    def _is_kept(self, line: int) -> bool:
        return any(kind == "equal" and first < line <= last for kind, _, _, first, last in self._changes)

    def _statement(self, line: int) -> range:
        """The lines of the smallest statement that has this one in it."""
        around = [statement for statement in self._statements if line in statement]
        return min(around, key=len, default=range(line, line + 1))

    @cached_property
    def _statements(self) -> list[range]:
        return [_lines(node) for node in self._nodes if isinstance(node, ast.stmt)]

    @cached_property
    def _nodes(self) -> list[ast.AST]:
        return list(ast.walk(self._tree)) if self._tree is not None else []

    def moved(self, before: str) -> tuple[int, ...]:
        """The lines that a call site of the old source has now; empty where nobody can tell."""
        became = [self._become(int(line)) for line in before.split(">")] if before and self.are_known else []
        return tuple(lines[0] for lines in became) if all(len(lines) == 1 for lines in became) else ()

    def kept(self, before: str) -> tuple[int, ...]:
        """The same, where no line of its statements was edited."""
        now = self.moved(before)
        lines = {line for number in now for line in self._statement(number)}
        return now if lines.isdisjoint(self.edited) else ()

    @cached_property
    def edited(self) -> frozenset[int]:
        """The lines of the new source that the old one did not have."""
        changes = [change for change in self._changes if change[0] != "equal"]
        return frozenset(line for _, _, _, first, last in changes for line in range(first + 1, last + 1))

    def is_same(self, before: str, now: str) -> bool:
        """Whether a call site of the old source and one of the new are the same, as far as that can be told."""
        old, new = before.split(">"), now.split(">")
        if not before or not now or len(old) != len(new) or not self.are_known:
            return False
        return all(int(second) in self._become(int(first)) for first, second in zip(old, new, strict=True))

    def _become(self, line: int) -> range:
        """What a line of the old source has become."""
        for kind, first, last, other_first, other_last in self._changes:
            if first < line <= last:
                if kind == "equal" or last - first == other_last - other_first:
                    return range(other_first + line - first, other_first + line - first + 1)
                return range(other_first + 1, other_last + 1)
        return range(0)

    @cached_property
    def _changes(self) -> list[tuple[str, int, int, int, int]]:
        if self._before == self._now:
            return [("equal", 0, sys.maxsize, 0, sys.maxsize)]
        before, now = (self._before or "").splitlines(), (self._now or "").splitlines()
        return list(SequenceMatcher(None, before, now, autojunk=False).get_opcodes())

    def may_repeat(self, site: str) -> bool:
        """Whether several operations may come from a call: it stands in a loop, or in a function that is started often.

        True where nobody knows.
        """
        if not site:
            return True
        lines = [int(line) for line in site.split(">")]
        return any(line in self._repeated for line in lines) or not self._runs_once(lines[0])

    def _runs_once(self, line: int, known: tuple[str, ...] = ()) -> bool:
        """Whether the function around a line, which no other line waits for, is called at one place, in no loop."""
        around = [node for node in self._functions if line in _lines(node)]
        if not around:
            return False
        function = min(around, key=lambda node: len(_lines(node)))
        if function.name in _CALLED_ONCE and len(around) == 1:
            return True
        names = self._read.get(function.name, [])
        if len(names) != 1 or id(names[0]) not in self._called or function.name in known or function.decorator_list:
            return False
        called = self._called[id(names[0])]
        return called not in self._started_often and self._runs_once(called, (*known, function.name))

    @cached_property
    def _functions(self) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
        return [node for node in self._nodes if isinstance(node, _FUNCTIONS)]

    @cached_property
    def _read(self) -> dict[str, list[ast.AST]]:
        """By name, the nodes that read it."""
        nodes: dict[str, list[ast.AST]] = {}
        for node in self._nodes:
            for name in _named(node):
                nodes.setdefault(name, []).append(node)
        return nodes

    @cached_property
    def _called(self) -> dict[int, int]:
        """The lines of calls, by the node of what is called."""
        return {id(node.func): node.lineno for node in self._nodes if isinstance(node, ast.Call)}

    @cached_property
    def _started_often(self) -> frozenset[int]:
        """The lines within a loop, a comprehension or a lambda."""
        many = [node for node in self._nodes if isinstance(node, (*_LOOPS, *_COMPREHENSIONS, ast.Lambda))]
        return frozenset(line for node in many for line in _lines(node))

    @cached_property
    def _repeated(self) -> frozenset[int]:
        """The lines of the new source that are within a loop."""
        if self._tree is None:
            return frozenset(range(len((self._now or "").splitlines()) + 2))
        loops = [node for node in self._nodes if _repeats_calls(node)]
        return frozenset(line for loop in loops for line in _lines(loop))

    @cached_property
    def _tree(self) -> ast.Module | None:
        try:
            return ast.parse(self._now or "")
        except (SyntaxError, ValueError, RecursionError):
            return None


def _repeats_calls(node: ast.AST) -> bool:
    """Whether it is a loop; a comprehension is none that only makes up an argument, and awaits nothing."""
    if isinstance(node, _COMPREHENSIONS):
        return any(isinstance(inner, ast.Await) for inner in ast.walk(node))
    return isinstance(node, _LOOPS)


def _named(node: ast.AST) -> tuple[str, ...]:
    """The name that a node reads, as a variable or as an attribute."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        return (node.id,)
    return (node.attr,) if isinstance(node, ast.Attribute) else ()


def _lines(node: Any) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
