"""One way to change every document of a collection, in a process of its own; called by data.py, prints JSON.

``python batches.py URL DATABASE DRIVER WAY``: ``seconds`` of the work alone, ``peak`` memory in MiB.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from clients import client_of, closed
from pymongo import UpdateOne
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from asyncmig import Migrator

COLLECTION = "notes"
REVISION = '''"""change every document"""

from asyncmig import Env

revision = "20240101000000"
down_revision = None


def change(document):
    {change}
    return document


async def upgrade(env: Env) -> None:
    await env.{call}


async def downgrade(env: Env) -> None:
    pass
'''
ADD, RENAME = "document['n'] += 1", "document['title'] = document.pop('name')"
OPERATIONS = {
    "update_in_batches": (f"update_in_batches({COLLECTION!r}, {{}}, {{'$inc': {{'n': 1}}}})", ADD),
    "transform_documents": (f"transform_documents({COLLECTION!r}, {{}}, change)", ADD),
    "rename_field": (f"rename_field({COLLECTION!r}, 'name', 'title')", RENAME),
    "rename_by_function": (f"transform_documents({COLLECTION!r}, {{}}, change)", RENAME),
}
IN_FLIGHT = 4


class Durations(CommandListener):
    """How long the ledger's updates took, and how many documents' batches there were."""

    def __init__(self) -> None:
        self.ledger, self.batches, self._asked = 0, 0, set[int]()

    def started(self, event: CommandStartedEvent) -> None:
        command = event.command
        in_ledger = event.command_name == "update" and command["update"] == "asyncmig_revisions"
        if in_ledger and command.get("autocommit") is False:  # within the transaction of a batch
            self._asked.add(event.request_id)
            self.batches += 1

    def succeeded(self, event: CommandSucceededEvent) -> None:
        if event.request_id in self._asked:
            self.ledger += event.duration_micros

    def failed(self, event: CommandFailedEvent) -> None:
        """Nothing to keep."""


def project(folder: Path, operation: str) -> None:
    """A revision with that operation."""
    call, change = OPERATIONS[operation]
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "20240101000000_change.py").write_text(REVISION.format(call=call, change=change))
    (folder / "pyproject.toml").write_text("[tool.asyncmig]\n")


async def by_update_many(database: Any, update: Any) -> None:
    await database[COLLECTION].update_many({}, update)


async def by_loop(database: Any, update: Callable[[Any], Any]) -> None:
    """The loop that people write: a cursor, bulk writes of 1,000, four of them in flight."""
    running: set[asyncio.Task[Any]] = set()
    batch: list[UpdateOne] = []

    async def send() -> None:
        nonlocal batch, running
        if len(running) >= IN_FLIGHT:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*done)
        running.add(asyncio.ensure_future(database[COLLECTION].bulk_write(batch, ordered=False)))
        batch = []

    async for document in database[COLLECTION].find({}, batch_size=1000):
        batch.append(UpdateOne({"_id": document["_id"]}, update(document)))
        if len(batch) == 1000:
            await send()
    if batch:
        await send()
    await asyncio.gather(*running)


async def by_asyncmig(database: Any, operation: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        project(Path(folder), operation)
        await Migrator(database, directory=Path(folder) / "migrations").upgrade("head")


WAYS: dict[str, Callable[[Any], Any]] = {
    "update_many": lambda database: by_update_many(database, {"$inc": {"n": 1}}),
    "loop": lambda database: by_loop(database, lambda document: {"$set": {"n": document["n"] + 1}}),
    "rename by update_many": lambda database: by_update_many(database, {"$rename": {"name": "title"}}),
    "rename by a loop": lambda database: by_loop(
        database, lambda document: {"$set": {"title": document["name"]}, "$unset": {"name": ""}}
    ),
    **{name: lambda database, name=name: by_asyncmig(database, name) for name in OPERATIONS},
}


async def main(url: str, name: str, driver: str, way: str) -> None:
    for module in ("asyncmig.running.runner", "asyncmig.running.applying.data_changes"):
        import_module(module)  # it is the work that is measured
    durations = Durations()
    client = client_of(driver, url, event_listeners=[durations])
    await client.admin.command("ping")
    began = time.perf_counter()
    await WAYS[way](client[name])
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"seconds": seconds, "peak": peak, "ledger": durations.ledger / 1e6, "batches": durations.batches}
    print(json.dumps(found), flush=True)
    await closed(client)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
    sys.stdout.flush()
    os._exit(0)  # as asyncmig's own command line does; Motor's threads would take half a second to end
