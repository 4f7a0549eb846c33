"""An index build on three members, of which one has stopped: it ends, or says that it did not."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

from asyncmig import Index, Migrator
from asyncmig.drivers import driver_for
from asyncmig.errors import OperationRefused
from asyncmig.operations import CreateIndexes
from asyncmig.running.applying.apply import apply
from asyncmig.running.applying.context import Context
from asyncmig.running.applying.index_build import under_construction

from .replica_set import Members

pytestmark = [pytest.mark.long, pytest.mark.chaos]


@contextmanager
def one_stopped(members: Members) -> Iterator[None]:
    """A secondary that answers nothing any more, until the block ends."""
    members.patiently(lambda: members.client.admin.command("ping"))
    port = next(iter(members.client.secondaries))[1]
    with MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{port}/?directConnection=true") as client:
        process = client.admin.command("serverStatus")["pid"]
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


async def test_a_member_that_has_stopped_does_not_keep_a_build_from_its_end(tmp_path: Path) -> None:
    with Members() as members:
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(members.url)
        database = client["built"]
        await database["c"].insert_many([{"n": n, "m": n} for n in range(500)])
        driver = driver_for(database)
        with one_stopped(members):
            await apply(CreateIndexes("c", (Index("n"),)), Context(driver))
            assert "n_1" in await database["c"].index_information()
            with pytest.raises(OperationRefused, match="code 50"):
                await apply(
                    CreateIndexes("c", (Index("m"),), commit_quorum="votingMembers", max_time=2), Context(driver)
                )
            assert "m_1" not in await database["c"].index_information()
            waiting = CreateIndexes("c", (Index("m"),), commit_quorum="votingMembers")
            building = asyncio.ensure_future(apply(waiting, Context(driver)))
            async with asyncio.timeout(60):
                while "m_1" not in await under_construction(driver, "c"):
                    await asyncio.sleep(0.1)
            assert not building.done()
            await Migrator(database, tmp_path).set_index_quorum("c", "m_1", "majority")
            await building
            assert "m_1" in await database["c"].index_information()
        await client.close()
