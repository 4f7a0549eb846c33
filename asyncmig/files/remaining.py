"""What a revision's function has not come to yet, read from its source without running it.

A function that has stopped has come as far as the last line that the journal knows of. What stands before
that, and is awaited there, is over; a call behind it was begun only if the journal knows its line. Where
nobody can follow ``env`` (a function of another module, a class, ``getattr``), anything may be left; and
in a loop that it has not left, more may come of each call.
"""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from asyncmig.files.awaited import Waiting, goes_on, may_leave_some
from asyncmig.files.env_methods import Asked, asked, is_read

__all__ = ["Site", "remaining"]

Site: TypeAlias = tuple[int, ...]
"""The lines that lead to a call, the outermost first."""
_Found: TypeAlias = tuple[Site | None, Asked]
_Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
_FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef)

_VALUES: Final = frozenset({"collections", "context", "session"})
_ENDING = (ast.Return, ast.Raise, ast.Break, ast.Continue)
_LATER = (ast.GeneratorExp, ast.Lambda)
_REPEATING = (ast.ListComp, ast.SetComp, ast.DictComp, *_LATER)
_BY_TEXT: Final = frozenset({"eval", "exec", "globals", "locals", "vars"})
_MOST_CALLS: Final = 1_000  # functions that are entered; they call each other too often to be followed beyond


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
    try:
        return _remaining(ast.parse(source or ""), function, frozenset(reached), Counter(done), edited)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [Asked("", 1, "anything")]


def _remaining(
    module: ast.Module, function: str, reached: frozenset[Site], begun: Counter[Site], edited: frozenset[int]
) -> list[Asked]:
    names = _Names.of(module)
    start = names.functions.get(function)
    if start is None or start.decorator_list or not _parameters(start):
        return [Asked("", 1, "anything")]
    found = list(_Reader(names, reached, edited).entered(start, _parameters(start)[:1], _Place()))
    wanted = Counter(site for site, _ in found)
    unclear = {one.line for site, one in found if not site}  # how often the journal has such a line tells nothing
    sure = {site for site in wanted if site and site[-1] not in unclear and begun[site] >= wanted[site]}
    return [one for site, one in found if one.does != "other" and site not in sure]


