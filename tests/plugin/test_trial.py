"""What each ready-made test finds wrong with a history, and what it is content with."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from asyncmig import Collection, Index, Migrator
from asyncmig.errors import AsyncmigError
from asyncmig.history.errors import MultipleHeads
from asyncmig.testing.history_checks import Faulty, HistoryChecks
from asyncmig.testing.published import edited_since_published

from ..clients import DRIVERS

HEADER = 'from asyncmig import Index\nrevision = "{name}"\ndown_revision = {parent}\n'


class Wallet(Collection):
    __collection_name__ = "wallet"
    __indexes__ = [Index("uid", unique=True)]


class History:
    """Revision files, good ones unless told otherwise, and trials of them."""

    def __init__(self, folder: Path, client: Any) -> None:
        self.folder, self._client = folder, client
        self._databases: list[Any] = []
        (folder / "versions").mkdir(parents=True)

    def add(self, name: str, up: str, down: str, parent: str | None = None, extra: str = "") -> None:
        body = f"async def upgrade(env):\n    {up}\n\nasync def downgrade(env):\n    {down}\n"
        text = HEADER.format(name=name, parent=repr(parent)) + extra + "\n\n" + body
        (self.folder / "versions" / f"{name}_step.py").write_text(text)

    def good(self) -> History:
        self.add("a001", 'await env.create_collection("wallet")', 'await env.drop_collection("wallet")')
        index = 'await env.create_indexes("wallet", [Index("uid", unique=True)])'
        self.add("a002", index, 'await env.drop_index("wallet", "uid_1")', "a001")
        insert = 'await env.insert_documents("coin", [{"_id": 1}, {"_id": 2}])'
        self.add("a003", insert, 'await env.drop_collection("coin")', "a002")
        return self

    def history_checks(self, models: Any = (Wallet,), **options: Any) -> HistoryChecks:
        return HistoryChecks(self._fresh, lambda db, tell: Migrator(db, self.folder, models, on_event=tell), **options)

    def _fresh(self) -> Any:
        self._databases.append(self._client[f"trial_{uuid4().hex[:12]}"])
        return self._databases[-1]

    async def end(self) -> None:
        for database in self._databases:
            await self._client.drop_database(database.name)


@pytest.fixture
async def history(clients: dict[str, Any], tmp_path: Path) -> AsyncIterator[History]:
    history = History(tmp_path / "migrations", clients[DRIVERS[-1]])
    yield history
    await history.end()


async def check(history_checks: HistoryChecks, name: str) -> None:
    found = getattr(history_checks, name)()
    if asyncio.iscoroutine(found):
        await found


CHECKS = [
    "single_head",
    "files_import",
    "upgrade",
    "models_match",
    "up_down",
    "resume",
    "second_upgrade",
    "files_unchanged",
]


@pytest.mark.parametrize("name", CHECKS)
async def test_a_good_history_passes(client: Any, tmp_path: Path, name: str) -> None:
    history = History(tmp_path / "migrations", client)
    await check(history.good().history_checks(), name)
    await history.end()


@pytest.mark.parametrize("name", [name for name in CHECKS if name != "models_match"])
async def test_an_empty_history_passes(history: History, name: str) -> None:
    await check(history.history_checks(), name)


async def test_branches_and_merges_pass(history: History) -> None:
    """``a ─ b`` and ``a ─ c``, joined by ``d``; ``b`` can be reverted alone, ``d`` too."""
    history.add("a", 'await env.create_collection("one")', 'await env.drop_collection("one")')
    for name in "bc":
        history.add(name, f'await env.create_index("one", "{name}")', f'await env.drop_index("one", "{name}_1")', "a")
    history.add("d", "pass", "pass", None)
    path = history.folder / "versions/d_step.py"
    path.write_text(path.read_text().replace("down_revision = None", 'down_revision = ("b", "c")'))
    for name in ("single_head", "upgrade", "up_down", "resume", "second_upgrade"):
        await check(history.history_checks(), name)


async def test_two_heads(history: History) -> None:
    history.good().add("b002", "pass", "pass", "a001")
    with pytest.raises(MultipleHeads):
        history.history_checks().single_head()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import nowhere\n", "No module named 'nowhere'"),
        ("def upgrade(env: ...\n", "does not parse"),
    ],
)
async def test_a_file_that_does_not_import(history: History, text: str, said: str) -> None:
    history.good()
    path = history.folder / "versions/a003_step.py"
    path.write_text(path.read_text() + text)
    with pytest.raises(Faulty, match=said):
        history.history_checks().files_import()


async def test_a_revision_that_fails(history: History) -> None:
    history.good().add("a004", 'raise ValueError("not today")', "pass", "a003")
    with pytest.raises(Faulty, match=r"upgrade of a004: revision a004 failed .* not today"):
        await history.history_checks().upgrade()


async def test_models_that_differ(history: History) -> None:
    history.good()
    (history.folder / "versions/a003_step.py").unlink()
    (history.folder / "versions/a002_step.py").unlink()
    with pytest.raises(Faulty, match=r"create 1 index.* on wallet: uid_1"):
        await history.history_checks().models_match()


@pytest.mark.parametrize(
    ("up", "down", "said"),
    [
        ('await env.create_collection("x")', "env.db", "x is new"),
        ("pass", 'await env.drop_collection("wallet")', "wallet is gone"),
        ('await env.create_index("wallet", "x")', "env.db", "wallet: index x_1 is new"),
        ("pass", 'await env.drop_index("wallet", "uid_1")', "wallet: index uid_1 is gone"),
        ('await env.modify_collection("wallet", validator={"x": 1})', "env.db", "wallet: validator was None, and is"),
        ('await env.db["coin"].insert_one({"_id": 3})', "env.db", "coin: document 3 is new"),
        ("pass", 'await env.db["coin"].delete_one({"_id": 1})', "coin: document 1 is gone"),
        ('await env.db["coin"].update_one({"_id": 1}, {"$set": {"x": 1}})', "env.db", "coin: document 1 has changed"),
        ('await env.create_view("v", "wallet", [])', "env.db", "v is new"),
        (
            "pass",
            'await env.drop_collection("coin"); raise ValueError("no way back")',
            r"downgrade of a004: .* no way back",
        ),
    ],
)
async def test_a_downgrade_that_leaves_a_trace(history: History, up: str, down: str, said: str) -> None:
    history.good().add("a004", up, down, "a003")
    with pytest.raises(Faulty, match=said):
        await history.history_checks().up_down()


async def test_what_says_that_it_is_irreversible_is_not_reverted(history: History) -> None:
    history.good().add("a004", 'await env.drop_collection("coin")', "pass", "a003", extra="irreversible = True\n")
    await history.history_checks().up_down()


async def test_documents_of_the_application_are_there(history: History) -> None:
    """A downgrade that drops what users have stored is found once there is something."""
    rename = 'await env.db["wallet"].update_many({}, {"$rename": {"name": "title"}})'
    history.good().add("a004", rename, "env.db", "a003")
    await history.history_checks().up_down()
    documents = {"a002": {"wallet": [{"_id": 1, "uid": 1, "name": "x"}]}}
    with pytest.raises(Faulty, match="wallet: document 1 has changed"):
        await history.history_checks(documents=documents).up_down()


async def test_documents_that_a_revision_could_not_change_are_noted_and_no_trace(history: History) -> None:
    """What ``on_error="collect"`` leaves is asyncmig's own, and stays for somebody to read."""
    up = (
        'async def change(document):\n        raise ValueError("no")\n\n    '
        'await env.transform_documents("coin", {}, change, on_error="collect")'
    )
    history.good().add("a004", up, "env.db", "a003")
    await history.history_checks().up_down()


