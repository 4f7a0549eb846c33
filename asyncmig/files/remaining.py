"""What a revision's function has not come to yet, read from its source without running it.

A function that has stopped has come as far as the last line that the journal knows of. What stands before
that, and is awaited there, is over; a call behind it was begun only if the journal knows its line. Where
nobody can follow ``env`` (a function of another module, a class, ``getattr``), anything may be left; and
in a loop that it has not left, more may come of each call.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from asyncmig.files.env_methods import Asked, asked, is_read

__all__ = ["Site", "remaining"]

Site: TypeAlias = tuple[int, ...]
"""The lines that lead to a call, the outermost first."""
_Found: TypeAlias = tuple[Site | None, Asked]
_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

_VALUES: Final = frozenset({"collections", "context", "session"})
_ENDING = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_REPEATING = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


def remaining(
    source: str | None,
    function: str,
    reached: Iterable[Site] = (),
    done: Iterable[Site] = (),
    edited: frozenset[int] = frozenset(),
) -> list[Asked]:
    """What is left to do of ``function``, in the order of the text.

    ``reached``: the call sites that it has come to. ``done``: those of all that is done, or may be. ``edited``: the
    lines that were not in the file when it was run.
    """
    unknown = Asked("", 1, "anything")
    try:
        module = ast.parse(source or "")
    except (SyntaxError, ValueError, RecursionError):
        return [unknown]
    names = _Names.of(module)
    start = names.functions.get(function)
    if start is None or start.decorator_list or not _parameters(start):
        return [unknown]
    begun = Counter(done)
    found = list(_Reader(names, frozenset(reached), edited).entered(start, _parameters(start)[:1], _Place()))
    wanted = Counter(site for site, _ in found)
    return [one for site, one in found if one.does != "other" and not (site and begun[site] >= wanted[site])]


@dataclass(frozen=True, slots=True)
class _Names:
    """The functions and the texts that have a name in a module, and never another meaning there."""

    functions: Mapping[str, _Function]
    constants: Mapping[str, str]

    @classmethod
    def of(cls, module: ast.Module) -> _Names:
        bound = Counter(name for node in ast.walk(module) for name in _bound(node))
        functions = {
            node.name: node for node in module.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }
        constants = {
            node.targets[0].id: node.value.value
            for node in module.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        }
        return cls(
            {name: node for name, node in functions.items() if bound[name] == 1},
            {name: text for name, text in constants.items() if bound[name] == 1},
        )


def _bound(node: ast.AST) -> Iterator[str]:
    """The names that a node binds, wherever."""
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            yield name
        case ast.alias(name=name, asname=other):
            yield other or name.partition(".")[0]
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.ExceptHandler(name=str(name)):
            yield name
        case _:
            pass


def _parameters(function: _Function) -> list[str]:
    return [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the reader is: ``site`` leads there, None where lines do not tell, in a loop for example.

    ``env``: the names of env. ``inner``: the functions defined in this one. ``line``: of the ``await`` that is
    right around it. ``groups``: what waits for the tasks that it is given. ``is_over``: the statement has ended.
    """

    site: Site | None = ()
    env: frozenset[str] = frozenset()
    inner: dict[str, tuple[_Function, _Place]] = field(default_factory=dict)
    stack: tuple[str, ...] = ()
    line: int | None = None
    is_awaited: bool = False
    groups: frozenset[str] = frozenset()
    is_over: bool = False

    @property
    def repeated(self) -> _Place:
        return replace(self, site=None)

    @property
    def inside(self) -> Site | None:
        """The site of what is called here."""
        return (*self.site, self.line) if self.site is not None and self.line is not None else None


