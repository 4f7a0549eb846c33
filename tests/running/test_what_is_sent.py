"""What the server gets: every write waits for a majority, and times are the server's own."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from asyncmig.drivers import driver_for
from asyncmig.drivers.clock import EPOCH
from asyncmig.errors import RevisionFailed
from asyncmig.running.env.env import Env
from asyncmig.running.locking.lock import Lock

from .event_listener import Heard
from .history_files import History

READING = {"find", "aggregate", "listCollections", "listIndexes", "getMore", "killCursors", "count", "collStats"}
READING |= {"hello", "ping", "endSessions", "killSessions", "abortTransaction"}
SCHEMA = """
await env.create_collection('a', capped=True, size=65536)
await env.create_collections([('b', {}, [Index('n')]), ('c', {}, [])])
await env.create_indexes('c', [Index('m'), Index('k')])
await env.create_index('c', 'x', name='x', expireAfterSeconds=60)
await env.modify_index('c', 'x', expireAfterSeconds=600)
await env.drop_index('c', 'm_1')
await env.modify_collection('c', validator={'bad': {'$exists': False}})
await env.create_view('v', 'c', [])
await env.modify_view('v', 'b', [])
await env.drop_view('v')
await env.rename_collection('c', 'd')
await env.drop_collection('b')
"""
DATA = """
await env.insert_documents('d', [{'_id': n, 'n': n, 'of': n % 4, 'list': [n]} for n in range(8)])
await env.insert_documents('a', [{'_id': 1, 'n': 1}])
await env.update_in_batches('d', {}, {'$inc': {'n': 1}}, batch_size=3)
await env.update_in_batches('a', {}, {'$set': {'n': 2}})
await env.transform_documents('d', {}, lambda one: one | {'n': one['n'] + 1}, batch_size=3)
await env.transform_batches('d', {}, lambda all: [one | {'n': one['n'] + 1} for one in all])
await env.rename_field('d', 'n', 'm')
await env.convert_field('d', 'm', to='string', from_='int')
await env.remove_field('d', 'm', keep_in='kept')
await env.merge_into('d', [{'$match': {}}], 'e')
await env.merge_into('d', [{'$group': {'_id': '$of'}}], 'e')
await env.split_array('d', 'list', 'f')
await env.move_documents('e', {'_id': 3}, 'g')
await env.deduplicate('d', ['of'], keep='oldest:_id', keep_in='h')
await env.update_in_batches('d', {}, {'$set': {'bad': 1}}, on_error='collect')
await env.delete_documents('d', [0])
async for row in env.rows('d'): pass
"""
WHOLE = """
await env.insert_documents('d', [{'_id': 9, 'n': 1}])
await env.update_in_batches('d', {'_id': 9}, {'$inc': {'n': 1}})
await env.delete_documents('d', [9])
"""


def every_kind(folder: Path) -> History:
    """A history with every method of ``env``; then a transaction, and a revision that stops."""
    history = History(folder)
    history.add("schema", SCHEMA, "await env.drop_collection('a')")
    history.add("data", DATA, "await env.delete_documents('a', [1])")
    history.add("whole", WHOLE, "await env.delete_documents('d', [8])", transactional=True)
    history.add("stops", "await env.create_collection('i')\n1 / 0", "await env.drop_collection('i')")
    return history


def lacking(commands: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What a majority is not asked for, and should be: writes, and the commits of transactions."""
    for command in commands:
        name = next(iter(command))
        writes = name not in READING or any({"$out", "$merge"} & {*stage} for stage in command.get("pipeline", ()))
        if not writes or (command.get("autocommit") is False and name != "commitTransaction"):
            continue
        if command.get("writeConcern", {}).get("w") != "majority":
            yield f"{name} {command[name]}"


def test_the_history_has_every_method() -> None:
    """A new one is to be added to it."""
    methods = {name for name, one in inspect.getmembers(Env) if inspect.iscoroutinefunction(one) and name[0] != "_"}
    assert {*re.findall(r"env\.(\w+)\(", SCHEMA + DATA)} == methods | {"rows"}


async def test_every_write_waits_for_a_majority(
    make_client: Callable[..., Any], driver_name: str, database: Any, tmp_path: Path
) -> None:
    """Whatever the caller's own client is set to."""
    heard = Heard()
    there = make_client(driver_name, event_listeners=[heard], w=1, journal=False)[database.name]
    history = every_kind(tmp_path / "history")
    with pytest.raises(RevisionFailed):
        await history.runner(there).upgrade()
    await history.runner(there).downgrade("base")
    await history.runner(there).stamp("data")
    history.add("schema", SCHEMA + "# edited")
    await history.runner(there).repair()
    await Lock(driver_for(there)).acquire()
    await Lock(driver_for(there)).break_lock(force=True)
    assert list(lacking(heard.commands)) == []
    written = {*heard.names} - READING
    assert written == {
        *("findAndModify", "update", "insert", "delete", "create", "createIndexes", "dropIndexes", "collMod"),
        *("renameCollection", "drop", "commitTransaction"),
    }


def dates(value: Any) -> list[datetime]:
    """Every date within a value."""
    if isinstance(value, Mapping):
        return [date for one in value.values() for date in dates(one)]
    if isinstance(value, list | tuple):
        return [date for one in value for date in dates(one)]
    return [value] if isinstance(value, datetime) else []


async def test_the_servers_clock_alone_decides_on_a_lease(
    make_client: Callable[..., Any], driver_name: str, database: Any
) -> None:
    """Taking, renewing, looking at, releasing and breaking the lock: ``$$NOW``, and no date of ours."""
    heard = Heard()
    client = make_client(driver_name, event_listeners=[heard])
    lock = Lock(driver_for(client[database.name]))
    await client.admin.command("ping")
    heard.clear()
    lease = await lock.acquire()
    await lock.renew(lease)
    await lock.holder()
    await lock.release(lease)
    await lock.acquire()
    await lock.break_lock(force=True)
    sent = [{name: command.get(name) for name in ("update", "updates", "projection")} for command in heard.commands]
    assert len(sent) == 6
    assert all("$$NOW" in repr(one) for one in sent)
    assert {*dates(sent)} <= {EPOCH}  # what stands for a date that is none


async def test_what_the_ledger_dates_the_server_dates(
    make_client: Callable[..., Any], driver_name: str, database: Any, tmp_path: Path
) -> None:
    """The one date in a write is the end of the lease, as the server has told it, beside the server's now."""
    heard = Heard()
    history = History(tmp_path / "history")
    history.add("a", "await env.create_collection('x')", "await env.drop_collection('x')")
    there = make_client(driver_name, event_listeners=[heard])[database.name]
    await history.runner(there).upgrade()
    await history.runner(there).downgrade("base")
    written = [one for one in heard.commands if next(iter(one.values())) == "asyncmig_revisions"]
    statements = [one for command in written for one in command.get("updates", command.get("deletes", ()))]
    assert {*map(_word, statements)} == {"insert", "update", "delete"}
    assert all("$$NOW" in repr(one) for one in statements)
    assert all(len(dates(one)) == 1 for one in statements)


def _word(statement: Mapping[str, Any]) -> str:
    if "limit" in statement:
        return "delete"
    return "insert" if statement["upsert"] else "update"