@dataclass(frozen=True, slots=True)
class _Names:
    """The functions and the texts that have a name in a module, and never another meaning there."""

    functions: Mapping[str, _Function]
    constants: Mapping[str, str]
    crowded: frozenset[int]
    """The lines with several ``await``: which one of them has led to a call, its line does not tell."""

    @classmethod
    def of(cls, module: ast.Module) -> _Names:
        bound = Counter(name for node in ast.walk(module) for name in _bound(node))
        imports = (node for node in ast.walk(module) if isinstance(node, ast.ImportFrom))
        starred = max((node.lineno for node in imports if node.names[0].name == "*"), default=0)
        functions = {node.name: node for node in module.body if isinstance(node, _FUNCTIONS) and node.lineno > starred}
        constants = {
            node.targets[0].id: node.value.value
            for node in module.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        }
        awaits = Counter(node.lineno for node in ast.walk(module) if isinstance(node, ast.Await))
        return cls(
            {name: node for name, node in functions.items() if bound[name] == 1},
            {name: text for name, text in constants.items() if bound[name] == 1},
            frozenset(line for line, count in awaits.items() if count > 1),
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
        case ast.MatchMapping(rest=str(name)):
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
    ``is_keeping``: it gives a name to its value, so that ``env`` may be in use by that name.
    """

    site: Site | None = ()
    env: frozenset[str] = frozenset()
    inner: dict[str, tuple[_Function, _Place]] = field(default_factory=dict)
    stack: tuple[str, ...] = ()
    line: int | None = None
    is_awaited: bool = False
    groups: frozenset[str] = frozenset()
    is_over: bool = False
    is_keeping: bool = False

    @property
    def repeated(self) -> _Place:
        return replace(self, site=None)

    @property
    def within(self) -> _Place:
        """For the parts of an expression."""
        return self if self.line is None else replace(self, line=None)

    @property
    def inside(self) -> Site | None:
        """The site of what is called here."""
        return (*self.site, self.line) if self.site is not None and self.line is not None else None


class _Reader:
    def __init__(self, names: _Names, reached: frozenset[Site], edited: frozenset[int]) -> None:
        self._names, self._edited = names, edited
        self._reached = defaultdict[Site, set[int]](set)
        for site in reached:
            for place, line in enumerate(site):
                self._reached[site[:place]].add(line)
        self._calls = 0

    # -- statements -------------------------------------------------------------------------------

    def block(self, body: Sequence[ast.stmt], place: _Place) -> Iterator[_Found]:
        """What is left of statements that are carried out one after the other."""
        current = len(body) if place.is_over else self._current(body, place.site)
        waiting = Waiting(body)
        for number, statement in enumerate(body):
            if number < current:
                is_awaited = place.is_awaited or waiting.is_awaited(number, statement, current)
                yield from self._statement(statement, replace(place, is_over=True, is_awaited=is_awaited))
            else:
                yield from self._statement(statement, place)
            if isinstance(statement, _ENDING) and number >= current:
                return

    def _current(self, body: Sequence[ast.stmt], site: Site | None) -> int:
        """The number of the last statement that was reached; of several in one line the first."""
        if site is None:
            return -1
        ends = [statement.end_lineno or statement.lineno for statement in body]
        numbers = ((bisect_left(ends, line), line) for line in self._reached.get(site, ()))
        return max(
            (number for number, line in numbers if number < len(body) and body[number].lineno <= line), default=-1
        )

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
                yield from self.block(node.body, replace(place, is_over=place.is_over and not goes_on(node)))
                for body in (*handlers, node.orelse, node.finalbody):
                    yield from self.block(body, place)
            case ast.Match():
                yield from self._uses(node.subject, place)
                for case in node.cases:
                    yield from self._uses(case.guard, place)
                    yield from self.block(case.body, place)
            case ast.ClassDef():
                yield from self._parts(node, replace(place.repeated, is_over=False))
            case _:
                is_keeping = not isinstance(node, ast.Expr)
                yield from self._parts(node, replace(place, is_keeping=True) if is_keeping else place)

    def _each(self, body: Iterable[ast.stmt], place: _Place) -> Iterator[_Found]:
        for statement in body:
            yield from self._statement(statement, place)

    def _with(self, node: ast.With | ast.AsyncWith, place: _Place) -> Iterator[_Found]:
        is_awaited = isinstance(node, ast.AsyncWith)
        for item in node.items:
            yield from self._uses(item.context_expr, replace(place, is_awaited=place.is_awaited or is_awaited))
        names = {item.optional_vars.id for item in node.items if isinstance(item.optional_vars, ast.Name)}
        is_over = place.is_over and not goes_on(node)
        groups = place.groups | names if is_awaited and is_over else place.groups
        yield from self.block(node.body, replace(place, groups=groups, is_over=is_over))

    # -- expressions ------------------------------------------------------------------------------

    def _parts(self, node: ast.AST, place: _Place) -> Iterator[_Found]:
        place = place.within
        for part in ast.iter_child_nodes(node):
            yield from self._uses(part, place)

    def _uses(self, node: ast.AST | None, place: _Place) -> Iterator[_Found]:
        match node:
            case None:
                return
            case ast.Await():
                yield from self._uses(node.value, replace(place, line=node.lineno, is_awaited=True))
            case ast.Call():
                yield from self._call(node, place)
            case ast.NamedExpr():
                yield from self._parts(node, replace(place, is_keeping=True))
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in place.env and attribute in _VALUES:
                return
            case ast.Attribute(value=ast.Name(id=name)) if name in place.env:
                yield from self._found(Asked("", node.lineno, "anything"), place)
            case ast.Name(id=name) if name in place.env:
                is_over = place.is_over and not place.is_keeping
                yield from self._found(Asked("", node.lineno, "anything"), replace(place, is_over=is_over))
            case ast.Name(id=name) if name in _BY_TEXT:
                yield None, Asked("", node.lineno, "anything")
            case ast.Name(id=name) if name in place.inner:
                yield from self._entered_inner(name, place.repeated)
            case _:
                if isinstance(node, _LATER):
                    place = replace(place, is_over=place.is_over and place.is_awaited)
                yield from self._parts(node, place.repeated if isinstance(node, _REPEATING) else place)

    def _call(self, node: ast.Call, place: _Place) -> Iterator[_Found]:
        function = node.func
        rest: list[ast.AST] = [*node.args, *node.keywords]
        if may_leave_some(node):
            place = replace(place, is_awaited=False)
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
            yield from self._uses(part, place.within)

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
        self._calls += 1
        if function.name in place.stack or self._calls > _MOST_CALLS:
            yield from self._found(Asked("", function.lineno, "anything"), place)
            return
        if line := _ambiguous(function):
            yield None, Asked("", line, "anything")
        is_over = place.is_over and place.is_awaited
        is_crowded = place.line in self._names.crowded
        site = place.inside if place.stack else ()
        entered = _Place(
            None if function.decorator_list or is_crowded or (place.is_over and not is_over) else site,
            _aliases(function, frozenset(env)),
            dict(inner or {}),
            (*place.stack, function.name),
            is_awaited=is_over and not isinstance(function, ast.AsyncFunctionDef),
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


def _ambiguous(function: _Function) -> int | None:
    """The line of a function in this one whose name is given to something else, too."""
    inner = [node for node in ast.walk(function) if isinstance(node, _FUNCTIONS) and node is not function]
    bound = Counter(name for node in ast.walk(function) for name in _bound(node)) if inner else Counter[str]()
    return next((node.lineno for node in inner if bound[node.name] > 1), None)
