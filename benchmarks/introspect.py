"""Comparing and creating thousands of collections, beside plain driver calls in the same run.

``python benchmarks/introspect.py``, or ``nox -s bench -- introspect``. Rounds take turns, so that
what disturbs the machine disturbs all alike; figures are medians, ratios are of medians.

Seen on 2 cores, Python 3.11.7, the data in memory; seconds:

=====================================================  ==========  =============
5,000 collections with 5 indexes each                  Motor       PyMongo Async
=====================================================  ==========  =============
``list_indexes`` one after another                     3.28        2.58
``index_information`` gathered, the fastest limit      2.33        1.57
``command("listIndexes")`` gathered, the fastest       1.60        1.08
``introspect``, by the catalogue                       0.19 (12x)  0.15 (10.6x)
``introspect``, one by one                             1.86        1.29
``difference`` of equal states                         0.09        0.08
500 behind 5 ms each way: one after another            6.24        6.17
the same, ``introspect``, one by one                   0.71 (9x)   0.46 (13x)
1,000 collections with 4 indexes, made by a loop       9.01        8.35
the same by one revision                               7.62 (0.9)  9.37 (1.1)
=====================================================  ==========  =============

The process takes 45 to 53 MB at its peak. The revision is one `env.create_collections`, which sends two commands for
each collection where the loop sends one (create, then createIndexes), and makes four at once; that ratio is to be
1.25 at most.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from clients import client_of, closed
from proxy import far_away
from pymongo import IndexModel
from pymongo.server_api import ServerApi

from asyncmig import Collection, Index, Migrator
from asyncmig.authoring.diff import difference
from asyncmig.authoring.introspect import introspect
from asyncmig.sources import load_models
from asyncmig.testing.server import LocalServer

DRIVERS = ("motor", "pymongo")
LIMITS = (8, 16, 32, 100)
FAR = 0.005  # seconds, each way
FEW_FILES = ("--wiredTigerEngineConfigString", "file_manager=(close_idle_time=2,close_scan_interval=1)")
"""Six files a collection are more than most systems let a process keep open."""
INDEXES = ([("a", 1)], [("b", 1), ("c", -1)], [("d", 1)], [("e", -1)])
Work = Callable[[], Awaitable[Any]]


# -- plain driver calls ---------------------------------------------------------------------------


async def fill(url: str, name: str, count: int) -> None:
    """Collections with four indexes each beside the one on ``_id``."""
    client = client_of("pymongo", url)
    names = iter(range(count))

    async def work() -> None:
        for number in names:
            await client[name][f"c{number}"].create_indexes([IndexModel(keys) for keys in INDEXES])

    await asyncio.gather(*(work() for _ in range(8)))
    await client.close()


async def one_after_another(database: Any) -> None:
    for name in await database.list_collection_names():
        await database[name].index_information()


async def gathered(database: Any, limit: int, read: Callable[[Any, str], Awaitable[Any]]) -> None:
    free = asyncio.Semaphore(limit)

    async def one(name: str) -> Any:
        async with free:
            return await read(database, name)

    await asyncio.gather(*(one(name) for name in await database.list_collection_names()))


async def index_information(database: Any, name: str) -> Any:
    return await database[name].index_information()


async def bare_command(database: Any, name: str) -> Any:
    return await database.command("listIndexes", name)


def gathers(database: Any, limits: Iterable[int]) -> dict[str, Work]:
    """Every way to gather, by what it is called."""
    return {
        f"{read.__name__} gathered, {limit} at once": lambda read=read, limit=limit: gathered(database, limit, read)
        for read in (index_information, bare_command)
        for limit in limits
    }


# -- measuring ------------------------------------------------------------------------------------


async def turns(works: Mapping[str, Work], rounds: int) -> dict[str, float]:
    """Median seconds of each, in turns; a first turn, which opens connections, does not count."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            started = time.perf_counter()
            await work()
            if number:
                times[name].append(time.perf_counter() - started)
    return {name: statistics.median(found) for name, found in times.items()}


def shown(times: Mapping[str, float]) -> None:
    for name, seconds in times.items():
        print(f"    {name:<48}{seconds:8.3f} s")


def best(times: Mapping[str, float], beginning: str) -> float:
    return min(seconds for name, seconds in times.items() if name.startswith(beginning))


async def near(url: str, driver: str, name: str, rounds: int) -> None:
    client, strict = client_of(driver, url), client_of(driver, url, server_api=ServerApi("1", strict=True))
    works = {
        "list_indexes one after another": lambda: one_after_another(client[name]),
        **gathers(client[name], LIMITS),
        "introspect, by the catalogue": lambda: introspect(client[name]),
        "introspect, one by one (Stable API)": lambda: introspect(strict[name]),
    }
    times = await turns(works, rounds)
    shown(times)
    fastest = best(times, "index_information")
    print(f"  fastest gather / introspect: {fastest / best(times, 'introspect, by'):.1f} x (goal 8 x)")
    print(f"  fastest gather / introspect one by one: {fastest / best(times, 'introspect, one'):.2f} x (goal over 1 x)")
    state = await introspect(client[name])
    await differing(state, rounds)
    await closed(client)
    await closed(strict)


