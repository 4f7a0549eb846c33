"""What a migrated database costs a test: ``migrated_database`` beside running the revisions for each test.

``python benchmarks/fixtures.py`` writes a project of 20 collections with 4 indexes each (one revision
for each collection), and runs the same 100 tests in four ways, each a pytest of its own on one and
the same server: every test runs the revisions; every test makes the collections and indexes anew by
the plain commands, which is what a copy of a template is to MongoDB; ``migrated_database``; and that
with tests that each drop a collection and add an index. The goal: less than a third of the first.

What was seen, on an otherwise quiet machine with 2 cores, 100 tests, milliseconds each, and the share of the first:
Motor 765; 646 (0.85); 54 (0.07); 72 (0.09). PyMongo Async 949; 624 (0.66); 62 (0.07); 87 (0.09).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from asyncmig.testing.server import LocalServer

COLLECTIONS = 20
REVISION = '''"""collection {number}"""

from asyncmig import Env, Index

revision = "{name}"
down_revision = {parent!r}


async def upgrade(env: Env) -> None:
    await env.create_collection("c{number}")
    await env.create_indexes(
        "c{number}", [Index("a"), Index("b"), Index([("a", 1), ("b", -1)]), Index("c", unique=True)]
    )


async def downgrade(env: Env) -> None:
    await env.drop_collection("c{number}")
'''

CONFTEST = """
import time, pytest

def pytest_sessionstart(session):
    session.began = None

def pytest_runtest_logreport(report):
    global first, last
    last = time.perf_counter()

def pytest_runtest_logstart(nodeid, location):
    global first
    first = globals().get("first") or time.perf_counter()

def pytest_sessionfinish(session):
    print(f"SECONDS {last - first:.3f}")
"""

TESTS = """
import pytest

INDEXES = [
    {{"key": {{"a": 1}}, "name": "a_1"}},
    {{"key": {{"b": 1}}, "name": "b_1"}},
    {{"key": {{"a": 1, "b": -1}}, "name": "a_1_b_-1"}},
    {{"key": {{"c": 1}}, "name": "c_1", "unique": True}},
]


@pytest.fixture
def subject({fixtures}):
    return {subject}


@pytest.mark.asyncio
@pytest.mark.parametrize("number", range({count}))
async def test_one(subject, number{more}):
    {prepare}
    await subject["c1"].insert_many([{{"a": n, "c": n}} for n in range(5)])
    assert await subject["c1"].count_documents({{}}) == 5
    {mischief}
"""

COPY = f"""for made in range({COLLECTIONS}):
        await subject.command({{"create": f"c{{made}}"}})
        await subject.command({{"createIndexes": f"c{{made}}", "indexes": INDEXES}})"""
MISCHIEF = 'await subject.drop_collection("c2")\n    await subject["c3"].create_index("z")'

WAYS = {
    "the revisions for each test": ("mongo_database", "mongo_database", ", migrator", "await migrator.upgrade()", ""),
    "made anew by plain commands": ("mongo_database", "mongo_database", "", COPY, ""),
    "migrated_database": ("migrated_database", "migrated_database", "", "", ""),
    "migrated_database, schema changed": ("migrated_database", "migrated_database", "", "", MISCHIEF),
}


def write(folder: Path) -> None:
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    parent = None
    for number in range(COLLECTIONS):
        name = f"2024{number:010}"
        (versions / f"{name}_collection.py").write_text(REVISION.format(number=number, name=name, parent=parent))
        parent = name
    ini = '[tool.asyncmig]\n\n[tool.pytest.ini_options]\nasyncio_default_fixture_loop_scope = "function"\n'
    (folder / "pyproject.toml").write_text(ini)
    (folder / "conftest.py").write_text(CONFTEST)


def seconds(folder: Path, url: str, way: str, driver: str, count: int) -> float:
    """How long the tests took from the first's begin to the last's end."""
    fixtures, subject, more, prepare, mischief = WAYS[way]
    text = TESTS.format(fixtures=fixtures, subject=subject, more=more, prepare=prepare, mischief=mischief, count=count)
    (folder / "test_it.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *_plugin(), "-qs", "-p", "no:cacheprovider", f"--asyncmig-driver={driver}"],
        cwd=folder,
        env=os.environ | {"ASYNCMIG_TEST_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    found = re.search(r"SECONDS ([\d.]+)", done.stdout)
    if done.returncode or not found:
        raise RuntimeError(done.stdout + done.stderr)
    return float(found[1])


def _plugin() -> list[str]:
    """What makes the plugin known where asyncmig is not installed, but found on the path."""
    registered = any(point.name == "asyncmig" for point in metadata.entry_points(group="pytest11"))
    return [] if registered else ["-p", "asyncmig.pytest_plugin"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=100)
    parser.add_argument("--drivers", nargs="*", default=["motor", "pymongo"])
    options = parser.parse_args()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg()) if hasattr(os, "getloadavg") else "?"
    print(f"{os.cpu_count()} cores, load {load}, Python {sys.version.split()[0]}; {options.tests} tests each")
    with tempfile.TemporaryDirectory() as root, LocalServer() as server:
        write(Path(root))
        for driver in options.drivers:
            whole = None
            for way in WAYS:
                took = seconds(Path(root), server.url, way, driver, options.tests)
                whole = whole or took
                per_test = took / options.tests * 1000
                cells = f"{took:7.2f} s  {per_test:7.1f} ms each  {took / whole:6.3f} of the first"
                print(f"{driver:<8} {way:<34} {cells}", flush=True)


if __name__ == "__main__":
    main()
