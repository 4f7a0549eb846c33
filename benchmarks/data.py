r"""Changing every document of a collection: beside bare calls, hand-written loops, and other tools.

``nox -s bench -- data`` runs it, or ``python benchmarks/data.py``; what is compared runs in turns on one
and the same server. Four tables:

1. Times of the work alone, with the ratios that are wanted: ``update_in_batches`` beside one bare
   ``update_many`` of the same change (at most 1.5 times as long on 100,000 documents, 1.3 on 1,000,000);
   ``transform_documents`` beside the loop that people write (at most as long).
2. Peak memory of ``transform_documents`` on 10,000 and on the largest collection (within 40 MiB).
3. What the checkpoints take of it (under 3 %).
4. Whole processes that rename a field of 100,000 documents, other tools among them.

Seen on 2 cores, Python 3.11.7, the machine quiet and the data in memory; 100,000 documents medians of 3,
1,000,000 one run:

======================================  =========  =======  ==================  =====
operation                               documents  seconds  beside              ratio
======================================  =========  =======  ==================  =====
``update_in_batches``, PyMongo Async      100,000     0.93  update_many  1.03    0.90
``update_in_batches``, Motor              100,000     0.87  update_many  0.97    0.90
``transform_documents``, PyMongo Async    100,000     2.86  loop         3.65    0.78
``transform_documents``, Motor            100,000     2.95  loop         3.33    0.89
``update_in_batches``, PyMongo Async    1,000,000    10.65  update_many 12.16    0.88
``update_in_batches``, Motor            1,000,000     9.82  update_many 10.17    0.97
``transform_documents``, PyMongo Async  1,000,000    31.57  loop        39.91    0.79
``transform_documents``, Motor          1,000,000    35.97  loop        33.10    1.09
======================================  =========  =======  ==================  =====

Whole processes that rename a field of 100,000 documents, on the same machine, medians of 3 (Beanie with a cache of
256 MB instead of 2 GB failed each time, by write conflicts in its one transaction):

==========================================  =======  ===
process                                     seconds  MiB
==========================================  =======  ===
``update_many``                                1.21   43
``rename_field``, Motor                        1.49   43
``rename_field``, PyMongo Async                1.68   43
mongomig 0.4.2, ``rename_field``               2.92   47
a loop of bulk writes, four in flight          3.43   43
``transform_documents``, PyMongo Async         3.71   49
``transform_documents``, Motor                 3.76   56
Beanie 1.30, iterative migration              11.72  245
==========================================  =======  ===

``transform_documents`` peaks at 46 MiB with 10,000 and with 1,000,000 documents (Motor: 51 and 57). Checkpoints
take 1.0 to 1.9 % of the time, seen from the client; up to 7.7 while the machine was busy.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from batches import COLLECTION, project
from pymongo import MongoClient

from asyncmig.testing.server import LocalServer

DRIVERS = ("pymongo", "motor")
PAIRS = (("update_in_batches", "update_many"), ("transform_documents", "loop"))
WAY = str(Path(__file__).with_name("batches.py"))

BEANIE = """from beanie import Document, iterative_migration


class Before(Document):
    name: str
    n: int
    text: str

    class Settings:
        name = "notes"


class After(Document):
    title: str
    n: int
    text: str

    class Settings:
        name = "notes"


class Forward:
    @iterative_migration()
    async def rename(self, input_document: Before, output_document: After):
        output_document.title = input_document.name


class Backward:
    pass
"""
MONGOMIG = f"""revision = "20240101000000"
down_revision = None
branch_labels = None
depends_on = None
reversible = True
snapshot_hash = "sha256:{"0" * 64}"
mongomig_format = 1


def upgrade(ctx):
    ctx.ops.rename_field("notes", "name", "title")


def downgrade(ctx):
    pass
"""


class Bench:
    """One server, and the collections on it."""

    def __init__(self, server: LocalServer, root: Path) -> None:
        self.url, self.root = server.url, root
        self.client: MongoClient[Any] = MongoClient(server.url)
        self._number = 0

    def fill(self, count: int) -> str:
        """A database with so many documents of about 250 bytes."""
        name = f"bench_{count}"
        for start in range(0, count, 10_000):
            self.client[name][COLLECTION].insert_many(
                [
                    {"name": f"note {number}", "n": number, "text": "x" * 200}
                    for number in range(start, min(start + 10_000, count))
                ],
                ordered=False,
            )
        return name

    def copy(self, name: str) -> str:
        """A database with the same documents, for work that cannot be done twice."""
        self._number += 1
        fresh = f"{name}_{self._number}"
        self.client[name][COLLECTION].aggregate([{"$out": {"db": fresh, "coll": COLLECTION}}])
        self.client.admin.command("fsync")  # what the copy has left to do is not to be measured
        return fresh

    def drop(self, name: str) -> None:
        self.client.drop_database(name)

    def way(self, database: str, driver: str, way: str) -> dict[str, Any]:
        """What batches.py says of one way."""
        self.client[database].drop_collection("asyncmig_revisions")
        command = [sys.executable, WAY, self.url, database, driver, way]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr)
        found: dict[str, Any] = json.loads(done.stdout)
        return found


def ratios(bench: Bench, database: str, count: int, rounds: int) -> Iterator[str]:
    """Each operation beside what it is held against, in turns."""
    for driver in DRIVERS:
        for ours, other in PAIRS:
            times: dict[str, list[float]] = defaultdict(list)
            shares = []
            for _ in range(rounds):
                for way in (other, ours):
                    found = bench.way(database, driver, way)
                    times[way].append(found["seconds"])
                shares.append(found["ledger"] / found["seconds"])
            one, two = statistics.median(times[ours]), statistics.median(times[other])
            speed = f"{count / one:,.0f} documents/s"
            yield (
                f"{count:>9,}  {driver:<7}  {ours:<19} {one:6.2f} s ({speed}), {other:<11} {two:6.2f} s, "
                f"ratio {one / two:.2f}, checkpoints {statistics.median(shares):.1%}"
            )


def memory(bench: Bench, databases: dict[int, str]) -> Iterator[str]:
    """Peak memory of a function's run, on the smallest and the largest collection."""
    small, large = min(databases), max(databases)
    for driver in DRIVERS:
        few, many = (bench.way(databases[count], driver, "transform_documents")["peak"] for count in (small, large))
        yield f"{driver:<7}  {few:.0f} MiB with {small:,} documents, {many:.0f} MiB with {large:,}"


