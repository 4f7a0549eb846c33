"""What the journal says is done is held against the server before a revision that goes on builds on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncmig.errors import RevisionFailed
from asyncmig.events import Event, OperationSkipped

from .history_files import History, states

BLOCKED = "await env.create_index('b', 'k', name='k', unique=True)"


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


@pytest.fixture
def database(turn: Any) -> Any:
    return turn


async def stopped(history: History, database: Any, up: str) -> None:
    """All of ``up`` is done, and something behind it is refused; then its cause is mended."""
    await database["b"].insert_many([{"_id": 1, "k": 1}, {"_id": 2, "k": 1}])
    history.add("r", f"{up}\n{BLOCKED}")
    with pytest.raises(RevisionFailed, match="create 1 index"):
        await history.runner(database).upgrade()
    await database["b"].delete_one({"_id": 2})


async def indexes(database: Any, name: str = "c") -> set[str]:
    return set(await database[name].index_information())


async def test_an_old_application_makes_the_old_index_again(history: History, database: Any) -> None:
    """The new one cannot be made beside it."""
    await database["c"].create_index([("a", 1)], name="old")
    await stopped(history, database, "await env.drop_index('c', 'old')\nawait env.create_index('c', 'x')")
    await database["c"].create_index([("a", 1)], name="old")
    history.add(
        "r",
        f"await env.drop_index('c', 'old')\nawait env.create_index('c', 'x')\n{BLOCKED}\n"
        "await env.create_index('c', 'a', name='new')",
    )
    await history.runner(database).upgrade()
    assert await indexes(database) == {"_id_", "new", "x_1"}


async def test_between_the_two_in_one_run(history: History, database: Any) -> None:
    """The new index cannot be made beside it; the next run drops the old one again, and gets further."""
    await database["c"].create_index([("a", 1)], name="old")
    history.add(
        "r",
        "await env.drop_index('c', 'old')\n"
        "if not await env.db.flags.find_one():\n"
        "    await env.db.flags.insert_one({})\n"
        "    await env.db.c.create_index([('a', 1)], name='old')\n"
        "await env.create_index('c', 'a', name='new')",
    )
    with pytest.raises(RevisionFailed, match="old"):
        await history.runner(database).upgrade()
    await history.runner(database).upgrade()
    assert await indexes(database) == {"_id_", "new"}


UNDONE = {
    "an index that was made": ("await env.create_index('c', 'x')", "c.drop_index:x_1", {"_id_", "x_1"}),
    "an index that was dropped": (
        "await env.create_index('c', 'x')\nawait env.create_index('c', 'y')\nawait env.drop_index('c', 'x_1')",
        "c.create_index:x",
        {"_id_", "y_1"},
    ),
    "a collection that was made": ("await env.create_collection('c')", "c.drop", {"_id_"}),
    "several": ("await env.create_collections([('c', {}, ['x']), ('d',)])", "c.drop", {"_id_", "x_1"}),
}


@pytest.mark.parametrize("case", UNDONE, ids=str)
async def test_what_somebody_has_undone_is_done_again(history: History, database: Any, case: str) -> None:
    up, undo, expected = UNDONE[case]
    await stopped(history, database, up)
    name, _, call = undo.partition(".")
    method, _, argument = call.partition(":")
    await getattr(database[name], method)(*([argument] if argument else []))
    await history.runner(database).upgrade()
    assert await indexes(database) == expected
    assert await states(database) == {"r": "applied"}


LEFT = {
    "made, and then renamed": (
        "await env.create_collection('tmp')\nawait env.rename_collection('tmp', 'c')",
        {"b", "c"},
    ),
    "made, and then dropped": ("await env.create_collection('tmp')\nawait env.drop_collection('tmp')", {"b"}),
    "renamed by a call of its own": (
        "await env.create_collection('tmp')\n"
        "if 'tmp' in await env.db.list_collection_names(): await env.db.tmp.rename('c')",
        {"b", "c"},
    ),
    "an index of a collection that was dropped": (
        "await env.create_index('tmp', 'x')\nawait env.drop_collection('tmp')",
        {"b"},
    ),
}


@pytest.mark.parametrize("case", LEFT, ids=str)
async def test_what_it_has_changed_itself_is_left(history: History, database: Any, case: str) -> None:
    up, expected = LEFT[case]
    await stopped(history, database, up)
    events: list[Event] = []
    await history.runner(database, events=events).upgrade()
    names = {one for one in await database.list_collection_names() if not one.startswith("asyncmig")}
    assert names == expected
    assert [type(event) for event in events].count(OperationSkipped) == up.count("await env.") - up.count(
        "await env.db"
    )


async def test_documents_written_since_are_not_dropped(history: History, database: Any) -> None:
    await database["c"].insert_one({"_id": 1})
    await stopped(history, database, "await env.drop_collection('c')")
    await database["c"].insert_one({"_id": 2})
    await history.runner(database).upgrade()
    assert [one["_id"] async for one in database["c"].find()] == [2]
