"""Documents from one collection into another, functions over many documents, and documents that stand twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from asyncmig import Delete
from asyncmig.authoring.render import render
from asyncmig.data import duplicates
from asyncmig.data.source import Source
from asyncmig.errors import DeclarationError, IrreversibleOperation, OperationRefused, RevisionFailed
from asyncmig.events import DataProgress, Event
from asyncmig.operations import (
    Deduplicate,
    MergeInto,
    MoveDocuments,
    Operation,
    Pace,
    Tally,
    TransformBatches,
)
from asyncmig.operations.reversal import reverse
from asyncmig.running.env.env import Env

from ..clients import taking_turns
from ..running.applying_helpers import run
from ..running.history_files import History, states
from .standalone import opened

SMALL = Pace(batch_size=7)


@pytest.fixture(params=["replica set", "standalone"])
async def database(request: pytest.FixtureRequest, standalone: str, turn: Any) -> AsyncIterator[Any]:
    if request.param == "replica set":
        yield turn
        return
    async with opened(standalone, taking_turns(len(request.node.name))) as alone:
        yield alone


async def found(database: Any, name: str) -> list[Any]:
    return await database[name].find().sort("_id").to_list(None)


async def do(database: Any, operation: Any) -> Tally:
    return Tally.read((await run(database, operation))[0])


# -- merge and split ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pipeline", "when_matched", "expected"),
    [
        ([], "replace", {"_id": 3, "n": 3}),
        ([{"$match": {"n": {"$gte": 3}}}, {"$set": {"m": "$n"}}], "replace", {"_id": 3, "n": 3, "m": 3}),
        ([], "merge", {"_id": 3, "n": 3, "old": True}),
        ([], "keepExisting", {"_id": 3, "old": True}),
        ([{"$group": {"_id": 3, "n": {"$sum": "$n"}}}], "replace", {"_id": 3, "n": 190}),
    ],
)
async def test_merged(database: Any, pipeline: list[Any], when_matched: Any, expected: Any) -> None:
    await database["a"].insert_many([{"_id": key, "n": key} for key in range(20)])
    await database["b"].insert_one({"_id": 3, "old": True})
    wanted = MergeInto("b", "a", tuple(pipeline), when_matched=when_matched, pace=SMALL)
    for _ in range(2):
        assert await do(database, wanted) == Tally(20, 20)
        assert await database["b"].find_one({"_id": 3}) == expected


async def test_an_id_that_would_be_another_each_time_is_refused(database: Any) -> None:
    await database["a"].insert_one({"_id": 1, "n": 1})
    with pytest.raises(OperationRefused, match="have no _id"):
        await do(database, MergeInto("b", "a", ({"$project": {"_id": 0}},)))
    await database["b"].create_index("n", unique=True)
    for _ in range(2):
        await do(database, MergeInto("b", "a", ({"$project": {"_id": 0}},), "n", "merge"))
    assert await database["b"].count_documents({}) == 1


async def test_the_servers_no_names_the_document(database: Any) -> None:
    await database.create_collection("b", validator={"n": {"$ne": 5}})
    await database["a"].insert_many([{"_id": key, "n": key} for key in range(20)])
    with pytest.raises(OperationRefused, match="the document with _id 5"):
        await do(database, MergeInto("b", "a", pace=SMALL))
    collected = await do(database, MergeInto("b", "a", pace=SMALL, on_error="collect"))
    assert (collected.failed, collected.failed_ids) == (1, (5,))
    assert await database["b"].count_documents({}) == 19


# -- move ---------------------------------------------------------------------------------------------


async def test_moved_there_and_back(database: Any) -> None:
    rows = [{"_id": key, "n": key, "$odd": {"a.b": key}} for key in range(20)]
    await database["a"].insert_many(rows)
    wanted = MoveDocuments("a", {"n": {"$lt": 15}}, "b", pace=SMALL)
    assert await do(database, wanted) == Tally(15, deleted=15)
    assert (await found(database, "a"), await found(database, "b")) == (rows[15:], rows[:15])
    for step in reverse([wanted]):
        await do(database, step)
    assert (await found(database, "a"), await found(database, "b")) == (rows, [])


async def test_moved_by_a_pipeline(database: Any) -> None:
    await database["a"].insert_many([{"_id": key, "n": key} for key in range(20)])
    await do(database, MoveDocuments("a", {}, "b", ({"$set": {"m": {"$add": ["$n", 1]}}}, {"$unset": "n"}), pace=SMALL))
    assert await found(database, "b") == [{"_id": key, "m": key + 1} for key in range(20)]
    assert await found(database, "a") == []


@pytest.mark.parametrize(
    ("pipeline", "there", "message"),
    [
        ((), {"_id": 5, "other": True}, "the document with _id 5: .*another document with this _id is in b already"),
        (({"$set": {"_id": {"$add": ["$_id", 1]}}},), {"_id": "x"}, "one document for each, with the same _id"),
    ],
)
async def test_nothing_is_lost_where_it_cannot_be_moved(database: Any, pipeline: Any, there: Any, message: str) -> None:
    await database["a"].insert_many([{"_id": key, "n": key} for key in range(20)])
    await database["b"].insert_one(there)
    with pytest.raises(OperationRefused, match=message):
        await do(database, MoveDocuments("a", {}, "b", pipeline, pace=SMALL))
    both = await found(database, "a") + await found(database, "b")
    assert {one["_id"] for one in both if "n" in one} == set(range(20))
    assert there in both


async def test_what_a_writer_changes_between_the_copy_and_the_deletion_is_moved_as_it_is_then(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without transactions a deletion holds what was copied; in one the server finds the two at odds."""
    write, came = Source.write, list[bool]()

    async def meddling(source: Source, command: str, *arguments: Any) -> Any:
        if command == "delete" and not came:
            came.append(True)
            await database["a"].update_one({"_id": 3}, {"$set": {"n": "changed"}})
        return await write(source, command, *arguments)

    monkeypatch.setattr(Source, "write", meddling)
    await database["a"].insert_many([{"_id": key, "n": key} for key in range(20)])
    await do(database, MoveDocuments("a", {}, "b", pace=SMALL))
    assert came
    assert await found(database, "a") == []
    assert await found(database, "b") == [{"_id": key, "n": "changed" if key == 3 else key} for key in range(20)]


