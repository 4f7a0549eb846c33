"""``asyncmig adopt``: from a grown database to an empty diff; all of it is written, or nothing."""

from __future__ import annotations

import sys
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ..clients import drop
from .conftest import Run

MODELS = """
from asyncmig import Collection, Index, View


class User(Collection):
    __collection_name__ = "user"
    __indexes__ = [Index("email", unique=True){more}]
"""


@pytest.fixture
async def shop(server: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A database with a past, and a project in which asyncmig has never been."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in [name for name in sys.modules if name.partition(".")[0] == "app_collections"]:
        monkeypatch.delitem(sys.modules, name)
    (folder / "migrations" / "versions").rmdir()
    (folder / "migrations").rmdir()
    await server.user.create_index("email", unique=True)
    await server.user.insert_one({"_id": 1, "email": "a@b"})
    await server.create_collection("order", validator={"total": {"$gte": 0}})
    await server.order.insert_one({"_id": 1, "total": 3})
    return server


def models(folder: Path, more: str = "") -> str:
    name = f"models_{abs(hash((str(folder), more)))}"
    (folder / f"{name}.py").write_text(MODELS.format(more=more))
    return name


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*.*") if path.is_file() and path.suffix != ".pyc"}


@pytest.mark.parametrize("split", [False, True])
async def test_models_are_written_and_agree_at_once(run: Run, shop: Any, folder: Path, split: bool) -> None:
    planned = await run("adopt", "--from-database", "--plan")
    assert planned.code == 0, planned.stderr
    assert "Would write" in planned.stdout
    assert tree(folder) == set()
    assert set(await shop.list_collection_names()) == {"user", "order"}

    done = await run("adopt", "--from-database", *(["--split"] if split else []))
    assert done.code == 0, done.stderr
    assert "nothing was run" in done.stdout
    assert (await run("diff")).code == 0
    assert (await run("check")).code == 0
    down = await run("downgrade", "base", "--yes")
    assert down.code == 1
    assert "The lowest target is" in down.stderr
    assert await shop.user.count_documents({}) == await shop.order.count_documents({}) == 1

    again = await run("adopt")
    assert (again.code, "Adopted on" in again.stderr) == (0, True)


async def test_a_new_installation_runs_the_baseline(run: Run, shop: Any, folder: Path) -> None:
    assert (await run("adopt", "--from-database")).code == 0
    other = shop.client[f"{shop.name}_new"]
    try:
        assert (await run("upgrade", "--database", other.name)).code == 0
        assert set(await other.list_collection_names()) >= {"user", "order"}
        assert (await run("check", "--database", other.name)).code == 0
    finally:
        await drop(shop.client, other.name)


async def test_an_installation_that_was_there_is_adopted_not_upgraded(run: Run, shop: Any, folder: Path) -> None:
    assert (await run("adopt", "--from-database")).code == 0
    staging = shop.client[f"{shop.name}_staging"]
    try:
        await staging.user.create_index("email", unique=True)
        refused = await run("upgrade", "--database", staging.name)
        assert (refused.code, "asyncmig adopt" in refused.stderr) == (10, True)
        assert await staging.list_collection_names() == ["user"]
        differs = await run("adopt", "--database", staging.name)
        assert (differs.code, "order" in differs.stdout) == (3, True)
        await staging.create_collection("order", validator={"total": {"$gte": 0}})
        before = tree(folder)
        assert (await run("adopt", "--database", staging.name)).code == 0
        assert tree(folder) == before
        assert (await run("check", "--database", staging.name)).code == 0
    finally:
        await drop(shop.client, staging.name)


async def test_differences_are_shown_and_nothing_is_written(run: Run, shop: Any, folder: Path) -> None:
    await shop.user.create_index("zip")
    before = [*tree(folder), *await shop.list_collection_names()]
    named = models(folder, ', "age"')
    answer = await run("adopt", "--models", named)
    assert answer.code == 3
    assert "only in the database  user.zip_1" in answer.stdout
    assert "only in the models    user.age_1" in answer.stdout
    assert [*tree(folder) - {f"{named}.py"}, *await shop.list_collection_names()] == before


async def test_each_side_can_be_right(run: Run, shop: Any, folder: Path) -> None:
    await shop.user.create_index("zip", sparse=True)
    await shop.user.create_index("city")
    named = models(folder, ', "age"')
    done = await run("adopt", "--models", named, "--accept", "models", "--accept", "database:user.zip_1", "--json")
    assert done.code == 0, done.stderr
    assert done.document["written"] is True
    settings = tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["asyncmig"]
    assert settings["models"] == [named, "app_collections:INDEXES"]
    differs = await run("diff", "--json")
    told = " ".join(one["description"] for one in differs.document["operations"])
    assert ("age_1" in told, "city_1" in told, "zip_1" in told) == (True, True, False)
    (baseline,) = (folder / "migrations" / "versions").glob("*.py")
    assert '"zip"' in baseline.read_text()
    assert '"city"' not in baseline.read_text()


async def test_what_no_addition_can_say_is_refused(run: Run, shop: Any, folder: Path) -> None:
    named = models(folder)
    await shop.user.drop_indexes()
    await shop.user.create_index("email", unique=True, sparse=True)
    refused = await run("adopt", "--models", named, "--accept", "database")
    assert (refused.code, "user.email_1" in refused.stderr) == (1, True)
    assert not (folder / "migrations").exists()


async def test_nothing_is_overwritten_and_what_fails_is_taken_back(run: Run, shop: Any, folder: Path) -> None:
    (folder / "app_collections.py").write_text("mine")
    refused = await run("adopt", "--from-database")
    assert (refused.code, "exists already" in refused.stderr) == (1, True)
    assert tree(folder) == {"app_collections.py"}
    (folder / "app_collections.py").unlink()

    # somebody else holds the lock: the files are written by then, and are taken back
    (folder / "pyproject.toml").write_text("# mine\n")
    await shop.asyncmig_lock.insert_one(
        {"_id": "migration", "owner": "x", "token": 1, "expires_at": datetime(2999, 1, 1, tzinfo=UTC)}
    )
    (folder / "asyncmig.toml").write_text("lock_timeout = 0\n")
    failed = await run("adopt", "--from-database")
    assert failed.code == 6, failed.stderr
    assert tree(folder) == {"pyproject.toml", "asyncmig.toml"}
    assert (folder / "asyncmig.toml").read_text() == "lock_timeout = 0\n"
    assert not (folder / "migrations").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--from-database", "--models", "x"], 1, "models are set already"),
        (["--collection", "x"], 1, "--history"),
        (["--history", "beanie"], 1, "holds no log of beanie"),
        (["--from-database", "--write", "../x.py"], 1, "outside of"),
        (["--from-database", "--write", "my-models.py"], 1, "cannot be imported"),
        (["--from-database", "--write", "class.py"], 1, "cannot be imported"),
        (["--from-database", "--write", "json.py"], 1, "'json', which is a module of Python's own"),
        (["--from-database", "--write", "models.txt"], 1, "no Python file"),
        ([], 2, "models is not set"),
        (["--models", "nope"], 2, "there is no module"),
    ],
)
async def test_wrong_words_are_told(
    run: Run, shop: Any, folder: Path, arguments: list[str], code: int, words: str
) -> None:
    answer = await run("adopt", *arguments)
    assert (answer.code, words in answer.stderr) == (code, True), answer.stderr
    assert tree(folder) == set()


