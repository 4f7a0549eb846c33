"""Options on the caller's client that are shorter, or smaller, than an operation needs."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from typing import Any

import pytest

from asyncmig.drivers import driver_for
from asyncmig.errors import DriverError, LockError
from asyncmig.running.ledger.ledger import Ledger
from asyncmig.running.locking.lock import Lock

from ..clients import CLIENTS, DRIVERS, drop
from .failpoints import Proxy, address, closed
from .history_files import History

OPTIONS: list[dict[str, Any]] = [{"maxPoolSize": 1}, {"timeoutMS": 1000}, {"socketTimeoutMS": 1000}]
LONG = "await env.update_in_batches('c', {'$where': 'sleep(300) || true'}, {'$inc': {'n': 1}})"
LEASE = 3.0  # seconds; each operation takes longer


async def test_an_operation_that_takes_longer_than_they_allow(
    server_url: str, clients: dict[str, Any], tmp_path: Path
) -> None:
    history = History(tmp_path)
    history.add("a", LONG)
    other = clients[DRIVERS[-1]]

    async def run(kind: Any, options: dict[str, Any]) -> list[int]:
        client, name = kind(server_url, **options), f"options_{uuid.uuid4().hex[:12]}"
        await other[name]["c"].insert_many([{"_id": number, "n": 0} for number in range(12)])
        went = await history.runner(client[name], lease=LEASE).upgrade()
        counts = [one["n"] async for one in other[name]["c"].find()]
        await drop(other, name)
        await closed(client)
        return [len(went), *counts]

    found = await asyncio.gather(*(run(kind, options) for kind in CLIENTS.values() for options in OPTIONS))
    assert found == [[1] * 13] * len(OPTIONS) * len(CLIENTS)


@pytest.mark.parametrize("kind", CLIENTS.values())
async def test_a_first_read_that_is_never_answered(server_url: str, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asyncmig.drivers.real._REPLY_SECONDS", 0.5)
    async with Proxy(*address(server_url)) as proxy:
        client = kind(f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true")
        await client.admin.command("ping")
        proxy.stall()
        with pytest.raises(DriverError, match="reading the ledger asyncmig_revisions"):
            await Ledger(driver_for(client["nothing"])).summaries()
        proxy.flow()
        await closed(client)


@pytest.mark.parametrize("kind", CLIENTS.values())
async def test_a_lock_that_is_never_answered(server_url: str, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit for the lock holds though the server, which was there a moment ago, says nothing to any question."""
    monkeypatch.setattr("asyncmig.running.locking.waiting._OVERTIME_SECONDS", 0.5)
    for name in ("_REPLY_SECONDS", "_WITHDRAW_SECONDS", "_CLOSE_SECONDS"):
        monkeypatch.setattr(f"asyncmig.running.locking.lock.{name}", 0.5)
    async with Proxy(*address(server_url)) as proxy:
        client = kind(f"mongodb://127.0.0.1:{proxy.port}/?directConnection=true")
        await client.admin.command("ping")
        proxy.stall()
        with pytest.raises(LockError, match="the migration lock could not be asked for"):
            async with Lock(driver_for(client["nothing"]), lease=1.5).held(wait=0.5):
                raise AssertionError("nobody has given the lock")
        proxy.flow()
        await closed(client)
