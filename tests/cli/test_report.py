"""``asyncmig report`` on a real database: what it holds, what it does not, and where it goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run

SECRET = "anna@example.org"


@pytest.fixture
async def shop(
    run: Run, server: Any, write_revision: Callable[..., Path], write_models: Callable[[str], None], folder: Path
) -> Run:
    """A database with a revision applied, one that has stopped, one that meets duplicates, and a time series."""
    write_models("class User(Collection):\n    __collection_name__ = 'user'\n    __indexes__ = ['email', 'age']\n")
    write_revision("aaaa", body='await env.create_collection("user")\nawait env.create_index("user", "email")')
    assert (await run("upgrade")).code == 0
    await server["user"].insert_many([{"_id": f"{SECRET}{n}", "email": SECRET} for n in range(4)])
    await server["user"].find_one({"email": SECRET})
    await server.create_collection("weather", timeseries={"timeField": "at"})
    await server.create_collection("recent", viewOn="user", pipeline=[])
    write_revision("bbbb", "aaaa", body='await env.create_index("user", "email", name="once", unique=True)')
    (folder / "migrations" / "HEAD").write_text("bbbb\n")
    return run


async def test_it_tells_all_and_no_value_of_a_document(shop: Run, folder: Path) -> None:
    told = (await shop("report", "--json")).document
    assert (told["status"]["current"], told["database"]["server"][0].isdigit()) == (["aaaa"], True)
    assert told["plan"]["problems"] == 1
    assert [one["description"] for one in told["difference"]["operations"]] == ["create 1 index on user: age_1"]
    found = {one["collection"]: one for one in told["collections"]}
    assert [(name, one["kind"], one["documents"]) for name, one in found.items()] == [
        ("recent", "view", None),
        ("user", "collection", 4),
        ("weather", "timeseries", None),
    ]
    uses = {one["index"]: (one["keys"], one["uses"]) for one in found["user"]["indexes"]}
    assert uses == {"_id_": ("_id: 1", 0), "email_1": ("email: 1", 1)}
    assert [(one["revision"], one["host"] != "") for one in told["history"]] == [("aaaa", True)]
    assert told["refused"] == []
    assert SECRET not in json.dumps(told)

    done = await shop("report", "--out", "out.html")
    assert (done.code, done.stdout, done.stderr.splitlines()[1:]) == (0, "", ["Wrote out.html"])
    page = (folder / "out.html").read_text()
    assert "duplicates" in page
    assert SECRET not in page
    assert SECRET not in (await shop("report", "--markdown")).stdout
    (folder / "report.json").write_text(json.dumps(told))
    assert (await shop("report", "--from", "report.json", "--out", "-", ASYNCMIG_URL="mongodb://127.0.0.1:1")).code == 0


async def test_what_the_server_said_of_a_value_stays_out(shop: Run) -> None:
    assert (await shop("upgrade")).code == 7
    told = await shop("report", "--json")
    assert SECRET in (await shop("status", "--json")).stdout
    assert (told.document["status"]["failed"][0]["error"]["type"], SECRET in told.stdout) == ("OperationRefused", False)
    assert "OperationRefused at operation 1" in (await shop("report", "--markdown")).stdout


async def test_the_documents_of_other_commands(shop: Run, folder: Path) -> None:
    lines = (("status",), ("upgrade", "--preflight"), ("upgrade", "--plan"), ("diff",), ("lint",), ("graph", "-i"))
    for number, line in enumerate((*lines, ("history",), ("check",))):
        (folder / f"{number}.json").write_text((await shop(*line, "--json")).stdout)
    sources = [word for number in range(len(lines) + 1) for word in ("--from", f"{number}.json")]
    assert (await shop("report", *sources)).code == 0
    assert "create index" in (folder / "report.html").read_text() or "once" in (folder / "report.html").read_text()
    refused = await shop("report", "--from", "7.json")
    assert (refused.code, "is nothing that a report is made of" in refused.stderr) == (2, True)


@pytest.mark.usefixtures("server")
async def test_what_cannot_be_found_out_is_named(run: Run, write_revision: Callable[..., Path], server: Any) -> None:
    write_revision("aaaa", body='await env.create_collection("a")')
    gone = write_revision("bbbb", "aaaa")
    assert (await run("upgrade")).code == 0
    gone.unlink()
    told = (await run("report", "--json")).document
    assert [one["revision"] for one in told["status"]["ahead"]] == ["bbbb"]
    assert ["pending revisions: " in one for one in told["refused"]] == [True]
    assert "the database has 1 applied revision that no file has" in (await run("report", "--markdown")).stdout


async def test_where_it_goes(run: Run, write_revision: Callable[..., Path], folder: Path) -> None:
    write_revision("aaaa")
    assert (await run("report", "--out", "nowhere/r.html")).code == 2
    assert (await run("report", "--out", "-")).stdout.startswith("<!DOCTYPE html>")
    assert (await run("report", "--markdown", "--out", "r.md")).stdout == ""
    assert (folder / "r.md").read_text().startswith("## Migrations")
    assert (await run("report", "--json", "--out", "-")).code == 2
    assert (await run("report", "--json", "--out", "both.html")).document["graph"]["revisions"][0]["revision"] == "aaaa"
    assert (folder / "both.html").exists()
    (folder / "migrations" / "versions" / "aaaa_step.py").write_text("revision = (")
    assert (await run("report")).code == 1