async def test_what_cannot_be_resumed(history: History) -> None:
    """Raw calls run again on resume: this one is not made for that."""
    counts = 'await env.db["coin"].update_one({"_id": 1}, {"$inc": {"x": 1}})\n    await env.create_collection("x")'
    history.good().add("a004", counts, 'await env.drop_collection("x")', "a003")
    with pytest.raises(Faulty, match=r"a004, broken off 2 times and resumed.*\n  coin: document 1 has changed"):
        await history.history_checks().resume()


async def test_what_a_second_upgrade_applies_again(history: History) -> None:
    """A revision that takes the record of another one away."""
    forget = "await env.db['asyncmig_' + str('revisions')].delete_one({'_id': 'a003'})"
    history.good().add("a004", forget, "pass", "a003")
    with pytest.raises(Faulty, match="applied again by a second upgrade:\n  a003"):
        await history.history_checks().second_upgrade()


async def test_what_a_second_upgrade_changes(history: History) -> None:
    """Whatever a project does where nothing is pending, it changes nothing."""

    class Careless(Migrator):
        async def upgrade(self, *arguments: Any, **options: Any) -> Any:
            done = await super().upgrade(*arguments, **options)
            await self.database["wallet"].update_one({"_id": 1}, {"$inc": {"uid": 1}}, upsert=True)
            return done

    careless = HistoryChecks(history.good()._fresh, lambda db, tell: Careless(db, history.folder, (Wallet,)))
    with pytest.raises(Faulty, match="changed by a second upgrade:\n  wallet: document 1 has changed"):
        await careless.second_upgrade()


async def test_ids_that_are_made_on_the_way_are_no_difference(history: History) -> None:
    insert = 'await env.db["coin"].update_one({"n": 1}, {"$set": {"n": 1}}, upsert=True)\n    '
    history.good().add("a004", insert + 'await env.create_collection("x")', 'await env.drop_collection("x")', "a003")
    await history.history_checks().resume()


async def test_a_history_that_changes_itself(history: History) -> None:
    history.good().add("a004", '__import__("pathlib").Path(__file__).write_text("# nothing")', "pass", "a003")
    with pytest.raises(AsyncmigError, match="a004"):
        await history.history_checks().files_unchanged()


def test_files_edited_since_they_were_published(tmp_path: Path) -> None:
    def git(*arguments: str) -> None:
        subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@y", *arguments], cwd=tmp_path, check=True)

    folder = tmp_path / "migrations"
    folder.mkdir()
    assert edited_since_published(folder) == []  # no repository
    git("init", "-q", "-b", "main")
    (folder / "a_one.py").write_text("1")
    (folder / "README.md").write_text("1")
    git("add", ".")
    git("commit", "-qm", "published")
    assert edited_since_published(folder) == []
    git("checkout", "-qb", "feature")
    (folder / "b_two.py").write_text("2")
    git("add", ".")
    git("commit", "-qm", "own")
    (folder / "b_two.py").write_text("3")  # nobody else has it yet
    (folder / "README.md").write_text("2")
    assert edited_since_published(folder) == []
    (folder / "a_one.py").write_text("2")
    assert edited_since_published(folder) == ["a_one.py"]
    git("commit", "-qam", "edited")
    assert edited_since_published(folder) == ["a_one.py"]
