"""A Beanie model changes in every way of the table; the upgrade of many documents is killed again and again.

``ASYNCMIG_DOCUMENTS`` says how many there are: 100,000 in ``nox -s field_law``.
"""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .test_migrations import taken_in

pytestmark = [pytest.mark.long, pytest.mark.timeout(3_600)]
NUMBER = int(os.environ.get("ASYNCMIG_DOCUMENTS", "100000"))

BEFORE = """
from typing import Literal
from beanie import Document
from pydantic import BaseModel
from pymongo import IndexModel

class Line(BaseModel):
    qty: int

class Order(Document):
    id: int
    zip: str
    total: str
    plan: Literal["free", "old"] = "free"
    nick: str | None = None
    title: str
    lines: list[Line] = []
    debug: bool | None = None

    class Settings:
        name = "orders"
        indexes = [IndexModel("zip", unique=True)]
"""
AFTER = """
from typing import Annotated, Literal
from asyncmig import RenamedFrom
from beanie import Document
from pydantic import BaseModel, ConfigDict
from pymongo import IndexModel

class Line(BaseModel):
    quantity: Annotated[int, RenamedFrom("qty")]
    price: float = 1.5

class Title(BaseModel):
    en: str

class Order(Document):
    __renamed_fields__ = {"title": "title.en"}

    id: int
    postcode: Annotated[str, RenamedFrom("zip")]
    total: float
    plan: Literal["free", "paid"] = "free"
    nick: str = "-"
    title: Title
    lines: list[Line] = []
    currency: str = "EUR"
    number: int

    class Settings:
        name = "orders"
        indexes = [IndexModel("postcode", unique=True)]
"""


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_killed_and_resumed(
    driver: str,
    clients: dict[str, Any],
    server_url: str,
    start_cli: Callable[..., Any],
    run_cli: Callable[..., Any],
    tmp_path: Path,
) -> None:
    name = f"test_beanie_{uuid.uuid4().hex[:8]}"
    database = clients["pymongo"][name]
    environment = {
        "ASYNCMIG_URL": server_url,
        "ASYNCMIG_DATABASE": name,
        "ASYNCMIG_DRIVER": driver,
        "ASYNCMIG_MODELS": "app_models",
        "ASYNCMIG_FIELDS": "strict",
        "ASYNCMIG_LOCK_LEASE": "3",
    }

    async def run(*arguments: str) -> None:
        done = await asyncio.to_thread(run_cli, *arguments, env=environment, timeout=500.0)
        assert done.returncode == 0, done.stderr

    try:
        (tmp_path / "migrations" / "versions").mkdir(parents=True)
        (tmp_path / "app_models.py").write_text(BEFORE)
        await run("revision", "-m", "first", "--autogenerate")
        await run("upgrade")
        await _fill(database)
        (tmp_path / "app_models.py").write_text(AFTER)
        await run("revision", "-m", "second", "--autogenerate")
        for file in (tmp_path / "migrations" / "versions").glob("*second.py"):
            file.write_text(taken_in(file.read_text()))
        for kill in range(4):
            process = start_cli("upgrade", env=environment)
            await _until_it_has_changed_more(database, process, (kill + 1) * NUMBER // 2)
            process.send_signal(signal.SIGKILL)
            await asyncio.to_thread(process.wait)
        await run("upgrade")
        await run("check")
        await _verify(database)
        await run("downgrade", "-1", "--yes")
        kept = {"zip": "p7", "total": "7", "nick": "-", "title": "t7", "lines": [{"qty": 7}]}
        assert await database["orders"].find_one({"_id": 7}, {"_id": 0, "plan": 0, "debug": 0}) == kept
    finally:
        await clients["pymongo"].drop_database(name)


async def _fill(database: Any) -> None:
    for start in range(0, NUMBER, 10_000):
        await database["orders"].insert_many(
            {
                "_id": number,
                "zip": f"p{number}",
                "total": str(number),
                "plan": "old" if number % 3 else "free",
                "nick": None if number % 2 else "n",
                "title": f"t{number}",
                "lines": [{"qty": number}] * (number % 3),
                "debug": True,
            }
            for number in range(start, min(start + 10_000, NUMBER))
        )


async def _until_it_has_changed_more(database: Any, process: Any, changes: int) -> None:
    """Until the journal tells of so many changed documents, or the upgrade is over."""
    while process.poll() is None:
        renamed = await database["orders"].count_documents({"zip": {"$exists": False}})
        priced = await database["orders"].count_documents({"currency": {"$exists": True}})
        converted = await database["orders"].count_documents({"total": {"$type": "double"}})
        sunk = await database["orders"].count_documents({"title.en": {"$exists": True}})
        if renamed + priced + converted + sunk >= changes:
            return
        await asyncio.sleep(0.5)


async def _verify(database: Any) -> None:
    """Each document exactly as it should be, as the server and Beanie see it."""
    count = 0
    async for one in database["orders"].find():
        number, count = one["_id"], count + 1
        assert one == {
            "_id": number,
            "postcode": f"p{number}",
            "total": float(number),
            "plan": "free",
            "nick": "-" if number % 2 else "n",
            "title": {"en": f"t{number}"},
            "lines": [{"quantity": number, "price": 1.5}] * (number % 3),
            "debug_removed": True,
            "currency": "EUR",
            "number": 0,
        }
    assert count == NUMBER
