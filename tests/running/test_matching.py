"""A revision that runs again: which of its operations were done, whatever became of its arguments and its file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from asyncmig.drivers import driver_for
from asyncmig.errors import RevisionFailed
from asyncmig.events import Event, JournalDiverged, OperationEdited
from asyncmig.files.call_site import CallSites
from asyncmig.operations import DropIndex
from asyncmig.running.applying.apply import apply
from asyncmig.running.ledger.ledger import Ledger
from asyncmig.running.ledger.matching import Matching
from asyncmig.running.ledger.record import JournalEntry, Record

from .history_files import History, states

HEAD = """
from datetime import UTC, datetime
from uuid import uuid4
from bson import ObjectId
import itertools
"""
BLOCKED = "await env.create_index('b', 'k', name='k', unique=True)"
"""Refused until the documents of ``b`` have no ``k`` in common."""


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


@pytest.fixture
def database(turn: Any) -> Any:
    """The drivers take turns: there are many cases."""
    return turn


def told(events: list[Event], kind: type[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


async def record(database: Any) -> Record:
    found = await Ledger(driver_for(database)).record("r")
    assert found is not None
    return found


async def prepared(database: Any, count: int = 20) -> None:
    """Documents to count in, and what refuses ``BLOCKED``."""
    await database["a"].insert_many([{"_id": number, "n": 0, "at": number} for number in range(count)])
    await database["b"].insert_many([{"_id": 1, "k": 1}, {"_id": 2, "k": 1}])


async def counts(database: Any) -> dict[int, int]:
    found: dict[int, int] = {}
    async for one in database["a"].find():
        found[one["n"]] = found.get(one["n"], 0) + 1
    return found


async def stopped(history: History, database: Any, **options: Any) -> str:
    with pytest.raises(RevisionFailed) as caught:
        await history.runner(database, **options).upgrade()
    return str(caught.value)


# -- the file is as it was --------------------------------------------------------------------------

INC = "await env.update_in_batches('a', {filter}, {{'$inc': {{'n': 1}}}})"
COMPUTED = {
    "the time": (INC.format(filter="{'at': {'$lt': 100}, 'x': {'$ne': datetime.now(UTC)}}"), {1: 20}),
    "a uuid": (INC.format(filter="{'x': {'$ne': uuid4()}}"), {1: 20}),
    "an ObjectId": (INC.format(filter="{'x': {'$ne': ObjectId()}}"), {1: 20}),
    "the order of a set": (INC.format(filter="{'at': {'$in': next(ORDERS)}}"), {0: 17, 1: 3}),
    "a value that was read": (
        "last = await env.db.a.count_documents({'n': 0})\n" + INC.format(filter="{'at': {'$lt': last}}"),
        {1: 20},
    ),
    "an if": (
        "if await env.db.flags.find_one(): await env.create_collection('early')\n" + INC.format(filter="{}"),
        {1: 20},
    ),
    "an if before one of its kind": (
        "if await env.db.flags.find_one():\n    await env.update_in_batches('a', {}, {'$inc': {'m': 1}})\n"
        + INC.format(filter="{}"),
        {1: 20},
    ),
    "a loop over a set": (
        "for m in next(ORDERS):\n    await env.update_in_batches('a', {'at': m}, {'$inc': {'n': 1}})",
        {0: 17, 1: 3},
    ),
    "a loop with the time": (
        "for m in (1, 2):\n    await env.update_in_batches('a', {'x': {'$ne': datetime.now(UTC)}}, {'$inc': {'n': 1}})",
        {2: 20},
    ),
    "a function with the time": (
        "now = datetime.now(UTC)\n"
        "await env.transform_documents('a', {}, lambda one: one | {'n': one['n'] + 1, 'now': now})",
        {1: 20},
    ),
    "new ids": ("await env.insert_documents('a', [{'_id': ObjectId(), 'n': 5} for _ in range(3)])", {0: 20, 5: 3}),
    "twins": (f"{INC.format(filter='{}')}\n" * 2, {2: 20}),
    "two lambdas": (
        "".join(
            f"await env.transform_documents('a', {{}}, lambda one: one | {{'n': one['n'] + {n}}})\n" for n in (1, 2)
        ),
        {3: 20},
    ),
}


@pytest.mark.parametrize("body", COMPUTED, ids=str)
async def test_what_was_done_is_not_done_again(history: History, database: Any, body: str) -> None:
    """The next operation is refused, its cause is mended, and the file is as it was."""
    text, expected = COMPUTED[body]
    await prepared(database)
    await database["orders"].insert_one({"_id": 1, "order": [1, 2, 3]})
    text = text.replace("next(ORDERS)", "(await env.db.orders.find_one())['order']")
    history.add("r", f"{HEAD}\n{text}\n{BLOCKED}")
    await stopped(history, database)
    assert await counts(database) == expected
    await database["b"].delete_one({"_id": 2})
    await database["orders"].update_one({"_id": 1}, {"$set": {"order": [3, 1, 2]}})
    await database["flags"].insert_one({})
    events: list[Event] = []
    await history.runner(database, events=events).upgrade()
    assert await counts(database) == expected
    assert not told(events, JournalDiverged)
    assert not told(events, OperationEdited)
    assert await states(database) == {"r": "applied"}


READ = {
    "an index that was read": (
        "names = sorted(await env.db.c.index_information())\nawait env.drop_index('c', names[1])",
        {"_id_", "k_1", "z_1"},
    ),
    "an index of a set": (
        "keys = next(ORDERS)\nawait env.create_index('c', [(str(key), 1) for key in keys])",
        {"1_1_2_1_3_1"},
    ),
    "an index with the time in its name": (
        "await env.create_index('c', 'n', name=f'{datetime.now(UTC):n%H%M%S%f}')",
        {"n"},
    ),
    "documents that were read": (
        "first = [one['_id'] async for one in env.db.c.find().sort('_id', 1).limit(2)]\n"
        "await env.delete_documents('c', first)",
        {2, 3, 4, 5},
    ),
    "a name with the time": (
        "await env.rename_collection('c', f'{datetime.now(UTC):was%H%M%S%f}')",
        {"was"},
    ),
    "the next number": (
        "last = await env.db.c.count_documents({})\nawait env.insert_documents('c', [{'_id': last}])",
        {0, 1, 2, 3, 4, 5, 6},
    ),
}
"""What is done, and would be something else if it were done with other arguments."""
ADDED = "\nawait env.modify_collection('c', validationLevel='off')"


async def what_is_there(database: Any, expected: set[Any]) -> set[Any]:
    """Of the kind of what is expected: ids, names of indexes, or of collections."""
    if all(isinstance(one, int) for one in expected):
        return {one["_id"] async for one in database["c"].find()}
    if "was" in expected:
        return {name[:3] for name in await database.list_collection_names() if name.startswith("was")}
    indexes = set(await database["c"].index_information())
    if "_id_" in expected:
        return indexes
    return {"n" if name.startswith("n") else name for name in indexes - {"_id_", "a_1", "k_1", "z_1"}}


@pytest.mark.parametrize("is_edited", [False, True], ids=["same file", "edited behind it"])
@pytest.mark.parametrize("body", READ, ids=str)
async def test_what_is_done_is_not_done_with_other_arguments(
    history: History, database: Any, body: str, is_edited: bool
) -> None:
    text, expected = READ[body]
    await prepared(database)
    await database["c"].insert_many([{"_id": number} for number in range(6)])
    for key in "akz":
        await database["c"].create_index(key)
    await database["orders"].insert_one({"_id": 1, "order": [1, 2, 3]})
    text = text.replace("next(ORDERS)", "(await env.db.orders.find_one())['order']")
    history.add("r", f"{HEAD}\n{text}\n{BLOCKED}")
    await stopped(history, database)
    assert await what_is_there(database, expected) == expected
    names = set(await database.list_collection_names()), set(await database["c"].index_information())
    await database["b"].delete_one({"_id": 2})
    await database["orders"].update_one({"_id": 1}, {"$set": {"order": [3, 1, 2]}})
    if is_edited:
        history.add("r", f"{HEAD}\n{text}\n{BLOCKED}".replace("name='k'", "name='other'"))
    await history.runner(database).upgrade()
    assert await what_is_there(database, expected) == expected
    assert (set(await database.list_collection_names()), set(await database["c"].index_information())) == names


BEGUN = ("an index that was read", "documents that were read", "a name with the time", "the next number")


@pytest.mark.parametrize("is_sent", [False, True], ids=["not carried out", "carried out"])
@pytest.mark.parametrize("body", BEGUN)
async def test_what_was_begun_ends_with_the_arguments_of_its_beginning(
    history: History, database: Any, body: str, is_sent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops before or behind the command, and what is read then is something else."""
    text, expected = READ[body]
    await database["c"].insert_many([{"_id": number} for number in range(6)])
    for key in "akz":
        await database["c"].create_index(key)
    history.add("r", f"{HEAD}\n{text}")

    async def broken(*arguments: Any) -> Any:
        await (apply(*arguments) if is_sent else asyncio.sleep(0))
        raise RuntimeError("nobody knows how it ended")

    with monkeypatch.context() as patch:
        patch.setattr("asyncmig.running.executor.apply", broken)
        await stopped(history, database)
    if body == "the next number" and not is_sent:
        await database["c"].insert_one({"_id": 100})
        expected = {0, 1, 2, 3, 4, 5, 7, 100}
    await history.runner(database).upgrade()
    assert await what_is_there(database, expected) == expected


