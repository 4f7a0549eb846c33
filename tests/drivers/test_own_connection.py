"""What a client of asyncmig's own has, whatever the caller's is set to; and what is done where none can be made."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pymongo
import pytest

from asyncmig.drivers import driver_for
from asyncmig.drivers.members import read_each_member
from asyncmig.drivers.own_connection import options
from asyncmig.errors import DriverError


@pytest.mark.parametrize(
    ("selection", "seconds", "milliseconds", "selecting"),
    [(30.0, 5.0, 5_000, 5_000), (2.0, 5.0, 5_000, 2_000), (30.0, 0.0001, 1, 1)],
)
def test_no_call_of_it_takes_longer(selection: float, seconds: float, milliseconds: int, selecting: int) -> None:
    client: Any = SimpleNamespace(server_selection_timeout=selection)
    assert options(client, seconds) == {
        "auto_encryption_opts": None,
        "connectTimeoutMS": milliseconds,
        "maxPoolSize": 3,
        "minPoolSize": 0,
        "serverSelectionTimeoutMS": selecting,
        "socketTimeoutMS": milliseconds,
        "timeoutMS": None,
        "waitQueueTimeoutMS": milliseconds,
    }


@pytest.fixture
def no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyMongo without the method that copies a client, which it makes no promise of."""
    for client in (pymongo.MongoClient, getattr(pymongo, "AsyncMongoClient", pymongo.MongoClient)):
        monkeypatch.delattr(client, "_duplicate", raising=False)


async def test_without_a_copy_the_lock_takes_the_callers_client(database: Any, no_copies: None) -> None:
    connection = await driver_for(database).own_connection(5.0)
    assert not connection.is_own
    await connection.collection("lock").find_one()
    await connection.close()


async def test_without_a_copy_a_pool_of_one_is_refused(make_client: Any, driver_name: str, no_copies: None) -> None:
    database = make_client(driver_name, maxPoolSize=1)["one"]
    with pytest.raises(DriverError, match="maxPoolSize=1, and no second client could be made of it"):
        await driver_for(database).own_connection(5.0)


async def test_without_a_copy_the_primary_answers_alone(database: Any, no_copies: None) -> None:
    """A set of three, one of which is an arbiter, as the client would see it."""
    await database["a"].insert_one({"_id": 1})
    driver = driver_for(database)
    kinds = {"a": "RSPrimary", "b": "RSSecondary", "c": "RSArbiter"}
    members = {(name, 27017): SimpleNamespace(server_type_name=kind) for name, kind in kinds.items()}
    known = SimpleNamespace(topology_type_name="ReplicaSetWithPrimary", server_descriptions=lambda: members)
    client = SimpleNamespace(topology_description=known, options=database.client.options)
    as_seen: Any = SimpleNamespace(
        database=SimpleNamespace(client=client, codec_options=database.codec_options), read=driver.read
    )
    answers = await read_each_member(as_seen, {"aggregate": "a", "pipeline": [], "cursor": {}}, driver._ask_copy)
    assert answers == {"a:27017": [{"_id": 1}], "b:27017": None}
