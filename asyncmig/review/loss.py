"""What a run would lose: looked for in the sources beforehand, and asked of every operation when it is about to run.

Beforehand a revision is read and not run, as its code may have effects of its own outside MongoDB. So a
call by another name, in a helper function, or with a computed argument is not known then: each such
operation is held against :mod:`asyncmig.operations.loss` once more before it is applied.
"""

from __future__ import annotations

import ast
import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pymongo.errors import OperationFailure, PyMongoError

from asyncmig.drivers.base import Driver
from asyncmig.errors import UnsupportedByDriver
from asyncmig.files.env_calls import env_calls
from asyncmig.history.revision import Revision
from asyncmig.operations import (
    ConvertField,
    Deduplicate,
    DeleteDocuments,
    DropCollection,
    DropIndex,
    Operation,
    RemoveField,
    RenameField,
    TransformBatches,
    TransformDocuments,
    UpdateInBatches,
)
from asyncmig.operations.data import Delete
from asyncmig.operations.loss import deletes, loss

__all__ = [
    "Confirm",
    "Loss",
    "LossGuard",
    "counted",
    "extent",
    "find_losses",
    "holds_foreign",
    "is_unique",
    "losing_calls",
]

Confirm = Callable[[tuple["Loss", ...]], Awaitable[None]]
Inserted = Mapping[str, Sequence[Mapping[str, Any]]]

_SAMPLES: Mapping[str, Callable[[str, Mapping[str, Any]], Operation]] = {
    "drop_collection": lambda name, given: DropCollection(name),
    "drop_index": lambda name, given: DropIndex(name, given.get("index_name", "")),
    "delete_documents": lambda name, given: DeleteDocuments(name, (), if_unchanged=given.get("if_unchanged", False)),
    "remove_field": lambda name, given: RemoveField(name, "f", given.get("keep_in")),
    "rename_field": lambda name, given: RenameField(name, "f", "g", on_conflict=given.get("on_conflict", "fail")),
    "deduplicate": lambda name, given: Deduplicate(name, (), (), given.get("keep_in")),
    "convert_field": lambda name, given: ConvertField(name, "f", "int", on_error=given.get("on_error", "fail")),
    "update_in_batches": lambda name, given: UpdateInBatches(name, {}, given.get("update", {})),
}
"""By method of ``env``, an operation that loses what the call would, as far as its literal arguments tell."""
_COUNT_MS = 2_000  # more is not worth a better question
_SUPERFLUOUS = "the documents besides the first of each group by"
_COMPUTED = "{} of a collection whose name the revision computes"
_PLACES = {
    "update_in_batches": ("name", "filter", "update"),
    "remove_field": ("name", "field", "keep_in"),
    "delete_documents": ("name", "ids"),
    "drop_index": ("name", "index_name"),
}
_NO_COLLECTION = (26, 166)  # NamespaceNotFound, CommandNotSupportedOnView


@dataclass(frozen=True, slots=True)
class LosingCall:
    """A call in a revision's source that may take documents away."""

    revision: str
    method: str
    collection: str | None
    """None where the source computes the name."""
    text: str = ""
    query: Mapping[str, Any] | None = field(default=None, compare=False)
    """Which documents it is about, where the source says so."""
    fields: tuple[str, ...] = field(default=(), compare=False)
    index: str | None = None
    """The index that goes, of a call that takes no documents."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Documents, or parts of them, that a revision would take away for good."""

    revision: str
    text: str
    details: str = field(default="", compare=False)
    """How many documents, and which fields."""


def losing_calls(revision: Revision, function: str, source: str | None = None) -> tuple[LosingCall, ...]:
    """The calls of ``env`` methods in ``function`` of a revision's ``source`` (default: its file) that lose data.

    Only those of which the source says so itself: an argument that is computed is left to :class:`LossGuard`.
    """
    if source is None:
        source = revision.path.read_text(encoding="utf-8") if revision.path else ""
    if not any(method in source for method in _SAMPLES):
        return ()  # nearly always: spares the parser
    losing = (_losing(revision.revision, call) for call in env_calls(ast.parse(source), function))
    return tuple(call for call in losing if call and (call.index is None or function == "upgrade"))


def _losing(revision: str, call: ast.Call) -> LosingCall | None:
    method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if method not in _SAMPLES:
        return None
    names = _PLACES.get(method, ("name",))
    nodes = dict(zip(names, call.args, strict=False)) | {
        keyword.arg: keyword.value for keyword in call.keywords if keyword.arg
    }
    given: dict[str, Any] = {}
    for argument, node in nodes.items():
        try:
            given[argument] = ast.literal_eval(node)
        except ValueError:
            if argument in ("keep_in", "if_unchanged", "on_conflict", "on_error", "update", "index_name"):
                return None  # computed: it is known when it is about to run
    name = given.get("name")
    try:
        text = loss(_SAMPLES[method](name if isinstance(name, str) else "", given))
    except (TypeError, AttributeError):  # no such call can be made
        return None
    if not text:
        return None
    sample = _sampled(method, given)
    query, fields = extent(sample) if sample else (None, ())
    index = str(given.get("index_name", "")) if method == "drop_index" else None
    return LosingCall(revision, method, name if isinstance(name, str) else None, text, query, fields, index)