async def test_a_call_that_was_about_another_collection_is_refused(history: History, database: Any) -> None:
    await prepared(database)
    history.add("r", f"{HEAD}\nawait env.create_collection(f'{{datetime.now(UTC):x%H%M%S%f}}')\n{BLOCKED}")
    await stopped(history, database)
    names = await database.list_collection_names()
    await database["b"].delete_one({"_id": 2})
    assert "with other collections" in await stopped(history, database)
    assert sorted(await database.list_collection_names()) == sorted(names)


async def test_what_tasks_ask_for_is_not_one_call(history: History, database: Any) -> None:
    """A function that is started once for each of what is left to do asks at one line for several operations."""
    await prepared(database)
    await database["c"].insert_many([{"_id": number, "n": 0} for number in (1, 2, 3)])
    history.add(
        "r",
        "import asyncio\n"
        "async def one(number):\n"
        "    await env.update_in_batches('c', {'_id': number}, {'$inc': {'n': 1}})\n"
        f"    {BLOCKED}\n"
        "left = [found['_id'] async for found in env.db.c.find({'n': 0}).sort('_id', 1)][:2]\n"
        "async with asyncio.TaskGroup() as group:\n"
        "    for number in left[:1]: group.create_task(one(number))\n",
    )
    await stopped(history, database)
    await database["b"].delete_one({"_id": 2})
    assert "in a loop, with other arguments" in await stopped(history, database)
    assert [found["n"] async for found in database["c"].find().sort("_id", 1)] == [1, 0, 0]


