"""Rules on the code of a revision: L22 to L25."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Final

from asyncmig.lint.blocking import blocking_calls
from asyncmig.lint.finding import Finding
from asyncmig.lint.subject import Subject
from asyncmig.lint.values import full_name, imported

__all__ = ["blocking", "client_clock", "live_models", "secrets"]

_CLOCKS: Final = frozenset(
    {
        *("datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today"),
        *("time.time", "time.time_ns", "time.localtime", "time.gmtime", "pendulum.now", "arrow.now", "arrow.utcnow"),
    }
)
_MODEL_WORDS: Final = frozenset({"model", "models", "documents", "schemas", "entities"})
_CONNECTION: Final = re.compile(
    r"\b(?:mongodb(?:\+srv)?|postgres(?:ql)?|mysql|mariadb|rediss?|amqps?|mssql|oracle)(?:\+\w+)?://[^\s'\"{]", re.I
)
_CREDENTIALS: Final = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"{}]+:[^\s/@'\"{}]+@", re.I)
_TOKENS: Final = re.compile(
    r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|-----BEGIN [A-Z ]*PRIVATE KEY-----|\b(?:sk|rk|pk)_live_[0-9A-Za-z]{10,}"
    r"|\bgh[pousr]_[0-9A-Za-z]{30,}|\bgithub_pat_\w{30,}|\bxox[abprs]-[0-9A-Za-z-]{10,}|\bAIza[0-9A-Za-z_-]{35}\b"
    r"|\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}|\bglpat-[\w-]{20,}|\bSG\.[\w-]{20,}\.[\w-]{20,}"
)
_SECRET_NAME: Final = re.compile(
    r"(?:^|_)(?:pass(?:word|wd|phrase)?|secret|token|api_?key|private_?key|access_?key|hmac_?key|credentials?)$", re.I
)
_MIN_SECRET: Final = 6  # characters


def blocking(subject: Subject) -> Iterator[Finding]:
    """L22: while one call blocks, the lease is not renewed and no other task runs."""
    for call, name in blocking_calls(subject.tree, imported(subject.tree)):
        yield subject.at(
            "L22",
            subject.place(call),
            f"{name} blocks the event loop: meanwhile the lock's lease is not renewed and nothing else runs. Await an "
            "async counterpart, or `asyncio.to_thread`",
            ast.unparse(call),
        )


def client_clock(subject: Subject) -> Iterator[Finding]:
    """L23: clocks of machines differ, the database's is one."""
    names = imported(subject.tree)
    functions = [node for node in ast.walk(subject.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    seen: set[ast.Call] = set()
    for function in functions:
        for call in _stored_clocks(function, names):
            if call not in seen:
                seen.add(call)
                yield subject.at(
                    "L23",
                    subject.place(call),
                    f"{ast.unparse(call.func)}() is this machine's clock. For what is stored take the database's: "
                    '"$$NOW" in the pipeline of an update, or $currentDate',
                    ast.unparse(call),
                )


def _stored_clocks(function: ast.FunctionDef | ast.AsyncFunctionDef, names: Mapping[str, str]) -> Iterator[ast.Call]:
    """The calls of a clock whose value gets into a document, a list, an argument of a method, or is returned."""
    held: dict[str, ast.Call] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            for call in _clocks(node.value, names):
                held[node.targets[0].id] = call
    for node in ast.walk(function):
        stored = _stores(node)
        if stored is None:
            continue
        for part in ast.walk(stored):
            if isinstance(part, ast.Name) and part.id in held:
                yield held[part.id]
        yield from _clocks(stored, names)


def _stores(node: ast.AST) -> ast.AST | None:
    """What of a node becomes part of a document."""
    match node:
        case ast.Dict():
            return node
        case ast.Assign(targets=[ast.Subscript(), *_], value=value):
            return value
        case ast.Return(value=ast.Call() as value):
            return value
    return None


def _clocks(node: ast.AST, names: Mapping[str, str]) -> Iterator[ast.Call]:
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and full_name(call.func, names) in _CLOCKS:
            yield call


def live_models(subject: Subject) -> Iterator[Finding]:
    """L24: the models change, and the revision with them; history must not."""
    for node in ast.walk(subject.tree):
        for module, shown in _modules(node):
            if _holds_models(module, subject.options.models):
                yield subject.at(
                    "L24",
                    subject.place(node),
                    f"{shown} are the models of today: when they change, this revision changes with them. Write out "
                    "here what it needs of them",
                    shown,
                )


def _modules(node: ast.AST) -> Iterator[tuple[str, str]]:
    if isinstance(node, ast.Import):
        yield from ((alias.name, alias.name) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        for alias in node.names:
            dotted = ".".join(part for part in (module, alias.name) if part)
            yield (dotted if _last(dotted) in _MODEL_WORDS else module), dotted


def _holds_models(module: str, models: tuple[str, ...]) -> bool:
    if module.partition(".")[0] in ("asyncmig", "pymongo", "bson", "motor", "pydantic", "beanie", "mongoengine"):
        return False
    named = any(
        module == model or module.startswith(f"{model}.") or model.startswith(f"{module}.")
        for model in models
        if module
    )
    return named or any(part in _MODEL_WORDS for part in module.split("."))


def _last(module: str) -> str:
    return module.rpartition(".")[2]


def secrets(subject: Subject) -> Iterator[Finding]:
    """L25: what is in a revision is in the repository and stays there. The value is not shown."""
    for node in ast.walk(subject.tree):
        what = _secret(node)
        if what:
            yield subject.at(
                "L25",
                subject.place(node),
                f"{what} stands in the file, and so in the repository for ever. Read it from the environment, and "
                "change it where it was in use",
                what,
            )


def _secret(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if _TOKENS.search(node.value):
            return "a secret key"
        if _CREDENTIALS.search(node.value):
            return "a password in a URL"
        if _CONNECTION.search(node.value):
            return "the address of a database"
    for name, value in _named(node):
        if _SECRET_NAME.search(name) and _is_secret(value, is_variable=isinstance(node, ast.Assign | ast.AnnAssign)):
            return f"the value of {name}"
    return ""


def _named(node: ast.AST) -> Iterator[tuple[str, ast.expr | None]]:
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            yield name, value
        case ast.keyword(arg=str(name), value=value):
            yield name, value
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, value


def _is_secret(value: ast.expr | None, *, is_variable: bool) -> bool:
    """Whether it is text that could be a secret: no placeholder, no type, no name of a field."""
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str) or len(value.value) < _MIN_SECRET:
        return False
    text = value.value
    has_digit = any(character.isdigit() for character in text)
    could_be_name = text.isidentifier() and not has_digit and not is_variable
    return " " not in text and not could_be_name and not text.startswith(("$", "<", "{"))