async def test_a_database_that_asyncmig_runs_is_not_adopted(
    run: Run, server: Any, folder: Path, write_revision: Any
) -> None:
    write_revision("a001", body='await env.create_collection("user")', undo='await env.drop_collection("user")')
    pending = await run("adopt", "--from-database")
    assert (pending.code, "1 revisions and no baseline (a001)" in pending.stderr) == (1, True)
    assert (await run("upgrade")).code == 0
    applied = await run("adopt", "--from-database")
    assert (applied.code, "runs this database already" in applied.stderr) == (1, True)


HISTORY = [
    {"fileName": "20200101000000-first.js", "appliedAt": datetime(2020, 1, 1, tzinfo=UTC), "migrationBlock": 1},
    {"fileName": "20210101000000-third.js", "appliedAt": datetime(2021, 1, 1, tzinfo=UTC), "migrationBlock": 2},
]


async def test_another_tools_history_goes_below_the_baseline(run: Run, shop: Any, folder: Path) -> None:
    scripts = folder / "scripts"
    scripts.mkdir()
    for name in ("20200101000000-first.js", "20200601000000-second.js", "20210101000000-third.js"):
        (scripts / name).write_text("")
    await shop.changelog.insert_many(HISTORY)
    met = await run("adopt", "--from-database", "--plan")
    assert "Another history is here: changelog, of migrate-mongo" in met.stderr
    done = await run("adopt", "--from-database", "--history", "migrate-mongo", "--folder", "scripts")
    assert done.code == 0, done.stderr
    assert "2 applied" in done.stderr
    assert "20200601000000-second.js" in done.stderr
    history = await run("history", "--json")
    assert [one["message"] for one in history.document["revisions"]][1:] == [
        "20210101000000-third.js (from migrate-mongo)",
        "20200101000000-first.js (from migrate-mongo)",
    ]
    assert (await run("check")).code == 0
    assert await shop.changelog.count_documents({}) == 2
    origin = {"tool": "migrate-mongo", "name": "20200101000000-first.js"}
    record = await shop.asyncmig_revisions.find_one({"_id": "20200101000000"})
    assert record["imported"] == {**origin, "applied_at": datetime(2020, 1, 1)}
    event = await shop.asyncmig_revisions_journal.find_one({"what": "stamp"})
    assert event["imported"][0] == {"revision": "20200101000000", **record["imported"]}
    shown = await run("show", "--applied", "20200101000000")
    assert "Imported: applied by migrate-mongo on 2020-01-01 00:00:00, as 20200101000000-first.js" in shown.stdout
    settings = tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["asyncmig"]
    assert settings["exclude"] == ["changelog", "changelog_lock"]