async def differing(state: Any, rounds: int) -> None:
    models = [
        type(
            one.name, (Collection,), {"__collection_name__": one.name, "__indexes__": [Index(keys) for keys in INDEXES]}
        )
        for one in state
    ]
    wanted = load_models(models).state

    async def compare() -> None:
        if difference(state, wanted):
            raise SystemExit("the models and the database were to agree")

    seconds = (await turns({"diff": compare}, rounds))["diff"]
    print(f"  diff of equal states: {seconds:.3f} s (goal 0.5 s)")


async def far(url: str, driver: str, name: str, rounds: int) -> None:
    target = url.split("//")[1].split("/")[0].split(":")
    with far_away(target[0], int(target[1]), FAR) as through:
        at = f"mongodb://127.0.0.1:{through}/?directConnection=true"
        client = client_of(driver, at, server_api=ServerApi("1", strict=True))
        works = {
            "list_indexes one after another": lambda: one_after_another(client[name]),
            **gathers(client[name], (16,)),
            "introspect, one by one (Stable API)": lambda: introspect(client[name]),
        }
        times = await turns(works, rounds)
        await closed(client)
    shown(times)
    ratio = times["list_indexes one after another"] / times["introspect, one by one (Stable API)"]
    print(f"  one after another / introspect one by one: {ratio:.1f} x (goal 6 x)")


# -- creating -------------------------------------------------------------------------------------


async def by_hand(database: Any, count: int) -> None:
    for number in range(count):
        await database[f"c{number}"].create_indexes([IndexModel(keys) for keys in INDEXES])


async def creating(url: str, driver: str, count: int, rounds: int, root: Path) -> None:
    client = client_of(driver, url)
    models = [
        type(
            f"C{number}", (Collection,), {"__collection_name__": f"c{number}", "__indexes__": list(map(Index, INDEXES))}
        )
        for number in range(count)
    ]
    (root / driver / "versions").mkdir(parents=True)
    migrator = Migrator(client[f"{driver}_made"], root / driver, models)
    await migrator.revision("everything", autogenerate=True)
    times: dict[str, list[float]] = {"by hand": [], "upgrade": []}
    for _ in range(rounds):
        for name, work in (("by hand", lambda: by_hand(client["made"], count)), ("upgrade", migrator.upgrade)):
            await client.drop_database("made")
            await client.drop_database(f"{driver}_made")
            started = time.perf_counter()
            await work()
            times[name].append(time.perf_counter() - started)
    hand, upgrade = (statistics.median(found) for found in times.values())
    if found := await migrator.diff():
        raise SystemExit(f"{len(found)} operations are left")
    await client.drop_database("made")
    await client.drop_database(f"{driver}_made")
    await closed(client)
    print(
        f"  {driver}: a loop by hand {hand:.2f} s, one revision {upgrade:.2f} s: {upgrade / hand:.2f} x (goal 1.25 x)"
    )


# -- memory ---------------------------------------------------------------------------------------


async def remembered(url: str, driver: str, name: str, way: str) -> None:
    options = {"server_api": ServerApi("1", strict=True)} if way == "one by one" else {}
    client = client_of(driver, url, **options)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    await introspect(client[name])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  {driver}, {way}: the process {peak:.0f} MB at its peak, {before:.0f} MB of it before (goal 150 MB)")
    await closed(client)


def memory(url: str, name: str) -> None:
    for driver in DRIVERS:
        for way in ("by the catalogue", "one by one"):
            subprocess.run([sys.executable, __file__, "--memory", url, driver, name, way], check=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--collections", type=int, default=5000)
    parser.add_argument("--only", choices=("near", "far", "creating", "memory"))
    parser.add_argument("--memory", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        asyncio.run(remembered(*options.memory))
        return
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}, Python {sys.version.split()[0]}; medians of {options.rounds}")
    with tempfile.TemporaryDirectory() as root, LocalServer(args=FEW_FILES) as server:
        run(server, Path(root), options)


def run(server: LocalServer, root: Path, options: argparse.Namespace) -> None:
    """The parts that are asked for, each on what it needs."""
    parts = [options.only] if options.only else ["creating", "far", "near", "memory"]
    large = f"{options.collections:,} collections with 5 indexes each"
    if "creating" in parts:
        print(f"creating {options.collections // 5:,} collections with 4 indexes each beside the one on _id")
        for driver in DRIVERS:
            asyncio.run(creating(server.url, driver, options.collections // 5, min(options.rounds, 3), root))
    if "far" in parts:
        asyncio.run(fill(server.url, "few", options.collections // 10))
        for driver in DRIVERS:
            print(f"{options.collections // 10} collections behind a proxy, {FAR * 1000:.0f} ms each way, {driver}")
            asyncio.run(far(server.url, driver, "few", options.rounds))
    if {"near", "memory"} & set(parts):
        asyncio.run(fill(server.url, "many", options.collections))
    if "near" in parts:
        for driver in DRIVERS:
            print(f"{large}, {driver}")
            asyncio.run(near(server.url, driver, "many", options.rounds))
    if "memory" in parts:
        print(f"memory, {large}")
        memory(server.url, "many")


if __name__ == "__main__":
    main()
