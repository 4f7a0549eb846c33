"""``update_in_batches``: what it does to documents, whatever their ``_id``s, and which of them it covers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from bson import ObjectId

from asyncmig.data.progress import Advance, ProgressHooks
from asyncmig.drivers import driver_for
from asyncmig.operations import Pace, Tally, UpdateInBatches
from asyncmig.running.applying.apply import Context, apply

from ..running.applying_helpers import run
from .keys import KEYS

pytestmark = pytest.mark.servers

PLUS_ONE = {"$inc": {"n": 1}}


async def do(database: Any, filter_: Any, update: Any, size: int = 7, **options: Any) -> Tally:
    operation = UpdateInBatches("c", filter_, update, options, pace=Pace(batch_size=size))
    return Tally.read((await run(database, operation))[0])


async def filled(database: Any, keys: Any, **fields: Any) -> Any:
    await database["c"].insert_many([{"_id": key, "n": 0, **fields} for key in keys])
    return database["c"]


@pytest.mark.parametrize("size", [1, 2, 3, 10, 10_000])
async def test_ids_of_every_type_in_one_collection(turn: Any, size: int) -> None:
    documents = await filled(turn, KEYS)
    assert await do(turn, {}, PLUS_ONE, size) == Tally(len(KEYS), len(KEYS))
    assert await documents.count_documents({"n": 1}) == len(KEYS)


@pytest.mark.parametrize("key", KEYS, ids=repr)
async def test_a_single_document(turn: Any, key: Any) -> None:
    """The highest ``_id`` is what the last round begins behind: it must not be met again."""
    documents = await filled(turn, [key])
    assert await do(turn, {}, PLUS_ONE) == Tally(1, 1)
    assert await documents.count_documents({"n": 1}) == 1


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        ({"$set": {"n": 5}}, {"n": 5, "list": [1, 2, 3]}),
        ([{"$set": {"n": {"$size": "$list"}}}], {"n": 3, "list": [1, 2, 3]}),
        ([{"$replaceWith": {"_id": "$_id", "all": "$list"}}], {"all": [1, 2, 3]}),
        ({"$push": {"list": 4}}, {"n": 0, "list": [1, 2, 3, 4]}),
    ],
)
async def test_operators_and_pipelines(turn: Any, update: Any, expected: Any) -> None:
    documents = await filled(turn, range(20), list=[1, 2, 3])
    assert await do(turn, {}, update) == Tally(20, 20)
    assert await documents.find({}, {"_id": 0}).to_list(None) == [expected] * 20


@pytest.mark.parametrize(
    ("filter_", "update", "options", "changed"),
    [
        ({}, {"$set": {"list.$[big]": 0}}, {"arrayFilters": [{"big": {"$gt": 2}}]}, 20),
        ({"name": "ÄRA"}, {"$set": {"n": 1}}, {"collation": {"locale": "en", "strength": 1}}, 10),
        ({"name": "ÄRA"}, {"$set": {"n": 1}}, {}, 0),
        ({"name": "ära"}, {"$set": {"n": 1}}, {"hint": "name_1"}, 5),
        ({"name": "ära"}, {"$set": {"n": 1}}, {"hint": {"_id": 1}}, 5),
        pytest.param({}, [{"$set": {"n": "$$five"}}], {"let": {"five": 5}}, 20, marks=pytest.mark.servers(since="5.0")),
    ],
)
async def test_options(turn: Any, filter_: Any, update: Any, options: Any, changed: int) -> None:
    names = ["ära", "Ara", "bera", "Zebra"] * 5
    await turn["c"].insert_many([{"_id": n, "name": name, "n": 0, "list": [1, 2, 3]} for n, name in enumerate(names)])
    await turn["c"].create_index("name")
    assert (await do(turn, filter_, update, **options)).modified == changed


async def test_a_collation_that_orders_text_ids_another_way(database: Any) -> None:
    """Ranges of ``_id`` are compared under the collation, too: the walk keeps to one order all the way."""
    keys = [f"{letter}{number}" for number in range(12) for letter in "aAbBäÄz"] + list(range(10))
    documents = await filled(database, keys)
    collation = {"locale": "en", "strength": 1}
    assert await do(database, {}, PLUS_ONE, 5, collation=collation) == Tally(len(keys), len(keys))
    assert await documents.count_documents({"n": 1}) == len(keys)


async def test_a_collection_with_a_collation(database: Any) -> None:
    await database.create_collection("c", collation={"locale": "de", "strength": 3})
    documents = await filled(database, [f"{letter}{number}" for number in range(12) for letter in "aAbBäÄz"])
    assert await do(database, {}, PLUS_ONE, 5) == Tally(84, 84)
    assert await documents.count_documents({"n": 1}) == 84


@pytest.mark.parametrize(
    "options", [{"clusteredIndex": {"key": {"_id": 1}, "unique": True}}, {"capped": True, "size": 10**6}]
)
@pytest.mark.servers(since="6.0")  # below, a document in a capped collection may not grow
async def test_kinds_of_collections(turn: Any, options: Any) -> None:
    """A capped collection takes no part in transactions: documents are marked while it lasts."""
    await turn.create_collection("c", **options)
    documents = await filled(turn, range(50))
    assert await do(turn, {}, {"$inc": {"n": 1}}) == Tally(50, 50)
    assert await documents.find({}, {"_id": 0}).to_list(None) == [{"n": 1}] * 50


async def test_nothing_there_is_nothing_to_do(database: Any) -> None:
    assert await do(database, {}, PLUS_ONE) == Tally()
    assert await database.list_collection_names() == []
    await database.create_collection("c")
    assert await do(database, {}, PLUS_ONE) == Tally()
    await filled(database, range(10))
    assert await do(database, {"n": 9}, PLUS_ONE) == Tally()


async def test_what_needs_no_change_is_counted_as_skipped(database: Any) -> None:
    await filled(database, range(20))
    await database["c"].update_many({"_id": {"$lt": 5}}, {"$set": {"n": 3}})
    assert await do(database, {}, {"$set": {"n": 3}}) == Tally(20, 15, skipped=5)


@pytest.mark.parametrize("kept", [3, 40])
async def test_a_filter_that_few_documents_match(turn: Any, kept: int) -> None:
    documents = await filled(turn, range(400))
    assert await do(turn, {"_id": {"$lt": kept}}, PLUS_ONE) == Tally(kept, kept)
    assert await documents.count_documents({"n": 1}) == kept


class Meanwhile(ProgressHooks):
    """Does something once, when the operation has told of its first batch."""

    def __init__(self, database: Any, what: Callable[[], Awaitable[Any]]) -> None:
        super().__init__(driver_for(database))
        self._what: Callable[[], Awaitable[Any]] | None = what
        self.told: list[Advance] = []

    async def save(self, checkpoint: Any, session: Any) -> None:
        if (what := self._what) is not None and checkpoint["tally"]["matched"]:
            self._what = None
            await asyncio.ensure_future(what())

    def advanced(self, advance: Advance) -> None:
        self.told.append(advance)


async def with_arrivals(database: Any, filter_: Any, update: Any, *keys: Any) -> Any:
    """Twenty documents; those of ``keys`` come in after the first batch."""
    documents = await filled(database, range(0, 40, 2))

    async def insert() -> None:
        await documents.insert_many([{"_id": key, "n": 0} for key in keys])

    operation = UpdateInBatches("c", filter_, update, pace=Pace(batch_size=5))
    await apply(operation, Context(driver_for(database), progress=Meanwhile(database, insert)))
    return documents


AHEAD, BEHIND, ABOVE, LATER_KIND, EARLIER_KIND = 21, 3, 99, ObjectId(), None


@pytest.mark.parametrize("update", [{"$set": {"done": 1}}, {"$set": {"done": 1}, "$inc": {"n": 1}}])
async def test_what_matches_later_is_picked_up_wherever_it_is(database: Any, update: Any) -> None:
    """The update makes its filter false: what matches at the end is what has come since."""
    keys = AHEAD, BEHIND, ABOVE, LATER_KIND, EARLIER_KIND
    documents = await with_arrivals(database, {"done": {"$exists": False}}, update, *keys)
    assert await documents.count_documents({"done": 1, "n": update.get("$inc", {}).get("n", 0)}) == 25


@pytest.mark.parametrize("filter_", [{}, {"n": {"$lt": 5}}])
async def test_what_matches_all_the_same_is_not_done_twice(database: Any, filter_: Any) -> None:
    """The update leaves its filter true: only what lies above the highest ``_id`` at the start is surely new."""
    documents = await with_arrivals(database, filter_, PLUS_ONE, AHEAD, BEHIND, ABOVE, LATER_KIND, EARLIER_KIND)
    left = set(await documents.distinct("_id", {"n": 0}))
    assert left == {BEHIND, EARLIER_KIND}
    assert await documents.count_documents({"n": 1}) == 23


async def test_an_update_that_makes_its_filter_false_for_some_alone(database: Any) -> None:
    """n < 2, n + 1: the first batch does not match any more, later ones do, so nothing is met again."""
    await database["c"].insert_many([{"_id": key, "n": 1 if key < 10 else 0} for key in range(20)])
    await do(database, {"n": {"$lt": 2}}, PLUS_ONE, 5)
    assert await database["c"].count_documents({"_id": {"$lt": 10}, "n": 2}) == 10
    assert await database["c"].count_documents({"_id": {"$gte": 10}, "n": 1}) == 10


async def test_it_tells_how_far_it_is(database: Any) -> None:
    await filled(database, range(100))

    async def nothing() -> None: ...

    progress = Meanwhile(database, nothing)
    operation = UpdateInBatches("c", {}, PLUS_ONE, pace=Pace(batch_size=5, max_per_second=400))
    await apply(operation, Context(driver_for(database), progress=progress))
    assert [one.done for one in progress.told] == sorted(one.done for one in progress.told)
    assert len(progress.told) >= 2
    last = progress.told[-1]
    assert (last.done, last.total, last.remaining) == (100, 100, 0)
    assert all(one.rate > 0 for one in progress.told if one.total)
