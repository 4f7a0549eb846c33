"""A database that is ahead of the files: what compares or runs refuses and names the ways out, which work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asyncmig import Collection, Migrator
from asyncmig.errors import DatabaseAhead

from .conftest import Run

AHEAD = [
    ("upgrade",),
    ("upgrade", "--plan"),
    ("downgrade", "a001"),
    ("downgrade", "a001", "--plan"),
    ("check",),
    ("diff",),
    ("revision", "--autogenerate", "-m", "x"),
    ("stamp", "head"),
]
LOOKING = [("status",), ("current",), ("history", "-i"), ("show", "--applied", "b002"), ("heads",)]


@pytest.fixture
async def at(server: Any, write_revision: Callable[..., Path], write_models: Callable[[str], None], run: Run) -> Run:
    """Run a command line on a database that has ``b002``, whose file another branch took along."""
    create, drop = 'await env.create_collection("{}")', 'await env.drop_collection("{}")'
    write_revision("a001", body=create.format("cart"), undo=drop.format("cart"))
    gone = write_revision("b002", "a001", message="baskets", body=create.format("basket"), undo=drop.format("basket"))
    write_models("class Cart(Collection):\n    __collection_name__ = 'cart'\n    __indexes__ = ['x']")
    assert (await run("upgrade")).code == 0
    gone.unlink()
    return run


@pytest.mark.parametrize("command", AHEAD, ids=" ".join)
async def test_what_compares_or_runs_refuses(at: Run, command: tuple[str, ...]) -> None:
    before = sorted(Path().rglob("*"))
    result = await at(*command)
    assert result.code == 9
    assert "b002" in result.stderr
    assert "check out, or merge, the branch or release that has them" in result.stderr
    assert "asyncmig downgrade TARGET --from-ledger" in result.stderr
    assert "HEAD" not in result.stderr
    assert "differ" not in result.stderr
    assert sorted(Path().rglob("*")) == before


@pytest.mark.parametrize("command", LOOKING, ids=" ".join)
async def test_what_only_looks_goes_on(at: Run, command: tuple[str, ...]) -> None:
    assert (await at(*command)).code == 0


async def test_all_files_are_gone(at: Run) -> None:
    for path in Path("migrations/versions").glob("*.py"):
        path.unlink()
    for command in AHEAD[:1] + AHEAD[4:]:
        result = await at(*command)
        assert (result.code, "HEAD" in result.stderr) == (9, False)
        assert "a001" in result.stderr


async def test_check_in_json(at: Run) -> None:
    result = await at("--json", "check")
    assert (result.code, result.document["ok"], result.document["ahead"]) == (9, False, [{"revision": "b002"}])
    assert "b002 (baskets)" in result.document["error"]["message"]


async def test_it_is_taken_back_from_the_ledger(at: Run, server: Any) -> None:
    planned = await at("downgrade", "a001", "--from-ledger", "--plan")
    assert (planned.code, "drop collection basket" in planned.stdout) == (0, True)
    await server["basket"].insert_one({})
    asked = await at("downgrade", "a001", "--from-ledger")
    assert (asked.code, "drop collection basket with its documents" in asked.stderr) == (1, True)
    assert (await at("downgrade", "a001", "--from-ledger", "--yes")).code == 0
    assert "basket" not in await server.list_collection_names()
    assert "create 1 index" in (await at("diff")).stdout


async def test_what_was_stamped_has_no_source(at: Run, server: Any) -> None:
    await server["asyncmig_revisions"].update_one({"_id": "b002"}, {"$unset": {"source": 1}})
    result = await at("downgrade", "a001", "--from-ledger")
    assert result.code == 9
    assert "b002; the ledger has no source of them" in result.stderr


async def test_from_python(at: Run, server: Any) -> None:
    class Cart(Collection):
        __collection_name__ = "cart"

    migrator = Migrator(server, collections=[Cart])
    for ask in (migrator.check, migrator.diff, lambda: migrator.generate("x"), migrator.upgrade, migrator.plan):
        with pytest.raises(DatabaseAhead) as caught:
            await ask()
        assert caught.value.ahead == ("b002",)
    assert [one.revision for one in await migrator.downgrade("a001", from_ledger=True)] == ["b002"]
    assert await migrator.diff() == []