# -- whole processes ----------------------------------------------------------------------------


def processes(bench: Bench, database: str, rounds: int, beanie: str) -> Iterator[str]:
    """Wall time and peak memory, from the start of the process to its end."""
    commands = dict(_commands(bench, beanie))
    times: dict[str, list[float]] = defaultdict(list)
    peaks: dict[str, float] = {}
    for _ in range(rounds):
        for name, (folder, command, environment) in commands.items():
            fresh = bench.copy(database)
            try:
                seconds, peaks[name] = _measured(folder, [word.format(fresh) for word in command], environment, fresh)
            except RuntimeError as error:
                yield f"{name} failed: {str(error).strip().splitlines()[-1][:200]}"
                bench.drop(fresh)
                continue
            if bench.client[fresh][COLLECTION].find_one({"title": {"$exists": False}}):
                raise RuntimeError(f"{name} did not rename")
            times[name].append(seconds)
            bench.drop(fresh)
    for name, seconds in sorted(times.items(), key=lambda one: statistics.median(one[1])):
        yield f"{name:<42} {statistics.median(seconds):6.2f} ({min(seconds):.2f}) s  {peaks[name]:4.0f} MiB"


Command = tuple[Path, list[str], dict[str, str]]


def _commands(bench: Bench, beanie: str) -> Iterator[tuple[str, Command]]:
    """By name: a folder, the words of a command ({} is the database), and variables."""
    url = bench.url
    for way in ("rename by update_many", "rename by a loop"):
        yield f"{way} (pymongo)", (bench.root, [sys.executable, WAY, url, "{}", "pymongo", way], {})
    for operation in ("rename_field", "rename_by_function"):
        folder = bench.root / operation
        project(folder, operation)
        for driver in DRIVERS:
            words = [_program("asyncmig"), "--url", url, "--database", "{}", "--driver", driver, "upgrade"]
            yield f"asyncmig {operation} ({driver})", (folder, words, {})
    if shutil.which(_program("mongomig")):
        yield (
            "mongomig rename_field",
            (_mongomig(bench.root / "mongomig"), [_program("mongomig"), "upgrade"], {"MONGODB_URI": url}),
        )
    if program := shutil.which(beanie or _program("beanie")):
        folder = bench.root / "beanie"
        (folder / "migrations").mkdir(parents=True)
        (folder / "migrations" / "20240101000000_rename.py").write_text(BEANIE)
        yield (
            "beanie iterative_migration",
            (folder, [program, "migrate", "-uri", url, "-db", "{}", "-p", "migrations"], {}),
        )


def _mongomig(folder: Path) -> Path:
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (folder / "mongomig.yaml").write_text(
        "database:\n  uri: ${MONGODB_URI}\n  name: ${MONGODB_DATABASE}\nmigrations:\n  directory: migrations\n"
    )
    (folder / "migrations" / "env.py").write_text(
        "from mongomig import MongoMetadata\n\ntarget_metadata = MongoMetadata.default()\n"
    )
    snapshot = '{"collections": {}, "mongomig_format": 1, "storage": null}\n'
    (folder / "migrations" / "schema_snapshot.json").write_text(snapshot)
    (versions / "20240101000000_rename.py").write_text(MONGOMIG)
    return folder


def _program(name: str) -> str:
    """Beside this Python, else wherever it is."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or name


def _measured(folder: Path, command: list[str], environment: dict[str, str], database: str) -> tuple[float, float]:
    """Seconds, and peak memory in MiB."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | {"MONGODB_DATABASE": database, "PYTHONWARNINGS": "ignore"} | environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - began
        if process.returncode:
            said.seek(0)
            raise RuntimeError(f"{command}: {said.read().decode()[-2000:]}")
    return seconds, used.ru_maxrss / 1024


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="*", default=[100_000, 1_000_000], help="documents")
    parser.add_argument("--parts", nargs="*", default=["ratios", "memory", "processes"])
    parser.add_argument("--beanie", default="", help="another beanie than the one of this environment")
    options = parser.parse_args()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{os.cpu_count()} cores, load {load}, Python {sys.version.split()[0]}; medians of {options.rounds}")
    with tempfile.TemporaryDirectory() as root, LocalServer(args=["--wiredTigerCacheSizeGB=2"]) as server:
        bench = Bench(server, Path(root))
        databases = {count: bench.fill(count) for count in options.sizes}
        if "ratios" in options.parts:
            for count, database in databases.items():
                for text in ratios(bench, database, count, options.rounds if count < 500_000 else 1):
                    print(text, flush=True)
        if "memory" in options.parts:
            databases[10_000] = bench.fill(10_000)
            print(*memory(bench, databases), sep="\n", flush=True)
        if "processes" in options.parts:
            smallest = min(databases, key=lambda count: abs(count - 100_000))
            print(*processes(bench, databases[smallest], options.rounds, options.beanie), sep="\n", flush=True)
        bench.client.close()


if __name__ == "__main__":
    main()
