"""The law: what is generated leads every document that is valid under A to one that is valid under B, and back.

Random pairs of models. The suggestions are taken in as they stand in the file; afterwards nothing
differs, no document breaks B's schema, and the way back gives back all but what it has said it cannot.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from asyncmig.authoring.diff import Difference, difference
from asyncmig.authoring.draft import draft
from asyncmig.authoring.introspect import introspect
from asyncmig.data.dispatch import tasks_of
from asyncmig.data.source import Source
from asyncmig.drivers import driver_for
from asyncmig.errors import IrreversibleOperation
from asyncmig.fields.models import fields_of
from asyncmig.operations import (
    ConvertField,
    DataOperation,
    Operation,
    RemoveField,
    RenameField,
    Suggestion,
    UpdateInBatches,
    reverse,
)
from asyncmig.running.applying.apply import Context, apply
from asyncmig.schema.levels import LEVELS, Level, level_options
from asyncmig.schema.options import normal_options
from asyncmig.schema.state import CollectionState, DatabaseState

from ..authoring.run_source import replay
from ..clients import DRIVERS, drop
from .pairs import Pair, Pairs
from .test_migrations import taken_in

NUMBER = 200


@pytest.mark.parametrize("batch", range(4))
async def test_the_law(clients: dict[str, Any], batch: int) -> None:
    """200 pairs, their documents changed by one command for each operation."""
    await _prove(clients[DRIVERS[-1]], range(batch * NUMBER // 4, (batch + 1) * NUMBER // 4), _at_once)


@pytest.mark.long
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("driver", DRIVERS)
async def test_the_law_at_length(clients: dict[str, Any], driver: str) -> None:
    """Thousands of pairs, by the engine that revisions run on."""
    number = int(os.environ.get("ASYNCMIG_PAIRS", "1500"))
    first = 1_000 if driver == "motor" else 1_000 + number
    await _prove(clients[driver], range(first, first + number), _by_the_engine)


async def _again_where_the_connection_breaks(work: Callable[[], Awaitable[None]]) -> None:
    """A driver on a busy machine gives up its own connections; what is proved begins with an empty collection."""
    try:
        await work()
    except AutoReconnect:
        await work()


async def _prove(client: Any, seeds: Sequence[int], run: Any) -> None:
    database = client[f"test_law_{seeds[0]}"]
    waiting = list(seeds)

    async def work() -> None:
        while waiting:
            seed = waiting.pop()
            try:
                await _again_where_the_connection_breaks(lambda seed=seed: _one(database, seed, run))
            except BaseException as error:
                error.add_note(f"seed {seed}")
                raise

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(4):
                tasks.create_task(work())
    finally:
        await drop(client, database.name)


async def _one(database: Any, seed: int, run: Any) -> None:
    pairs = Pairs(seed)
    pair = pairs.pair()
    name = f"c{seed}"
    before, after = pairs.random.choice(LEVELS[1:]), pairs.random.choice(LEVELS[1:])
    old, new = _state(name, pair.before, before), _state(name, pair.after, after, pair.renamed)
    await database.drop_collection(name)
    await database.command({"create": name, **old.get(name).options})
    await database[name].insert_many(pair.documents)
    found = difference(old, new)
    operations = await _as_written(found)
    await run(database, operations)
    validator = new.get(name).options["validator"]
    broken = await database[name].find({"$nor": [validator]}).to_list(None)
    assert not broken, broken[0]
    left = difference(await introspect(database, include=lambda kind, one: one == name), new)
    assert not left, left.operations
    await _back(database, name, pair, found, operations, run)


def _state(name: str, model: Any, level: Level, renamed: dict[str, str] | None = None) -> DatabaseState:
    fields = fields_of([model], level, renamed=renamed)
    options = normal_options(level_options(fields.schema, level), "collection")
    return DatabaseState({name: CollectionState(name, options=options, fields=fields)})


async def _as_written(found: Difference) -> list[Operation]:
    """The operations that the revision makes, once its suggestions are taken in: those that were found."""
    source = taken_in(draft(found, revision="a", down_revision=None, message="x"))
    operations = await replay(source)
    assert operations == list(_flat(found.operations)), source
    return list(_flat(found.operations))


def _flat(operations: Iterable[Operation]) -> Iterator[Operation]:
    for operation in operations:
        if isinstance(operation, Suggestion):
            yield from operation.operations
        else:
            yield operation


async def _back(database: Any, name: str, pair: Pair, found: Difference, operations: list[Operation], run: Any) -> None:
    able, lost = [], set()
    for operation in operations:
        try:
            operation.reverse()
        except IrreversibleOperation:
            lost |= _fields(operation)
        else:
            able.append(operation)
            if isinstance(operation, DataOperation) and operation.was == ():
                lost |= _fields(operation)
    await run(database, reverse(able))
    documents = [one async for one in database[name].find().sort("_id", 1)]
    tops = {name.partition(".")[0] for name in lost}
    for before, after in zip(pair.documents, documents, strict=True):
        expected = {key: value for key, value in before.items() if key not in tops}
        assert {key: after.get(key, "gone") for key in expected} == expected, (before, after)


def _fields(operation: Operation) -> set[str]:
    """The paths that an operation touches."""
    if isinstance(operation, UpdateInBatches):
        changes = operation.update if isinstance(operation.update, dict) else operation.update[0]
        return {path for change in changes.values() for path in change}
    if isinstance(operation, RenameField):
        return {operation.field, operation.new}
    return {operation.field} if isinstance(operation, ConvertField | RemoveField) else set()


async def _at_once(database: Any, operations: Sequence[Operation]) -> None:
    driver = driver_for(database)
    for operation in operations:
        if not isinstance(operation, DataOperation):
            await apply(operation, Context(driver))
            continue
        source = Source(driver, operation.collection, {})
        for task in tasks_of(operation, source):
            await source.documents.update_many(task.filter, task.update, **dict(task.options))  # type: ignore[attr-defined]


async def _by_the_engine(database: Any, operations: Sequence[Operation]) -> None:
    driver = driver_for(database)
    for operation in operations:
        await apply(operation, Context(driver))