class _Reader:
    def __init__(self, names: _Names, reached: frozenset[Site], edited: frozenset[int]) -> None:
        self._names, self._reached, self._edited = names, reached, edited

    # -- statements -------------------------------------------------------------------------------

    def block(self, body: Sequence[ast.stmt], place: _Place) -> Iterator[_Found]:
        """What is left of statements that are carried out one after the other."""
        current = self._current(body, place.site)
        for number, statement in enumerate(body):
            if number < current:
                is_awaited = place.is_awaited or _is_awaited_later(statement, body[number + 1 : current])
                yield from self._statement(statement, replace(place, is_over=True, is_awaited=is_awaited))
            else:
                yield from self._statement(statement, place)
            if isinstance(statement, _ENDING) and number >= current:
                return

    def _current(self, body: Sequence[ast.stmt], site: Site | None) -> int:
        """The number of the last statement that was reached; of several in one line the first."""
        if site is None:
            return -1
        lines = {one[len(site)] for one in self._reached if len(one) > len(site) and one[: len(site)] == site}
        spans = [range(statement.lineno, (statement.end_lineno or statement.lineno) + 1) for statement in body]
        last = max((line for line in lines if any(line in span for span in spans)), default=None)
        return next((number for number, span in enumerate(spans) if last in span), -1)

    def _statement(self, node: ast.stmt, place: _Place) -> Iterator[_Found]:
        if place.is_over and not self._edited.isdisjoint(_own_lines(node)):
            place = replace(place, is_over=False)
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                place.inner[node.name] = (node, place)
                for part in (*node.decorator_list, *node.args.defaults, *node.args.kw_defaults):
                    yield from self._uses(part, place)
            case ast.Assign(value=ast.Name(id=name)) if name in place.env and _are_names(node.targets, place.env):
                pass  # another name of env
            case ast.For() | ast.AsyncFor():
                yield from self._uses(
                    node.iter, replace(place, is_awaited=place.is_awaited or isinstance(node, ast.AsyncFor))
                )
                yield from self._each(node.body, place.repeated)
                yield from self.block(node.orelse, place)
            case ast.While():
                yield from self._uses(node.test, place.repeated)
                yield from self._each(node.body, place.repeated)
                yield from self.block(node.orelse, place)
            case ast.If():
                yield from self._uses(node.test, place)
                yield from self.block(node.body, place)
                yield from self.block(node.orelse, place)
            case ast.With() | ast.AsyncWith():
                yield from self._with(node, place)
            case ast.Try() | ast.TryStar():
                handlers = [handler.body for handler in node.handlers]
                for body in (node.body, *handlers, node.orelse, node.finalbody):
                    yield from self.block(body, place)
            case ast.Match():
                yield from self._uses(node.subject, place)
                for case in node.cases:
                    yield from self._uses(case.guard, place)
                    yield from self.block(case.body, place)
            case _:
                yield from self._parts(node, place)

    def _each(self, body: Iterable[ast.stmt], place: _Place) -> Iterator[_Found]:
        for statement in body:
            yield from self._statement(statement, place)

    def _with(self, node: ast.With | ast.AsyncWith, place: _Place) -> Iterator[_Found]:
        is_awaited = isinstance(node, ast.AsyncWith)
        for item in node.items:
            yield from self._uses(item.context_expr, replace(place, is_awaited=place.is_awaited or is_awaited))
        names = {item.optional_vars.id for item in node.items if isinstance(item.optional_vars, ast.Name)}
        yield from self.block(node.body, replace(place, groups=place.groups | names if is_awaited else place.groups))

    # -- expressions ------------------------------------------------------------------------------

    def _parts(self, node: ast.AST, place: _Place) -> Iterator[_Found]:
        for part in ast.iter_child_nodes(node):
            yield from self._uses(part, replace(place, line=None))

    def _uses(self, node: ast.AST | None, place: _Place) -> Iterator[_Found]:
        match node:
            case None:
                return
            case ast.Await():
                yield from self._uses(node.value, replace(place, line=node.lineno, is_awaited=True))
            case ast.Call():
                yield from self._call(node, place)
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in place.env and attribute in _VALUES:
                return
            case ast.Name(id=name) if name in place.env:
                yield from self._found(Asked("", node.lineno, "anything"), place)
            case ast.Name(id=name) if name in place.inner:
                yield from self._entered_inner(name, place.repeated)
            case _:
                is_many = isinstance(node, _REPEATING)
                yield from self._parts(node, place.repeated if is_many else place)

    def _call(self, node: ast.Call, place: _Place) -> Iterator[_Found]:
        function = node.func
        rest: list[ast.AST] = [*node.args, *node.keywords]
        match function:
            case ast.Attribute(value=ast.Name(id=name), attr=method) if name in place.env:
                yield from self._found(asked(method, node, self._names.constants), place)
            case ast.Attribute() if is_read(function, place.env):
                pass
            case ast.Attribute(value=ast.Name(id=name)) if name in place.groups:
                place = replace(place, is_awaited=True)
            case ast.Name(id=name) if name in place.inner or name in self._names.functions:
                yield from self._entered_by_name(name, node, place)
                rest = [one for one in rest if not _is_named(one, place.env)]
            case _:
                rest.insert(0, function)
        for part in rest:
            yield from self._uses(part, replace(place, line=None))

    def _found(self, one: Asked, place: _Place) -> Iterator[_Found]:
        if not (place.is_over and place.is_awaited):
            site = place.inside if one.does != "anything" and not place.is_over else None
            yield site, one

    # -- functions of the file --------------------------------------------------------------------

    def _entered_by_name(self, name: str, call: ast.Call, place: _Place) -> Iterator[_Found]:
        if name in place.inner:
            yield from self._entered_inner(name, place, call)
            return
        function = self._names.functions[name]
        given = _env_parameters(function, call, place.env)
        if given is None:
            yield from self._found(Asked("", call.lineno, "anything"), place)
        elif given:
            yield from self.entered(function, given, place)

    def _entered_inner(self, name: str, place: _Place, call: ast.Call | None = None) -> Iterator[_Found]:
        function, around = place.inner[name]
        given = _env_parameters(function, call, place.env) if call is not None else []
        if given is None:
            yield from self._found(Asked("", function.lineno, "anything"), place)
            return
        seen = (around.env | place.env) - {*_parameters(function)}
        yield from self.entered(function, [*given, *seen], place, around.inner)

    def entered(
        self,
        function: _Function,
        env: Iterable[str],
        place: _Place,
        inner: Mapping[str, tuple[_Function, _Place]] | None = None,
    ) -> Iterator[_Found]:
        """What is left of a function that is called, in which ``env`` has these names."""
        if function.name in place.stack:
            yield from self._found(Asked("", function.lineno, "anything"), place)
            return
        is_over = place.is_over and place.is_awaited
        site = place.inside if place.stack else ()
        entered = _Place(
            None if function.decorator_list or (place.is_over and not is_over) else site,
            _aliases(function, frozenset(env)),
            dict(inner or {}),
            (*place.stack, function.name),
            is_awaited=is_over,
            is_over=is_over,
        )
        yield from self.block(function.body, entered)


