"""Half an upgrade, then a downgrade: its reverse goes to no document that the upgrade never came to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncmig.errors import RevisionFailed
from asyncmig.running.ledger.half_applied import HalfApplied

from .history_files import History, states

INC = "await env.update_in_batches('c', {}, {'$inc': {'n': 1}}, batch_size=2)\n"
DEC = "await env.update_in_batches('c', {}, {'$inc': {'n': -1}}, batch_size=2)\n"
BROKEN = 4
"""The _id of the document that stops the upgrade: four before it are done."""


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


async def half_applied(database: Any, history: History, up: str, down: str) -> list[Any]:
    documents: list[dict[str, Any]] = [{"_id": key, "n": key, "m": key} for key in range(8)]
    documents[BROKEN] |= {"n": "text", "m": {"of": "another type"}}
    await database["c"].insert_many(documents)
    if "'p'" in up:
        await database.create_collection("p")
    history.add("a", up, down)
    with pytest.raises(RevisionFailed, match=f"_id {BROKEN}"):
        await history.runner(database).upgrade()
    return await found(database)


async def found(database: Any) -> list[Any]:
    return await database["c"].find().sort("_id").to_list(None)


FUNCTION = "await env.transform_documents('c', {}, lambda one: one | {'n': one['n'] + 1}, batch_size=2)\n"
CONVERT = "await env.convert_field('c', 'm', to='string', from_='int', batch_size=2)\n"


@pytest.mark.parametrize(
    ("up", "down"),
    [
        pytest.param(INC, DEC, id="an update"),
        pytest.param(FUNCTION, DEC, id="a function"),
        pytest.param(INC, FUNCTION.replace("+ 1", "- 1"), id="undone by a function"),
        pytest.param(INC + "await env.create_index('c', 'x')", "await env.drop_index('c', 'x_1')\n" + DEC, id="behind"),
        pytest.param(INC, "await env.remove_field('c', 'm')", id="a field that goes"),
        pytest.param(INC, "await env.create_collection('d')\nawait env.drop_collection('d')\n" + DEC, id="another"),
        # What the upgrade has not come to yet is undone first: neither run could have gone on after that.
        pytest.param(
            "await env.rename_collection('p', 'q')\nawait env.create_collection('p')\n" + INC,
            DEC + "await env.drop_collection('p')\nawait env.rename_collection('q', 'p')",
            id="a rename that nothing has undone",
        ),
        pytest.param(
            INC + "await env.insert_documents('c', [{'_id': 8, 'n': 8}])",
            "await env.delete_documents('c', [8])\n" + DEC,
            id="its insert was not begun",
        ),
        pytest.param(
            INC + "await env.rename_collection('c', 'd')\nawait env.rename_collection('d', 'c')",
            "await env.rename_collection('c', 'd')\nawait env.rename_collection('d', 'c')\n" + DEC,
            id="its rename was not begun",
        ),
    ],
)
async def test_refused_and_then_finished_first(history: History, database: Any, up: str, down: str) -> None:
    half = await half_applied(database, history, up, down)
    assert sum(one["n"] == one["_id"] + 1 for one in half if one["_id"] != BROKEN) == BROKEN
    with pytest.raises(RevisionFailed, match=r"half applied: `.* c.*` has changed some documents") as caught:
        await history.runner(database).downgrade("base")
    assert "asyncmig upgrade a" in str(caught.value)
    assert await found(database) == half
    await database["c"].update_one({"_id": BROKEN}, {"$set": {"n": BROKEN, "m": BROKEN}})
    await history.runner(database).upgrade()
    assert [one["n"] for one in await found(database)][:8] == list(range(1, 9))
    await history.runner(database).downgrade("base")
    assert await states(database) == {}


@pytest.mark.parametrize(
    ("up", "down", "left"),
    [
        pytest.param(INC, "await env.drop_collection('c')\n" + DEC, 0, id="dropped before"),
        pytest.param(INC, "await env.create_index('d', 'x')\n" + DEC.replace("'c'", "'d'"), 8, id="another collection"),
        pytest.param(INC, "await env.create_collection('e')", 8, id="its documents are left"),
    ],
)
async def test_allowed(history: History, database: Any, up: str, down: str, left: int) -> None:
    half = await half_applied(database, history, up, down)
    await history.runner(database).downgrade("base")
    assert await found(database) == half[:left]


async def test_a_field_that_is_only_found_where_it_was_changed_goes_back(history: History, database: Any) -> None:
    await database["c"].insert_many([{"_id": key, "a": key} for key in range(8)])
    await database["c"].update_one({"_id": BROKEN}, {"$set": {"b": "both"}})
    before = await found(database)
    history.add(
        "a",
        "await env.rename_field('c', 'a', 'b', batch_size=2)",
        "await env.rename_field('c', 'b', 'a', on_conflict='keep')",
    )
    with pytest.raises(RevisionFailed, match=f"_id {BROKEN}"):
        await history.runner(database).upgrade()
    await history.runner(database).downgrade("base")
    after = await found(database)
    assert [one["a"] for one in after] == [one["a"] for one in before]


async def test_nothing_of_it_was_done(history: History, database: Any) -> None:
    await database["c"].insert_one({"_id": 1, "n": "text"})
    history.add("a", INC, DEC)
    with pytest.raises(RevisionFailed, match="_id 1"):
        await history.runner(database).upgrade()
    await history.runner(database).downgrade("base")
    assert await states(database) == {}


# -- one change is done, and another was not begun -----------------------------------------------

MORE, LESS = (line.replace("'n'", "'m'") for line in (INC, DEC))
SPLIT = "await env.transform_documents('c', {}, lambda one: one | {'n': one['n'] + 1})\n"
REFUSED = "await env.create_index('c', 'k', name='k', unique=True)\n"


async def stopped(database: Any, history: History, up: str, down: str) -> list[Any]:
    """Before the second of two changes, where nothing can tell the two apart but the file; its cause is mended."""
    await database["c"].insert_many([{"_id": key, "n": key, "m": key, "k": 1} for key in range(4)])
    history.add("a", up, down)
    with pytest.raises(RevisionFailed, match="create 1 index"):
        await history.runner(database).upgrade()
    await database["c"].update_many({}, [{"$set": {"k": "$_id"}}])
    return await found(database)


PAIRS = {
    "two fields": (INC + REFUSED + MORE, LESS + DEC),
    "one field": (INC + REFUSED + INC, DEC + DEC),
    "only one has a way back": ("await env.remove_field('c', 'x')\n" + REFUSED + SPLIT, DEC),
    "a drop of the index before": (INC + REFUSED + MORE, "await env.drop_index('c', 'k')\n" + LESS + DEC),
    "a name that is computed": (INC + REFUSED + MORE, (LESS + DEC).replace("'c'", "'C'.lower()")),
    "documents": (
        INC + REFUSED + "await env.insert_documents('c', [{'_id': 9, 'n': 1, 'm': 1}])",
        "await env.delete_documents('c', [9])\n" + DEC,
    ),
}


@pytest.mark.parametrize("case", PAIRS)
async def test_one_is_done_and_one_was_not_begun(history: History, database: Any, case: str) -> None:
    """Nothing is done; and the upgrade gets to its end, each once."""
    up, down = PAIRS[case]
    half = await stopped(database, history, up, down)
    with pytest.raises(
        (HalfApplied, RevisionFailed), match=r"a is half applied: .* in line 1\d of .*a.py was not begun"
    ) as caught:
        await history.runner(database).downgrade("base")
    assert "asyncmig upgrade a" in str(caught.value)
    assert await found(database) == half
    await history.runner(database).upgrade()
    await history.runner(database).downgrade("base")
    assert [one["n"] for one in await found(database)] == list(range(4))
    assert await states(database) == {}


async def test_the_other_ways_out(history: History, database: Any) -> None:
    """What was not begun is taken out of the file, and what would undo it."""
    await stopped(database, history, INC + REFUSED + MORE, LESS + DEC)
    history.add("a", INC + REFUSED, "await env.drop_index('c', 'k')\n" + DEC)
    await history.runner(database).downgrade("base")
    assert [(one["n"], one["m"]) for one in await found(database)] == [(key, key) for key in range(4)]
    assert await states(database) == {}


async def test_put_right_by_hand(history: History, database: Any) -> None:
    await stopped(database, history, INC + REFUSED + MORE, LESS + DEC)
    await database["c"].update_many({}, {"$inc": {"n": -1}})
    await history.runner(database).stamp("base")
    await history.runner(database).upgrade()
    assert [(one["n"], one["m"]) for one in await found(database)] == [(key + 1, key + 1) for key in range(4)]


async def test_all_changes_of_documents_are_done(history: History, database: Any) -> None:
    await stopped(database, history, INC + MORE + REFUSED, "await env.drop_index('c', 'k')\n" + LESS + DEC)
    await history.runner(database).downgrade("base")
    assert [(one["n"], one["m"]) for one in await found(database)] == [(key, key) for key in range(4)]


async def test_a_collection_that_moves_away_twice(history: History, database: Any) -> None:
    """Stopped before the second: the downgrade takes back the first, and half-way the upgrade goes on."""
    up = (
        "await env.rename_collection('p', 'q1')\nawait env.create_collection('p')\n"
        "await env.rename_collection('p', 'q2')\nawait env.create_collection('p')\n"
    )
    down = (
        "await env.drop_collection('p')\nawait env.rename_collection('q2', 'p')\n"
        "await env.drop_collection('p')\nawait env.rename_collection('q1', 'p')\n"
    )
    for stop, goes in (
        (down, "downgrade"),
        (down[: down.index("await env.rename_collection('q1'")] + "1 / 0", "upgrade"),
    ):
        await database["p"].insert_one({"_id": 1})
        history.add("a", up.replace("await env.rename_collection('p', 'q2')", "1 / 0"), stop)
        with pytest.raises(RevisionFailed):
            await history.runner(database).upgrade()
        history.add("a", up, stop)
        if goes == "upgrade":
            with pytest.raises(RevisionFailed):
                await history.runner(database).downgrade("base")
            await history.runner(database).upgrade()
            history.add("a", up, down)
        await history.runner(database).downgrade("base")
        names = {name for name in await database.list_collection_names() if not name.startswith("asyncmig")}
        assert (names, await database["p"].find().to_list(None)) == ({"p"}, [{"_id": 1}])
        await database["p"].drop()
