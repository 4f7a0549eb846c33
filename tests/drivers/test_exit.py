"""Leaving quickly: nothing that was to happen at the end of a process stays undone."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from asyncmig.drivers.connection import close, connect
from asyncmig.drivers.exit import leave_quickly

try:
    from pymongo import periodic_executor
except ImportError:  # up to PyMongo 4.10
    from pymongo.synchronous import periodic_executor  # type: ignore[no-redef, attr-defined]

PROGRAM = """
import asyncio, atexit, sys
from asyncmig.drivers.connection import close, connect
try:
    from pymongo.periodic_executor import _EXECUTORS
except ImportError:
    from pymongo.synchronous.periodic_executor import _EXECUTORS

async def main():
    client = await connect(sys.argv[1], driver=sys.argv[2])
    await client[sys.argv[3]]["a"].insert_one({"_id": "written"})
    await close(client)
    waiting = [ref().join.__name__ for ref in _EXECUTORS if ref() and ref()._stopped]
    sys.stdout.write(" ".join(sorted(set(waiting))) + " unflushed")
    if sys.argv[4] == "fail":
        raise SystemExit(7)

atexit.register(lambda: sys.stdout.write(" hook"))
asyncio.run(main())
"""


@pytest.mark.parametrize(("how", "code"), [("end", 0), ("fail", 7)])
async def test_writes_exit_code_hooks_and_streams_are_kept(
    server_url: str, driver_name: str, database: Any, how: str, code: int
) -> None:
    arguments = [sys.executable, "-W", "error", "-c", PROGRAM, server_url, driver_name, database.name, how]
    process = subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=False)
    assert process.stderr == ""
    assert process.stdout == ("_joined unflushed hook" if driver_name == "motor" else " unflushed hook")
    assert process.returncode == code
    assert await database["a"].find_one({}) == {"_id": "written"}


async def test_the_threads_of_an_open_client_are_waited_for(server_url: str) -> None:
    still_open = await connect(server_url, driver="motor")
    before = set(periodic_executor._EXECUTORS)
    await close(await connect(server_url, driver="motor"))
    joins = {executor.join.__name__ for ref in before if (executor := ref()) is not None and not executor._stopped}
    assert joins == {"join"}
    await close(still_open)


@pytest.mark.parametrize("executors", [None, [3], [lambda: object()]])
def test_where_pymongo_is_made_differently_nothing_happens(monkeypatch: pytest.MonkeyPatch, executors: Any) -> None:
    if executors is None:
        monkeypatch.delattr(periodic_executor, "_EXECUTORS")
    else:
        monkeypatch.setattr(periodic_executor, "_EXECUTORS", executors)
    leave_quickly()