# -- a function over many documents -------------------------------------------------------------------


async def test_many_documents_by_one_call(database: Any) -> None:
    await database["c"].insert_many([{"_id": key, "n": 0} for key in range(20)])
    sizes: list[int] = []

    async def look_up(rows: list[dict[str, Any]]) -> list[Any]:
        sizes.append(len(rows))
        changes: list[Any] = [{"$set": {"n": 1}}, None, Delete]
        return [changes[row["_id"]] if row["_id"] < 3 else row | {"n": row["_id"]} for row in rows]

    tally = await do(database, TransformBatches("c", {}, look_up, pace=SMALL))
    assert (tally.matched, tally.deleted, max(sizes)) == (20, 1, 7)
    assert sum(sizes) in (20, 21)  # one that was left as it is has no mark, and is met again in the last round
    assert [one["n"] for one in await found(database, "c")] == [1, 0, *range(3, 20)]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda rows: [1 // (row["_id"] != 5) and row | {"n": 1} for row in rows], "_id 5: ZeroDivisionError"),
        (lambda rows: rows[:-1], "returned 0 of them: return a list as long"),
        (lambda rows: None, "returned 'NoneType'"),
        (lambda rows: [row if row["_id"] != 5 else 7 for row in rows], "_id 5: TypeError: the function returned 7"),
    ],
)
async def test_the_document_that_is_why_is_named(database: Any, function: Any, message: str) -> None:
    await database["c"].insert_many([{"_id": key, "n": 0} for key in range(20)])
    with pytest.raises(OperationRefused, match=message):
        await do(database, TransformBatches("c", {}, function, pace=SMALL))


# -- what stands twice --------------------------------------------------------------------------------