HALF = {name: COMPUTED[name] for name in ("the time", "a uuid", "an if", "an if before one of its kind", "twins")} | {
    "a value that was read": (
        "last = 20 - 10 * await env.db.flags.count_documents({})\n"
        "await env.update_in_batches('a', {'at': {'$lt': last}}, {'$inc': {'n': 1}})",
        {1: 20},
    ),
    "a value that is written": (
        "value = (await env.db.flags.count_documents({})) + 1\n"
        "await env.update_in_batches('a', {}, {'$inc': {'n': value}})",
        {1: 20},
    ),
}


@pytest.mark.parametrize("body", HALF, ids=str)
async def test_what_was_half_done_ends_with_the_arguments_of_its_beginning(
    history: History, database: Any, body: str
) -> None:
    """A document that cannot be counted in stops it; it is mended, and the file is as it was."""
    text, expected = HALF[body]
    await prepared(database)
    await database["a"].update_one({"_id": 12}, {"$set": {"n": "none"}})
    history.add("r", f"{HEAD}\n{text}".replace("{'n': 1}})", "{'n': 1}}, batch_size=5)"))
    assert "_id 12" in await stopped(history, database)
    await database["a"].update_one({"_id": 12}, {"$set": {"n": 0}})
    await database["flags"].insert_one({})
    events: list[Event] = []
    await history.runner(database, events=events).upgrade()
    assert await counts(database) == expected
    assert not told(events, JournalDiverged)


async def test_half_inserted_with_new_ids(history: History, database: Any) -> None:
    """Two of them were inserted, then one was refused; the ids of the first run are kept."""
    await database.create_collection("a", validator={"n": {"$ne": 2}})
    history.add("r", f"{HEAD}\nawait env.insert_documents('a', [{{'_id': ObjectId(), 'n': n}} for n in range(4)])")
    await stopped(history, database)
    first = {one["n"]: one["_id"] async for one in database["a"].find()}
    assert first
    await database.command({"collMod": "a", "validator": {}})
    await history.runner(database).upgrade()
    found = [(one["n"], one["_id"]) async for one in database["a"].find().sort("n")]
    assert [n for n, _ in found] == [0, 1, 2, 3]
    assert {n: key for n, key in found if n in first} == first
    (inserted,) = [one.result for one in (await record(database)).journal]
    assert inserted is not None
    assert {one["_id"] for one in inserted["inserted"]} == {key for _, key in found}


