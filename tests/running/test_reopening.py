"""Put back after half a downgrade: what must not be done twice is not, and what was undone is done again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncmig.errors import OperationRefused, RevisionFailed
from asyncmig.running.ledger.reopening import HalfReverted

from .history_files import History, states

UP = "await env.update_in_batches('c', {}, {'$inc': {'n': 1}}, batch_size=2)\n"
DOWN = "await env.update_in_batches('c', {}, {'$inc': {'n': -1}}, batch_size=2)\n"
MORE = "await env.update_in_batches('c', {}, {'$inc': {'n': 10}}, batch_size=2)\n"
LESS = "await env.update_in_batches('c', {}, {'$inc': {'n': -10}}, batch_size=2)\n"
INDEX, NO_INDEX = "await env.create_index('c', 'n')\n", "await env.drop_index('c', 'n_1')\n"
STOP = "1 / 0\n"
BEFORE = [0, 1, 2, 3, 4]
INVALID = 121  # DocumentValidationFailure


async def stopped(database: Any, history: History, up: str, down: str) -> None:
    """Up, and half-way down."""
    await database["c"].insert_many([{"_id": key, "n": key} for key in BEFORE])
    history.add("a", up, down)
    await history.runner(database).upgrade()
    with pytest.raises(RevisionFailed):
        await history.runner(database).downgrade("base")
    assert await states(database) == {"a": "failed"}


async def numbers(database: Any) -> list[int]:
    return [one["n"] for one in await database["c"].find().sort("_id").to_list(None)]


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


@pytest.mark.parametrize(
    ("up", "down", "added"),
    [
        pytest.param(UP + INDEX, NO_INDEX + STOP + DOWN, 1, id="it had not come to the documents"),
        pytest.param(UP + INDEX, NO_INDEX + DOWN + STOP, 1, id="it had undone them"),
        pytest.param(UP + MORE, LESS + DOWN + STOP, 11, id="both"),
        pytest.param(UP + MORE, STOP + LESS + DOWN, 11, id="neither"),
        pytest.param(UP, STOP + DOWN, 1, id="nothing at all"),
        pytest.param(
            UP + "await env.update_in_batches('d', {}, {'$inc': {'n': 1}})",
            "await env.update_in_batches('d', {}, {'$inc': {'n': -1}})\n" + STOP + DOWN,
            1,
            id="another collection",
        ),
        pytest.param(
            "await env.rename_field('c', 'm', 'k')\n" + UP, DOWN + STOP, 1, id="beside one that may be done twice"
        ),
    ],
)
async def test_each_document_once(history: History, database: Any, up: str, down: str, added: int) -> None:
    await stopped(database, history, up, down)
    await history.runner(database).upgrade()
    assert await numbers(database) == [key + added for key in BEFORE]
    history.add("a", up, down.replace(STOP, ""))
    await history.runner(database).downgrade("base")
    assert await numbers(database) == BEFORE


@pytest.mark.parametrize(
    ("up", "down", "named"),
    [
        pytest.param(UP + MORE, LESS + STOP + DOWN, "update.* c", id="one of two"),
        pytest.param(UP, "await env.db.c.update_many({}, {'$inc': {'n': -1}})\n" + STOP, "env.db", id="by hand"),
        pytest.param(
            "await env.insert_documents('c', [{'_id': 9, 'n': 9}])\n" + UP,
            "await env.delete_documents('c', [9])\n" + STOP + DOWN,
            "delete 1 document",
            id="documents that it had inserted",
        ),
    ],
)
async def test_where_nobody_knows_nothing_is_done(
    history: History, database: Any, up: str, down: str, named: str
) -> None:
    await stopped(database, history, up, down)
    found = await numbers(database)
    with pytest.raises(HalfReverted, match=f"a is half reverted.*of its downgrade, .*{named}.*asyncmig downgrade a-1`"):
        await history.runner(database).upgrade()
    assert await numbers(database) == found
    assert await states(database) == {"a": "failed"}
    history.add("a", up, down.replace(STOP, ""))
    await history.runner(database).downgrade("a-1")
    assert await states(database) == {}


async def test_undone_in_part(history: History, database: Any) -> None:
    """The downgrade is refused a document: it has undone those before it."""
    await stopped(database, history, UP, DOWN + STOP)
    await history.runner(database).upgrade()
    assert await numbers(database) == [key + 1 for key in BEFORE]
    validator = {"validator": {"n": {"$ne": 3}}}
    await database.command({"collMod": "c", **validator, "validationLevel": "strict"})
    with pytest.raises(RevisionFailed, match="_id 3") as caught:
        await history.runner(database).downgrade("base")
    assert isinstance(caught.value.__cause__, OperationRefused)
    assert caught.value.__cause__.code == INVALID
    with pytest.raises(HalfReverted):
        await history.runner(database).upgrade()
    await database.command({"collMod": "c", "validator": {}})
    history.add("a", UP, DOWN)
    await history.runner(database).downgrade("base")
    assert await numbers(database) == BEFORE


async def test_a_collection_that_was_dropped_is_made_and_filled_again(history: History, database: Any) -> None:
    made = "await env.create_collection('e')\nawait env.insert_documents('e', [{'_id': 1, 'n': 1}])\n"
    up = made + UP.replace("'c'", "'e'")
    await stopped(database, history, up, "await env.drop_collection('e')\n" + STOP)
    await history.runner(database).upgrade()
    assert await database["e"].find().to_list(None) == [{"_id": 1, "n": 2}]