TWICE = [
    {"_id": 1, "a": 1, "at": 3},
    {"_id": 2, "a": 1, "at": 5},
    {"_id": 3, "a": 1, "at": 4},
    {"_id": 4, "a": None, "at": 1},
    {"_id": 5, "at": 2},
    {"_id": 6, "a": 2, "at": 1},
]


@pytest.mark.parametrize(
    ("keep", "left"), [((("at", -1),), [2, 5, 6]), ((("at", 1),), [1, 4, 6]), ((("_id", -1),), [3, 5, 6])]
)
async def test_one_of_each_is_kept(database: Any, keep: Any, left: list[int]) -> None:
    await database["c"].insert_many(TWICE)
    wanted = Deduplicate("c", ("a",), keep, "c_twice", pace=Pace(batch_size=2))
    assert await do(database, wanted) == Tally(3, deleted=3)
    assert [one["_id"] for one in await found(database, "c")] == left
    await database["c"].create_index("a", unique=True)
    assert await do(database, wanted) == Tally()
    await database["c"].drop_index("a_1")
    for step in wanted.reverse():
        await do(database, step)
    assert await found(database, "c") == TWICE
    assert await do(database, Deduplicate("c", ("a",), keep)) == Tally(3, deleted=3)


# -- by way of env ------------------------------------------------------------------------------------