async def test_a_history_alone(run: Run, shop: Any, folder: Path) -> None:
    (folder / "migrations").mkdir()
    (folder / "migrations" / "20200101000000-first.js").write_text("")
    await shop.changelog.insert_many(HISTORY[:1])
    await shop.changelog_lock.insert_one({"createdAt": datetime(2020, 1, 1, tzinfo=UTC)})
    locked = await run("adopt", "--history", "migrate-mongo")
    assert (locked.code, "holds its lock" in locked.stderr) == (1, True)
    await shop.changelog_lock.delete_many({})
    done = await run("adopt", "--history", "migrate-mongo")
    assert done.code == 0, done.stderr
    assert (await run("current", "--json")).document["current"] == ["20200101000000"]


async def test_another_tools_folder_is_not_taken_for_ours(run: Run, shop: Any, folder: Path) -> None:
    """mongomig keeps its files where asyncmig does, by default."""
    theirs = folder / "migrations" / "versions"
    theirs.mkdir(parents=True)
    (theirs / "aaaa.py").write_text('revision = "aaaa"\ndown_revision = None\n\n\ndef upgrade(ctx):\n    pass\n')
    await shop["__mongomig_migrations"].insert_one({"_id": "aaaa", "status": "applied", "down_revision": None})
    refused = await run("adopt", "--history", "mongomig", "--from-database")
    assert (refused.code, "as in `--directory database`" in refused.stderr) == (1, True), refused.stderr
    done = await run("adopt", "--history", "mongomig", "--from-database", "--directory", "database")
    assert done.code == 0, done.stderr
    assert 'directory = "database"' in (folder / "pyproject.toml").read_text()
    assert (await run("check")).code == 0


async def test_status_says_what_is_there_and_what_to_do(run: Run, shop: Any, folder: Path) -> None:
    await shop.changelog.insert_many(HISTORY)
    told = await run("status")
    assert told.code == 0, told.stderr
    for words in (
        "3 collections, 1 index; no record of any revision",
        "2 of nobody: order, user",
        "changelog is the history of migrate-mongo",
        "next: asyncmig adopt --from-database --plan",
    ):
        assert words in told.stdout
    claimed = (await run("status", "--models", models(folder), "--json")).document["untouched"]
    assert claimed["claimed"] == ["user"]
    assert claimed["next"] == "asyncmig adopt --plan"


async def test_many_databases_of_one_kind(run: Run, shop: Any, folder: Path) -> None:
    names = [f"{shop.name}_t{number}" for number in range(3)]
    try:
        for name in names:
            await shop.client[name].user.create_index("email", unique=True)
        await shop.client[names[2]].user.create_index("odd")
        missing = await run("adopt", "--databases", "nobody_*")
        assert (missing.code, "no database is called like" in missing.stderr) == (1, True)
        done = await run("adopt", "--databases", f"{shop.name}_t*")
        assert done.code == 0, done.stderr
        assert f"user.odd_1  left out, and in 1: {names[2]}" in done.stdout
        assert "odd" not in (folder / "app_collections.py").read_text()
        assert (await run("adopt", "--database", names[0])).code == 0
        assert (await run("check", "--database", names[0])).code == 0
        odd = await run("adopt", "--database", names[2])
        assert (odd.code, "only in the database  user.odd_1" in odd.stdout) == (3, True)
    finally:
        for name in names:
            await drop(shop.client, name)
