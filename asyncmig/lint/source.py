"""The text of a revision file: which calls it makes on ``env``, on its database and on its client, and where."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Literal

from asyncmig.lint.commands import command
from asyncmig.lint.subject import UNKNOWN, Place, RawCall
from asyncmig.lint.values import constants, evaluate, imported

__all__ = ["EnvCall", "Source"]

_BACK: Final = frozenset({"with_options"})
"""Methods that answer with what they are called on."""
_BULK: Final = {"DeleteMany": "delete_many", "UpdateMany": "update_many"}
_NO_METHODS: Final = frozenset({"collections", "context", "session"})
_MAX_ROUNDS: Final = 100
"""How long a list a loop may go through to be read round by round."""


@dataclass(frozen=True, slots=True)
class _Target:
    """What an expression leads to: ``env``, a ``method`` of it, its ``client``, a ``database``, a ``collection``."""

    kind: Literal["env", "method", "client", "database", "collection"]
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
    handed: dict[str, dict[str, _Target]] = field(init=False, default_factory=dict)
    """By function, what its callers hand over to its parameters, as far as they have been read."""

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
    inner: dict[str, ast.AsyncFunctionDef | ast.FunctionDef] = field(default_factory=dict)
    """The functions that are defined inside it, and read where they are called."""
    called: list[str] = field(default_factory=list)

    def calls(self) -> list[EnvCall | RawCall]:
        self._parameters()
        calls = [call for statement in self.function.body for call in self._read(statement, None, in_loop=False)]
        left = [inner for name, inner in self.inner.items() if name not in self.called]
        return calls + [call for inner in left for call in self._read_body(inner)]

    def _read_body(self, function: ast.AsyncFunctionDef | ast.FunctionDef) -> Iterator[EnvCall | RawCall]:
        for statement in function.body:
            yield from self._read(statement, None, in_loop=False)

    def _parameters(self) -> None:
        self.targets |= self.source.handed.get(self.function.name, {})
        given = _parameters(self.function)
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
        if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
            self.inner[node.name] = node
            return
        if isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr) and node.value is not None:
            yield from self._read(node.value, statement, in_loop=in_loop)
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self._assign(target, node.value)
            return
        if isinstance(node, ast.For | ast.AsyncFor | ast.While):
            yield from self._loop(node, statement, in_loop=in_loop)
            return
        if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp) and len(node.generators) == 1:
            yield from self._comprehension(node, statement, in_loop=in_loop)
            return
        for inner in ast.iter_child_nodes(node):
            yield from self._read(inner, statement, in_loop=in_loop)
        if isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._assign(node.optional_vars, node.context_expr)
        if isinstance(node, ast.Call) and statement is not None:
            call = self._call(node, self._place(statement, node), in_loop=in_loop)
            if call is not None:
                yield from (call, *self._parts(call))
            yield from self._hand_over(node)

    def _loop(
        self, node: ast.For | ast.AsyncFor | ast.While, statement: ast.stmt | None, *, in_loop: bool
    ) -> Iterator[EnvCall | RawCall]:
        head = node.test if isinstance(node, ast.While) else node.iter
        yield from self._read(head, statement, in_loop=in_loop)
        for bind in self._bindings(node):
            bind()
            for part in node.body:
                yield from self._read(part, statement, in_loop=True)
        for part in node.orelse:
            yield from self._read(part, statement, in_loop=in_loop)

    def _bindings(self, node: ast.For | ast.AsyncFor | ast.While) -> list[Callable[[], None]]:
        """What sets the names of a loop, for each round."""
        if not isinstance(node, ast.While) and (elements := self._elements(node.iter)):
            return [partial(self._assign, node.target, element) for element in elements]
        return [partial(self._bind, node, value) for value in self._rounds(node)]

    def _elements(self, node: ast.expr) -> Sequence[ast.expr]:
        """The elements of a list that is written out, where one of them leads to the database."""
        elements = node.elts if isinstance(node, ast.Tuple | ast.List | ast.Set) else []
        return elements if any(self._target(element) for element in elements) else []

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp, statement: ast.stmt | None, *, in_loop: bool
    ) -> Iterator[EnvCall | RawCall]:
        (generator,) = node.generators
        yield from self._read(generator.iter, statement, in_loop=in_loop)
        elements: Sequence[ast.expr | None] = self._elements(generator.iter) or [None]
        for element in elements:
            if element is not None:
                self._assign(generator.target, element)
            for part in (*generator.ifs, node.elt):
                yield from self._read(part, statement, in_loop=True)

    def _hand_over(self, call: ast.Call) -> Iterator[EnvCall | RawCall]:
        """A call of a function of the file: what it is given is known there; one defined inside is read now."""
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        function = self.inner.get(name) or self.source.functions.get(name)
        if function is None:
            return
        given = dict(zip([argument.arg for argument in _parameters(function)], call.args, strict=False))
        given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
        handed = {argument: target for argument, value in given.items() if (target := self._target(value))}
        if name not in self.inner:
            self.source.handed.setdefault(name, {}).update(handed)
        elif name not in self.called:
            self.called.append(name)
            self.targets |= handed
            yield from self._read_body(function)

    def _rounds(self, loop: ast.For | ast.AsyncFor | ast.While) -> Sequence[Any]:
        """What a loop goes through, where that is written out; else one round, of something unknown."""
        values = self._value(loop.iter) if isinstance(loop, ast.For) else UNKNOWN
        return values if isinstance(values, list | tuple) and 0 < len(values) <= _MAX_ROUNDS else (UNKNOWN,)

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

    def _assign(self, to: ast.expr, value: ast.expr) -> None:
        if isinstance(to, ast.Tuple | ast.List):
            parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
            for inner, part in zip(to.elts, parts, strict=False):
                self._assign(inner, part)
            return
        if not isinstance(to, ast.Name):
            return
        name, target = to.id, self._target(value)
        if target is None:
            self.targets.pop(name, None)
            self.values[name] = self._value(value)
        else:
            self.targets[name] = target

    def _target(self, node: ast.expr) -> _Target | None:
        match node:
            case ast.Name(id=name):
                return self.targets.get(name)
            case ast.Await(value=value) | ast.NamedExpr(value=value):
                return self._target(value)
            case ast.IfExp(body=body, orelse=orelse):
                return self._target(body) or self._target(orelse)
            case ast.Call(func=ast.Name(id="getattr"), args=[value, key, *_]):
                name = self._value(key)
                return _member(self._target(value), name) if isinstance(name, str) else None
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
        target, method = self._method(call.func)
        if target is None:
            return None
        arguments = tuple(self._value(argument) for argument in call.args)
        named = {keyword.arg: self._value(keyword.value) for keyword in call.keywords if keyword.arg}
        if target.kind in ("env", "method"):
            return EnvCall(method, arguments, named, place)
        if method in _BACK or method in ("get_collection", "get_database"):
            return None
        return RawCall(method, target.kind, target.name, arguments, named, call, place, in_loop)

    def _parts(self, call: EnvCall | RawCall) -> Iterator[RawCall]:
        """What a command, or a bulk, does to many documents at once, as the methods that do the same."""
        if not isinstance(call, RawCall):
            return
        sent = command(call)
        verb = next(iter(sent), "")
        statements = sent.get({"update": "updates", "delete": "deletes"}.get(verb, ""))
        for statement in statements if isinstance(statements, list | tuple) else ():
            if isinstance(statement, Mapping) and (statement.get("multi") or statement.get("limit") == 0):
                given = (statement.get("q", UNKNOWN), *([statement["u"]] if "u" in statement else []))
                on = sent[verb] if isinstance(sent[verb], str) else None
                yield replace(call, method=f"{verb}_many", kind="collection", collection=on, arguments=given, named={})
        if call.method == "bulk_write" and call.node.args and isinstance(call.node.args[0], ast.List | ast.Tuple):
            for part in call.node.args[0].elts:
                if isinstance(part, ast.Call) and (method := _BULK.get(ast.unparse(part.func).rpartition(".")[2])):
                    yield replace(call, method=method, arguments=tuple(map(self._value, part.args)), named={})

    def _method(self, function: ast.expr) -> tuple[_Target | None, str]:
        """What a method is called on, and its name; also of one that a name stands for, or ``getattr`` gives."""
        if isinstance(function, ast.Attribute):
            return self._target(function.value), function.attr
        match self._target(function):
            case _Target(kind="method", name=str(name)) as target:
                return target, name
            case _Target(kind="collection", name=str(name)):
                owner, _, method = name.rpartition(".")
                return (_Target("collection", owner) if owner else _Target("database")), method
        return None, ""

    def _value(self, node: ast.expr) -> Any:
        return evaluate(node, {**self.source.values, **self.values}, self.source.names)


def _parameters(function: ast.AsyncFunctionDef | ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def _member(target: _Target | None, attr: str) -> _Target | None:
    if target is None:
        return None
    if target.kind == "env":
        known = {"db": _Target("database"), "client": _Target("client")}
        return known.get(attr) or (_Target("method", attr) if attr not in _NO_METHODS else None)
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
