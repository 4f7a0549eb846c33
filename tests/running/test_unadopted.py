"""A database that was there before its baseline: nothing runs on it, and every door says why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import asyncmig
from asyncmig import Migrator
from asyncmig.errors import NotAdopted, PendingRevisions
from asyncmig.files.created import created_collections

BASELINE = '''"""baseline"""
revision = "b001"
down_revision = None
baseline = True


async def upgrade(env):
    await env.create_collection("user")
    await env.create_index("user", "email")


async def downgrade(env):
    pass
'''
NEXT = (
    BASELINE.replace('"user"', '"post"')
    .replace("b001", "b002")
    .replace("= None", '= "b001"')
    .replace("baseline = True\n", "")
    .replace("    pass", '    await env.drop_collection("post")')
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "b001_baseline.py").write_text(BASELINE)
    (versions / "b002_next.py").write_text(NEXT)
    return versions.parent


@pytest.mark.parametrize("policy", ["upgrade", "check", "wait"])
async def test_nothing_runs_on_it(database: Any, folder: Path, policy: Any) -> None:
    await database.create_collection("user")
    await database.user.insert_one({"_id": 1})
    migrator = Migrator(database, folder)
    with pytest.raises(NotAdopted, match="asyncmig adopt"):
        await migrator.upgrade()
    with pytest.raises(NotAdopted):
        await migrator.check()
    with pytest.raises(NotAdopted):
        await asyncmig.startup(database, policy, directory=folder)
    assert await database.list_collection_names() == ["user"]
    assert await database.user.count_documents({}) == 1


async def test_a_new_database_runs_the_baseline_and_cannot_go_below_it(database: Any, folder: Path) -> None:
    await database.create_collection("unrelated")
    migrator = Migrator(database, folder)
    assert [one.revision for one in await migrator.upgrade()] == ["b001", "b002"]
    with pytest.raises(asyncmig.errors.AsyncmigError, match="The lowest target is b001"):
        await migrator.downgrade("base")
    assert await migrator.current() == ("b002",)
    await migrator.downgrade("b001")
    assert set(await database.list_collection_names()) >= {"unrelated", "user"}


async def test_a_stamped_one_goes_on(database: Any, folder: Path) -> None:
    await database.create_collection("user")
    migrator = Migrator(database, folder)
    await migrator.stamp("b001")
    with pytest.raises(PendingRevisions):
        await migrator.check()
    assert [one.revision for one in await migrator.upgrade()] == ["b002"]


CALLS = [
    ('await env.create_collection("a")', {"a"}),
    ('await env.create_view("v", "a", [])', {"v"}),
    ('await env.create_collections([("a", {}, []), ("b", {"capped": True}, [])])', {"a", "b"}),
    ('await env.create_collection("a")\n    await env.rename_collection("a", "b")', {"b"}),
    ('await env.create_collection("a")\n    await env.drop_collection("a")', set()),
    ("await env.create_collection(name)", set()),
    ('if "x" in env.collections:\n        await env.create_collection("a", validator={"b": "c"})', {"a"}),
    ('await env.db.create_collection("a")', {"a"}),
]


@pytest.mark.parametrize(("calls", "names"), CALLS)
def test_what_a_text_creates(calls: str, names: set[str]) -> None:
    source = (
        f'async def upgrade(env):\n    {calls}\n\nasync def downgrade(env):\n    await env.create_collection("no")\n'
    )
    assert created_collections(source) == names
    assert created_collections("def (") == frozenset()
