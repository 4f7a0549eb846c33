"""What a role may not ask is named with the role; nothing crashes, and the upgrade goes on as ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from asyncmig import Migrator
from asyncmig.drivers.real import maybe
from asyncmig.errors import DriverError
from asyncmig.testing.server import LocalServer

from ..clients import CLIENTS
from .test_preflight import write

BODY = """await env.create_index("c", "n", name="u", unique=True)
await env.create_index("c", "at", expireAfterSeconds=1)
await env.modify_collection("c", validator={"n": {"$gte": 0}})
await env.update_in_batches("c", {"n": {"$lt": 10}}, {"$set": {"m": 1}})
await env.rename_field("c", "m", "k")
await env.remove_field("c", "k")
await env.modify_index("c", "p_1", unique=True)
await env.drop_index("c", "o_1")
await env.drop_collection("d")"""

MONITOR = {"role": "clusterMonitor", "db": "admin"}
LEAST = [
    *("find", "insert", "update", "remove", "createIndex", "createCollection", "dropIndex", "dropCollection"),
    *("collMod", "listIndexes", "listCollections"),
]
WATCHED = {"P04": "clusterMonitor", "P06": "clusterMonitor", "P09": "clusterMonitor"}
"""What only a monitor may ask: members, oplog, uses of an index."""
USERS: dict[str, tuple[list[Any], dict[str, str], bool]] = {
    "reader": (["read"], {**WATCHED, "P01": "dbAdmin"}, False),
    "writer": (["readWrite"], {**WATCHED, "P01": "dbAdmin"}, False),
    "admin": (["readWrite", "dbAdmin"], WATCHED, True),
    "owner": (["dbOwner", MONITOR], {}, True),
    "least": (["least"], {**WATCHED, "P10": "read"}, True),
}
"""By user: the roles, what may not be asked with the role to have, and whether the upgrade may be run."""


@pytest.fixture(scope="module")
def roles(guarded: LocalServer) -> Iterator[MongoClient[Any]]:
    with MongoClient[Any](guarded.url, username="root", password="p") as root:
        least = [{"resource": {"db": "shop", "collection": ""}, "actions": LEAST}]
        root["shop"].command("createRole", "least", privileges=least, roles=[])
        for name, (given, _, _) in USERS.items():
            root["shop"].command("createUser", name, pwd="p", roles=given)
        root["shop"].command("createUser", "mender", pwd="p", roles=["dbAdmin"])
        root["shop"].command("createUser", "monitor", pwd="p", roles=[MONITOR])
        yield root


@pytest.mark.parametrize("user", USERS)
async def test_each_role(
    guarded: LocalServer, roles: MongoClient[Any], tmp_path: Path, user: str, driver_name: str
) -> None:
    shop = roles["shop"]
    for name in shop.list_collection_names():
        shop.drop_collection(name)
    shop["c"].insert_many([{"n": n, "p": n, "o": n} for n in range(40)])
    shop["d"].insert_one({})
    shop["c"].create_index("p")
    shop["c"].create_index("o")
    _, refused, may_run = USERS[user]
    client = CLIENTS[driver_name](guarded.url, username=user, password="p", authSource="shop")
    migrator = Migrator(client["shop"], write(tmp_path, BODY))
    found = await migrator.preflight(exact=True)
    assert {one.code: one.figures["role"] for one in found if one.level == "unknown"} == refused
    assert all(f"needs the role {one.figures['role']}" in one.text for one in found if one.level == "unknown")
    assert "prepareUnique" not in str(shop.command("listIndexes", "c"))
    if may_run:
        assert len(await migrator.upgrade()) == 1
        assert "unique" in str(shop.command("listIndexes", "c"))
    await maybe(client.close())


@pytest.mark.parametrize("user", ["mender", "monitor"])
async def test_who_may_not_read_is_told_what_to_have(
    guarded: LocalServer, roles: MongoClient[Any], tmp_path: Path, user: str, driver_name: str
) -> None:
    client = CLIENTS[driver_name](guarded.url, username=user, password="p", authSource="shop")
    with pytest.raises(DriverError, match=r"not authorized on shop.*readWrite and dbAdmin"):
        await Migrator(client["shop"], write(tmp_path, BODY)).preflight()
    await maybe(client.close())
