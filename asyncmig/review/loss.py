"""What a run would lose: found in the source of the revisions, before anything is executed."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncmig.drivers.base import Driver
from asyncmig.history.revision import Revision

__all__ = ["Loss", "find_losses", "losing_calls"]

_LOSING = frozenset({"drop_collection", "delete_documents", "remove_field"})
_SAFE_KEYWORDS = frozenset({"if_unchanged", "keep_in"})


@dataclass(frozen=True, slots=True)
class LosingCall:
    """A call in a revision's source that may take documents away."""

    revision: str
    method: str
    collection: str | None
    """None where the source computes the name."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Documents, or parts of them, that a revision would take away for good."""

    revision: str
    text: str


def losing_calls(revision: Revision, function: str, source: str | None = None) -> tuple[LosingCall, ...]:
    """The calls of ``env`` methods in ``function`` of a revision's ``source`` (default: its file) that may lose data.

    Read from the source, because a dry execution could have effects of its own outside MongoDB.
    """
    if source is None:
        source = revision.path.read_text(encoding="utf-8") if revision.path else ""
    if not any(method in source for method in _LOSING):
        return ()  # nearly always: spares the parser
    return tuple(
        LosingCall(revision.revision, method, _literal_name(call))
        for method, call in _env_calls(ast.parse(source), function)
        if method in _LOSING and not _SAFE_KEYWORDS & {keyword.arg for keyword in call.keywords}
    )


async def find_losses(
    calls: Iterable[LosingCall], driver: Driver, inserted: Mapping[str, Sequence[Mapping[str, Any]]]
) -> tuple[Loss, ...]:
    """Those of ``calls`` that would lose something of the database as it stands now.

    ``inserted`` holds, by collection, the ``_id`` and digest of each document that asyncmig itself
    has inserted: taking such a document back unchanged loses nothing.
    """
    found = [(call, await _lost(call, driver, inserted)) for call in calls]
    return tuple(Loss(call.revision, text) for call, text in found if text)


async def _lost(call: LosingCall, driver: Driver, inserted: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    if call.collection is None:
        return f"{call.method} of a collection whose name the revision computes"
    if not await _holds_foreign_documents(driver, call.collection, inserted.get(call.collection, ())):
        return ""
    if call.method == "drop_collection":
        return f"drop collection {call.collection} with its documents"
    if call.method == "delete_documents":
        return f"delete documents of {call.collection}"
    return f"remove a field from the documents of {call.collection}"


async def _holds_foreign_documents(driver: Driver, name: str, inserted: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there is a document that asyncmig has not inserted, or that somebody has changed since."""
    from asyncmig.running.applying.digest import digest

    known = {entry["digest"] for entry in inserted}
    ids = [entry["_id"] for entry in inserted]
    if await driver.collection(name).find_one({"_id": {"$nin": ids}}, {"_id": 1}) is not None:
        return True
    return any(digest(document) not in known for document in await driver.stored(name, ids)) if ids else False


def _env_calls(module: ast.Module, function: str) -> Iterator[tuple[str, ast.Call]]:
    for node in module.body:
        if isinstance(node, ast.AsyncFunctionDef) and node.name == function and node.args.args:
            env = node.args.args[0].arg
            for call in ast.walk(node):
                if (
                    isinstance(call, ast.Call)
                    and isinstance(call.func, ast.Attribute)
                    and isinstance(call.func.value, ast.Name)
                    and call.func.value.id == env
                ):
                    yield call.func.attr, call


def _literal_name(call: ast.Call) -> str | None:
    given = call.args[0] if call.args else next((k.value for k in call.keywords if k.arg == "name"), None)
    return given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else None