def _sampled(method: str, given: Mapping[str, Any]) -> Operation | None:
    """The operation that the call asks for, as far as its literal arguments tell which documents it is about."""
    name = given.get("name")
    if not isinstance(name, str):
        return None
    if method == "drop_collection":
        return DropCollection(name)
    if method == "remove_field" and isinstance(given.get("field"), str):
        return RemoveField(name, given["field"])
    if method == "delete_documents" and isinstance(given.get("ids"), list | tuple):
        return DeleteDocuments(name, tuple(given["ids"]))
    if method == "update_in_batches" and isinstance(given.get("filter"), dict) and "update" in given:
        return UpdateInBatches(name, given["filter"], given["update"])
    return None


def extent(operation: Operation) -> tuple[Mapping[str, Any] | None, tuple[str, ...]]:
    """Which documents an operation that loses something is about, and which of their fields; None: nobody can tell."""
    match operation:
        case DropCollection():
            return {}, ()
        case RemoveField(field=name):
            return {name: {"$exists": True}}, (name,)
        case DeleteDocuments(ids=ids):
            return {"_id": {"$in": list(ids)}}, ()
        case UpdateInBatches(filter=query, update=update):
            return query, tuple(sorted(_unset(update)))
        case RenameField(field=name, new=new):
            return {name: {"$exists": True}, new: {"$exists": True}}, (name, new)
        case ConvertField(field=name):
            return {name: {"$exists": True}}, (name,)
        case Deduplicate(by=by):
            return {_SUPERFLUOUS: list(by)}, by
    return None, ()


def _unset(update: Any) -> Iterator[str]:
    """The fields that an update takes away by name."""
    for stage in [update] if isinstance(update, Mapping) else update:
        body = stage.get("$unset") if isinstance(stage, Mapping) else None
        yield from [body] if isinstance(body, str) else map(str, body or ())


async def counted(driver: Driver, collection: str, query: Mapping[str, Any] | None, fields: Sequence[str]) -> str:
    """`` (12 documents; field zip)``, for behind the text of a loss; empty where nobody can count in a moment."""
    if query is None:
        return ""
    try:
        count = await _count(driver, collection, query)
        number = f"{count:,} document{'' if count == 1 else 's'}"
    except (PyMongoError, UnsupportedByDriver):
        number = ""
    named = f"field{'' if len(fields) == 1 else 's'} {', '.join(fields)}" if fields else ""
    details = "; ".join(part for part in (number, named) if part)
    return f" ({details})" if details else ""


async def _count(driver: Driver, collection: str, query: Mapping[str, Any]) -> int:
    """How many documents match; of a deduplication, how many there are besides the first of each group."""
    if _SUPERFLUOUS not in query:
        reply = await driver.command({"count": collection, "query": dict(query), "maxTimeMS": _COUNT_MS})
        return int(reply["n"])
    values = {f"k{place}": {"$ifNull": [f"${field}", None]} for place, field in enumerate(query[_SUPERFLUOUS])}
    pipeline = [
        {"$group": {"_id": values, "n": {"$sum": 1}}},
        {"$group": {"_id": None, "n": {"$sum": {"$subtract": ["$n", 1]}}}},
    ]
    rows = await driver.read({"aggregate": collection, "pipeline": pipeline, "maxTimeMS": _COUNT_MS})
    return int(rows[0]["n"]) if rows else 0


async def find_losses(calls: Iterable[LosingCall], driver: Driver, inserted: Inserted) -> tuple[Loss, ...]:
    """Those of ``calls`` that would lose something of the database as it stands now.

    ``inserted`` holds, by collection, the ``_id`` and digest of each document that asyncmig itself
    has inserted: taking such a document back unchanged loses nothing.
    """
    lost = [(call, await _lost(call, driver, inserted)) for call in calls]
    return tuple(
        dict.fromkeys(
            [Loss(call.revision, text, await _details(call, driver)) for call, text in lost if text],
        )
    )


async def _details(call: LosingCall, driver: Driver) -> str:
    return await counted(driver, call.collection, call.query, call.fields) if call.collection else ""


async def _lost(call: LosingCall, driver: Driver, inserted: Inserted) -> str:
    if call.collection is None:
        return "" if call.index is not None else _COMPUTED.format(call.method)  # it is known when it is about to run
    if call.index is not None:
        return call.text if await is_unique(driver, call.collection, call.index) else ""
    known = inserted.get(call.collection, ())
    return call.text if await holds_foreign(driver, call.collection, known) else ""


