"""What the data migrations do with documents of their time; ``--asyncmig`` adds what is true of every history."""

from __future__ import annotations

from typing import Any

from bson import Int64

COINS = "20260302090000"
"""Until then coins were text."""


async def test_coins_become_numbers(populate_at: Any, migrator: Any) -> None:
    documents = {"wallet": [{"_id": 1, "uid": "ann", "org_id": "acme", "coins": "250"}]}
    database = await populate_at(f"{COINS}-1", documents)
    await migrator.upgrade()
    assert (await database["wallet"].find_one({"_id": 1}))["coins"] == Int64(250)
    await migrator.downgrade(f"{COINS}-1")
    assert (await database["wallet"].find_one({"_id": 1}))["coins"] == "250"