def _own_lines(node: ast.stmt) -> range:
    """The lines of a statement, without those of the statements in it."""
    inner = [part.lineno for part in ast.walk(node) if isinstance(part, ast.stmt) and part is not node]
    return range(node.lineno, min(inner, default=(node.end_lineno or node.lineno) + 1))


def _are_names(targets: Iterable[ast.expr], names: frozenset[str]) -> bool:
    return all(isinstance(target, ast.Name) and target.id in names for target in targets)


def _is_named(node: ast.AST, names: frozenset[str]) -> bool:
    value = node.value if isinstance(node, ast.keyword) else node
    return isinstance(value, ast.Name) and value.id in names


def _env_parameters(function: _Function, call: ast.Call, env: frozenset[str]) -> list[str] | None:
    """The parameters that are given env; None where nobody can tell."""
    parameters = _parameters(function)
    named = {*parameters, *(argument.arg for argument in function.args.kwonlyargs)}
    places = [place for place, given in enumerate(call.args) if _is_named(given, env)]
    words = [keyword.arg or "" for keyword in call.keywords if _is_named(keyword, env)]
    is_starred = any(isinstance(given, ast.Starred) for given in call.args)
    if (places and (is_starred or places[-1] >= len(parameters))) or not named.issuperset(words):
        return None
    return [parameters[place] for place in places] + words


def _aliases(function: _Function, env: frozenset[str]) -> frozenset[str]:
    """The names that env has in a function, with those that it is given there; not where others see them."""
    nodes = list(ast.walk(function))
    shared = {name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}
    names = {*env}
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id in names:
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)} - shared
    return frozenset(names)


def _is_awaited_later(statement: ast.stmt, later: Iterable[ast.stmt]) -> bool:
    """Whether what a statement begins, and keeps under a name, is awaited by that name in one of the ``later``."""
    kept = {
        node.func.value.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("append", "add")
        if isinstance(node.func.value, ast.Name)
    }
    if isinstance(statement, ast.Assign):
        kept |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
    awaited = [node.value for one in later for node in ast.walk(one) if isinstance(node, ast.Await)]
    return any(kept & set(_handed_over(value)) for value in awaited)


def _handed_over(value: ast.expr) -> Iterator[str]:
    """The names whose values an ``await`` is about: its own, or those handed to the call."""
    for node in [value, *(value.args if isinstance(value, ast.Call) else ())]:
        inner = node.value if isinstance(node, ast.Starred) else node
        if isinstance(inner, ast.Name):
            yield inner.id
