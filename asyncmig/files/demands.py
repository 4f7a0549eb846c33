"""What a revision's source demands of the server: refused before the first step where the server does not have it.

A revision that was written against MongoDB 6.0 may meet a server of 5.0, or one whose compatibility
version was not raised. What the source says itself is known before anything is done. What depends on a
condition, or is computed, is left to the server.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeGuard

from asyncmig.errors import RevisionError
from asyncmig.files.env_calls import env_calls
from asyncmig.history.revision import Revision
from asyncmig.schema.capabilities import NEEDS, Feature, Server

__all__ = ["Demand", "ServerTooOld", "demands"]

_BY_KEYWORD: Final[Mapping[tuple[str, str], Feature]] = {
    ("modify_index", "unique"): "unique in place",
    ("modify_index", "prepareUnique"): "unique in place",
    ("modify_collection", "cappedSize"): "capped size in place",
    ("modify_collection", "cappedMax"): "capped size in place",
    ("modify_collection", "changeStreamPreAndPostImages"): "pre- and post-images",
    ("create_collection", "changeStreamPreAndPostImages"): "pre- and post-images",
    ("create_collection", "timeseries"): "time series",
    ("create_collection", "clusteredIndex"): "clustered collection",
}
_OTHER_ROAD: Final[Mapping[Feature, str]] = {
    "unique in place": (
        "drop the index and create it with unique=True in its place (the collection is without it meanwhile)"
    )
}


@dataclass(frozen=True, slots=True)
class Demand:
    """A feature that not every server has, and the call that needs it."""

    feature: Feature
    call: str
    line: int

    @property
    def since(self) -> str:
        """The version that has it."""
        return ".".join(map(str, NEEDS[self.feature]))


class ServerTooOld(RevisionError):
    """Raised before the first step of a run whose revisions need what this server does not have."""

    def __init__(self, revision: Revision, server: Server, missing: Sequence[Demand]) -> None:
        self.revision, self.server, self.missing = revision, str(server), tuple(missing)
        where = f" of {revision.path}" if revision.path else ""
        lines = "".join(
            f"\n  - line {demand.line}{where}: {demand.call} ({demand.feature}) needs {demand.since}"
            for demand in self.missing
        )
        roads = [_OTHER_ROAD[demand.feature] for demand in self.missing if demand.feature in _OTHER_ROAD][:1]
        super().__init__(
            f"revision {revision} needs more than this server has, which is at {server} (featureCompatibilityVersion):"
            f"{lines}\nNothing was done. Upgrade the server (setFeatureCompatibilityVersion comes after the binaries)"
            + "".join(f", or {road}" for road in roads)
        )


def demands(source: str, function: str) -> list[Demand]:
    """What the calls of ``env`` in this function of a source need; not those below a condition."""
    if not any(keyword in source for _, keyword in _BY_KEYWORD):
        return []  # nearly always: spares the parser
    try:
        module = ast.parse(source)
    except SyntaxError:
        return []  # to load it says so better
    conditional = {id(call) for call in _conditional(module)}
    calls = [call for call in env_calls(module, function) if id(call) not in conditional]
    named = _named_once(module)
    return [demand for call in calls for demand in _demanded(call, named)]


def _demanded(call: ast.Call, named: Mapping[str, ast.expr]) -> Iterator[Demand]:
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    for keyword in call.keywords:
        feature = _BY_KEYWORD.get((method, keyword.arg or ""))
        value = named.get(keyword.value.id) if isinstance(keyword.value, ast.Name) else keyword.value
        if feature and value is not None and _is_asked_for(value):
            yield Demand(feature, f"env.{method}(..., {keyword.arg}={_short(keyword.value)})", call.lineno)


def _named_once(module: ast.Module) -> Mapping[str, ast.expr]:
    """The values that have a name in the file, and the name no other one."""
    nodes = list(ast.walk(module))
    stored = Counter(node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load))
    stored += Counter(node.arg for node in nodes if isinstance(node, ast.arg))
    given = [node for node in nodes if isinstance(node, ast.Assign) and len(node.targets) == 1]
    named = {node.targets[0].id: node.value for node in given if isinstance(node.targets[0], ast.Name)}
    return {name: value for name, value in named.items() if stored[name] == 1}


def _is_asked_for(node: ast.expr) -> bool:
    """Whether the source says so itself; a value that is computed is left to the call: it may come to nothing."""
    if isinstance(node, ast.Dict):
        named = {key.value: value for key, value in zip(node.keys, node.values, strict=True) if _is_literal(key)}
        return _is_asked_for(named["enabled"]) if "enabled" in named else bool(named)
    try:
        return bool(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False


def _is_literal(node: ast.expr | None) -> TypeGuard[ast.Constant]:
    return isinstance(node, ast.Constant)


def _short(node: ast.expr) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 40 else f"{text[:37]}..."


def _conditional(module: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(module):
        if isinstance(node, ast.If | ast.Try | ast.TryStar | ast.Match | ast.IfExp | ast.While):
            yield from (inner for inner in ast.walk(node) if isinstance(inner, ast.Call))