async def test_what_a_writer_has_changed_since_stands_twice_no_more(
    database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Found superfluous, and changed before it goes: it is looked at again, and stays."""
    look = duplicates.superfluous

    async def meddling(*arguments: Any, **named: Any) -> Any:
        found = await look(*arguments, **named)
        if "among" not in named:
            await database["c"].update_one({"_id": 3}, {"$set": {"n": "another"}})
        return found

    monkeypatch.setattr(duplicates, "superfluous", meddling)
    await database["c"].insert_many([{"_id": key, "n": key // 2} for key in range(6)])
    tally = await do(database, Deduplicate("c", ("n",), (("_id", 1),), pace=SMALL))
    assert [one["_id"] for one in await found(database, "c")] == [0, 2, 3, 4]
    assert tally == Tally(3, deleted=2, skipped=1)


async def test_in_a_revision(database: Any, tmp_path: Path) -> None:
    """Stopped in the middle of each, and going on."""
    await database["orders"].insert_many(
        [{"_id": key, "lines": [{"sku": f"s{place}"} for place in range(key % 3)]} for key in range(30)]
    )
    history = History(tmp_path / "history")
    history.add(
        "r",
        "async def twice(rows): return [row | {'n': row.get('n', 0) + 1} for row in rows]\n"
        "await env.split_array('orders', 'lines', 'lines', document={'order': '$_id', 'sku': '$lines.sku'}, "
        "batch_size=7)\n"
        "await env.transform_batches('orders', {}, twice, batch_size=7)\n"
        "await env.merge_into('orders', [{'$set': {'copied': True}}], 'copies', batch_size=7)\n"
        "await env.deduplicate('lines', ['order'], keep='oldest:_id', keep_in='others', batch_size=7)\n"
        "await env.move_documents('orders', {'_id': {'$lt': 20}}, 'archive', batch_size=7)\n"
        "total = [row['n'] async for row in env.rows('archive', [{'$group': {'_id': None, 'n': {'$sum': 1}}}])]\n"
        "await env.insert_documents('totals', [{'_id': 1, 'n': total[0]}])",
    )
    stops = {"split": False, "transform": False, "merge": False, "move": False}

    def listen(event: Event) -> None:
        if isinstance(event, DataProgress) and 7 <= event.done < 20:
            for word in stops:
                if word in event.operation.describe() and not stops[word]:
                    stops[word] = True
                    raise RuntimeError(word)

    for _ in range(len(stops) + 1):
        try:
            await history.runner(database, on_event=listen).upgrade()
        except RevisionFailed:
            continue
        break
    assert await states(database) == {"r": "applied"}
    assert await database["archive"].count_documents({"n": 1}) == 20
    assert await database["orders"].count_documents({"n": 1}) == 10
    assert await database["copies"].count_documents({"copied": True, "n": 1}) == 30
    assert await database["lines"].count_documents({}) == 20
    assert await database["others"].count_documents({}) == 10
    assert await database["lines"].find_one({"order": 2}) == {
        "_id": {"of": 2, "position": 0},
        "order": 2,
        "sku": "s0",
    }
    assert await database["totals"].find_one() == {"_id": 1, "n": 20}


def twice(rows: list[Any]) -> list[Any]:
    return rows


CALLS: list[tuple[Any, Operation, str]] = [
    (
        lambda e: e.merge_into("a", [{"$match": {"x": 1}}], "b", on=["x"], when_matched="merge"),
        MergeInto("b", "a", ({"$match": {"x": 1}},), ("x",), "merge"),
        'await env.merge_into("a", [{"$match": {"x": 1}}], "b", on=["x"], when_matched="merge")',
    ),
    (
        lambda e: e.move_documents("a", {"x": 1}, "b", pipeline=[{"$unset": "y"}], batch_size=5),
        MoveDocuments("a", {"x": 1}, "b", ({"$unset": "y"},), pace=Pace(batch_size=5)),
        'await env.move_documents("a", {"x": 1}, "b", pipeline=[{"$unset": "y"}], batch_size=5)',
    ),
    (
        lambda e: e.transform_batches("a", {}, twice),
        TransformBatches("a", {}, twice),
        'await env.transform_batches("a", {}, twice)',
    ),
    (
        lambda e: e.deduplicate("a", ["x", "y.z"], keep="newest:at", keep_in="b"),
        Deduplicate("a", ("x", "y.z"), (("at", -1),), "b"),
        'await env.deduplicate("a", ["x", "y.z"], keep=[("at", -1)], keep_in="b")',
    ),
]


def env_of(performed: list[Operation]) -> Env:
    async def perform(operation: Operation) -> None:
        performed.append(operation)

    driver: Any = None
    return Env(driver, perform, collections=set())


@pytest.mark.parametrize(("call", "operation", "source"), CALLS, ids=[type(one).__name__ for _, one, _ in CALLS])
async def test_a_method_makes_its_operation_which_is_written_as_that_call(
    call: Any, operation: Operation, source: str
) -> None:
    performed: list[Operation] = []
    await call(env_of(performed))
    assert performed == [operation]
    assert list(render([operation]).lines) == [source]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda e: e.merge_into("a", [], "a"), "into is the source itself"),
        (lambda e: e.merge_into("a", [], "b", when_matched="fail"), "when_matched is one of"),
        (lambda e: e.merge_into("a", [], "b", on=[]), "on is a list of fields"),
        (lambda e: e.split_array("a", "", "b"), "field is a string"),
        (lambda e: e.move_documents("a", {}, "a"), "into is the source itself"),
        (lambda e: e.deduplicate("a", [], keep="newest:at"), "by is a list of fields"),
        (lambda e: e.deduplicate("a", ["x"], keep="at"), "keep is 'newest:field'"),
        (lambda e: e.deduplicate("a", ["x"], keep=[("at", 2)]), "keep is a list of pairs"),
        (lambda e: e.transform_batches("a", {}, 5), "function is a function"),
    ],
)
async def test_a_fault_is_told_before_anything_runs(call: Any, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        await call(env_of([]))


@pytest.mark.parametrize("operation", [MergeInto("b", "a"), Deduplicate("a", ("x",), (("at", 1),))], ids=repr)
def test_without_a_way_back(operation: Operation) -> None:
    with pytest.raises(IrreversibleOperation):
        operation.reverse()


async def test_rows_only_reads(database: Any, tmp_path: Path) -> None:
    await database["orders"].insert_one({"_id": 1})
    history = History(tmp_path / "history")
    for stage in ("{'$merge': {'into': NAME}}", "{'$out': NAME}"):
        history.add("r", f"NAME = '_'.join(['asyncmig', 'lock'])\nasync for row in env.rows('orders', [{stage}]): pass")
        with pytest.raises(RevisionFailed, match="rows only reads"):
            await history.runner(database).upgrade()
    assert [found["_id"] async for found in database["asyncmig_lock"].find()] == ["migration"]
