"""A downgrade never drops what its revision did not create."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from asyncmig import Migrator
from asyncmig.events import OperationFinished, OperationSkipped

FILE = '''"""r"""
from asyncmig import Index

revision = "r001"
down_revision = None


async def upgrade(env):
    {up}


async def downgrade(env):
    {down}
'''

CASES: dict[str, tuple[str, str, set[str]]] = {
    "a collection": (
        'await env.create_collection("old")\n    await env.create_collection("new")',
        'await env.drop_collection("new")\n    await env.drop_collection("old")',
        {"old", "old.a_1"},
    ),
    "several": (
        'await env.create_collections([("old", {}, [Index("a"), Index("b")]), ("new", {}, [])])',
        'await env.drop_collection("new")\n    await env.drop_collection("old")',
        {"old", "old.a_1", "old.b_1"},
    ),
    "an index": (
        'await env.create_indexes("old", [Index("a"), Index("b")])',
        'await env.drop_index("old", "b_1")\n    await env.drop_index("old", "a_1")',
        {"old", "old.a_1"},
    ),
    "a view": (
        'await env.create_view("seen", "old", [])\n    await env.create_view("shown", "old", [])',
        'await env.drop_view("shown")\n    await env.drop_view("seen")',
        {"old", "old.a_1", "seen"},
    ),
}


async def there(database: Any) -> set[str]:
    found = set()
    async for one in await listed(database):
        if one["name"].startswith(("asyncmig", "system.")):
            continue
        found.add(one["name"])
        if one["type"] == "collection":
            indexes = await database[one["name"]].index_information()
            found |= {f"{one['name']}.{name}" for name in indexes if name != "_id_"}
    return found


async def listed(database: Any) -> Any:
    import inspect

    cursor = database.list_collections()
    return await cursor if inspect.isawaitable(cursor) else cursor


@pytest.mark.parametrize("case", CASES)
async def test_what_was_there_stays(database: Any, tmp_path: Path, case: str) -> None:
    up, down, left = CASES[case]
    (tmp_path / "versions").mkdir()
    (tmp_path / "versions" / "r001.py").write_text(FILE.format(up=up, down=down))
    await database.old.create_index("a")
    await database.old.insert_one({"_id": 1})
    if case == "a view":
        await database.command("create", "seen", viewOn="old", pipeline=[])
    events: list[Any] = []
    migrator = Migrator(database, tmp_path, on_event=events.append)
    await migrator.upgrade()
    assert any((one.result or {}).get("existed") for one in events if isinstance(one, OperationFinished))
    await migrator.downgrade("base")
    assert await there(database) == left
    assert await database.old.count_documents({}) == 1
    skipped = [one for one in events if isinstance(one, OperationSkipped)]
    assert {one.reason for one in skipped} == {"it was there before this revision, and stays"}


async def test_what_a_crash_left_is_the_revisions_own(database: Any, tmp_path: Path) -> None:
    """The first run creates and stops; the second finds it there, and the downgrade drops it all the same."""
    (tmp_path / "versions").mkdir()
    path = tmp_path / "versions" / "r001.py"
    up = 'await env.create_collection("new")\n    await env.create_index("new", "a")\n    raise ValueError("stop")'
    path.write_text(FILE.format(up=up, down='await env.drop_collection("new")'))
    migrator = Migrator(database, tmp_path)
    with pytest.raises(Exception, match="stop"):
        await migrator.upgrade()
    await database.asyncmig_revisions.update_one(
        {"_id": "r001"}, {"$unset": {"journal.0.finished_at": "", "journal.0.result": ""}}
    )  # as a kill between the command and the journal leaves it
    path.write_text(path.read_text().replace('\n    raise ValueError("stop")', ""))
    await migrator.upgrade()
    await migrator.downgrade("base")
    assert await there(database) == set()
