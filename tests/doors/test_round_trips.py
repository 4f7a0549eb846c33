"""What a start and a probe cost: what the server is asked, counted by the driver itself; and what is imported."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

import asyncmig
from asyncmig import Migrator
from asyncmig.fastapi import Health

from .history_files import History

FIRST_START = """
import asyncio, sys, asyncmig
{imported} as Client
asyncmig.startup
async def start():
    client = Client({url!r})
    await asyncmig.startup(client[{name!r}])
    closing = client.close()
    await closing if closing else None
asyncio.run(start())
print(*sorted(name for name in sys.modules if name.startswith("asyncmig.")))
"""
IMPORTED = {
    "motor": "from motor.motor_asyncio import AsyncIOMotorClient",
    "pymongo": "from pymongo import AsyncMongoClient",
}


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


async def test_the_first_start_at_head_imports_what_it_needs(
    database: Any, driver_name: str, server_url: str, history: History
) -> None:
    """No operation, no event, no lock, no parser of files: each would cost the application more than the question."""
    await Migrator(database).upgrade()
    code = FIRST_START.format(imported=IMPORTED[driver_name], url=server_url, name=database.name)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    imported = {name.removeprefix("asyncmig.") for name in done.stdout.split()}
    assert {name.partition(".")[0] for name in imported} == {
        *("application", "drivers", "errors", "files", "history", "migrator", "printable", "running", "schema"),
        *("setting_values", "settings", "version", "address"),
    }
    assert {name for name in imported if name.startswith(("drivers.", "files.", "running.", "schema."))} == {
        *("drivers.base", "drivers.clock", "drivers.codec", "drivers.concerns", "drivers.explain", "drivers.guard"),
        *("drivers.real", "drivers.retry", "drivers.transient", "drivers.usable"),
        *("files.atomic", "files.directory", "files.errors", "files.head_file", "files.snapshot"),
        *("running.ledger", "running.ledger.archive", "running.ledger.ledger", "running.ledger.placement"),
        *("running.ledger.record", "running.ledger.status", "running.ledger.write", "running.shape"),
        *("schema.levels", "schema.names", "schema.own_names"),
    }


async def test_nor_does_a_command_that_only_looks(database: Any, server_url: str, history: History) -> None:
    await Migrator(database).upgrade()
    looking = ["-X", "importtime", "-m", "asyncmig", "--url", server_url, "--database", database.name, "current"]
    done = subprocess.run([sys.executable, *looking], capture_output=True, text=True, check=True)
    imported = set(re.findall(r"\basyncmig\.(\w+(?:\.locking)?)", done.stderr))
    assert imported & {"data", "events", "operations", "running.locking"} == set()
