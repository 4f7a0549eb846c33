"""Which driver a database belongs to: told by its type, never by what it seems to have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from mongomock_motor import AsyncMongoMockClient
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import MongoClient

from asyncmig.drivers import driver_for
from asyncmig.errors import DriverError

from ..clients import CLIENTS, DRIVERS


async def test_real_databases(database: Any, driver_name: str) -> None:
    driver = driver_for(database)
    assert driver.name == driver_name
    assert driver.database is database
    assert driver.now == "$$NOW"


def test_the_mock_looks_like_motor_and_is_not_taken_for_it() -> None:
    database = AsyncMongoMockClient()["x"]
    assert isinstance(database, AsyncIOMotorDatabase)
    assert driver_for(database).name == "mock"


async def test_a_subclass_of_a_database_is_one(database: Any, driver_name: str) -> None:
    kind = type("Mine", (type(database),), {"__module__": "app.database"})
    mine = object.__new__(kind)
    assert driver_for(mine).name == driver_name


def _synchronous() -> Any:
    return MongoClient(connect=False)["x"]


NO_DATABASES: list[tuple[Callable[[], Any], str]] = [
    (_synchronous, "asyncmig is async and cannot use the synchronous pymongo"),
    (lambda: MongoClient(connect=False), "cannot use the synchronous"),
    (lambda: CLIENTS[DRIVERS[-1]](connect=False), "a database is needed, not a client"),
    (lambda: AsyncMongoMockClient(), "a database is needed, not a client"),
    (lambda: CLIENTS[DRIVERS[-1]](connect=False)["x"]["y"], "no database that asyncmig knows"),
    (lambda: "mongodb://localhost", "builtins.str is no database that asyncmig knows; pass a Motor AsyncIO"),
    (lambda: None, "builtins.NoneType is no database"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "told"), NO_DATABASES)
async def test_anything_else_is_told_what_to_pass(make: Callable[[], Any], told: str) -> None:
    with pytest.raises(DriverError) as error:
        driver_for(make())
    assert told in str(error.value)
    assert "AsyncMongoMockClient()['name']" in str(error.value)