async def test_what_was_inserted_before_the_refusal_is_taken_back(history: History, database: Any) -> None:
    await database.create_collection("a", validator={"n": {"$ne": 2}})
    rows = "[{'_id': n, 'n': n} for n in range(4)]"
    down = "await env.delete_documents('a', [0, 1, 2, 3], if_unchanged=True)"
    history.add("r", f"await env.insert_documents('a', {rows})", down)
    await stopped(history, database)
    assert await database["a"].count_documents({}) == 3
    await history.runner(database).downgrade("base")
    assert await database["a"].count_documents({}) == 0


async def test_another_number_of_new_ids_is_refused(history: History, database: Any) -> None:
    await database.create_collection("a", validator={"n": {"$ne": 2}})
    count = "await env.db.a.count_documents({}) + 4"
    rows = "[{'_id': ObjectId(), 'n': n} for n in range(count)]"
    history.add("r", f"{HEAD}\ncount = {count}\nawait env.insert_documents('a', {rows})")
    await stopped(history, database)
    assert "nobody can tell which of them are inserted" in await stopped(history, database)
    assert await database["a"].count_documents({}) == 3


# -- the file was edited ------------------------------------------------------------------------------

PLUS = "await env.transform_documents('a', {{}}, lambda one: one | {{'n': one['n'] + {0}}}, batch_size=5)"
INC_ALL = "await env.update_in_batches('a', {}, {'$inc': {'n': 1}}, batch_size=5)"

EDITED_DONE = {
    "an edit in front of twins": (f"{INC_ALL}\n{INC_ALL}", f"await env.create_collection('x')\n{INC_ALL}\n{INC_ALL}"),
    "an edit in front of two lambdas": (
        f"{PLUS.format(1)}\n{PLUS.format(1)}",
        f"await env.create_collection('x')\n{PLUS.format(1)}\n{PLUS.format(1)}",
    ),
    "an edit behind what is computed": (
        "await env.update_in_batches('a', {'x': {'$ne': datetime.now(UTC)}}, {'$inc': {'n': 2}})",
        "await env.update_in_batches('a', {'x': {'$ne': datetime.now(UTC)}}, {'$inc': {'n': 2}})\n"
        "await env.create_collection('x')",
    ),
    "a comment": (f"{INC_ALL}\n{PLUS.format(1)}", f"# why\n{INC_ALL}\n{PLUS.format(1)}"),
    "what was done in another order": (f"{INC_ALL}\n{PLUS.format(1)}", f"{PLUS.format(1)}\n{INC_ALL}"),
    "the batch size": (f"{INC_ALL}\n{INC_ALL}", f"{INC_ALL}\n{INC_ALL}".replace("size=5", "size=7")),
}


@pytest.mark.parametrize("edit", EDITED_DONE, ids=str)
async def test_what_was_done_before_an_edit_is_not_done_again(history: History, database: Any, edit: str) -> None:
    before, after = EDITED_DONE[edit]
    await prepared(database)
    history.add("r", f"{HEAD}\n{before}\n{BLOCKED}")
    await stopped(history, database)
    await database["b"].delete_one({"_id": 2})
    history.add("r", f"{HEAD}\n{after}\n{BLOCKED}")
    await history.runner(database).upgrade()
    assert await counts(database) == {2: 20}


async def test_one_more_of_the_same_is_done_once_more(history: History, database: Any) -> None:
    """Two alike, of which one was done: an entry of the journal is used up once."""
    await prepared(database)
    history.add("r", f"{INC_ALL}\n{BLOCKED}")
    await stopped(history, database)
    await database["b"].delete_one({"_id": 2})
    history.add("r", f"await env.create_collection('x')\n{INC_ALL}\n{INC_ALL}\n{BLOCKED}")
    await history.runner(database).upgrade()
    assert await counts(database) == {2: 20}


async def broken(database: Any) -> None:
    await prepared(database)
    await database["a"].update_one({"_id": 12}, {"$set": {"n": "none"}})


