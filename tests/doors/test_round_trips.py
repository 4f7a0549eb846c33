"""What the server is asked at start-up and by a probe: counted by the driver itself."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

import asyncmig
from asyncmig import Migrator
from asyncmig.fastapi import Health

from .history_files import History


class Commands(CommandListener):
    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None: ...

    def failed(self, event: CommandFailedEvent) -> None: ...


@pytest.fixture
async def watched(make_client: Any, driver_name: str, database: Any) -> tuple[Any, Commands]:
    commands = Commands()
    client = make_client(driver_name, event_listeners=[commands])
    await client.admin.command("ping")
    commands.names.clear()
    return client[database.name], commands


@pytest.mark.parametrize("policy", ["upgrade", "check", "wait", "warn"])
async def test_at_head_a_start_asks_once(
    database: Any, watched: tuple[Any, Commands], history: History, policy: Any
) -> None:
    for number in range(3, 150):  # more than the 101 documents of a first batch
        history.add(f"a{number:03}")
    await Migrator(database).stamp("head")
    await asyncmig.startup(watched[0], policy)
    assert watched[1].names == ["find"]


@pytest.mark.parametrize(("policy", "asked"), [("off", []), ("warn", ["find"])])
async def test_behind(database: Any, watched: tuple[Any, Commands], history: History, policy: Any, asked: Any) -> None:
    await asyncmig.startup(watched[0], policy)
    assert watched[1].names == asked


async def test_a_probe_asks_once(database: Any, watched: tuple[Any, Commands], history: History) -> None:
    health = Health(watched[0])
    for _ in range(3):
        assert (await health()).status_code == 503
    await Migrator(database).upgrade()
    for _ in range(3):
        assert (await health()).status_code == 200
    assert watched[1].names == ["find"] * 6
