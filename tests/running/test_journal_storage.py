"""What grows without bound stands beside the record: many operations, many documents, long names, many events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bson
import pytest

from asyncmig.drivers import driver_for
from asyncmig.errors import RevisionFailed
from asyncmig.running.ledger.ledger import Ledger
from asyncmig.running.ledger.record import Record
from asyncmig.running.shape import NewerRecord

from .history_files import History, states

MANY = (
    "for n in range({}):\n    await env.create_collection(f'c{{n}}') if n % 5 == 0 else await env.drop_view(f'v{{n}}')"
)
RECORD_BYTES = 12_000  # a record with a full window, whatever its revision has done
KEPT = 10  # entries in the record, instead of a hundred: what moves on moves sooner


@pytest.fixture(autouse=True)
def small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("ledger", "journal"):
        monkeypatch.setattr(f"asyncmig.running.ledger.{module}.MAX_ENTRIES_IN_RECORD", KEPT)


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history")


async def whole(database: Any, revision: str = "a") -> Record:
    found = await Ledger(driver_for(database)).record(revision)
    assert found is not None
    return found


async def stored(database: Any, revision: str = "a") -> dict[str, Any]:
    found: dict[str, Any] = await database["asyncmig_revisions"].find_one({"_id": revision})
    return found


async def test_many_operations_leave_a_small_record(history: History, database: Any) -> None:
    history.add("a", MANY.format(45), "await env.drop_collection('c0')")
    await history.runner(database).upgrade()
    record = await whole(database)
    assert [entry.number for entry in record.journal] == list(range(1, 46))
    assert all(entry.is_finished for entry in record.journal)
    document = await stored(database)
    assert len(document["journal"]) <= KEPT + 2
    assert len(bson.encode(document)) < RECORD_BYTES
    await history.runner(database).downgrade("base")
    assert await states(database) == {}


async def test_half_of_many_operations_is_gone_on_with_and_undone(history: History, database: Any) -> None:
    """Skipped are those whose entries stand elsewhere, too; and so it is after half a downgrade."""
    up = MANY.format(25) + "\n"
    history.add("a", f"{up}    if n == 22: raise ValueError('no')", "await env.drop_collection('c0')\nraise ValueError")
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    assert (await whole(database)).finished == 23
    history.add("a", up, f"{up.replace('create_collection', 'drop_collection')}    if n == 22: raise ValueError('no')")
    events: list[Any] = []
    await history.runner(database, events=events).upgrade()
    assert [type(event).__name__ for event in events].count("OperationSkipped") == 23
    with pytest.raises(RevisionFailed):
        await history.runner(database).downgrade("base")
    record = await whole(database)
    assert (len(record.journal), len(record.undo), record.finished) == (25, 23, 23)
    history.add("a", up, up.replace("create_collection", "drop_collection"))
    await history.runner(database).upgrade()
    record = await whole(database)
    assert (record.state, len(record.journal), len(record.undo)) == ("applied", 25, 0)
    assert all(entry.is_finished for entry in record.journal)
    await history.runner(database).downgrade("base")
    assert await states(database) == {}
    assert not [name for name in await database.list_collection_names() if name.startswith("c")]


async def test_an_edit_behind_many_operations(history: History, database: Any) -> None:
    up = "for n in range(25):\n    await env.drop_view(f'v{n}')\n"
    history.add("a", f"{up}raise ValueError('no')")
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    history.add("a", up.replace("f'v{n}'", "('w' if n >= 6 else 'v') + str(n)"))
    await history.runner(database).upgrade()
    record = await whole(database)
    assert [entry.collection for entry in record.journal] == [f"{'w' if n >= 6 else 'v'}{n}" for n in range(25)]
    assert [entry.collection for entry in record.superseded] == [f"v{n}" for n in range(6, 25)]


async def test_many_documents_are_inserted_in_batches(history: History, database: Any) -> None:
    """Killed between two batches, the others follow; the ``_id``s stand in the journal, and only ours are deleted."""
    ids = "[{'_id': n, 'n': n} for n in range(2500)]"
    history.add(
        "a",
        f"await env.insert_documents('c', {ids})",
        "await env.delete_documents('c', list(range(2500)), if_unchanged=True)",
    )
    await database["c"].insert_many([{"_id": 7, "n": "another's"}, {"_id": 2100, "n": "another's"}])
    await database.create_collection(
        "asyncmig_revisions_journal", validator={"_id": {"$not": {"$regex": "/000000002$"}}}
    )
    with pytest.raises(RevisionFailed):  # at the note of the third batch
        await history.runner(database).upgrade()
    assert await database["c"].count_documents({}) == 2001
    await database["c"].delete_one({"_id": 5})  # by the application, after its batch was done
    await database.command("collMod", "asyncmig_revisions_journal", validator={})
    await history.runner(database).upgrade()
    assert await database["c"].count_documents({}) == 2499
    (entry,) = (await whole(database)).journal
    assert entry.result is not None
    assert (entry.result["count"], entry.result["present"], len(entry.result["inserted"])) == (2498, 2, 2498)
    assert len(bson.encode(await stored(database))) < 10_000
    await history.runner(database).downgrade("base")
    assert {one["_id"] async for one in database["c"].find()} == {7, 2100}


async def test_an_index_name_of_a_megabyte(history: History, database: Any) -> None:
    name = "x" * 1_000_000
    history.add(
        "a",
        "await env.create_index('c', 'n', name='x' * 1_000_000)\nraise ValueError('no')",
        "await env.drop_index('c', 'x' * 1_000_000)",
    )
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    assert len(bson.encode(await stored(database))) < 10_000
    assert name in {one["name"] async for one in await _cursor(database["c"].list_indexes())}
    await history.runner(database).downgrade("base")
    assert name not in {one["name"] async for one in await _cursor(database["c"].list_indexes())}


async def _cursor(cursor: Any) -> Any:
    return await cursor if hasattr(cursor, "__await__") else cursor


async def test_a_ledger_of_the_format_before(history: History, database: Any) -> None:
    """Lists of entries, with the gaps that operations at once have left in them: converted where it is gone on with."""
    history.add(
        "a", "await env.create_collection('x')\nawait env.create_collection('y')", "await env.drop_collection('x')"
    )
    await history.runner(database).upgrade()
    done = await stored(database)
    entries = [{**entry, "finished_at": None} for entry in done["journal"].values()]
    old = {name: value for name, value in done.items() if name not in ("format", "archive")}
    await database["asyncmig_revisions"].replace_one(
        {"_id": "a"}, {**old, "state": "upgrading", "journal": [None, entries[1]]}
    )
    await database["x"].drop()
    record = await whole(database)
    assert (record.format, [entry.number for entry in record.journal]) == (1, [2])
    await history.runner(database).upgrade()
    document = await stored(database)
    assert document["format"] == 2
    assert {entry["collection"] for entry in document["journal"].values()} == {"x", "y"}
    assert {"x", "y"} <= set(await database.list_collection_names())


async def test_a_newer_format_is_refused_by_all(history: History, database: Any) -> None:
    history.add("a", "await env.create_collection('x')")
    await history.runner(database).upgrade()
    await database["asyncmig_revisions"].update_one({"_id": "a"}, {"$set": {"format": 3}})
    ledger = Ledger(driver_for(database))
    for reading in (ledger.marks, ledger.summaries, ledger.records):
        with pytest.raises(NewerRecord, match="the format 3, and this asyncmig knows formats up to 2"):
            await reading()


async def test_operations_at_once_that_are_written_down_in_another_order(history: History, database: Any) -> None:
    """The first is refused before it begins, the second is done: the gap between them says "not begun"."""
    up = (
        "await asyncio.gather(env.update_in_batches('c', {{}}, {{'${}': {{'n': 1}}}}), env.create_collection('x'), "
        "env.drop_view('v'), return_exceptions=False)"
    )
    history.add("a", up.format("no"), "await env.drop_collection('x')")
    with pytest.raises(RevisionFailed):
        await history.runner(database).upgrade()
    record = await whole(database)
    assert 1 not in {entry.number for entry in record.journal}
    history.add("a", up.format("set"), "await env.drop_collection('x')")
    await history.runner(database).upgrade()
    record = await whole(database)
    assert (record.state, [entry.number for entry in record.journal]) == ("applied", [1, 2, 3])
    await history.runner(database).downgrade("base")
    assert await states(database) == {}
