"""The worked example from the command line, as ``scripts/demo`` shows it, with both drivers."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pymongo import MongoClient

ROOT = Path(__file__).resolve().parent.parent.parent
OWN = {"asyncmig_lock", "asyncmig_revisions", "asyncmig_revisions_journal"}
INDEXES = {
    "wallet": {"uid_org_idx", "rec_date_1", "coins_1", "rcoins_1"},
    "top_up": {"uid_org_idx", "rec_date_1", "amount_1"},
    "partner_wallet": {"uid_org_idx", "rec_date_1", "coins_1"},
    "wallet_history": {"wallet_id_1", "rec_date_1", "ctype_1", "ref_id_1", "wallet_date_idx"},
    "partner_wallet_history": {"wallet_id_1", "rec_date_1", "ctype_1", "wallet_date_idx"},
    "branch": {"location_2dsphere"},
    "offer": {"search_idx"},
    "invitation": {"referrer_id_1"},
    "currency": set(),
}

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def sync_client(server_url: str) -> Iterator[MongoClient]:
    with MongoClient(server_url) as client:
        yield client


@pytest.fixture
def settings(server_url: str, driver_name: str, sync_client: MongoClient) -> Iterator[dict[str, str]]:
    name = f"wallet_{uuid.uuid4().hex[:12]}"
    yield {"ASYNCMIG_URL": server_url, "ASYNCMIG_DATABASE": name, "ASYNCMIG_DRIVER": driver_name}
    sync_client.drop_database(name)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the example without its revisions."""
    (tmp_path / "migrations").mkdir()
    shutil.copy(ROOT / "migrations" / "models.py", tmp_path / "migrations")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.fixture
def asyncmig(run_cli: Run, project: Path, settings: dict[str, str]) -> Callable[..., str]:
    """``asyncmig("upgrade")``: stdout of a call that must succeed."""

    def call(*arguments: str) -> str:
        done = run_cli(*arguments, cwd=project, env=settings)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return call


def files(project: Path) -> list[Path]:
    return sorted((project / "migrations" / "versions").glob("*.py"))


def test_the_whole_road(
    asyncmig: Callable[..., str], project: Path, settings: dict[str, str], sync_client: MongoClient
) -> None:
    database = sync_client[settings["ASYNCMIG_DATABASE"]]

    asyncmig("init")
    asyncmig("revision", "-m", "add complete wallet system", "--autogenerate")
    asyncmig("upgrade")
    (first,) = files(project)
    assert first.name.endswith("_add_complete_wallet_system.py")
    assert set(database.list_collection_names()) - OWN == set(INDEXES)
    for name, indexes in INDEXES.items():
        assert set(database[name].index_information()) - {"_id_"} == indexes
    assert database.currency.count_documents({}) == 2

    asyncmig("check")
    asyncmig("diff")
    asyncmig("revision", "-m", "nothing", "--autogenerate")
    assert files(project) == [first]

    models = project / "migrations" / "models.py"
    models.write_text(models.read_text().replace('Index("amount"),', 'Index("amount"),\n        Index("uid"),'))
    asyncmig("revision", "-m", "find by user", "--autogenerate")
    (second,) = files(project)[1:]
    assert second.read_text().count("Index(") == 1
    asyncmig("upgrade")
    assert "uid_1" in database.top_up.index_information()

    asyncmig("downgrade", "-1")
    assert "uid_1" not in database.top_up.index_information()
    asyncmig("downgrade", "base", "--yes")
    assert set(database.list_collection_names()) == OWN


@pytest.mark.chaos
@pytest.mark.timeout(180)
def test_eight_upgrades_at_once_run_each_revision_once(
    asyncmig: Callable[..., str],
    start_cli: Callable[..., subprocess.Popen[str]],
    project: Path,
    settings: dict[str, str],
    sync_client: MongoClient,
) -> None:
    body = '    await env.db["runs"].insert_one({"revision": revision})'
    asyncmig("init")
    for number in range(3):
        asyncmig("revision", "-m", f"step {number}")
    for file in files(project):
        head, _, tail = file.read_text().partition("async def downgrade")
        lines = head.rstrip().splitlines()
        file.write_text("\n".join([*lines, body, "", "", f"async def downgrade{tail}"]))
    processes = [start_cli("upgrade", cwd=project, env=settings) for _ in range(8)]
    messages = [process.communicate() for process in processes]
    assert [process.returncode for process in processes] == [0] * 8, messages
    runs = sync_client[settings["ASYNCMIG_DATABASE"]].runs
    assert [run["revision"] for run in runs.find(sort=[("_id", 1)])] == [file.name[:14] for file in files(project)]