async def holds_foreign(driver: Driver, name: str, inserted: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there is a document that asyncmig has not inserted, or that somebody has changed since."""
    from asyncmig.running.applying.digest import digest

    known = {entry["digest"] for entry in inserted}
    ids = [entry["_id"] for entry in inserted]
    if await driver.collection(name).find_one({"_id": {"$nin": ids}}, {"_id": 1}) is not None:
        return True
    return any(digest(document) not in known for document in await driver.stored(name, ids)) if ids else False


async def is_unique(driver: Driver, collection: str, index: str) -> bool:
    """Whether the collection has such an index, and it refuses duplicates."""
    try:
        listed = await driver.read({"listIndexes": collection})
    except OperationFailure as error:
        if error.code not in _NO_COLLECTION:
            raise
        return False
    return any(listed_index["name"] == index and listed_index.get("unique") for listed_index in listed)


def _has_delete(result: Any) -> bool:
    """Whether a function says of its document, or of one of its documents, that it is to be deleted."""
    return result is Delete or (isinstance(result, list | tuple) and any(item is Delete for item in result))


class LossGuard:
    """Asks before an operation that loses what was not agreed to beforehand.

    A collection that the run itself has made holds nothing that anybody had before, and is not asked for.
    ``inserted`` is awaited for what :func:`find_losses` takes, once it matters; ``confirm`` with what
    would be lost, and stops the run by raising. ``indexes``: whether a unique index that goes is asked
    for; a downgrade drops those that its own revision has made.
    """

    def __init__(
        self,
        driver: Driver,
        agreed: Iterable[Loss],
        inserted: Callable[[], Awaitable[Inserted]],
        confirm: Confirm,
        *,
        indexes: bool = True,
    ) -> None:
        self._indexes = indexes
        self._driver, self._inserted, self._confirm = driver, inserted, confirm
        self._agreed = {(loss.revision, loss.text) for loss in agreed}
        self._old: set[str] | None = None
        """The collections that were there when the run began, by the names that they have now."""

    async def __call__(self, revision: Revision, operation: Operation) -> Operation:
        """The operation to apply in its place: the same, or one that asks before a function's ``Delete`` counts."""
        old = await self._there(operation)
        if operation.collection not in old:
            return operation
        if text := loss(operation):
            await self._ask(revision, operation, text)
        elif isinstance(operation, TransformDocuments | TransformBatches):
            return self._asking(revision, operation)
        return operation

    async def _ask(self, revision: Revision, operation: Operation, text: str) -> None:
        agreed = (revision.revision, text)
        method = next((name for name, made in _SAMPLES.items() if type(made("", {})) is type(operation)), "")
        if agreed in self._agreed or (revision.revision, _COMPUTED.format(method)) in self._agreed:
            return
        name = operation.collection
        if isinstance(operation, DropIndex):
            if self._indexes and await is_unique(self._driver, name, operation.name):
                await self._confirm((Loss(revision.revision, text),))
        elif await holds_foreign(self._driver, name, (await self._inserted()).get(name, ())):
            details = await counted(self._driver, name, *extent(operation))
            await self._confirm((Loss(revision.revision, text, details),))
        self._agreed.add(agreed)

    async def _there(self, operation: Operation) -> set[str]:
        if self._old is None:
            self._old = {listed["name"] for listed in await self._driver.read({"listCollections": 1, "nameOnly": True})}
        if operation.collection in self._old:
            targets = (getattr(operation, name, None) for name in ("new", "into", "keep_in"))
            self._old |= {name for name in targets if isinstance(name, str)}
        return self._old

    def _asking(self, revision: Revision, operation: TransformDocuments | TransformBatches) -> Operation:
        """Of a function that does not name ``Delete`` itself and may get it from another one."""
        text = deletes(operation.collection)

        refusal: list[Exception] = []
        one_at_a_time = asyncio.Lock()  # several batches are under way at once

        async def ask() -> None:
            async with one_at_a_time:
                if refusal:
                    raise refusal[0]  # a function that raises is called again, with fewer documents
                if (revision.revision, text) in self._agreed:
                    return
                try:
                    await self._confirm((Loss(revision.revision, text),))
                except Exception as error:
                    refusal.append(error)
                    raise
                self._agreed.add((revision.revision, text))

        async def asked(result: Any) -> Any:
            answer = await result if inspect.isawaitable(result) else result
            if _has_delete(answer):
                await ask()
            return answer

        @functools.wraps(operation.function)
        def function(document: Any) -> Any:
            result = operation.function(document)
            if type(result) is dict:  # as of nearly every document
                return result
            return asked(result) if _has_delete(result) or inspect.isawaitable(result) else result

        return replace(operation, function=function)