HALF_EDITED = {
    "its function": (
        PLUS.format(1),
        PLUS.format(1).replace("one['n'] + 1", "int(one['n']) + 1 if one['n'] != 'none' else 1"),
    ),
    "its filter": (INC_ALL, INC_ALL.replace("'a', {}", "'a', {'n': {'$type': 'number'}}")),
    "its update": (
        INC_ALL,
        INC_ALL.replace(
            "{'$inc': {'n': 1}}",
            "[{'$set': {'n': {'$add': [{'$convert': {'input': '$n', 'to': 'int', 'onError': 0}}, 1]}}}]",
        ),
    ),
    "its function, behind an edit": (
        f"await env.create_collection('y')\n{PLUS.format(1)}",
        "await env.create_collection('z')\n"
        + PLUS.format(1).replace("one['n'] + 1", "int(one['n']) + 1 if one['n'] != 'none' else 1"),
    ),
}


@pytest.mark.parametrize("edit", HALF_EDITED, ids=str)
async def test_half_done_and_edited_it_goes_on_and_says_so(history: History, database: Any, edit: str) -> None:
    before, after = HALF_EDITED[edit]
    await broken(database)
    history.add("r", before)
    assert "_id 12" in await stopped(history, database)
    former = await record(database)
    history.add("r", after)
    events: list[Event] = []
    await history.runner(database, events=events).upgrade()
    (edited,) = told(events, OperationEdited)
    assert (edited.is_done, edited.journalled) == (False, former.journal[-1].description)
    assert await counts(database) in ({1: 20}, {1: 19, "none": 1})
    found = await record(database)
    assert [one["checksum"] for one in found.former_sources] == [former.checksum]
    assert found.former_sources[0]["source"] == former.source != found.source


async def test_a_function_edited_when_it_was_done_is_not_called_again(history: History, database: Any) -> None:
    await prepared(database)
    history.add("r", f"{PLUS.format(1)}\n{BLOCKED}")
    await stopped(history, database)
    await database["b"].delete_one({"_id": 2})
    history.add("r", f"{PLUS.format(7)}\n{BLOCKED}")
    events: list[Event] = []
    await history.runner(database, events=events).upgrade()
    assert [one.is_done for one in told(events, OperationEdited)] == [True]
    assert await counts(database) == {1: 20}


UNKNOWN = {
    "arguments edited when it was done": (
        f"{INC_ALL}\n{BLOCKED}",
        f"{INC_ALL.replace('1}', '2}')}\n{BLOCKED}",
        "its arguments were edited since",
    ),
    "a loop in another order": (
        "for m in (await env.db.orders.find_one())['order']:\n"
        "    await env.update_in_batches('a', {'at': m}, {'$inc': {'n': 1}})\n"
        f"    {BLOCKED}",
        None,
        "in a loop, with other arguments",
    ),
}


@pytest.mark.parametrize("case", UNKNOWN, ids=str)
async def test_where_nobody_can_tell_it_is_refused(history: History, database: Any, case: str) -> None:
    before, after, why = UNKNOWN[case]
    await prepared(database)
    await database["orders"].insert_one({"_id": 1, "order": [1, 2]})
    history.add("r", before)
    await stopped(history, database)
    done = await counts(database)
    await database["b"].delete_one({"_id": 2})
    await database["orders"].update_one({"_id": 1}, {"$set": {"order": [2, 1]}})
    if after:
        history.add("r", after)
    assert why in await stopped(history, database)
    assert await counts(database) == done


def test_a_first_run_reads_no_source() -> None:
    """A file of thousands of operations would be searched for each of them."""

    def sites(entry: JournalEntry | None) -> CallSites:
        raise AssertionError("nothing is known of a former run")

    matching = Matching((), same_file=True, sites=sites)
    assert [matching.find(DropIndex("c", f"i_{n}"), str(n), n).how for n in (1, 2)] == ["new", "new"]


def test_functions_are_told_apart_by_where_they_are_called() -> None:
    source = """
async def once(env):
    await env.x()
async def often(env):
    await env.x()
async def upgrade(env):
    await once(env)
    for _ in range(2):
        await often(env)
    await env.x()
"""
    sites = CallSites(None, source)
    assert [sites.may_repeat(site) for site in ("3", "5", "7", "9", "10", "7>3")] == [
        False,
        True,
        False,
        True,
        False,
        False,
    ]
