"""What users write, with either driver: read by mypy and pyright, never run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_type

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, IndexModel

import asyncmig
from asyncmig import Collection, DatabaseState, Env, Index, Migrator, View
from asyncmig.errors import AsyncmigError, PendingRevisions, SchemaDiffers
from asyncmig.history import Revision, RevisionGraph
from asyncmig.operations import Operation
from asyncmig.testing.server import LocalServer


class Wallet(Collection):
    __collection_name__ = "wallet"
    __indexes__ = [
        Index([("uid", 1), ("org_id", 1)], name="uid_org_idx", unique=True),
        Index("rec_date"),
        IndexModel([("place", "2dsphere")], sparse=True),
        "coins",
        [("coins", -1), ("rec_date", 1)],
    ]
    __options__ = {"validator": {"$jsonSchema": {"bsonType": "object"}}, "validationLevel": "moderate"}
    __initial_data__ = [{"_id": "item1", "value": "data"}]
    __renamed_from__ = "purse"


class ActiveWallet(View):
    __collection_name__ = "active_wallet"
    __view_on__ = "wallet"
    __pipeline__ = [{"$match": {"active": True}}]


ALL_COLLECTIONS = [Wallet, ActiveWallet]


async def with_motor() -> None:
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient("mongodb://localhost")
    await walk(Migrator(client["app"], directory="migrations", collections=ALL_COLLECTIONS))


async def with_pymongo() -> None:
    async with AsyncMongoClient[dict[str, Any]]("mongodb://localhost") as client:
        await walk(Migrator(client["app"], directory="migrations", collections=ALL_COLLECTIONS))
        assert_type(await asyncmig.introspect(client["app"]), DatabaseState)
        code, has_changes = await asyncmig.autogenerate_migration(
            "test", database=client["app"], collections=ALL_COLLECTIONS
        )
        assert_type(code, str)
        assert_type(has_changes, bool)


async def walk(migrator: Migrator) -> None:
    assert_type(await migrator.diff(), list[Operation])
    assert_type(await migrator.revision("add wallets", autogenerate=True), Revision | None)
    await migrator.plan("head")
    assert_type(await migrator.upgrade("head"), list[Revision])
    assert_type(await migrator.downgrade("-1"), list[Revision])
    await migrator.stamp("head")
    assert_type(await migrator.current(), tuple[str, ...])
    try:
        await migrator.check()
    except (PendingRevisions, SchemaDiffers) as error:
        assert_type(error.exit_code, int)
    except AsyncmigError:
        raise


def walk_a_graph() -> None:
    graph = RevisionGraph([Revision(revision="20241210150000", down_revision=(), depends_on=(), branch_labels=())])
    assert_type(graph.upgrade_path((), "head"), list[Revision])
    assert_type(graph.downgrade_path({"20241210150000"}, "base"), list[Revision])
    assert_type(graph.heads, tuple[str, ...])


async def upgrade(env: Env) -> None:
    await env.create_collection("wallet", validator={"$jsonSchema": {"bsonType": "object"}})
    await env.create_indexes("wallet", [Index([("uid", 1)], unique=True), Index("rec_date")])
    await env.insert_documents("wallet", [{"_id": 1}])
    await env.db["wallet"].update_many({}, {"$set": {"coins": 0}})
    if "temp" in env.collections:
        await env.drop_collection("temp")


async def downgrade(env: Env) -> None:
    await env.drop_collection("wallet")


def start_a_server(parameters: Mapping[str, str]) -> str:
    with LocalServer(parameters=parameters) as server:
        return server.url


async def start_a_server_async() -> str:
    async with LocalServer("db") as server:
        return server.url
