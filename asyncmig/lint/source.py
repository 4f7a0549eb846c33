"""The text of a revision file: which calls it makes on ``env``, on its database and on its client, and where."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from asyncmig.lint.subject import UNKNOWN, Place, RawCall
from asyncmig.lint.values import constants, evaluate, imported

__all__ = ["EnvCall", "Source"]

_BACK: Final = frozenset({"with_options"})
"""Methods that answer with what they are called on."""
_ROUNDS: Final = 100
"""How long a list a loop may go through to be read round by round."""


@dataclass(frozen=True, slots=True)
class _Target:
    """What an expression leads to: ``env``, its ``client``, a ``database`` or a ``collection``."""

    kind: Literal["env", "client", "database", "collection"]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class EnvCall:
    """A call of a method of ``env``; its arguments as values, with UNKNOWN for what is computed."""

    method: str
    arguments: tuple[Any, ...]
    named: Mapping[str, Any]
    place: Place


@dataclass(slots=True)
class Source:
    """A parsed revision file."""

    tree: ast.Module
    names: Mapping[str, str] = field(init=False)
    values: Mapping[str, Any] = field(init=False)
    functions: Mapping[str, ast.AsyncFunctionDef | ast.FunctionDef] = field(init=False)
    places: Mapping[int, Place] = field(init=False)

    def __post_init__(self) -> None:
        self.names = imported(self.tree)
        self.places = _places(self.tree)
        self.values = constants(self.tree, self.names)
        self.functions = {
            node.name: node for node in self.tree.body if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef)
        }

    def reached(self, function: str) -> list[ast.AsyncFunctionDef | ast.FunctionDef]:
        """A function of the file and those that it names, directly or through others, in that order."""
        reached: dict[str, ast.AsyncFunctionDef | ast.FunctionDef] = {}
        waiting = [function]
        while waiting:
            name = waiting.pop(0)
            if name in reached or name not in self.functions:
                continue
            reached[name] = self.functions[name]
            waiting += [node.id for node in ast.walk(reached[name]) if isinstance(node, ast.Name)]
        return list(reached.values())

    def calls(self, function: str) -> list[EnvCall | RawCall]:
        """The calls that a function makes, and those it calls, on env, its database and its client."""
        return [call for definition in self.reached(function) for call in _Reader(self, definition).calls()]

    def place(self, line: int) -> Place:
        """The statement that a line belongs to: the innermost one."""
        return self.places.get(line, Place(line, line))


def _places(tree: ast.Module) -> dict[int, Place]:
    """By line, the innermost statement on it; of one that has others in it, the line alone."""
    places: dict[int, Place] = {}
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop(0)
        last = node.end_lineno or node.lineno
        inner = [*_statements_in(node)]
        for line in range(node.lineno, last + 1):
            places[line] = Place(line, line) if inner else Place(node.lineno, last)
        waiting += inner
    return places


def _statements_in(node: ast.AST) -> Iterator[ast.stmt]:
    """The statements right inside another one, those in its branches and handlers included."""
    for field_name in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, field_name, ()):
            if isinstance(child, ast.stmt):
                yield child
            else:
                yield from _statements_in(child)


@dataclass(slots=True)
class _Reader:
    """Reads one function: which of its names lead to the database."""

    source: Source
    function: ast.AsyncFunctionDef | ast.FunctionDef
    targets: dict[str, _Target] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    """What its own names stand for, as far as their values can be read off."""

    def calls(self) -> list[EnvCall | RawCall]:
        self._parameters()
        return [call for statement in self.function.body for call in self._read(statement, None, in_loop=False)]

    def _parameters(self) -> None:
        given = [*self.function.args.posonlyargs, *self.function.args.args]
        for place, argument in enumerate(given):
            said = ast.unparse(argument.annotation) if argument.annotation else ""
            if argument.arg == "env" or said.rpartition(".")[2] == "Env" or (place == 0 and self._is_step()):
                self.targets[argument.arg] = _Target("env")
            elif argument.arg in ("db", "database"):
                self.targets[argument.arg] = _Target("database")

    def _is_step(self) -> bool:
        return self.function.name in ("upgrade", "downgrade")

    def _read(self, node: ast.AST, statement: ast.stmt | None, *, in_loop: bool) -> Iterator[EnvCall | RawCall]:
        if isinstance(node, ast.stmt):
            statement = node
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            yield from self._read(node.value, statement, in_loop=in_loop)
            self._assign(node.targets[0].id, node.value)
            return
        if isinstance(node, ast.For | ast.AsyncFor | ast.While):
            head = node.test if isinstance(node, ast.While) else node.iter
            yield from self._read(head, statement, in_loop=in_loop)
            for value in self._rounds(node):
                self._bind(node, value)
                for part in node.body:
                    yield from self._read(part, statement, in_loop=True)
            for part in node.orelse:
                yield from self._read(part, statement, in_loop=in_loop)
            return
        for inner in ast.iter_child_nodes(node):
            yield from self._read(inner, statement, in_loop=in_loop)
        if isinstance(node, ast.Call) and statement is not None:
            call = self._call(node, self._place(statement, node), in_loop=in_loop)
            if call is not None:
                yield call

    def _rounds(self, loop: ast.For | ast.AsyncFor | ast.While) -> Sequence[Any]:
        """What a loop goes through, where that is written out; else one round, of something unknown."""
        values = self._value(loop.iter) if isinstance(loop, ast.For) else UNKNOWN
        return values if isinstance(values, list | tuple) and 0 < len(values) <= _ROUNDS else (UNKNOWN,)

    def _bind(self, loop: ast.For | ast.AsyncFor | ast.While, value: Any) -> None:
        if isinstance(loop, ast.While):
            return
        target = loop.target
        names: Sequence[ast.expr] = target.elts if isinstance(target, ast.Tuple) else [target]
        fits = isinstance(value, list | tuple) and len(value) == len(names)
        parts = [value] if not isinstance(target, ast.Tuple) else list(value) if fits else [UNKNOWN] * len(names)
        for name, part in zip(names, parts, strict=True):
            if isinstance(name, ast.Name):
                self.values[name.id] = part

    def _place(self, statement: ast.stmt, node: ast.Call) -> Place:
        if hasattr(statement, "body"):  # the head of a loop or a block: not its body
            return Place(node.lineno, node.end_lineno or node.lineno)
        return Place(statement.lineno, statement.end_lineno or statement.lineno)

    def _assign(self, name: str, value: ast.expr) -> None:
        target = self._target(value)
        if target is None:
            self.targets.pop(name, None)
            self.values[name] = self._value(value)
        else:
            self.targets[name] = target

    def _target(self, node: ast.expr) -> _Target | None:
        match node:
            case ast.Name(id=name):
                return self.targets.get(name)
            case ast.Await(value=value):
                return self._target(value)
            case ast.Attribute(value=value, attr=attr):
                return _member(self._target(value), attr)
            case ast.Subscript(value=value, slice=key):
                name = self._value(key)
                return _item(self._target(value), name if isinstance(name, str) else None)
            case ast.Call(func=ast.Attribute(value=value, attr=method)) as call:
                return self._returned(self._target(value), method, call)
        return None

    def _returned(self, target: _Target | None, method: str, call: ast.Call) -> _Target | None:
        if target is None:
            return None
        if method in _BACK:
            return target
        if method in ("get_collection", "get_database"):
            name = self._value(call.args[0]) if call.args else None
            return _item(target, name if isinstance(name, str) else None)
        return None

    def _call(self, call: ast.Call, place: Place, *, in_loop: bool) -> EnvCall | RawCall | None:
        if not isinstance(call.func, ast.Attribute):
            return None
        target = self._target(call.func.value)
        if target is None:
            return None
        arguments = tuple(self._value(argument) for argument in call.args)
        named = {keyword.arg: self._value(keyword.value) for keyword in call.keywords if keyword.arg}
        if target.kind == "env":
            return EnvCall(call.func.attr, arguments, named, place)
        if call.func.attr in _BACK or call.func.attr in ("get_collection", "get_database"):
            return None
        return RawCall(call.func.attr, target.kind, target.name, arguments, named, call, place, in_loop)

    def _value(self, node: ast.expr) -> Any:
        return evaluate(node, {**self.source.values, **self.values}, self.source.names)


def _member(target: _Target | None, attr: str) -> _Target | None:
    if target is None:
        return None
    if target.kind == "env":
        return {"db": _Target("database"), "client": _Target("client")}.get(attr)
    return _item(target, attr)


def _item(target: _Target | None, name: str | None) -> _Target | None:
    match target:
        case _Target(kind="client"):
            return _Target("database")
        case _Target(kind="database"):
            return _Target("collection", name)
        case _Target(kind="collection", name=owner):
            return _Target("collection", f"{owner}.{name}" if owner and name else None)
    return None
