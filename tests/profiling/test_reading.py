"""Reading a collection: by sample or scan, with both drivers, within bounds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mongomock_motor import AsyncMongoMockClient

from asyncmig import Migrator
from asyncmig.errors import ConfigurationError
from asyncmig.profiling.reading import Reading, profile

from ..clients import DRIVERS, drop


async def fill(database: Any, number: int, **more: Any) -> Any:
    await database["orders"].insert_many([{"_id": place, "a": 1, **more} for place in range(number)])
    return database["orders"]


@pytest.mark.parametrize(
    ("reading", "documents", "is_whole"),
    [
        (Reading(), 3_000, False),
        (Reading(scan=True), 3_000, True),
        (Reading(sample=5_000), 3_000, True),
        (Reading(sample=100), 100, False),
    ],
)
async def test_how_much_is_read(database: Any, reading: Reading, documents: int, is_whole: bool) -> None:
    orders = await fill(database, 3_000)
    found = await profile(orders, reading)
    assert (found.total, found.is_whole) == (3_000, is_whole)
    if reading == Reading():  # more than a twentieth: documents are drawn as they come by, about so many
        assert 1_500 < found.documents < 2_500
    else:
        assert found.documents == documents
    assert found.paths["a"].types["int"] == found.documents


async def test_a_budget_ends_it_and_large_documents_come_in_parts(database: Any) -> None:
    orders = await fill(database, 60, text="x" * 1_000_000)
    found = await profile(orders, Reading(scan=True, budget=0.0))
    assert found.stopped
    assert 0 < found.documents < 60
    assert (found.is_whole, found.error) == (False, None)


async def test_a_rate_is_kept(database: Any) -> None:
    orders = await fill(database, 600)
    found = await profile(orders, Reading(scan=True, rate=2_000.0))
    assert found.seconds > 0.25
    assert found.documents == 600


async def test_what_is_not_there(database: Any) -> None:
    found = await profile(database["nothing"])
    assert (found.documents, found.is_whole, found.paths) == (0, True, {})
    with pytest.raises(
        ConfigurationError, match="there is no collection 'ordres' in the database; did you mean 'orders'"
    ):
        await Migrator(await _with_orders(database)).fields(["ordres"])


async def _with_orders(database: Any) -> Any:
    await fill(database, 1)
    return database


async def test_on_the_mock() -> None:
    orders = await fill(AsyncMongoMockClient()["x"], 10)
    found = await profile(orders)
    assert (found.documents, dict(found.paths["a"].types)) == (10, {"int": 10})


MODELS = """
from pydantic import BaseModel
from asyncmig import Collection

class Model(BaseModel):
    a: int

class Order(Collection):
    __collection_name__ = "orders"
    __model__ = Model
"""


async def test_the_command(
    run_cli: Callable[..., Any], clients: dict[str, Any], server_url: str, tmp_path: Path
) -> None:
    (tmp_path / "migrations" / "versions").mkdir(parents=True)
    (tmp_path / "models.py").write_text(MODELS)
    name = f"test_fields_{tmp_path.name[-20:]}"
    database = clients[DRIVERS[-1]][name]
    environment = {"ASYNCMIG_URL": server_url, "ASYNCMIG_DATABASE": name, "ASYNCMIG_MODELS": "models"}
    try:
        await fill(database, 20)
        good = run_cli("fields", "--check", env=environment)
        assert (good.returncode, "orders  20 documents, 2 paths, 0 findings, 0 break the models" in good.stdout) == (
            0,
            True,
        ), good
        await database["orders"].insert_one({"_id": 99, "b": 1})
        bad = run_cli("fields", "orders", "--check", "--json", "--driver", DRIVERS[-1], env=environment)
        (report,) = json.loads(bad.stdout)["collections"]
        assert (bad.returncode, report["breaking"]) == (3, 1)
        assert [(one["kind"], one["path"]) for one in report["findings"]] == [("missing", "a"), ("undeclared", "b")]
        assert not any("examples" in path for path in report["paths"])
        assert run_cli("fields", "--rate", "5", env=environment).returncode == 2
        await database["asyncmig_revisions"].insert_one({"_id": "20300101000000", "state": "applied"})
        assert run_cli("fields", "--check", env=environment).returncode == 9
        await database["asyncmig_revisions"].drop()
        await database.create_collection("seen", viewOn="orders", pipeline=[])
        assert (
            "'seen' is a view; its documents are those of 'orders'" in run_cli("fields", "seen", env=environment).stderr
        )
        (tmp_path / "migrations" / "versions").rmdir()  # it reads, and needs no revisions
        (tmp_path / "migrations").rmdir()
        await database["orders"].insert_one({"_id": 100, "a" * 200: "x", "c" * 30: 1})
        rows = run_cli("fields", "--paths", env={**environment, "COLUMNS": "80"})
        assert ("a" * 40 in rows.stdout, "string 1" in rows.stdout, "…" in rows.stdout) == (True, True, False), rows
        unchecked = run_cli("fields", "--check", env={**environment, "ASYNCMIG_MODELS": ""})
        assert (unchecked.returncode, "no model says what the fields" in unchecked.stderr) == (2, True), unchecked
    finally:
        await drop(clients[DRIVERS[-1]], name)
